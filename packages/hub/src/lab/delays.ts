/** How long events took, counted by size: memory does not grow with their number. Pure. */
import { DELAY_BOUNDS, type Delays } from './report.ts'

/** Each class is 2 % wide, from 10 µs to an hour. */
const FINEST_MS = 0.01
const WIDTH = Math.log(1.02)
const CLASSES = Math.ceil(Math.log(3_600_000 / FINEST_MS) / WIDTH) + 1

export class DelayCounts {
  readonly #classes = new Uint32Array(CLASSES)
  readonly #counts = Array.from({ length: DELAY_BOUNDS.length + 1 }, () => 0)
  #count = 0
  #max = 0

  /** @param ms Below zero, where two clocks disagree, is none. */
  add(ms: number): void {
    const delay = Math.max(0, ms)
    const bound = DELAY_BOUNDS.findIndex((most) => delay <= most)
    const at = bound < 0 ? DELAY_BOUNDS.length : bound
    this.#counts[at] = (this.#counts[at] as number) + 1
    const fine = delay <= FINEST_MS ? 0 : Math.ceil(Math.log(delay / FINEST_MS) / WIDTH)
    const one = Math.min(fine, CLASSES - 1)
    this.#classes[one] = (this.#classes[one] as number) + 1
    this.#count++
    this.#max = Math.max(this.#max, delay)
  }

  report(): Delays {
    return {
      count: this.#count,
      counts: [...this.#counts],
      p50: this.#percentile(0.5),
      p99: this.#percentile(0.99),
      max: rounded(this.#max),
    }
  }

  #percentile(share: number): number {
    let left = Math.ceil(this.#count * share)
    if (left === 0) return 0
    for (let one = 0; one < CLASSES; one++) {
      left -= this.#classes[one] as number
      if (left <= 0) return rounded(Math.min(FINEST_MS * Math.exp(one * WIDTH), this.#max))
    }
    return rounded(this.#max)
  }
}

function rounded(ms: number): number {
  return Math.round(ms * 100) / 100
}
