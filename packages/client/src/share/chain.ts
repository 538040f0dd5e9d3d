/** Whether what a leader tells goes on where a reader stands. Pure. */
import type { Item } from '../subscribe/source.ts'

/** Whether a cursor is known to lie at or before another: of one epoch, and no further (protocol 2.3.2). */
export function reached(cursor: string, by: string): boolean {
  const [epoch, position] = cursor.split('-')
  const [ours, at] = by.split('-')
  return cursor === by || (epoch === ours && Number(position) <= Number(at))
}

/**
 * What is new in `items`, which follow each other from `prev` on, to a reader that stands at `last`. Gaps and ends are told by
 * cursors that may lie before what the reader has polled meanwhile: they pass, without theirs, and whoever takes them takes
 * each once.
 *
 * @returns undefined when there may be a hole between: it has to be read from `last` on
 */
export function newsFor(last: string, prev: string, items: readonly Item[]): readonly Item[] | undefined {
  if (prev === last) return items
  let old = reached(prev, last) ? 0 : -1
  items.forEach(({ id }, index) => {
    if (reached(id, last)) old = index + 1
  })
  if (old < 0) return undefined
  const told = items.slice(0, old).filter(({ kind }) => /gap|end/.test(kind))
  return [...told.map((item) => ({ ...item, id: '' })), ...items.slice(old)]
}
