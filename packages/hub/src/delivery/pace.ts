/**
 * Lets those who catch up through as many at a time as a turn of the event loop can bear: first come, first served. Without it one
 * replay whose connection takes everything at once keeps all others waiting (measured beside such a replay: 140 ms at the
 * 99th percentile, with it 10 ms), and so does a storm.
 */
import type { Clock } from '../clock.ts'

/** Of a page: to write it, and to make it into bytes first, which takes eight times as long. */
export const PAGE_COSTS = { write: 1, make: 8 }

/** Eight pages made, or 64 written that were made for others: some 3 ms. */
const PER_TURN = 64
/** Where a write takes much longer than usual, no more begin after so many milliseconds. */
const TURN_MS = 4

interface Waiting {
  readonly cost: () => number
  readonly go: () => void
}

export class Pace {
  readonly #clock: Clock
  #left = PER_TURN
  #counting = false
  #waiting: Waiting[] = []

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Undefined: go on at once. Else when it resolves. The last to go in a turn may spend more than is left. */
  next(cost: () => number): Promise<void> | undefined {
    this.#count()
    if (this.#left <= 0) return new Promise((go) => this.#waiting.push({ cost, go }))
    this.#left -= cost()
    return undefined
  }

  /** Resolves in a turn to come, even if this one could bear more. */
  turn(cost: number): Promise<void> {
    this.#count()
    return new Promise((go) => this.#waiting.push({ cost: () => cost, go }))
  }

  #count(): void {
    if (this.#counting) return
    this.#counting = true
    this.#clock.defer(this.#turn)
  }

  readonly #turn = (): void => void this.#takeTurn()

  async #takeTurn(): Promise<void> {
    const until = this.#clock.now() + TURN_MS
    this.#left = PER_TURN
    let count = 0
    for (const { cost, go } of this.#waiting) {
      if (this.#clock.now() >= until) this.#left = 0
      if (this.#left <= 0) break
      this.#left -= cost()
      count++
      go()
      // What it does with its turn, it does before this goes on.
      await Promise.resolve()
    }
    this.#waiting = this.#waiting.slice(count)
    this.#counting = count > 0
    if (this.#counting) this.#clock.defer(this.#turn)
  }
}
