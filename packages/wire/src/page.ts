import { WireError } from './error.ts'
import { quote } from './quote.ts'

/** An event as polls and long polls answer it. */
export interface PageEvent {
  /** The event's cursor. */
  readonly id: string
  readonly channel: string
  /** `message` when the publisher gave none. */
  readonly type: string
  /** What `event.data` would be on a stream. */
  readonly data: string
  /** RFC 3339, UTC, with milliseconds, by the hub's clock. */
  readonly time: string
}

/** A newer hub may have another reason: a gap is a gap all the same. */
export type GapReason = 'trimmed' | 'epoch' | 'unknown' | 'deleted' | (string & {})

/** History was lost for this reader, and reading goes on at `to`. */
export interface Gap {
  readonly reason: GapReason
  /** The channels concerned: names, or the patterns of the read. */
  readonly channels: readonly string[]
  /** The cursor the reader brought; null when it was no cursor at all. */
  readonly from: string | null
  /** Before every kept event of the channels read. */
  readonly to: string
}

/** What one read returns. */
export interface Page {
  readonly events: readonly PageEvent[]
  /** Where the next read begins: the cursor after these events. */
  readonly cursor: string
  /** Whether more events are ready now, in the direction of reading. */
  readonly more: boolean
  /** How long to wait before the next poll, in milliseconds. */
  readonly retry: number
  /** Of a page that was read backwards (`before`): the cursor before which the next one ends. Absent: nothing older is kept. */
  readonly previous?: string
  readonly gap?: Gap
  /** Those of the channels read that ended, at or before `cursor`. */
  readonly ended?: readonly string[]
}

/** A page as JSON. Only the members named above are written, in that order. */
export function encodePage(page: Page): string {
  return JSON.stringify({
    events: page.events.map(({ id, channel, type, data, time }) => ({ id, channel, type, data, time })),
    cursor: page.cursor,
    more: page.more,
    retry: page.retry,
    previous: page.previous,
    gap: page.gap && gapMembers(page.gap),
    ended: page.ended,
  })
}

/** A gap as JSON: the data of `downlink:gap`. */
export function encodeGap(gap: Gap): string {
  return JSON.stringify(gapMembers(gap))
}

/**
 * Reads a page. Members that this version doesn't know are passed over, so a newer hub may add some.
 *
 * @throws {WireError} `invalid-page`, with the member that is wrong
 */
export function parsePage(text: string): Page {
  const page = record(parseJson(text), 'the page')
  const previous = own(page, 'previous')
  const gap = own(page, 'gap')
  const ended = own(page, 'ended')
  return {
    events: array(own(page, 'events'), 'events').map(readEvent),
    cursor: token(own(page, 'cursor'), 'cursor'),
    more: boolean(own(page, 'more'), 'more'),
    retry: milliseconds(own(page, 'retry'), 'retry'),
    ...(previous === undefined ? {} : { previous: token(previous, 'previous') }),
    ...(gap === undefined ? {} : { gap: readGap(record(gap, 'gap'), 'gap.') }),
    ...(ended === undefined ? {} : { ended: strings(ended, 'ended') }),
  }
}

/**
 * Reads the data of `downlink:gap`.
 *
 * @throws {WireError} `invalid-page`, with the member that is wrong
 */
export function parseGap(text: string): Gap {
  return readGap(record(parseJson(text), 'the gap'), '')
}

function gapMembers({ reason, channels, from, to }: Gap): Gap {
  return { reason, channels, from, to }
}

function readEvent(value: unknown, index: number): PageEvent {
  const path = `events[${index}]`
  const event = record(value, path)
  return {
    id: token(own(event, 'id'), `${path}.id`),
    channel: string(own(event, 'channel'), `${path}.channel`),
    type: string(own(event, 'type'), `${path}.type`),
    data: string(own(event, 'data'), `${path}.data`),
    time: string(own(event, 'time'), `${path}.time`),
  }
}

function readGap(gap: object, path: string): Gap {
  const from = own(gap, 'from')
  return {
    reason: string(own(gap, 'reason'), `${path}reason`),
    channels: strings(own(gap, 'channels'), `${path}channels`),
    from: from === null ? null : string(from, `${path}from`),
    to: token(own(gap, 'to'), `${path}to`),
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw new WireError('invalid-page', `Expected JSON, got ${quote(text)}`, { cause })
  }
}

/** Only what the JSON itself holds: neither a polluted `Object.prototype` nor a `__proto__` member gets a word in. */
function own(value: object, name: string): unknown {
  return Object.prototype.hasOwnProperty.call(value, name)
    ? (value as Record<string, unknown>)[name]
    : undefined
}

function record(value: unknown, path: string): object {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value
  throw unexpected(path, 'an object', value)
}

function array(value: unknown, path: string): readonly unknown[] {
  if (Array.isArray(value)) return value
  throw unexpected(path, 'an array', value)
}

function strings(value: unknown, path: string): readonly string[] {
  return array(value, path).map((item, index) => string(item, `${path}[${index}]`))
}

function string(value: unknown, path: string): string {
  if (typeof value === 'string') return value
  throw unexpected(path, 'a string', value)
}

/** A cursor goes into URLs and headers as it is, so it must be of the form that the protocol gives it (2.3.1); what it means is the hub's affair. */
function token(value: unknown, path: string): string {
  if (typeof value === 'string' && /^[A-Za-z0-9._~-]{1,64}$/.test(value)) return value
  throw unexpected(path, 'a cursor (1 to 64 characters of A-Z a-z 0-9 . _ ~ -)', value)
}

function boolean(value: unknown, path: string): boolean {
  if (typeof value === 'boolean') return value
  throw unexpected(path, 'true or false', value)
}

function milliseconds(value: unknown, path: string): number {
  if (typeof value === 'number' && value >= 0 && value <= Number.MAX_SAFE_INTEGER) return value
  throw unexpected(path, 'milliseconds (a number from 0 to 2^53 - 1)', value)
}

function unexpected(path: string, wanted: string, value: unknown): WireError {
  const got = typeof value === 'number' ? String(value) : value === undefined ? 'nothing' : quote(value)
  return new WireError('invalid-page', `Expected \`${path}\` to be ${wanted}, got ${got}`)
}
