/**
 * The parser of `text/event-stream`, to the letter of WHATWG HTML 9.2.6.
 *
 * A chunk is decoded as a whole, and its lines are found in the text: in V8 `indexOf` on a string is forty times as fast as any
 * search in a `Uint8Array`. Nothing is looked at twice: time and memory are linear however the stream is split.
 */
import { WireError } from './error.ts'
import { CR, findBlankLine, hasLineEnd, isLineEnd, LF, sizeOfTail } from './lines.ts'

/** More than this in one event is an attack or a mistake: 16 MiB. */
export const DEFAULT_MAX_EVENT_SIZE = 16 * 1024 * 1024

/** An event as a `MessageEvent` would have it, and the two fields that are ours. */
export interface StreamEvent {
  /** `message` when the stream gave none. */
  readonly type: string
  readonly data: string
  /** The id of this event, or of the last one before it that had one; `''` when there was none. */
  readonly lastEventId: string
  /** The value of a `channel` line: an extension of Downlink, which other parsers pass over. */
  readonly channel?: string
  /** The value of a `time` line: an extension of Downlink, which other parsers pass over. */
  readonly time?: string
}

export interface ParserOptions {
  onEvent(event: StreamEvent): void
  /** A comment line's text: what follows the colon, without one leading space. Called as soon as the line has ended. */
  onComment?(text: string): void
  /** A valid `retry` field, in milliseconds, at most 2^53 - 1. Called as soon as the line has ended. */
  onRetry?(milliseconds: number): void
  /** A block with a valid `id` field has ended, also one without data. Called before the block's `onEvent`. */
  onId?(lastEventId: string): void
  /**
   * The most bytes that one event block may have: all its lines with their line ends, also the unfinished one, without the
   * blank line. Default `DEFAULT_MAX_EVENT_SIZE`.
   */
  readonly maxEventSize?: number
  /** The last event ID to begin with: that of an earlier connection. Default `''`. */
  readonly lastEventId?: string
}

export interface Parser {
  /**
   * Takes the next bytes of the stream, split anywhere. The chunk is not kept.
   *
   * When a callback throws, the exception comes out of here and the rest of the chunk is lost: so that no event is dropped
   * in silence, the parser then refuses to go on until `reset()`. It must not be called from a callback, except after `reset()`.
   *
   * @throws {WireError} `event-too-large` when an event block is larger than `maxEventSize`, after the events before it were
   * delivered, and on each later call until `reset()`
   * @throws {WireError} `parser-stopped` after a callback threw, until `reset()`
   */
  feed(chunk: Uint8Array): void
  /**
   * The stream has ended: an unfinished block is discarded (9.2.6). Then a new stream may be fed, with a byte order mark of its
   * own; `lastEventId` stays. A refusal to go on stays, too. Not to be called from a callback.
   */
  end(): void
  /** Stops: from inside a callback, the rest of the chunk is not delivered. The state is that after `end()`, and `feed` works again. */
  reset(): void
  /** The last event ID as of the last blank line. */
  readonly lastEventId: string
}

const SPACE = 32
const COLON = 58
const BYTE_ORDER_MARK = Uint8Array.of(0xef, 0xbb, 0xbf)
/** A chunk is decoded in parts of this size: they fit a processor's cache, and a short `data` keeps no giant string alive. */
const PART = 64 * 1024
/** Chunks below this size are put together until a line ends: to decode each of them would cost more than all the rest. */
const SMALL = 256
const HOLD = 4096
const STREAMING = { stream: true } as const

type Mutable<T> = { -readonly [K in keyof T]: T[K] }

