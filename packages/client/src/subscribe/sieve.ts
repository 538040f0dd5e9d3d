/** Lets gaps and ends through once. A hub repeats no event after a cursor, but these may be told again. */
import type { Item } from './source.ts'

/** Names remembered. */
const MOST = 10_000

/** @returns what there is to deliver of these; what was told before leaves its cursor */
export type Sieve = (items: readonly Item[]) => Item[]

export function createSieve(): Sieve {
  const ended = new Set<string>()
  let gap = ''

  function isNews({ kind, value }: Item): boolean {
    if (kind === 'event') {
      ended.delete(value.channel)
      gap = ''
    } else if (kind === 'gap') {
      const { reason, channels, to } = value
      const identity = JSON.stringify([reason, channels, to])
      if (identity === gap) return false
      gap = identity
    } else if (kind === 'end') {
      if (ended.has(value.channel)) return false
      if (ended.add(value.channel).size > MOST) ended.clear()
    }
    return true
  }

  return (items) => items.map((item) => (isNews(item) ? item : { kind: 'cursor', id: item.id }))
}
