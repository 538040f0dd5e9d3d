/**
 * The parser for who reads much, to the letter of WHATWG HTML 9.2.6.
 *
 * A chunk is decoded as a whole, and its lines are found in the text: in V8 `indexOf` on a string is forty times as fast as any
 * search in a `Uint8Array`. Nothing is looked at twice: time and memory are linear however the stream is split.
 *
 * Names are compared character by character, and written out in each place: `startsWith`, and functions too many to become
 * part of their caller, are calls. Never is a character asked for beyond the end of a text: once that has happened, V8 makes a call
 * of each `charCodeAt`, too. What else was measured is in docs/performance.md.
 */
import { WireError, type WireErrorCode } from './error.ts'
import { DEFAULT_MAX_EVENT_SIZE, type Parser, type ParserOptions, type StreamEvent } from './parser.ts'

const LF = 10
const CR = 13
const SPACE = 32
const COLON = 58
const BYTE_ORDER_MARK = 0xfeff
/** No character's code. */
const NOTHING = -1
/** A chunk is decoded in parts of this size: they fit a processor's cache, and a short `data` keeps no giant string alive. */
const PART = 64 * 1024
/** Chunks below this size are put together until a line ends: to decode each of them would cost more than all the rest. */
const SMALL = 64
const HOLD = 4096
/** A text below this size is not worth being taken in several goes. */
const SHORT = 100
/**
 * Behind its space, what is taken for a text of one line end. V8 has several kinds of strings, and where more than four kinds come
 * by, each use of a string takes longer: half of the speed can be lost for good. The kinds here are those that a decoder makes, for
 * one byte a character and for two, in memory of their own or not. A string of one character would be a fifth, and one that
 * has been put together with `+` a sixth.
 */
const SPACE_LF = new TextDecoder().decode(Uint8Array.of(32, 10))
const STREAMING = { stream: true } as const

/** What a block has besides a type and an id. All drafts have the same members: other shapes would make each use of one slow. */
interface Draft {
  data: string | undefined
  channel: string | undefined
  time: string | undefined
}

