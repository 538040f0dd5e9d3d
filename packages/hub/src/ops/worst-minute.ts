/** The worst of what was seen each second for a minute: who asks less often than each second still sees every peak. Pure. */
import type { Spread } from './vitals.ts'

const SECONDS = 60

export class WorstMinute {
  readonly #seen: Spread[] = []

  add(spread: Spread): void {
    this.#seen.push(spread)
    if (this.#seen.length > SECONDS) this.#seen.shift()
  }

  /** Of each the highest; 0 when nothing was seen yet. */
  get worst(): Spread {
    const highest = (of: keyof Spread): number => Math.max(0, ...this.#seen.map((spread) => spread[of]))
    return { p50: highest('p50'), p99: highest('p99'), max: highest('max') }
  }
}
