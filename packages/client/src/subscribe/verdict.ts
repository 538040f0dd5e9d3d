/** What attempts say about the way between: pure, from facts to suspicions. A suspicion is nothing until a poll confirms it. */
import type { Limits } from './limits.ts'
import { SubscribeError } from './error.ts'
import type { Outcome } from './reading.ts'
import type { Item } from './source.ts'
import type { Reason } from './types.ts'

/** How often in a row before it is one. */
const CUTS = 3
const REFUSALS = 2
const BURSTS = 3
/** Events whose times are so far apart did not happen at once. */
const APART = 2000

export type Suspicion = Extract<Reason, 'cut-short' | 'streams-refused' | 'bursts' | 'waits-cut'>

export interface Judge {
  /** How a stream came to its end. `lived` in milliseconds from its opening; -1 when there was none. */
  streamEnded(outcome: Outcome, lived: number): Suspicion | undefined
  /** What came at once, after so many milliseconds of waiting for it. */
  came(items: readonly Item[], silence: number): Suspicion | undefined
}

export function createJudge({ shortMs }: Pick<Limits, 'shortMs'>): Judge {
  let cuts = 0
  let refusals = 0
  let bursts = 0
  return {
    streamEnded(outcome, lived) {
      if (outcome === 'soon') return undefined
      // To be refused by the hub itself, or to live for long, is no fault of the way.
      if (lived >= shortMs || (outcome instanceof SubscribeError && outcome.problem)) cuts = refusals = 0
      else if (lived >= 0) {
        refusals = 0
        cuts++
      } else if (isFault(outcome)) refusals++
      if (cuts < CUTS && refusals < REFUSALS) return undefined
      const suspicion = cuts < CUTS ? 'streams-refused' : 'cut-short'
      cuts = refusals = 0
      return suspicion
    },
    came(items, silence) {
      const held = heldBack(items, silence)
      if (held !== undefined) bursts = held ? bursts + 1 : 0
      if (bursts < BURSTS) return undefined
      bursts = 0
      return 'bursts'
    },
  }
}

/** Whether somebody in between may be to blame. */
export function isFault(outcome: Outcome): boolean {
  if (!(outcome instanceof SubscribeError)) return true
  const { status = 500, problem } = outcome
  return !problem && status >= 500
}

/** Whether the answer would be the same later, for all that is known. */
export function isLasting({ code, status = 0 }: SubscribeError): boolean {
  // Not `network` and `silent`.
  if (code !== 'refused') return !/ne|si/.test(code)
  return status < 500 ? !/408|425|429/.test(`${status}`) : /501|505/.test(`${status}`)
}

/**
 * Whether these events look as if something had gathered them: they happened over seconds, came at once, and nothing came while
 * they happened. What a catching-up brings happened before the waiting began, so it fits into no silence.
 *
 * @returns undefined when they say nothing about it
 */
export function heldBack(items: readonly Item[], silence: number): boolean | undefined {
  const times = items.flatMap((item) =>
    item.kind === 'event' && item.value.time ? [Date.parse(item.value.time)] : [],
  )
  if (times.length === 0) return undefined
  const spread = Math.max(...times) - Math.min(...times)
  return spread >= APART && spread <= silence
}
