/** How far the hub's clock is from the page's. Pure. */

export interface ClockReading {
  /** By the page's clock: when it was asked, and when the answer came. */
  readonly asked: number
  readonly answered: number
  /** What the hub said. */
  readonly hub: number
}

export interface ClockOffset {
  /** Milliseconds to take from the hub's time for the page's. */
  readonly offset: number
  /** What it may be off by, at the most: half of the quickest answer's time. */
  readonly precision: number
}

/** The quickest answer says most. @returns undefined without a reading */
export function offsetOf(readings: readonly ClockReading[]): ClockOffset | undefined {
  const took = ({ asked, answered }: ClockReading): number => answered - asked
  const [best] = [...readings].sort((one, other) => took(one) - took(other))
  if (!best) return undefined
  return { offset: best.hub - (best.asked + best.answered) / 2, precision: took(best) / 2 }
}
