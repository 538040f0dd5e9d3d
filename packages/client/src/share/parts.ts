/** What tabs read: names and patterns, put together in one URL and taken apart again. Pure. */
import { HUB_PATH } from '../subscribe/ask.ts'
import { namesOf } from '../subscribe/page-source.ts'
import type { Item } from '../subscribe/source.ts'

/** Names and patterns that one read may have (protocol 3.1.1). */
export const MOST_PARTS = 64

export interface Place {
  /** What tabs must have in common to share: all of the URL but its channels, and where reading begins. */
  readonly common: string
  readonly parts: readonly string[]
  /** The URL that reads these parts. */
  with(parts: readonly string[]): string
}

/** @returns undefined where the URL does not name channels, as a hub's do */
export function placeOf(href: string): Place | undefined {
  const url = new URL(href)
  if (!HUB_PATH.test(url.pathname)) return undefined
  const mount = url.pathname.replace(/[^/]+$/, '')
  url.searchParams.delete('after')
  url.searchParams.delete('last')
  const at = (parts: readonly string[]): string => {
    url.pathname = mount + parts.join()
    return url.href
  }
  return { common: at([]), parts: [...new Set(namesOf(href))], with: at }
}

/** Whether there may be a channel that both name. A name is a pattern without stars. */
export function meet(one: string, other: string): boolean {
  // The first level of a pattern never stands for a name of the hub's own (protocol 2.2.2).
  if ((one[0] === '$') !== (other[0] === '$')) return false
  const others = other.split('.')
  const levels = one.split('.')
  for (let i = 0; ; i++) {
    const a = levels[i]
    const b = others[i]
    if (!a || !b) return a === b
    if (a === '**' || b === '**') return true
    if (a !== b && a !== '*' && b !== '*') return false
  }
}

/** What an item is for a reader of these parts: of what does not concern it only the cursor counts. */
export function itemFor(parts: readonly string[], item: Item): Item {
  const concerns = (channel: string): boolean => parts.some((part) => meet(part, channel))
  const { kind, id, value } = item
  if (kind === 'event' || kind === 'end') {
    if (concerns(value.channel)) return item
  } else if (kind === 'gap') {
    const channels = value.channels.filter(concerns)
    // A gap that names nothing is everybody's.
    if (channels[0] || !value.channels[0]) return { kind, id, value: { ...value, channels } }
  }
  return { kind: 'cursor', id }
}
