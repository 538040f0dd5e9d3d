/** How long something took, counted since the start: a histogram that costs an addition. Pure. */
import type { Counted } from './counted-histogram.ts'

/** Milliseconds: from a publish in memory to one that a busy disk holds up. */
const AT_MOST = [0.1, 0.25, 0.5, 1, 2.5, 5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, Infinity]

export class CountedTimes {
  readonly #counts = AT_MOST.map(() => 0)
  #sum = 0

  /** @param ms Milliseconds. */
  add(ms: number): void {
    let at = 0
    while (ms > (AT_MOST[at] as number)) at++
    this.#counts[at] = (this.#counts[at] as number) + 1
    this.#sum += ms
  }

  /** In seconds, as Prometheus wants it. */
  get seconds(): Counted {
    return {
      buckets: AT_MOST.map((ms, at) => ({ atMost: ms / 1000, count: this.#counts[at] as number })),
      sum: this.#sum / 1000,
    }
  }
}
