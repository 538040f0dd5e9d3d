/** The weak `ETag` of a page. Pure. */
import { createHash } from 'node:crypto'
import type { Page } from '@downlink/wire'

/** Made from what the page tells, so a frontier that merely moves on does not change it. Hashed, since many ended names would make a long tag. */
export function etagOf(page: Page): string {
  const first = page.events[0]?.id ?? page.cursor.slice(0, page.cursor.indexOf('-'))
  const last = page.events.at(-1)?.id ?? ''
  const gap = page.gap ? `${page.gap.reason}:${page.gap.to}` : ''
  const ended = page.ended?.join(',') ?? ''
  const told = [first, last, page.events.length, page.more, gap, ended]
  return `W/"${createHash('sha256').update(JSON.stringify(told)).digest('base64url').slice(0, 22)}"`
}

/** Whether one of the tags in `If-None-Match` is this one, by weak comparison (RFC 9110 13.1.2). */
export function matchesEtag(ifNoneMatch: string | undefined, etag: string): boolean {
  if (ifNoneMatch === undefined) return false
  if (ifNoneMatch.trim() === '*') return true
  const opaque = etag.replace(/^W\//, '')
  return [...ifNoneMatch.matchAll(/(?:W\/)?("[^"]*")/g)].some(([, tag]) => tag === opaque)
}
