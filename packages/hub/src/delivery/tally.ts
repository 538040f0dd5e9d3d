/** What the delivery has done so far: a few additions for each write, so that it can be counted always. */

/** Sizes of writes are counted by powers of two: 1, 2 to 3, 4 to 7, and so on; the last holds all beyond. */
const SIZES = 12

export class Tally {
  /** Writes that had events. */
  writes = 0
  /** Events given to connections: one for each event and reader. */
  deliveries = 0
  /** Writes that had events, by how many they had: `sizes[n]` of at least 2^n and less than 2^(n + 1). */
  readonly sizes: number[] = Array.from({ length: SIZES }, () => 0)
  /** How often a reader was brought up to the others by pages of the log: when it came, and when it had been slow for long. */
  catchUps = 0
  /** The pages that they took; see `PageReads.reads` for how many were read. */
  pages = 0
  /** How often a connection would take no more. */
  filled = 0
  /** Gaps told to streams. */
  gaps = 0

  wrote(events: number): void {
    if (events === 0) return
    this.deliveries += events
    this.writes++
    const size = Math.min(31 - Math.clz32(events), SIZES - 1)
    this.sizes[size] = (this.sizes[size] as number) + 1
  }
}
