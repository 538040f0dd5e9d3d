/**
 * Many waits of one length at the cost of one timer: to start and stop a timer for each request took an eighth of the CPU of small
 * publishes (docs/performance.md).
 */
export class Deadlines {
  readonly #ms: number
  /** Each with the time it is due at; the oldest first, since all are as long. */
  readonly #due = new Map<() => void, number>()
  #timer: NodeJS.Timeout | undefined

  constructor(ms: number) {
    this.#ms = ms
  }

  /** Calls `expire` when the time is over, unless it is deleted before. */
  add(expire: () => void): void {
    this.#due.set(expire, performance.now() + this.#ms)
    if (this.#timer === undefined) this.#timer = this.#after(this.#ms)
  }

  delete(expire: () => void): void {
    this.#due.delete(expire)
  }

  /** It keeps no process alive: the connection that is waited for does. */
  #after(ms: number): NodeJS.Timeout {
    return setTimeout(this.#check, ms).unref()
  }

  readonly #check = (): void => {
    this.#timer = undefined
    const now = performance.now()
    for (const [expire, due] of this.#due) {
      if (due > now) {
        this.#timer = this.#after(due - now)
        return
      }
      this.#due.delete(expire)
      expire()
    }
  }
}
