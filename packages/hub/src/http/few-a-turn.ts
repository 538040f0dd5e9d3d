/** Does what came all at once in parts, a turn of the event loop each, so that others get their turns between. */

/** At most so many in one turn: some milliseconds of the smallest answers. */
const FEW = 64

export class FewATurn {
  #waiting: (() => void)[] = []
  #next = 0

  push(run: () => void): void {
    if (this.#waiting.push(run) === 1) setImmediate(this.#some)
  }

  readonly #some = (): void => {
    const end = Math.min(this.#next + FEW, this.#waiting.length)
    while (this.#next < end) this.#waiting[this.#next++]?.()
    if (this.#next < this.#waiting.length) {
      setImmediate(this.#some)
      return
    }
    this.#waiting = []
    this.#next = 0
  }
}