export function createParser(options: ParserOptions): Parser {
  const limit = options.maxEventSize ?? DEFAULT_MAX_EVENT_SIZE
  const decoder = new TextDecoder('utf-8', { ignoreBOM: true })
  /** Only for bytes that begin or end inside a sequence: to decode as a stream is slower. */
  const cutDecoder = new TextDecoder('utf-8', { ignoreBOM: true })
  const hold = new Uint8Array(HOLD)
  let lastEventId = options.lastEventId ?? ''
  /** `working` outlasts a call of `feed` only when a callback threw. */
  let state: 'ready' | 'working' | 'too-large' = 'ready'
  /** Counts the streams, so that `feed` sees when a callback has reset the parser. */
  let stream = 0

  // Of the stream
  /** How much of a byte order mark has been passed over; all of it when none can come any more. */
  let mark: number
  /** The last byte, of those that were taken. */
  let last: number
  /** How much of the unfinished line is in `hold`, not taken yet. */
  let held: number
  /** The text of the unfinished line. */
  let begun: string

  // Of the event block
  /** Its bytes so far, of those that were taken. */
  let size: number
  let data: string | undefined
  let type: string
  let id: string | undefined
  let channel: string | undefined
  let time: string | undefined

  // Of the text at work
  /** Where its last blank line ended; -1 when it had none. */
  let blankEnd = -1
  /** How many lines came after that. */
  let lines = 0
  clear()

  function clear(): void {
    stream++
    cutDecoder.decode()
    mark = 0
    last = LF
    held = 0
    begun = ''
    size = 0
    clearBlock()
  }

  function clearBlock(): void {
    data = undefined
    type = ''
    id = undefined
    channel = undefined
    time = undefined
  }

  function feed(chunk: Uint8Array): void {
    if (state !== 'ready') throw refusal()
    const started = stream
    state = 'working'
    for (let from = 0; from < chunk.length; from += PART) {
      feedPart(chunk.length > PART ? chunk.subarray(from, from + PART) : chunk)
      if (stream !== started) return
    }
    state = 'ready'
  }

  function feedPart(part: Uint8Array): void {
    let from = 0
    while (mark < BYTE_ORDER_MARK.length && from < part.length) {
      if (part[from] === BYTE_ORDER_MARK[mark]) {
        mark++
        from++
      } else {
        // What looked like the beginning of one was text.
        const text = BYTE_ORDER_MARK.subarray(0, mark)
        mark = BYTE_ORDER_MARK.length
        takeBytes(text)
      }
    }
    holdOrTake(slice(part, from, part.length))
  }

  function holdOrTake(bytes: Uint8Array): void {
    const ends = bytes.length >= SMALL || hasLineEnd(bytes)
    if (ends && held === 0) return takeBytes(bytes)
    if (held + bytes.length > HOLD) {
      takeHeld()
      // No line has ended yet: no callback was called.
      if (ends) return takeBytes(bytes)
    }
    hold.set(bytes, held)
    held += bytes.length
    if (ends) takeHeld()
    else if (size + held > limit) throw refuse()
  }

  function takeHeld(): void {
    const bytes = hold.subarray(0, held)
    held = 0
    takeBytes(bytes)
  }

  function takeBytes(bytes: Uint8Array): void {
    if (bytes.length === 0) return
    const started = stream
    // The second half of a CRLF, whose line was taken when its CR came.
    let from = last === CR && bytes[0] === LF ? 1 : 0
    if (size > 0) size += from
    let inLine = !isLineEnd(last)
    // Only when a block could be too large is it worth looking for where blocks end.
    while (size + bytes.length - from > limit) {
      const blank = findBlankLine(bytes, from, inLine)
      if (blank === -1 || size + blank - from > limit) throw refuse()
      const next = bytes[blank] === CR && bytes[blank + 1] === LF ? blank + 2 : blank + 1
      takeText(decode(bytes.subarray(from, next)))
      if (stream !== started) return
      from = next
      inLine = false
      size = 0
      last = LF
    }
    const rest = slice(bytes, from, bytes.length)
    const text = decode(rest)
    takeText(text)
    if (stream !== started) return
    if (blankEnd === -1) size += rest.length
    // When no sequence was under way and there are as many characters as bytes, each character is one byte.
    else if (last < 0x80 && text.length === rest.length) size = text.length - blankEnd
    else size = sizeOfTail(rest, lines)
    last = bytes[bytes.length - 1] ?? last
  }

  function decode(bytes: Uint8Array): string {
    const end = bytes[bytes.length - 1] ?? 0
    return last < 0x80 && end < 0x80 ? decoder.decode(bytes) : cutDecoder.decode(bytes, STREAMING)
  }

  function takeText(text: string): void {
    const started = stream
    let at = 0
    let lf = -1
    let cr = -1
    blankEnd = -1
    lines = 0
    while (at < text.length) {
      // Each is searched for only once it has been passed: else a stream that uses just one of them would be quadratic.
      if (lf < at) lf = indexOrEnd(text, '\n', at)
      if (cr < at) cr = indexOrEnd(text, '\r', at)
      const end = lf < cr ? lf : cr
      if (end === text.length) {
        begun += text.slice(at)
        return
      }
      const next = end === cr && text.charCodeAt(end + 1) === LF ? end + 2 : end + 1
      if (begun !== '') {
        const line = begun + text.slice(at, end)
        begun = ''
        lines++
        takeLine(line, 0, line.length)
      } else if (at === end) {
        blankEnd = next
        lines = 0
        dispatch()
      } else {
        lines++
        takeLine(text, at, end)
      }
      if (stream !== started) return
      at = next
    }
  }

  function takeLine(text: string, at: number, end: number): void {
    if (isData(text, at)) return addData(text.slice(afterSpace(text, at + 5), end))
    if (text.charCodeAt(at) === COLON) return options.onComment?.(text.slice(afterSpace(text, at + 1), end))
    const line = text.slice(at, end)
    const colon = line.indexOf(':')
    if (colon === -1) takeField(line, '')
    else takeField(line.slice(0, colon), line.slice(afterSpace(line, colon + 1)))
  }

  function takeField(name: string, value: string): void {
    if (name === 'data') addData(value)
    else if (name === 'event') type = value
    else if (name === 'channel') channel = value
    else if (name === 'time') time = value
    else if (name === 'id') {
      if (!value.includes('\0')) id = value
    } else if (name === 'retry' && /^[0-9]+$/.test(value)) {
      options.onRetry?.(Math.min(Number(value), Number.MAX_SAFE_INTEGER))
    }
  }

  function addData(value: string): void {
    data = data === undefined ? value : `${data}\n${value}`
  }

  function dispatch(): void {
    const started = stream
    if (id !== undefined) {
      lastEventId = id
      options.onId?.(id)
      if (stream !== started) return
    }
    if (data === undefined) return clearBlock()
    const event: Mutable<StreamEvent> = { type: type === '' ? 'message' : type, data, lastEventId }
    if (channel !== undefined) event.channel = channel
    if (time !== undefined) event.time = time
    clearBlock()
    options.onEvent(event)
  }

  function refuse(): WireError {
    clear()
    state = 'too-large'
    return refusal()
  }

  function refusal(): WireError {
    return state === 'too-large'
      ? new WireError(
          'event-too-large',
          `Expected events of at most ${limit} bytes (maxEventSize), got a larger one: call reset() before feeding another stream`,
        )
      : new WireError(
          'parser-stopped',
          'Expected no feed() after a callback threw, nor from inside a callback: call reset() before feeding another stream',
        )
  }

  return {
    feed,
    end: clear,
    reset() {
      state = 'ready'
      clear()
    },
    get lastEventId() {
      return lastEventId
    },
  }
}

function indexOrEnd(text: string, what: string, from: number): number {
  const index = text.indexOf(what, from)
  return index === -1 ? text.length : index
}

/** `text.startsWith('data:', at)`, which takes longer than this in V8; nearly every line is asked. */
function isData(text: string, at: number): boolean {
  return (
    text.charCodeAt(at) === 100 &&
    text.charCodeAt(at + 1) === 97 &&
    text.charCodeAt(at + 2) === 116 &&
    text.charCodeAt(at + 3) === 97 &&
    text.charCodeAt(at + 4) === COLON
  )
}

/** A view costs as much as parsing a short line: none is made of the whole. */
function slice(bytes: Uint8Array, from: number, end: number): Uint8Array {
  return from === 0 && end === bytes.length ? bytes : bytes.subarray(from, end)
}

function afterSpace(text: string, at: number): number {
  return text.charCodeAt(at) === SPACE ? at + 1 : at
}
