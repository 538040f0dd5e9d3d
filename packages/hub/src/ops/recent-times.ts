/** How long something took, since somebody last asked: a bounded sample of it, by chance when there is more. */
import type { Spread } from './vitals.ts'

const MOST = 1_024

export class RecentTimes {
  readonly #random: () => number
  #times: number[] = []
  #count = 0
  #max = 0

  /** @param random At least 0, below 1. */
  constructor(random: () => number) {
    this.#random = random
  }

  /** @param ms Milliseconds. */
  add(ms: number): void {
    this.#count++
    this.#max = Math.max(this.#max, ms)
    if (this.#times.length < MOST) this.#times.push(ms)
    else {
      // Each of all that came is kept with the same chance (Vitter's algorithm R).
      const place = Math.floor(this.#random() * this.#count)
      if (place < MOST) this.#times[place] = ms
    }
  }

  /** Begins anew. Undefined: nothing came. */
  take(): Spread | undefined {
    if (this.#count === 0) return undefined
    const times = this.#times.sort((one, other) => one - other)
    const max = this.#max
    this.#times = []
    this.#count = 0
    this.#max = 0
    const at = (share: number): number => times[Math.floor((times.length - 1) * share)] as number
    return { p50: rounded(at(0.5)), p99: rounded(at(0.99)), max: rounded(max) }
  }
}

function rounded(ms: number): number {
  return Math.round(ms * 1000) / 1000
}