export function createParser(options: ParserOptions): Parser {
  const limit = options.maxEventSize ?? DEFAULT_MAX_EVENT_SIZE
  const decoder = new TextDecoder('utf-8', { ignoreBOM: true })
  const hold = new Uint8Array(HOLD)
  let lastEventId = options.lastEventId ?? ''
  /** Why `feed` refuses. Set during each call of it, too: what remains afterwards comes of a callback that threw. */
  let stopped: WireErrorCode | undefined
  /** Counts the streams, so that `feed` sees when a callback has reset the parser. */
  let stream = 0

  // Of the stream
  /** The character that is passed over if the next text begins with it: a byte order mark, or the second half of a CRLF. */
  let skip: number
  /** Whether the bytes so far may end inside a sequence. */
  let cut: boolean
  /** How many bytes of the unfinished line are in `hold`, not decoded yet. */
  let held: number
  /** The text of the unfinished line. */
  let begun: string

  // Of the event block
  /** The characters of its lines so far, of those that have ended. */
  let size: number
  /** Only a block that is not just one line of data needs it. */
  let blockDraft: Draft | undefined
  let blockType: string
  let blockId: string | undefined
  clear()

  function clear(): void {
    stream++
    decoder.decode()
    skip = BYTE_ORDER_MARK
    cut = false
    held = size = 0
    begun = ''
    blockDraft = blockId = undefined
    blockType = 'message'
  }

  function feed(chunk: Uint8Array): void {
    if (stopped) throw refusal()
    stopped = 'parser-stopped'
    const started = stream
    for (let from = 0; from < chunk.length;) {
      let part = chunk
      if (chunk.length > PART) {
        part = chunk.subarray(from, from + PART)
        // A line that is longer than that needs a giant string anyway: to make it of parts would cost twice the time.
        if (!part.includes(LF)) part = chunk.subarray(from)
      }
      from += part.length
      holdOrTake(part)
      if (stream !== started) return
    }
    stopped = undefined
  }

  function holdOrTake(bytes: Uint8Array): void {
    const { length } = bytes
    if (length < SMALL) {
      // Searched from the end: most chunks end with a line.
      let at = length - 1
      while (at >= 0 && bytes[at] !== LF && bytes[at] !== CR) at--
      if (held > 0 || at < 0) {
        // For one byte `set` takes longer than all the rest.
        if (length === 1) hold[held] = bytes[0] as number
        else hold.set(bytes, held)
        held += length
        // A sequence that is under way may make it one character more.
        if (at >= 0 || held > HOLD - SMALL || size + begun.length + held >= limit) takeHeld()
        return
      }
    }
    if (held > 0) takeHeld()
    takeBytes(bytes)
  }

  function takeHeld(): void {
    const bytes = hold.subarray(0, held)
    held = 0
    takeBytes(bytes)
  }

  function takeBytes(bytes: Uint8Array): void {
    const last = bytes[bytes.length - 1] as number
    // To decode as a stream is slower: only when the bytes may end inside a sequence.
    let text = decoder.decode(bytes, last < 0x80 ? undefined : STREAMING)
    // When no sequence was under way and there are as many characters as bytes, each character is one byte.
    const single = !cut && text.length === bytes.length
    cut = last >= 0x80
    if (text === '') return
    let at = 0
    if (text.charCodeAt(0) === skip) {
      at = 1
      if (size > 0) size++
    }
    skip = last === CR ? LF : NOTHING
    if (at === 0 && text.length === 1 && (last === LF || last === CR)) {
      text = SPACE_LF
      at = 1
    }
    const cr = indexOrEnd(text, '\r', at)
    if (begun !== '') {
      let end = text.indexOf('\n', at) + 1
      if (end === 0 && cr === text.length) {
        begun += text.slice(at)
        if (size + begun.length > limit) throw tooLarge()
        return
      }
      if (end === 0 || text.length < SHORT) end = text.length
      const clean = begun.length
      // Not by `+`: see `SPACE_LF`.
      const lines = [begun, text.slice(at, end)].join('')
      at = takeLines(lines, 0, indexOrEnd(lines, '\n', clean), indexOrEnd(lines, '\r', clean), false)
      if (at >= 0) at = end
    }
    // It may have begun again, behind the last CR of a text without LF.
    if (begun === '' && at >= 0 && at < text.length) {
      const simple = single && cr === text.length && (size === 0 || text.length >= SHORT)
      at = simple ? takeBlocks(text, bytes, at) : takeLines(text, at, -1, cr, false)
    }
    if (at >= 0 && size + begun.length > limit) throw tooLarge()
  }

  /** As `takeLines`, of a text without CR whose characters are these bytes. */
  function takeBlocks(text: string, bytes: Uint8Array, at: number): number {
    while (at < text.length) {
      if (size === 0) {
        const from = at
        at = takeSimpleBlocks(text, bytes, at)
        if (at < 0 || at === text.length) return at
        // Where not even the first block is simple, the others are not likely to be.
        if (at - size === from) return takeLines(text, at, -1, text.length, false)
      }
      at = takeLines(text, at, -1, text.length, true)
      if (at < 0 || begun !== '') return at
    }
    return at
  }

  /**
   * Takes blocks that have just one line of data, and maybe comments, a type or an id before it: they are nearly all there are,
   * and a third of the time of a small one is saved here. Stops behind the first lines of a block that is another, or unfinished.
   *
   * @returns where it stopped; -1 when a callback has reset the parser
   */
  function takeSimpleBlocks(text: string, bytes: Uint8Array, at: number): number {
    const started = stream
    const length = text.length
    let start = at
    let type = 'message'
    let id: string | undefined
    while (at < length) {
      const first = bytes[at]
      if (first !== 100 && first !== 105 && first !== 101 && first !== COLON) break
      const end = text.indexOf('\n', at)
      if (end < 0) break
      if (
        first === 100 &&
        bytes[at + 1] === 97 &&
        bytes[at + 2] === 116 &&
        bytes[at + 3] === 97 &&
        bytes[at + 4] === COLON
      ) {
        if (end - start >= limit) break
        const data = text.slice(bytes[at + 5] === SPACE ? at + 6 : at + 5, end)
        if (end + 1 === length || bytes[end + 1] !== LF) {
          blockDraft = { data, channel: undefined, time: undefined }
          at = end + 1
          break
        }
        at = start = end + 2
        if (id !== undefined) {
          giveId(id)
          if (stream !== started) return -1
          id = undefined
        }
        options.onEvent({ type, data, lastEventId })
        if (stream !== started) return -1
        type = 'message'
      } else if (first === 105 && bytes[at + 1] === 100 && bytes[at + 2] === COLON) {
        const value = text.slice(bytes[at + 3] === SPACE ? at + 4 : at + 3, end)
        if (!value.includes('\0')) id = value
        at = end + 1
      } else if (
        first === 101 &&
        bytes[at + 1] === 118 &&
        bytes[at + 2] === 101 &&
        bytes[at + 3] === 110 &&
        bytes[at + 4] === 116 &&
        bytes[at + 5] === COLON
      ) {
        type = text.slice(bytes[at + 6] === SPACE ? at + 7 : at + 6, end) || 'message'
        at = end + 1
      } else if (first === COLON) {
        if (options.onComment !== undefined) {
          options.onComment(text.slice(bytes[at + 1] === SPACE ? at + 2 : at + 1, end))
          if (stream !== started) return -1
        }
        at = end + 1
      } else break
    }
    blockType = type
    blockId = id
    size = at - start
    return at
  }

  /**
   * Takes the lines that end in `text`, from `at` on; what is behind them is the unfinished line.
   *
   * The state of the block is in local variables: to give a variable of the closure a new string costs V8 several nanoseconds.
   * A block's only line of data is told without a draft, when its blank line is there to be seen.
   *
   * @param lf where the next LF is known to be; one that has been passed when it is not known. `text.length` when there is none
   * @param cr the same of the next CR
   * @param once stop behind the block
   * @returns where it stopped; -1 when a callback has reset the parser
   */
  function takeLines(text: string, at: number, lf: number, cr: number, once: boolean): number {
    const started = stream
    const length = text.length
    let start = at - size
    let draft = blockDraft
    let type = blockType
    let id = blockId
    while (at < length) {
      const first = text.charCodeAt(at)
      if (first === LF || first === CR) {
        if (at - start > limit) throw tooLarge()
        at++
        if (first === CR && at < length && text.charCodeAt(at) === LF) at++
        start = at
        if (id !== undefined) {
          giveId(id)
          if (stream !== started) return -1
          id = undefined
        }
        if (draft !== undefined && draft.data !== undefined) {
          options.onEvent(eventOf(type, draft.data, draft.channel, draft.time))
          if (stream !== started) return -1
        }
        draft = undefined
        type = 'message'
        if (once) break
        continue
      }
      // Each is searched for only once it has been passed: else a stream that uses just one of them would be quadratic.
      if (lf < at) lf = indexOrEnd(text, '\n', at)
      if (cr < at) cr = indexOrEnd(text, '\r', at)
      const end = lf < cr ? lf : cr
      if (end === length) break
      let next = end + 1
      if (next === lf && next < length) next++
      if (
        first === 100 &&
        text.charCodeAt(at + 1) === 97 &&
        text.charCodeAt(at + 2) === 116 &&
        text.charCodeAt(at + 3) === 97 &&
        text.charCodeAt(at + 4) === COLON
      ) {
        const data = valueAt(text, at + 5, end)
        if (draft !== undefined) draft.data = draft.data === undefined ? data : draft.data + '\n' + data
        else if (next < length && text.charCodeAt(next) === LF && next - start <= limit) {
          at = start = next + 1
          if (id !== undefined) {
            giveId(id)
            if (stream !== started) return -1
            id = undefined
          }
          options.onEvent({ type, data, lastEventId })
          if (stream !== started) return -1
          type = 'message'
          if (once) break
          continue
        } else draft = { data, channel: undefined, time: undefined }
      } else if (first === 105 && text.charCodeAt(at + 1) === 100 && text.charCodeAt(at + 2) === COLON) {
        const value = valueAt(text, at + 3, end)
        if (!value.includes('\0')) id = value
      } else if (
        first === 101 &&
        text.charCodeAt(at + 1) === 118 &&
        text.charCodeAt(at + 2) === 101 &&
        text.charCodeAt(at + 3) === 110 &&
        text.charCodeAt(at + 4) === 116 &&
        text.charCodeAt(at + 5) === COLON
      ) {
        type = valueAt(text, at + 6, end) || 'message'
      } else if (first === COLON) {
        if (options.onComment !== undefined) {
          options.onComment(valueAt(text, at + 1, end))
          if (stream !== started) return -1
        }
      } else {
        if (draft === undefined) draft = { data: undefined, channel: undefined, time: undefined }
        const line = text.slice(at, end)
        const colon = line.indexOf(':')
        const name = colon < 0 ? line : line.slice(0, colon)
        const value = colon < 0 ? '' : valueAt(text, at + colon + 1, end)
        if (name === 'channel') draft.channel = value
        else if (name === 'time') draft.time = value
        // These three have no colon here, and so no value.
        else if (name === 'data') draft.data = draft.data === undefined ? '' : draft.data + '\n'
        else if (name === 'id') id = ''
        else if (name === 'event') type = 'message'
        else if (name === 'retry' && /^[0-9]+$/.test(value)) {
          options.onRetry?.(Math.min(Number(value), Number.MAX_SAFE_INTEGER))
          if (stream !== started) return -1
        }
      }
      at = next
    }
    blockDraft = draft
    blockType = type
    blockId = id
    size = at - start
    begun = once && size === 0 ? '' : text.slice(at)
    return at
  }

  /** An event has no members without a value, and is never changed: V8 would forget what it knows of all of them. */
  function eventOf(
    type: string,
    data: string,
    channel: string | undefined,
    time: string | undefined,
  ): StreamEvent {
    if (channel === undefined) {
      return time === undefined ? { type, data, lastEventId } : { type, data, lastEventId, time }
    }
    return time === undefined
      ? { type, data, lastEventId, channel }
      : { type, data, lastEventId, channel, time }
  }

  function giveId(id: string): void {
    lastEventId = id
    options.onId?.(id)
  }

  function tooLarge(): WireError {
    clear()
    stopped = 'event-too-large'
    return refusal()
  }

  function refusal(): WireError {
    const what =
      stopped === 'event-too-large'
        ? `An event has more than ${limit} characters (maxEventSize)`
        : 'A callback threw, or called feed()'
    return new WireError(stopped as WireErrorCode, `${what}: call reset() before the next stream`)
  }

  return {
    feed,
    end: clear,
    reset() {
      stopped = undefined
      clear()
    },
    get lastEventId() {
      return lastEventId
    },
  }
}

function indexOrEnd(text: string, what: string, from: number): number {
  const index = text.indexOf(what, from)
  return index < 0 ? text.length : index
}

/** The value that begins at `at`, behind the colon. */
function valueAt(text: string, at: number, end: number): string {
  return text.slice(text.charCodeAt(at) === SPACE ? at + 1 : at, end)
}
