import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { createParser, type StreamEvent } from '@downlink/wire'
import fc from 'fast-check'
import { explain, type Explained, type Meaning, streamOf } from '../src/model/stream-lines.ts'

const meanings = (stream: string): readonly Meaning[] => explain(stream).lines.map(({ meaning }) => meaning)

describe('each line is what the parser takes it for', () => {
  const cases: readonly (readonly [string, readonly Meaning[]])[] = [
    ['data: a\n\n', ['data', 'dispatch']],
    ['data\n\n', ['data', 'dispatch']],
    ['event: a\n\n', ['event', 'no-data']],
    ['\n\n', ['blank', 'blank']],
    [': a\n', ['comment']],
    ['retry: 5\nretry: 5s\nretry\n', ['retry', 'bad-retry', 'bad-retry']],
    ['id: a\nid: a\0b\nid\n', ['id', 'bad-id', 'id']],
    ['Data: a\n data: a\nfoo\n', ['unknown', 'unknown', 'unknown']],
    ['channel: a\ntime: b\n', ['extension', 'extension']],
    ['data: a\ndata: b', ['data', 'cut']],
    ['data: a\r\rdata: b\r\n\r\n', ['data', 'dispatch', 'data', 'dispatch']],
    ['data: a\n\r', ['data', 'dispatch']],
    ['\uFEFFdata: a\n\n', ['data', 'dispatch']],
    ['data: a\n\n\uFEFFdata: b\n', ['data', 'dispatch', 'unknown']],
    ['', []],
  ]
  for (const [stream, wanted] of cases)
    test(JSON.stringify(stream), () => assert.deepEqual(meanings(stream), wanted))
})

test('what no blank line ends is lost, but a retry and a comment count at once', () => {
  const { lines, retry, events } = explain('data: a\n\nid: 7\nretry: 5\n: b\ndata: c\n')
  assert.deepEqual(
    lines.map(({ lost }) => lost),
    [false, false, true, false, false, true],
  )
  assert.equal(retry, 5)
  assert.equal(events, 1)
})

test('a byte order mark counts at the very beginning only, and the line behind it is whole', () => {
  const { lines } = explain('\uFEFFdata: a\n\n')
  assert.equal(lines[0]?.mark, true)
  assert.equal(lines[0]?.text, 'data: a')
  assert.equal(lines[1]?.event?.data, 'a')
})

test('one space behind the colon belongs to nobody', () => {
  const [one, two, none] = explain('data: a\ndata:  a\ndata:a\n').lines
  assert.deepEqual([one?.value, two?.value, none?.value], ['a', ' a', 'a'])
  assert.deepEqual([one?.space, two?.space, none?.space], [true, true, false])
})

test('signs stand for what cannot be typed', () => {
  assert.equal(
    streamOf({ text: 'id: a«NUL»\n«CR»x\n', lineEnd: 'CRLF', mark: true }),
    '\uFEFFid: a\0\r\n\rx\r\n',
  )
  assert.equal(streamOf({ text: 'a\nb', lineEnd: 'CR', mark: false }), 'a\rb')
})

const piece = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom('\n', '\r', '\r\n', '\n\n', '\r\r', '\r\n\r\n') },
  { weight: 4, arbitrary: fc.constantFrom('data', 'event', 'id', 'retry', 'channel', 'time', 'Data', 'da') },
  { weight: 4, arbitrary: fc.constantFrom(':', ': ', ':  ', ' ', '\t') },
  { weight: 2, arbitrary: fc.constantFrom('\0', '\uFEFF', '5', '1000', '5s', '-1', '😀', '\uD83D', 'я') },
  { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 5 }) },
)
const streams = fc.array(piece, { maxLength: 60 }).map((pieces) => pieces.join(''))

interface Heard {
  readonly events: readonly StreamEvent[]
  readonly comments: readonly string[]
  readonly retries: readonly number[]
  readonly lastEventId: string
}

function parsed(stream: string): Heard {
  const events: StreamEvent[] = []
  const comments: string[] = []
  const retries: number[] = []
  const parser = createParser({
    onEvent: (event) => events.push(event),
    onComment: (text) => comments.push(text),
    onRetry: (milliseconds) => retries.push(milliseconds),
  })
  parser.feed(new TextEncoder().encode(stream))
  const { lastEventId } = parser
  return { events, comments, retries, lastEventId }
}

/** From nothing but what is said of the lines. */
function retold({ lines }: Explained): Heard {
  const events: StreamEvent[] = []
  const comments: string[] = []
  const retries: number[] = []
  let lastEventId = ''
  let id: string | undefined
  let type = ''
  let data: string[] = []
  let more: { channel?: string; time?: string } = {}
  for (const { meaning, field, value } of lines) {
    if (meaning === 'data') data.push(value)
    if (meaning === 'event') type = value
    if (meaning === 'id') id = value
    if (meaning === 'extension') more = { ...more, [field]: value }
    if (meaning === 'comment') comments.push(value)
    if (meaning === 'retry') retries.push(Math.min(Number(value), Number.MAX_SAFE_INTEGER))
    if (meaning === 'dispatch' || meaning === 'no-data' || meaning === 'blank') {
      lastEventId = id ?? lastEventId
      if (meaning === 'dispatch')
        events.push({ type: type || 'message', data: data.join('\n'), lastEventId, ...more })
      else assert.equal(data.length, 0)
      id = undefined
      type = ''
      data = []
      more = {}
    }
  }
  return { events, comments, retries, lastEventId }
}

describe('whatever the stream', () => {
  test('what is said of the lines is enough to tell all that the parser tells of the whole', () => {
    fc.assert(
      fc.property(streams, (stream) => {
        const explained = explain(stream)
        const wanted = parsed(stream)
        assert.deepEqual(retold(explained), wanted)
        assert.equal(explained.events, wanted.events.length)
        assert.equal(explained.lastEventId, wanted.lastEventId)
        assert.equal(explained.retry, wanted.retries.at(-1))
      }),
      { numRuns: 3000 },
    )
  })

  test('the lines are the stream', () => {
    const ends = { LF: '\n', CR: '\r', CRLF: '\r\n', '': '' } as const
    fc.assert(
      fc.property(streams, (stream) => {
        const lines = explain(stream).lines.map(
          ({ mark, text, end }) => (mark ? '\uFEFF' : '') + text + ends[end],
        )
        assert.equal(lines.join(''), stream.toWellFormed())
      }),
    )
  })

  test('what is lost can be left out', () => {
    fc.assert(
      fc.property(streams, (stream) => {
        const { lines, ...rest } = explain(stream)
        const kept = lines
          .filter(({ lost }) => !lost)
          .map(({ mark, text }) => `${mark ? '\uFEFF' : ''}${text}\n`)
        const { lines: _, ...again } = explain(kept.join(''))
        assert.deepEqual(again, rest)
      }),
    )
  })
})
