/** The weak `ETag` of a page. Pure, but for the hash. */
import { createHash } from 'node:crypto'
import type { Page } from '@downlink/wire'

/**
 * Made from what the page tells, so a frontier that merely moves on does not change it: `gap.to` moves along with it where
 * nothing is kept, and what was lost is told by the rest. Hashed, since many ids and names would make a long tag.
 */
export function etagOf({ events, cursor, more, gap, ended }: Page): string {
  const epoch = cursor.slice(0, cursor.indexOf('-'))
  const lost = gap && [gap.reason, gap.channels, gap.from]
  const told = JSON.stringify([epoch, events.map(({ id }) => id), more, lost, ended])
  return `W/"${createHash('sha256').update(told).digest('base64url').slice(0, 22)}"`
}

/** Whether one of the tags in `If-None-Match` is this one, by weak comparison (RFC 9110 13.1.2). */
export function matchesEtag(ifNoneMatch: string | undefined, etag: string): boolean {
  if (ifNoneMatch === undefined) return false
  if (ifNoneMatch === etag) return true
  if (ifNoneMatch.trim() === '*') return true
  const opaque = etag.replace(/^W\//, '')
  return [...ifNoneMatch.matchAll(/(?:W\/)?("[^"]*")/g)].some(([, tag]) => tag === opaque)
}
