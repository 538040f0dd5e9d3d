/**
 * Token buckets by key, all of one burst: each fills at its rate, up to what the rate gives in `burstMs` (at least one token).
 * Pure: time comes in.
 *
 * A bucket is one number, the time at which it is full again; one that is full is not kept. More than a burst may be taken at
 * once, from a full bucket: it is then owed, and nothing else is given until it is paid back. So every amount is possible, and no
 * pattern of taking gets more than the rate and one burst beyond it.
 */

/** Buckets kept at most; beyond it the one that was begun first is forgotten, and so is full again. */
const MOST = 100_000

export class TokenBuckets {
  readonly #burstMs: number
  readonly #most: number
  readonly #fullAt = new Map<string, number>()
  #last = 0

  constructor(burstMs: number, most: number = MOST) {
    this.#burstMs = burstMs
    this.#most = most
  }

  /** Buckets that are kept: those that were not full when it was last looked. */
  get size(): number {
    return this.#fullAt.size
  }

  /**
   * Milliseconds until so many tokens may be taken, 0 when they may be now. Infinity when the rate is 0.
   *
   * @param rate Tokens a second; Infinity for no limit
   * @param now Milliseconds
   */
  wait(key: string, tokens: number, rate: number, now: number): number {
    if (rate === Infinity) return 0
    if (rate <= 0) return Infinity
    this.#keepTime(now)
    const emptyFor = (this.#fullAt.get(key) ?? 0) - now
    if (emptyFor <= 0) return 0
    // What of the burst is left when these have been taken, in milliseconds of filling.
    const left = Math.max(0, this.#burstOf(rate) - (tokens * 1000) / rate)
    return Math.max(0, emptyFor - left)
  }

  /** Takes them, whether or not they are there: ask `wait` before. */
  take(key: string, tokens: number, rate: number, now: number): void {
    if (rate === Infinity || rate <= 0) return
    this.#keepTime(now)
    const known = this.#fullAt.get(key)
    this.#fullAt.set(key, Math.max(known ?? 0, now) + (tokens * 1000) / rate)
    if (known !== undefined || this.#fullAt.size <= this.#most) return
    for (const oldest of this.#fullAt.keys()) {
      this.#fullAt.delete(oldest)
      return
    }
  }

  /** Forgets the buckets that are full. */
  sweep(now: number): void {
    this.#keepTime(now)
    for (const [key, fullAt] of this.#fullAt) if (fullAt <= now) this.#fullAt.delete(key)
  }

  /** One token at least fits in every bucket. */
  #burstOf(rate: number): number {
    return Math.max(this.#burstMs, 1000 / rate)
  }

  /** A clock that was put back would leave buckets empty for as long: all are full again instead. */
  #keepTime(now: number): void {
    if (now < this.#last) this.#fullAt.clear()
    this.#last = now
  }
}
