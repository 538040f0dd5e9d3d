import { WireError } from './error.ts'
import { quote } from './quote.ts'

/** One event to write. All but `data` end up on one line each, so CR, LF and NUL are refused in them. */
export interface EventFields {
  /** What the reader sends back as `Last-Event-ID`. An empty one makes it forget its last. */
  readonly id?: string
  /** The event's name, not empty. Left out of the stream when it is `message`, which is what no name means. */
  readonly type?: string
  /** Any text. CRLF, CR and LF all arrive as LF. */
  readonly data: string
  readonly channel?: string
  readonly time?: string
}

// oxlint-disable-next-line no-control-regex
const BREAKS_LINE = /[\r\n\0]/
const LINE_END = /\r\n|\r|\n/

/**
 * An event as a block of `text/event-stream`, with the blank line that ends it. To be written as UTF-8, which turns lone
 * surrogates into U+FFFD. Whatever the fields hold, a parser gets exactly one event from it.
 *
 * @throws {WireError} `invalid-field` when `id`, `type`, `channel` or `time` has CR, LF or NUL, or the type is empty
 */
export function encodeEvent(fields: EventFields): string {
  const { id, type, channel, time, data } = fields
  if (type === '')
    throw new WireError('invalid-field', 'Expected `type` not to be empty: leave it out for a plain message')
  let head = ''
  if (type !== undefined && type !== 'message') head = line('type', 'event', type)
  if (id !== undefined) head += line('id', 'id', id)
  if (channel !== undefined) head += line('channel', 'channel', channel)
  if (time !== undefined) head += line('time', 'time', time)
  return `${head}${lines('data:', data)}\n`
}

/** A comment, a line of it for each line of the text; parsers pass over it. It ends no event: no blank line is added. */
export function encodeComment(text: string): string {
  return lines(':', text)
}

/**
 * The time that readers are to wait before they connect again, in milliseconds.
 *
 * @throws {WireError} `invalid-field` unless it is an integer from 0 to 2^53 - 1
 */
export function encodeRetry(milliseconds: number): string {
  if (Number.isSafeInteger(milliseconds) && milliseconds >= 0) return `retry: ${milliseconds}\n`
  throw new WireError(
    'invalid-field',
    `Expected \`retry\` to be an integer from 0 to 2^53 - 1 (milliseconds), got ${String(milliseconds)}`,
  )
}

function line(member: string, field: string, value: string): string {
  if (BREAKS_LINE.test(value)) {
    throw new WireError(
      'invalid-field',
      `Expected \`${member}\` to have no CR, LF or NUL, got ${quote(value)}`,
    )
  }
  return `${field}: ${value}\n`
}

/** The space after the colon keeps a value's own leading space: parsers take one away. */
function lines(name: string, text: string): string {
  // One line, as most data is: to split it takes longer than all the rest.
  if (!text.includes('\n') && !text.includes('\r')) return text === '' ? `${name}\n` : `${name} ${text}\n`
  let written = ''
  for (const part of text.split(LINE_END)) written += part === '' ? `${name}\n` : `${name} ${part}\n`
  return written
}
