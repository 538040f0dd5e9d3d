/** When the events of a run are due. Pure. */
import type { LabSettings } from './report.ts'

/** Milliseconds before the first event: however rare events are, a run has one. */
export const LEAD_MS = 300
/** Events of a burst. */
export const BURST = 10

/** Milliseconds from the start, rising, without end. The same seed gives the same times. */
export function* schedule(
  { rate, shape }: Pick<LabSettings['events'], 'rate' | 'shape'>,
  random: () => number,
): Generator<number, never, void> {
  const every = 1000 / rate
  // Each from the start, and not from the one before: nothing adds up.
  for (let n = 0, gaps = 0; ; n++) {
    if (shape === 'poisson' && n > 0) gaps -= Math.log(1 - random())
    const place = shape === 'steady' ? n : shape === 'bursts' ? n - (n % BURST) : gaps
    yield LEAD_MS + place * every
  }
}

/** Numbers that a seed repeats (mulberry32): at least 0, below 1. */
export function randomOf(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}
