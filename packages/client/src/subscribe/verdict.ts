/** What attempts say about the way between: pure, from facts to suspicions. A suspicion is nothing until a poll confirms it. */
import type { Limits } from './limits.ts'
import type { Item, Outcome } from './source.ts'
import type { Reason } from './types.ts'

/** How often in a row before it is one. */
const CUTS = 3
const REFUSALS = 2
const BURSTS = 3
/** Events whose times are so far apart did not happen at once. */
const APART = 2000

export type Suspicion = Extract<Reason, 'cut-short' | 'streams-refused' | 'bursts' | 'waits-cut'>

export interface Judge {
  /** How a stream came to its end. `lived` in milliseconds from its opening; undefined when there was none. */
  streamEnded(outcome: Outcome, lived: number | undefined): Suspicion | undefined
  /** What came at once, after so many milliseconds of waiting for it. */
  came(items: readonly Item[], silence: number): Suspicion | undefined
}

export function createJudge({ shortMs }: Pick<Limits, 'shortMs'>): Judge {
  let cuts = 0
  let refusals = 0
  let bursts = 0
  return {
    streamEnded(outcome, lived) {
      if (outcome.kind === 'over' || (outcome.kind === 'ended' && outcome.soon)) return undefined
      // To be refused by the hub itself, or to live for long, is no fault of the way.
      if ((outcome.kind === 'failed' && outcome.byHub) || (lived ?? 0) >= shortMs) {
        cuts = refusals = 0
        return undefined
      }
      if (lived !== undefined) {
        refusals = 0
        cuts++
      } else if (isFault(outcome)) refusals++
      if (cuts >= CUTS) {
        cuts = 0
        return 'cut-short'
      }
      if (refusals < REFUSALS) return undefined
      refusals = 0
      return 'streams-refused'
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

/** What somebody in between may be to blame for. */
export function isFault(outcome: Outcome): boolean {
  if (outcome.kind !== 'failed') return true
  const { code, status = 0 } = outcome.error
  return !outcome.byHub && (code === 'network' || code === 'silent' || status >= 500)
}

/**
 * Whether these events look as if something had gathered them: they happened over seconds, came at once, and nothing came while
 * they happened. What a catching-up brings happened before the waiting began, so it fits into no silence.
 *
 * @returns undefined when they say nothing about it
 */
export function heldBack(items: readonly Item[], silence: number): boolean | undefined {
  const times = items.flatMap((item) => (item.kind === 'event' && item.time ? [Date.parse(item.time)] : []))
  if (times.length === 0) return undefined
  const spread = Math.max(...times) - Math.min(...times)
  return spread >= APART && spread <= silence
}
