/** Lets so many through in one turn of the event loop, and the others in the turns after it, first come first served. */
import type { Clock } from '../clock.ts'

export class Pace {
  readonly #clock: Clock
  readonly #perTurn: number
  #left: number
  #scheduled = false
  #waiting: (() => void)[] = []

  constructor(clock: Clock, perTurn: number) {
    this.#clock = clock
    this.#perTurn = perTurn
    this.#left = perTurn
  }

  /** Undefined: go on at once. Else when it resolves. */
  next(): Promise<void> | undefined {
    if (!this.#scheduled) {
      this.#scheduled = true
      this.#clock.defer(this.#turn)
    }
    if (this.#left > 0) {
      this.#left--
      return undefined
    }
    return new Promise((resolve) => this.#waiting.push(resolve))
  }

  readonly #turn = (): void => {
    const next = this.#waiting.splice(0, this.#perTurn)
    this.#left = this.#perTurn - next.length
    this.#scheduled = next.length > 0
    if (this.#scheduled) this.#clock.defer(this.#turn)
    for (const resolve of next) resolve()
  }
}
