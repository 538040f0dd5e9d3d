/** The scale of the delays: steps of 1, 2, 5 as in `DELAY_BOUNDS`, each as wide as the other. Pure. */
import { DELAY_BOUNDS } from '../lab/shared.ts'

export const STEPS: number = DELAY_BOUNDS.length + 1
const LEAST = 0.5
const MOST = 60_000

/** @param ms A delay @returns where it is on the scale, from 0 to 1 */
export function placeOf(ms: number): number {
  const found = DELAY_BOUNDS.findIndex((bound) => ms <= bound)
  const step = found < 0 ? DELAY_BOUNDS.length : found
  const from = DELAY_BOUNDS[step - 1] ?? LEAST
  const to = DELAY_BOUNDS[step] ?? MOST
  const within = Math.log(Math.max(from, Math.min(to, ms)) / from) / Math.log(to / from)
  return (step + within) / STEPS
}

/** Sums, step by step. */
export function added(one: readonly number[], other: readonly number[]): readonly number[] {
  return Array.from({ length: STEPS }, (_, step) => (one[step] ?? 0) + (other[step] ?? 0))
}
