/** What can be wrong with a URL and options, said before anything is asked; the hub judges the rest. */
import { REQUESTABLE } from '../request.ts'
import { SubscribeError } from './error.ts'
import type { Place } from './source.ts'
import type { SubscribeOptions } from './types.ts'

/** @throws {SubscribeError} `invalid-option` */
export function checked(
  url: string | URL,
  { after, last, transport = 'auto' }: SubscribeOptions,
): { readonly href: string; readonly start: Place['start'] } {
  const { document, location } = globalThis as Partial<typeof globalThis>
  let whole: URL | undefined
  try {
    whole = new URL(url, document?.baseURI ?? location?.href)
  } catch {
    // Said below.
  }
  const { href = '', search = '' } = whole ?? {}
  if (!REQUESTABLE.test(href) || !/^(auto|sse|(long-)?poll)$/.test(transport)) {
    const message = `Expected an http(s) URL without a password and a transport, got ${String(url)} ${transport}`
    throw new SubscribeError('invalid-option', message)
  }
  if (after !== undefined) return { href, start: { after } }
  if (last !== undefined) return { href, start: { last: `${last}` } }
  // A poll without a start would begin with the newest events, where a stream begins now.
  return { href, start: /[?&](after|last)=/.test(search) ? {} : { after: 'now' } }
}
