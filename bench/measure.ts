/** Small words of measuring, for all benchmarks. */

/** Milliseconds, of one thing. */
export async function timed<T>(
  work: () => Promise<T> | T,
): Promise<{ readonly ms: number; readonly result: T }> {
  const begun = performance.now()
  const result = await work()
  return { ms: performance.now() - begun, result }
}

/** Latencies as they are spoken of. */
export class Latencies {
  readonly #all: number[] = []

  add(ms: number): void {
    this.#all.push(ms)
  }

  get count(): number {
    return this.#all.length
  }

  /** @param share From 0 to 1: 0.99 is the 99th percentile. */
  at(share: number): number {
    const sorted = this.#all.toSorted((one, other) => one - other)
    return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN
  }

  toString(): string {
    return `p50 ${ms(this.at(0.5))}, p99 ${ms(this.at(0.99))}, max ${ms(this.at(1))}`
  }
}

export function ms(value: number): string {
  return `${value < 10 ? value.toFixed(2) : Math.round(value)} ms`
}

export function rate(count: number, elapsedMs: number): string {
  return `${Math.round((count / elapsedMs) * 1000).toLocaleString('en')}/s`
}

/** A check that the work measured is the work asked for. */
export function check(holds: boolean, what: string): void {
  if (!holds) throw new Error(`The benchmark itself is wrong: ${what}`)
}
