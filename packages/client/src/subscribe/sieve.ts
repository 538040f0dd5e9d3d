/**
 * Lets everything through once. A hub repeats nothing after a cursor, but gaps and ends may be told again; and while a better
 * transport is tried beside the present one, both read the same events.
 */
import type { Item } from './source.ts'

/** Ids and names remembered. Beyond that a hand-over begins anew at the cursor. */
const MOST = 10_000

export interface Sieve {
  /** What is new of it. What is left out leaves its cursor, where nothing stands in the way of that. */
  pass(items: readonly Item[]): Item[]
  /** From now on the ids that pass are noted: another source begins here. */
  record(): void
  /** That source takes over, and what was noted does not pass again. @returns false when it was too much to note */
  handOver(): boolean
}

export function createSieve(): Sieve {
  let noted: Set<string> | undefined
  let skipped = new Set<string>()
  const ended = new Set<string>()
  let gap = ''

  function isNews(item: Item): boolean {
    switch (item.kind) {
      case 'event':
        if (skipped.size > 0) {
          if (skipped.delete(item.id)) return false
          // The order is the same: what is not among them comes after them.
          skipped.clear()
        }
        if (noted && noted.add(item.id).size > MOST) noted = undefined
        ended.delete(item.channel)
        gap = ''
        return true
      case 'gap': {
        const { reason, channels, to } = item.gap
        const identity = JSON.stringify([reason, channels, to])
        if (identity === gap) return false
        gap = identity
        return true
      }
      case 'end':
        if (ended.has(item.channel)) return false
        if (ended.size > MOST) ended.clear()
        ended.add(item.channel)
        return true
      case 'cursor':
        return false
    }
  }

  return {
    pass(items) {
      const news: Item[] = []
      for (const item of items) {
        if (isNews(item)) news.push(item)
        // Behind what the other source has told already, a cursor would go back.
        else if (skipped.size === 0 && item.id) news.push({ kind: 'cursor', id: item.id })
      }
      return news
    },
    record() {
      noted = new Set()
    },
    handOver() {
      const whole = noted
      noted = undefined
      if (whole) skipped = whole
      return !!whole
    },
  }
}
