/** A page as it is read here: `parsePage` of `@downlink/wire` says what is wrong with one, this only that something is. */
import type { Gap, Page } from '@downlink/wire'
import type { Item } from './source.ts'

/** Cursors go into URLs as they are. */
function isCursor(text: unknown): boolean {
  return typeof text === 'string' && /^[\w.~-]{1,64}$/.test(text)
}

/** @throws when it is no page */
export function pageOf(text: string): Page {
  const page = JSON.parse(text) as Page
  const { events, cursor, retry, gap, ended = [] } = page
  const right =
    isCursor(cursor) &&
    retry >= 0 &&
    Array.isArray(ended) &&
    (!gap || isGap(gap)) &&
    events.every(({ id, data }) => isCursor(id) && typeof data === 'string')
  if (!right) throw new Error('this is no page')
  return page
}

function isGap({ channels, to }: Gap): boolean {
  return Array.isArray(channels) && isCursor(to)
}

/** The data of `downlink:gap`. A gap is a gap, also when what it says of itself cannot be read. */
export function gapOf(data: string, to: string): Gap {
  const gap = objectOf(data) as unknown as Gap
  return isGap(gap) ? gap : { reason: 'unknown', channels: [], from: null, to }
}

/** JSON as an object, whatever it is. */
export function objectOf(json: string): { readonly channel?: string; readonly heartbeat?: unknown } {
  try {
    return Object(JSON.parse(json)) as object
  } catch {
    return {}
  }
}

/** A page's gap comes before its events. */
export function itemsOf({ gap, events, ended = [], cursor }: Page): Item[] {
  const items: Item[] = events.map((value) => ({ kind: 'event', id: value.id, value }))
  if (gap) items.unshift({ kind: 'gap', id: gap.to, value: gap })
  for (const channel of ended) items.push({ kind: 'end', id: cursor, value: { channel } })
  items.push({ kind: 'cursor', id: cursor })
  return items
}
