/** Random steps that publishers, readers and time take, and how a log takes those that change it. */
import fc from 'fast-check'
import { LogError, type Appended, type Log, type NewEvent, type Position } from '../../src/log/log.ts'
import type { RetentionRule } from '../../src/log/retention.ts'
import type { LogHarness } from './harness.ts'

export type Change =
  | {
      readonly step: 'append'
      readonly batch: readonly NewEvent[]
      readonly end: readonly string[]
      readonly key?: string
    }
  | { readonly step: 'drop'; readonly channel: string }
  | { readonly step: 'advance'; readonly ms: number }

/** By count, bytes and age, each small enough that a few steps reach it. */
export const RULES: readonly RetentionRule[] = [
  { channels: 'count', count: 2 },
  { channels: 'p.bytes', bytes: 6, age: Infinity },
  { channels: 'p.**', age: 1000 },
  { channels: 'q.needle', count: 5, age: 1500 },
  { channels: 'crowd.*', count: 3 },
]

const CHANNELS = ['count', 'free', 'p.bytes', 'p.age', 'p.age.b', 'q.needle', '$hub']
const PATTERNS = ['*', '**', 'p.*', 'p.**', '*.needle', 'nobody.*']

const channel = fc.constantFrom(...CHANNELS)
const data = fc.string({ maxLength: 5 })

const append: fc.Arbitrary<Change> = fc.record({
  step: fc.constant('append' as const),
  batch: fc.array(fc.record({ channel, data }, { noNullPrototype: true }), { maxLength: 4 }),
  end: fc.oneof(
    { weight: 6, arbitrary: fc.constant([]) },
    { weight: 1, arbitrary: fc.array(channel, { maxLength: 2 }) },
  ),
})
/** Few keys and few batches, so that there are repeats and mismatches. */
const appendOnce: fc.Arbitrary<Change> = fc.record({
  step: fc.constant('append' as const),
  batch: fc.array(
    fc.record(
      { channel: fc.constantFrom('free', 'count'), data: fc.constantFrom('x', 'y') },
      { noNullPrototype: true },
    ),
    {
      maxLength: 2,
    },
  ),
  end: fc.constant([]),
  key: fc.constantFrom('k1', 'k2'),
})
const drop: fc.Arbitrary<Change> = fc.record({ step: fc.constant('drop' as const), channel })
const advance: fc.Arbitrary<Change> = fc.record({
  step: fc.constant('advance' as const),
  ms: fc.oneof(
    fc.integer({ min: 1, max: 700 }),
    fc.integer({ min: 1, max: 5000 }),
    fc.integer({ min: -300, max: 0 }),
  ),
})

export const change: fc.Arbitrary<Change> = fc.oneof(
  { weight: 8, arbitrary: append },
  { weight: 2, arbitrary: appendOnce },
  { weight: 1, arbitrary: drop },
  { weight: 2, arbitrary: advance },
)

/** Parts of a set of channels. */
export const parts: fc.Arbitrary<string[]> = fc.uniqueArray(
  fc.constantFrom(...CHANNELS, ...PATTERNS, 'nobody'),
  {
    minLength: 1,
    maxLength: 4,
  },
)

/** So many events of other channels at once that an engine must not look at each to find those few of a pattern. */
export function crowd(size: number): NewEvent[] {
  return Array.from({ length: size }, (_, index) => ({ channel: `crowd.${index % 90}`, data: '' }))
}

export interface Outcome {
  readonly appended?: Appended
  readonly error?: LogError
  readonly dropped?: boolean
}

export async function take(harness: LogHarness, change: Change): Promise<Outcome> {
  const { log } = harness
  switch (change.step) {
    case 'append':
      return tryAppend(log, change)
    case 'drop':
      return { dropped: await log.drop(change.channel) }
    case 'advance':
      await harness.advance(change.ms)
      return {}
  }
}

async function tryAppend(log: Log, { batch, end, key }: Change & { step: 'append' }): Promise<Outcome> {
  const idempotency = key === undefined ? undefined : { key, fingerprint: JSON.stringify(batch) }
  try {
    return { appended: await log.append(batch, { end, ...(idempotency && { idempotency }) }) }
  } catch (error) {
    if (error instanceof LogError) return { error }
    throw error
  }
}

/** A position chosen by a number from 0 to 1. */
export function somewhere(fraction: number, frontier: Position): Position {
  return Math.min(frontier, Math.floor(fraction * (frontier + 1)))
}

/** Keeps runs repeatable by hand: `SEED=… node --test …`. fast-check prints the seed of a run that fails. */
export function runs(numRuns: number): fc.Parameters<unknown> {
  const seed = process.env['SEED']
  return { numRuns: Math.ceil(numRuns), ...(seed !== undefined && { seed: Number(seed) }) }
}
