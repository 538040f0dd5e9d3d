/** Says once that the hub is away, and once that it is back, however often it is tried in between. */
export class Outage {
  readonly #tell: (line: string) => void
  #on = false
  #failures = 0

  constructor(tell: (line: string) => void) {
    this.#tell = tell
  }

  /** How many tries have failed in a row. */
  get failures(): number {
    return this.#failures
  }

  failed(reason: string): void {
    this.#failures++
    if (this.#on) return
    this.#on = true
    this.#tell(`${reason}: trying again until it works`)
  }

  worked(): void {
    this.#failures = 0
    if (!this.#on) return
    this.#on = false
    this.#tell('The hub is there again')
  }
}
