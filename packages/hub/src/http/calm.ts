/** How often a peer may do what costs us more than it. Pure: the time is passed in. */

export interface CalmTerms {
  /** So many at once. */
  readonly burst: number
  /** So many a second, for good. */
  readonly rate: number
}

/** A bucket that is filled at `rate` and takes `burst` (a token bucket). */
export class Calm {
  readonly #terms: CalmTerms
  #left: number
  #at: number

  constructor(terms: CalmTerms, now: number) {
    this.#terms = terms
    this.#left = terms.burst
    this.#at = now
  }

  /** Once more. False: that was too often. @param now In milliseconds, of a clock that never goes back. */
  again(now: number): boolean {
    const { burst, rate } = this.#terms
    this.#left = Math.min(burst, this.#left + ((now - this.#at) / 1000) * rate) - 1
    this.#at = now
    return this.#left >= 0
  }
}
