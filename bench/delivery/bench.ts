/** What a benchmark of delivery is, and what it finds. */
import type { Chart } from '../report/svg.ts'

export interface Table {
  readonly caption: string
  readonly head: readonly string[]
  readonly rows: readonly (readonly string[])[]
}

/** A claim with a figure. */
export interface Target {
  readonly what: string
  readonly wanted: { readonly atMost: number } | { readonly atLeast: number }
  readonly got: number
  /** Such as ` KB`; default none, for ratios. */
  readonly unit?: string
}

export interface Findings {
  readonly tables: readonly Table[]
  readonly targets: readonly Target[]
  readonly charts?: readonly Chart[]
  /** What the reader of the figures must know, e.g. that a generator was at its end. */
  readonly notes: readonly string[]
  /** Why it was not run. */
  readonly skipped?: string
}

export interface BenchContext {
  /** Fewer readers, and a few seconds: shows that it works, and measures nothing. */
  readonly quick: boolean
  /** Without peers, for whoever is at work on the hub: what is compared with a peer has no figure then. */
  readonly ours: boolean
  /** A line about what goes on. */
  readonly say: (line: string) => void
}

export interface Bench {
  readonly name: string
  /** One sentence: what it is to show. */
  readonly claim: string
  readonly run: (context: BenchContext) => Promise<Findings>
}

/** Undefined when there is no figure. */
export function holds({ wanted, got }: Target): boolean | undefined {
  if (Number.isNaN(got)) return undefined
  return 'atMost' in wanted ? got <= wanted.atMost : got >= wanted.atLeast
}

/** How one run compares with another, if both were made. */
export function ratio<K extends string>(
  one: Readonly<Record<K, number>> | undefined,
  other: Readonly<Record<K, number>> | undefined,
  key: K,
): number {
  return one === undefined || other === undefined ? Number.NaN : one[key] / other[key]
}
