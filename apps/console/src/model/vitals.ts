/** The vital signs of the hub over the last minutes. Pure. */
import type { Vitals } from '../../../../packages/hub/src/ops/vitals.ts'

/** As the hub tells it in `$hub.vitals`. */
export type { Vitals } from '../../../../packages/hub/src/ops/vitals.ts'

export interface Sample {
  /** Milliseconds since 1970. */
  readonly time: number
  readonly vitals: Vitals
}

export const KEPT_SAMPLES = 600
/** Samples come each second; a hub that is busy may be late. */
const APART_MS = 5_000

export class History {
  #samples: readonly Sample[] = []

  get samples(): readonly Sample[] {
    return this.#samples
  }

  get last(): Vitals | undefined {
    return this.#samples.at(-1)?.vitals
  }

  clear(): void {
    this.#samples = []
  }

  tell(sample: Sample): void {
    // A hub that began anew tells its own first seconds again.
    if (sample.time <= (this.#samples.at(-1)?.time ?? 0)) return
    this.#samples = [...this.#samples, sample].slice(-KEPT_SAMPLES)
  }

  /** Of something that is told by the second, how much it was over all samples. */
  sum(read: (vitals: Vitals) => number): number {
    return this.#samples.reduce((sum, { vitals }) => sum + read(vitals), 0)
  }

  /**
   * Columns as a chart wants them: the times in seconds, then one for each reading. `null` where there was none; also between two samples
   * that are far apart, so that no line is drawn over the time in which nothing is known.
   */
  columns(...readings: readonly ((vitals: Vitals) => number | undefined)[]): (number | null)[][] {
    const columns: (number | null)[][] = [[], ...readings.map(() => [])]
    let before = Infinity
    for (const { time, vitals } of this.#samples) {
      if (time - before > APART_MS)
        for (const [at, column] of columns.entries()) column.push(at ? null : (before + 1) / 1000)
      columns[0]?.push(time / 1000)
      for (const [at, read] of readings.entries()) columns[at + 1]?.push(read(vitals) ?? null)
      before = time
    }
    return columns
  }

  /** Writes by how many events they had, over all samples. */
  sizes(): readonly number[] {
    const sums: number[] = []
    for (const { vitals } of this.#samples)
      for (const [size, count] of vitals.sizes.entries()) sums[size] = (sums[size] ?? 0) + count
    return sums
  }
}
