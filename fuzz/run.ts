/** Runs one target: every input, what became of it, the slowest of them, and the heap before and after. */
import { Random } from './random.ts'
import { shrink } from './shrink.ts'
import type { Target } from './target.ts'

export interface Plan {
  readonly seed: number
  /** Inputs, those of the corpus included. */
  readonly count: number
  /** The first one. Default 0. */
  readonly from?: number
  /** Milliseconds that one input may take, the least of five times. Default 250. */
  readonly slowMs?: number
  /** Bytes by which the heap may be larger at the end than after the first tenth. Default 4 MiB. */
  readonly growth?: number
  /** Told before each input, so that somebody else can see one that never ends; -1 after the last. */
  readonly begin?: (index: number) => void
}

export interface Outcome {
  /** Inputs taken: fewer than planned after a failure. */
  readonly count: number
  readonly seconds: number
  /** How often each thing became of an input. */
  readonly tally: Readonly<Record<string, number>>
  /** The least of five times: those that took long because the machine was busy are left out. */
  readonly slowest: { readonly index: number; readonly ms: number }
  /** Bytes of heap in use, after a collection. */
  readonly heap: { readonly before: number; readonly after: number }
  readonly failure?: Failure
}

export interface Failure {
  readonly index: number
  readonly reason: string
  readonly input: unknown
  /** The smallest input found that fails, too. */
  readonly smallest?: unknown
}

const SLOW_MS = 250
const GROWTH = 4 * 1024 * 1024
/** How many of the slowest inputs are run again. */
const SUSPECTS = 8

export function inputOf<Input>(target: Target<Input>, seed: number, index: number): Input {
  return target.corpus[index] ?? target.make(new Random(seed, index))
}

export async function run<Input>(target: Target<Input>, plan: Plan): Promise<Outcome> {
  const { seed, count, from = 0, slowMs = SLOW_MS, growth = GROWTH, begin = () => {} } = plan
  const tally = new Map<string, number>()
  const suspects: { index: number; ms: number }[] = []
  let least = 0
  let before = Number.NaN
  let failure: Failure | undefined
  let done = 0
  const begun = performance.now()
  // By then every memory that has a bound is full.
  const warm = from + Math.floor(count / 10)
  for (let index = from; index < from + count; index++) {
    if (index === warm) before = heapInUse()
    begin(index)
    done++
    const input = inputOf(target, seed, index)
    const started = performance.now()
    try {
      const became = target.check(input)
      const label = typeof became === 'string' ? became : await became
      tally.set(label, (tally.get(label) ?? 0) + 1)
    } catch (error) {
      failure = await failureOf(target, index, input, error)
      break
    }
    const ms = performance.now() - started
    if (ms <= least && suspects.length === SUSPECTS) continue
    suspects.push({ index, ms })
    if (suspects.length > SUSPECTS) suspects.sort((one, other) => other.ms - one.ms).pop()
    least = suspects.at(-1)?.ms ?? 0
    if (ms > slowMs && (await leastOf(target, input)) > slowMs) {
      failure = { index, reason: `takes more than ${slowMs} ms, five times`, input }
      break
    }
  }
  begin(-1)
  const seconds = (performance.now() - begun) / 1000
  const after = heapInUse()
  if (failure === undefined && after - before > growth) {
    failure = { index: from, reason: `the heap grew by ${after - before} bytes`, input: undefined }
  }
  const again = failure ? suspects.slice(0, 1) : await confirmed(target, seed, suspects)
  return {
    count: done,
    seconds,
    tally: Object.fromEntries([...tally].sort(([, one], [, other]) => other - one)),
    slowest: again[0] ?? { index: from, ms: 0 },
    heap: { before, after },
    ...(failure === undefined ? {} : { failure }),
  }
}

async function failureOf<Input>(
  target: Target<Input>,
  index: number,
  input: Input,
  error: unknown,
): Promise<Failure> {
  const fails = async (candidate: Input): Promise<boolean> => {
    try {
      await target.check(candidate)
      return false
    } catch (other) {
      return sortOf(other) === sortOf(error)
    }
  }
  const reason = error instanceof Error ? (error.stack ?? error.message) : String(error)
  return { index, reason, input, smallest: await shrink(input, fails) }
}

/** A smaller input must fail for the same reason: of one that is no input any more nothing is learnt. */
function sortOf(error: unknown): string {
  return error instanceof Error ? `${error.name} ${error.message.replace(/[:"].*$/s, '')}` : String(error)
}

async function confirmed<Input>(
  target: Target<Input>,
  seed: number,
  suspects: readonly { readonly index: number }[],
): Promise<{ readonly index: number; readonly ms: number }[]> {
  const again: { index: number; ms: number }[] = []
  for (const { index } of suspects)
    again.push({ index, ms: await leastOf(target, inputOf(target, seed, index)) })
  return again.sort((one, other) => other.ms - one.ms)
}

/**
 * The least of five, in milliseconds: a collection of garbage, or somebody else on this core, may fall into some of them. The
 * kernel's own count of a thread's CPU is too coarse.
 */
async function leastOf<Input>(target: Target<Input>, input: Input): Promise<number> {
  let least = Infinity
  for (let time = 0; time < 5; time++) {
    const begun = performance.now()
    await target.check(input)
    least = Math.min(least, performance.now() - begun)
  }
  return least
}

/** Of this thread. `--expose-gc` makes it exact; without it, growth is not judged. */
function heapInUse(): number {
  const { gc } = globalThis
  if (gc === undefined) return Number.NaN
  // What finalizers let go of is collected the second time.
  gc()
  gc()
  return process.memoryUsage().heapUsed
}
