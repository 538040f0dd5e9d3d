/** What no transport can carry differently is settled on append, so that every reader gets the same text by every way of reading. */
import { quoted } from '../shown.ts'
import { LogError, type NewEvent } from './log.ts'

/** UTF-8 bytes of an event's type. */
export const MAX_TYPE_BYTES = 255

const RESERVED = 'downlink:'
// oxlint-disable-next-line no-control-regex -- NUL is what must be found
const FORBIDDEN = /[\r\n\0]/

/**
 * CRLF and CR become LF in `data` (a stream has only lines, and does not say how they ended), lone surrogates become
 * U+FFFD in `data` and `type` (UTF-8 has none). Returns the event itself when nothing needs to change.
 */
export function settle<E extends NewEvent>(event: E): E {
  const data = settleText(event.data)
  const type = event.type?.toWellFormed()
  if (data === event.data && type === event.type) return event
  return type === undefined ? { ...event, data } : { ...event, type, data }
}

function settleText(text: string): string {
  const lines = text.includes('\r') ? text.replaceAll(/\r\n?/g, '\n') : text
  return lines.toWellFormed()
}

/**
 * Returns the type: 1-255 bytes of UTF-8 without CR, LF and NUL (they would end or void the `event:` line), not beginning
 * with `downlink:`, which is the hub's own.
 *
 * @throws {LogError} `invalid-type`
 */
export function checkType(type: string): string {
  const wrong = whatIsWrong(type)
  if (wrong === undefined) return type
  throw new LogError('invalid-type', `Expected an event type ${wrong}`)
}

function whatIsWrong(type: string): string | undefined {
  if (type === '') return "of at least one byte, got ''; leave the type out for a plain message"
  if (exceedsBytes(type, MAX_TYPE_BYTES)) {
    return `of at most ${MAX_TYPE_BYTES} bytes of UTF-8, got one of ${type.length} characters; put the rest in the data`
  }
  if (FORBIDDEN.test(type)) return `without CR, LF and NUL, got ${quoted(type, MAX_TYPE_BYTES)}`
  if (type.startsWith(RESERVED)) {
    return `that does not begin with '${RESERVED}' (those are the hub's own), got ${quoted(type, MAX_TYPE_BYTES)}`
  }
  return undefined
}

function exceedsBytes(text: string, limit: number): boolean {
  if (text.length > limit) return true
  // A UTF-16 unit is at most three bytes of UTF-8.
  return text.length * 3 > limit && new TextEncoder().encode(text).length > limit
}
