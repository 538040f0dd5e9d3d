/** What can be wrong with a URL and options, said before anything is asked. */
import { REQUESTABLE, resolveUrl } from '../request.ts'
import { SubscribeError } from './error.ts'
import type { Place } from './source.ts'
import type { SubscribeOptions } from './types.ts'

/** @throws {SubscribeError} `invalid-option` */
export function checked(
  url: string | URL,
  { after, last, transport, queue }: SubscribeOptions,
): { readonly href: string; readonly start: Place['start'] } {
  let whole: URL
  try {
    whole = resolveUrl(`${url}`)
  } catch (cause) {
    throw new SubscribeError('invalid-option', `Expected a URL, got ${String(url)}`, { cause })
  }
  const { href, searchParams } = whole
  if (!REQUESTABLE.test(href))
    throw wrong('an http or https URL without a name and a password (use `headers`)', href)
  if (transport && !/^(auto|sse|long-poll|poll)$/.test(transport))
    throw wrong('`transport` to be auto, sse, long-poll or poll', transport)
  if (last !== undefined && !(Number.isInteger(last) && last >= 0 && last <= 1000))
    throw wrong('`last` to be 0 to 1,000', last)
  if (queue !== undefined && !(queue >= 1)) throw wrong('`queue` to be 1 or more', queue)
  if (after !== undefined) return { href, start: { after } }
  if (last !== undefined) return { href, start: { last: `${last}` } }
  // A poll without a start would begin with the newest events, where a stream begins now.
  const named = searchParams.has('after') || searchParams.has('last')
  return { href, start: named ? {} : { after: 'now' } }
}

function wrong(expected: string, got: unknown): SubscribeError {
  return new SubscribeError('invalid-option', `Expected ${expected}, got ${String(got).slice(0, 80)}`)
}
