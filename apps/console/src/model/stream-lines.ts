/**
 * What the parser makes of a stream, line by line. The parser of `@downlink/wire` does the parsing, a line at a time, and this only
 * says what each line was to it. Pure.
 */
import { createSmallParser, type StreamEvent } from '@downlink/wire'

export type Meaning =
  | 'data'
  | 'event'
  | 'id'
  | 'retry'
  | 'comment'
  /** A field that only Downlink reads: `channel`, `time`. */
  | 'extension'
  | 'unknown'
  /** A `retry` that is not all digits. */
  | 'bad-retry'
  /** An `id` with a NUL in it. */
  | 'bad-id'
  /** A blank line that ended an event. */
  | 'dispatch'
  /** A blank line that ended a block without data: nobody gets it. */
  | 'no-data'
  /** A blank line with nothing before it. */
  | 'blank'
  /** The stream ended in the midst of it. */
  | 'cut'

export type LineEnd = 'LF' | 'CR' | 'CRLF' | ''

export interface StreamLine {
  /** Without its end, and without the byte order mark. */
  readonly text: string
  readonly end: LineEnd
  /** A byte order mark stood before it, which does not count. */
  readonly mark: boolean
  readonly meaning: Meaning
  /** Up to the colon. */
  readonly field: string
  /** Whether a space behind the colon was passed over. */
  readonly space: boolean
  readonly value: string
  /** No blank line ends its block: it is thrown away when the stream ends here. A `retry` and a comment count at once. */
  readonly lost: boolean
  readonly event?: StreamEvent
}

export interface Explained {
  readonly lines: readonly StreamLine[]
  readonly events: number
  readonly lastEventId: string
  /** Milliseconds; undefined when the stream did not say. */
  readonly retry: number | undefined
}

const ENDS: Readonly<Record<string, LineEnd>> = { '\n': 'LF', '\r': 'CR', '\r\n': 'CRLF' }
const AT_ONCE: ReadonlySet<Meaning> = new Set(['retry', 'comment', 'unknown', 'bad-retry'])

/** @param lastEventId Of an earlier connection. */
export function explain(stream: string, lastEventId = ''): Explained {
  let sent: StreamEvent[] = []
  let retry: number | undefined
  let told = false
  let events = 0
  const parser = createSmallParser({
    lastEventId,
    onEvent: (one) => {
      sent.push(one)
      events++
    },
    onRetry: (milliseconds) => {
      retry = milliseconds
      told = true
    },
  })
  const encoder = new TextEncoder()
  const lines: StreamLine[] = []
  /** Where the block begins that no blank line has ended yet. */
  let block = 0
  for (const [raw, text = '', end = ''] of stream.toWellFormed().matchAll(/([^\r\n]*)(\r\n|\r|\n|$)/g)) {
    if (raw === '') break
    sent = []
    told = false
    parser.feed(encoder.encode(raw))
    const [event] = sent
    const mark = lines.length === 0 && text.startsWith('\uFEFF')
    const line = split(mark ? text.slice(1) : text)
    const open = lines.length - block
    const meaning = end === '' ? 'cut' : line.text === '' ? ended(event, open) : meaningOf(line, told)
    lines.push({ ...line, end: ENDS[end] ?? '', mark, meaning, lost: false, ...(event && { event }) })
    if (line.text === '' && end !== '') block = lines.length
  }
  const all = lines.map((line, at) =>
    at >= block && !AT_ONCE.has(line.meaning) ? { ...line, lost: true } : line,
  )
  return { lines: all, events, lastEventId: parser.lastEventId, retry }
}

function split(text: string): Pick<StreamLine, 'text' | 'field' | 'space' | 'value'> {
  const colon = text.indexOf(':')
  if (colon < 0) return { text, field: text, space: false, value: '' }
  const space = text[colon + 1] === ' '
  return { text, field: text.slice(0, colon), space, value: text.slice(colon + (space ? 2 : 1)) }
}

function ended(event: StreamEvent | undefined, open: number): Meaning {
  if (event !== undefined) return 'dispatch'
  return open === 0 ? 'blank' : 'no-data'
}

function meaningOf({ field, value }: Pick<StreamLine, 'field' | 'value'>, told: boolean): Meaning {
  switch (field) {
    case '':
      return 'comment'
    case 'data':
    case 'event':
      return field
    case 'id':
      return value.includes('\0') ? 'bad-id' : 'id'
    case 'retry':
      return told ? 'retry' : 'bad-retry'
    case 'channel':
    case 'time':
      return 'extension'
    default:
      return 'unknown'
  }
}

/** What can't be typed in a text field is written so there. */
export const NUL_SIGN = '«NUL»'
export const CR_SIGN = '«CR»'

export interface Typed {
  readonly text: string
  /** What a line end of the text field stands for. */
  readonly lineEnd: 'LF' | 'CR' | 'CRLF'
  /** Whether a byte order mark comes first. */
  readonly mark: boolean
}

const LINE_ENDS = { LF: '\n', CR: '\r', CRLF: '\r\n' } as const

export function streamOf({ text, lineEnd, mark }: Typed): string {
  const lines = text.replaceAll(NUL_SIGN, '\0').replaceAll(CR_SIGN, '\r')
  return (mark ? '\uFEFF' : '') + lines.replaceAll('\n', LINE_ENDS[lineEnd])
}
