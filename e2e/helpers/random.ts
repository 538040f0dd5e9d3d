/** Chance that can be repeated. */
import type { TestContext } from 'node:test'

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

/** A seed for this run, told so that the run can be repeated with `SEED=`. */
export function seedOf(t: TestContext): number {
  const seed = Number(process.env['SEED'] ?? Math.floor(Math.random() * 2 ** 32))
  t.diagnostic(`seed ${seed}`)
  return seed
}
