/** A flush under way, over one turn of the event loop or several. */
import type { Clock } from '../clock.ts'
import { Patience } from './patience.ts'
import type { Rhythm } from './rhythm.ts'
import type { Tally } from './tally.ts'

/** Goes on in another turn where it yields. */
export type Steps = Generator<void, void, void>

export class Flight {
  readonly #clock: Clock
  readonly #tally: Tally
  readonly #patience: Patience
  readonly #steps: Steps
  readonly #begun: number
  /** Spent in its turns, and what was told in them. */
  #ms = 0
  #deliveries = 0
  #writes = 0

  constructor(clock: Clock, tally: Tally, flush: (patience: Patience) => Steps) {
    this.#clock = clock
    this.#tally = tally
    this.#begun = clock.now()
    this.#patience = new Patience(() => clock.now())
    this.#steps = flush(this.#patience)
  }

  /** Its part of this turn. @returns whether all are told, or put off */
  turn(): boolean {
    const begun = this.#clock.now()
    const { deliveries, writes } = this.#tally
    this.#patience.turn()
    const { done = false } = this.#steps.next()
    this.#ms += this.#clock.now() - begun
    this.#deliveries += this.#tally.deliveries - deliveries
    this.#writes += this.#tally.writes - writes
    return done
  }

  /** All that is left, however long it takes. */
  finish(): void {
    this.#patience.endless = true
    while (!this.turn()) continue
  }

  /** When it is over. */
  tell(rhythm: Rhythm): void {
    if (this.#writes === 0) return
    rhythm.flushed(this.#begun, this.#begun + this.#ms, this.#deliveries / this.#writes)
  }
}
