/** The vital signs of the hub over the last minutes. Pure. */

export interface Spread {
  readonly p50: number
  readonly p99: number
  readonly max: number
}

/** As the hub tells it in `$hub.vitals`. */
export interface Vitals {
  readonly streams: number
  readonly longPolls: number
  readonly slow: number
  readonly frontier: number
  readonly rss: number
  readonly heap: number
  readonly loopDelay: Spread
  readonly publishTime?: Spread
  readonly log: { readonly ok: boolean; readonly reason?: string }
  readonly publishes: number
  readonly events: number
  readonly deliveries: number
  readonly writes: number
  readonly filled: number
  readonly gaps: number
  readonly sizes: readonly number[]
  readonly cpu: number
}

export interface Sample {
  /** Milliseconds since 1970. */
  readonly time: number
  readonly vitals: Vitals
}

export const KEPT_SAMPLES = 600

export class History {
  #samples: readonly Sample[] = []

  get samples(): readonly Sample[] {
    return this.#samples
  }

  get last(): Vitals | undefined {
    return this.#samples.at(-1)?.vitals
  }

  tell(sample: Sample): void {
    this.#samples = [...this.#samples, sample].slice(-KEPT_SAMPLES)
  }

  /** Columns as a chart wants them: the times in seconds, then one for each reading. `null` where there was none. */
  columns(...readings: readonly ((vitals: Vitals) => number | undefined)[]): (number | null)[][] {
    return [
      this.#samples.map(({ time }) => time / 1000),
      ...readings.map((read) => this.#samples.map(({ vitals }) => read(vitals) ?? null)),
    ]
  }

  /** Writes by how many events they had, over all samples. */
  sizes(): readonly number[] {
    const sums: number[] = []
    for (const { vitals } of this.#samples)
      for (const [size, count] of vitals.sizes.entries()) sums[size] = (sums[size] ?? 0) + count
    return sums
  }
}
