/**
 * The parser of `text/event-stream`, to the letter of WHATWG HTML 9.2.6.
 *
 * Bytes are kept as bytes until their line has ended; then all whole lines of a chunk are decoded at once. A line end is an
 * ASCII byte, so such a cut never falls inside a UTF-8 sequence, and one plain `decode` call gives exactly what decoding the
 * whole stream would (`decode(…, { stream: true })` is several times slower in Node). Nothing is looked at twice: time and
 * memory are linear however the stream is split.
 */
import { WireError } from './error.ts'
import { CR, findBlankLine, LF, sizeOfLines } from './lines.ts'

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
const NO_BYTES = new Uint8Array(0)

type Mutable<T> = { -readonly [K in keyof T]: T[K] }

export function createParser(options: ParserOptions): Parser {
  const limit = options.maxEventSize ?? DEFAULT_MAX_EVENT_SIZE
  const decoder = new TextDecoder('utf-8', { ignoreBOM: true })
  let lastEventId = options.lastEventId ?? ''
  /** `working` outlasts a call of `feed` only when a callback threw. */
  let state: 'ready' | 'working' | 'too-large' = 'ready'
  /** Counts the streams, so that `feed` sees when a callback has reset the parser. */
  let stream = 0

  // Of the stream
  /** How much of a byte order mark has been passed over; all of it when none can come any more. */
  let mark: number
  let afterCR: boolean
  /** The unfinished line is in the first `kept` bytes. */
  let buffer: Uint8Array
  let kept: number

  // Of the event block
  /** Bytes of its finished lines. */
  let size: number
  /** Its lines since the bytes now at work begin. */
  let lines: number
  let data: string | undefined
  let type: string
  let id: string | undefined
  let channel: string | undefined
  let time: string | undefined
  clear()

  function clear(): void {
    stream++
    mark = 0
    afterCR = false
    buffer = NO_BYTES
    kept = 0
    size = 0
    clearBlock()
  }

  function clearBlock(): void {
    lines = 0
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
    // A LF at 0 may be the second half of a CRLF, whose line was taken when its CR came.
    let from = afterCR && part[0] === LF ? 1 : 0
    if (size > 0) size += from
    afterCR = false
    while (mark < BYTE_ORDER_MARK.length && from < part.length) {
      if (part[from] === BYTE_ORDER_MARK[mark]) {
        mark++
        from++
      } else {
        // What looked like the beginning of one was text.
        keep(BYTE_ORDER_MARK.subarray(0, mark))
        mark = BYTE_ORDER_MARK.length
      }
    }
    let end = part.length
    while (end > from && part[end - 1] !== LF && part[end - 1] !== CR) end--
    if (end > from) {
      const started = stream
      takeLines(withKept(part.subarray(from, end)))
      if (stream !== started) return
      afterCR = end === part.length && part[end - 1] === CR
    }
    keep(part.subarray(end))
    if (size + kept > limit) throw refuse()
  }

  function keep(bytes: Uint8Array): void {
    const needed = kept + bytes.length
    if (needed > buffer.length) {
      const larger = new Uint8Array(Math.max(needed, 2 * buffer.length, 256))
      larger.set(buffer.subarray(0, kept))
      buffer = larger
    }
    buffer.set(bytes, kept)
    kept = needed
  }

  function withKept(bytes: Uint8Array): Uint8Array {
    if (kept === 0) return bytes
    keep(bytes)
    const whole = buffer.subarray(0, kept)
    if (buffer.length > PART) buffer = NO_BYTES
    kept = 0
    return whole
  }

  /** `bytes` are whole lines. */
  function takeLines(bytes: Uint8Array): void {
    const started = stream
    let from = 0
    // Only when a block could be too large is it worth looking for where blocks end.
    while (size + bytes.length - from > limit) {
      const blank = findBlankLine(bytes, from)
      if (blank === -1 || size + blank - from > limit) throw refuse()
      const next = bytes[blank] === CR && bytes[blank + 1] === LF ? blank + 2 : blank + 1
      takeText(bytes.subarray(from, next))
      if (stream !== started) return
      from = next
    }
    takeText(bytes.subarray(from))
  }

  function takeText(bytes: Uint8Array): void {
    const started = stream
    const text = decoder.decode(bytes)
    let at = 0
    let dispatched = false
    let lf = -1
    let cr = -1
    lines = 0
    while (at < text.length) {
      // Each is searched for only once it has been passed: else a stream that uses just one of them would be quadratic.
      if (lf < at) lf = indexOrEnd(text, '\n', at)
      if (cr < at) cr = indexOrEnd(text, '\r', at)
      const end = lf < cr ? lf : cr
      if (at === end) {
        dispatch()
        dispatched = true
      } else {
        lines++
        takeLine(text, at, end)
      }
      if (stream !== started) return
      at = cr + 1 === lf ? lf + 1 : end + 1
    }
    size = dispatched ? sizeOfLines(bytes, lines) : size + bytes.length
  }

  function takeLine(text: string, at: number, end: number): void {
    if (text.startsWith('data:', at)) return addData(text.slice(afterSpace(text, at + 5), end))
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

function afterSpace(text: string, at: number): number {
  return text.charCodeAt(at) === SPACE ? at + 1 : at
}
