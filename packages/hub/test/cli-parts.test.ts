/** The pure parts of the command line's clients: lines, batches, the queue, waiting, what an answer means. */
import assert from 'node:assert/strict'
import { EventEmitter } from 'node:events'
import { PassThrough } from 'node:stream'
import test from 'node:test'
import fc from 'fast-check'
import { FIRST_WAIT_MS, LONGEST_WAIT_MS, waitAfter } from '../src/cli/backoff.ts'
import { batchLimit, bodyOf, type Entry, fitting, sizeOf } from '../src/cli/batch.ts'
import { oneLine, reasonOf } from '../src/cli/failure.ts'
import { entriesOf, Input } from '../src/cli/input.ts'
import { LineSplitter, LineTooLong } from '../src/cli/lines.ts'
import { isLasting, refusalOf, retryAfter } from '../src/cli/refusal.ts'
import { type EndSignal, onEndSignal } from '../src/cli/signals.ts'

const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString('utf8')

test('lines are the same however the bytes are split', () => {
  fc.assert(
    fc.property(fc.array(fc.string({ unit: fc.constantFrom('a', '\n', '\r', 'é', '😀') })), (pieces) => {
      const bytes = Buffer.from(pieces.join(''))
      const whole = new LineSplitter()
      const split = new LineSplitter()
      const one = [...whole.feed(bytes), ...whole.end()]
      const many = [...bytes].flatMap((byte) => split.feed(Uint8Array.of(byte))).concat(split.end())
      assert.deepEqual(
        many.map(({ number, bytes }) => [number, text(bytes)]),
        one.map(({ number, bytes }) => [number, text(bytes)]),
      )
      const expected = pieces.join('').split('\n')
      if (expected.at(-1) === '') expected.pop()
      assert.deepEqual(
        one.map(({ bytes }) => text(bytes)),
        expected.map((line) => line.replace(/\r$/, '')),
      )
    }),
  )
})

test('a line that never ends is refused, with its number', () => {
  const lines = new LineSplitter(10)
  lines.feed(Buffer.from('0123456789\n01234'))
  assert.throws(
    () => lines.feed(Buffer.from('567890')),
    (error) => error instanceof LineTooLong && error.line === 2,
  )
})

test('a batch holds what fits into its limits, and one entry at least', () => {
  const limit = { events: 3, bytes: 100 }
  assert.equal(fitting([40, 40, 40], limit), 2)
  assert.equal(fitting([10, 10, 10, 10], limit), 3)
  assert.equal(fitting([500, 1], limit), 1)
  assert.equal(fitting([50, 50, 1], limit), 2)
})

test('a batch for many channels stays below 10,000 events', () => {
  assert.equal(batchLimit(1).events, 1_000)
  assert.equal(batchLimit(64).events, 156)
})

test('several lines go as NDJSON, a single one as it is', () => {
  const entries = [
    { line: 1, text: 'a"b' },
    { line: 2, text: '' },
  ]
  assert.deepEqual(bodyOf(entries, false), {
    contentType: 'application/x-ndjson',
    text: '{"data":"a\\"b"}\n{"data":""}',
  })
  assert.deepEqual(bodyOf(entries.slice(0, 1), false), {
    contentType: 'text/plain; charset=utf-8',
    text: 'a"b',
  })
  assert.deepEqual(bodyOf([{ text: '{"data":1}' }], true), {
    contentType: 'application/x-ndjson',
    text: '{"data":1}',
  })
})

test('sizes count the bytes of the body', () => {
  fc.assert(
    fc.property(fc.array(fc.string({ unit: 'binary' }), { minLength: 2 }), (texts) => {
      const entries = texts.map((text): Entry => ({ text }))
      const sizes = entries.map((entry) => sizeOf(entry, false))
      assert.equal(
        sizes.reduce((sum, size) => sum + size) - 1,
        Buffer.byteLength(bodyOf(entries, false).text),
      )
    }),
  )
})

test('standard input is paused while the queue is full, and read on when there is room', async () => {
  const stream = new PassThrough()
  const input = new Input(false, () => {})
  input.read(stream)
  const line = `${'x'.repeat(1023)}\n`
  // In pieces of 64 KiB, as from a pipe. A paused stream takes what it has room for, no more.
  for (let i = 0; i < 200; i++) stream.write(line.repeat(64))
  await new Promise((resolve) => setImmediate(resolve))
  assert.equal(stream.isPaused(), true)
  stream.end('last')
  const taken: Entry[] = []
  for (;;) {
    const batch = await input.take(batchLimit(1))
    if (batch === undefined) break
    assert.ok(batch.length <= 1_000)
    taken.push(...batch)
  }
  assert.equal(taken.length, 200 * 64 + 1)
  assert.deepEqual(
    taken.map((entry) => entry.line),
    Array.from(taken, (_, index) => index + 1),
  )
})

test('the argument is one event, and with --ndjson one for each line that is not blank', () => {
  assert.deepEqual(entriesOf('a\nb', false), [{ text: 'a\nb' }])
  assert.deepEqual(entriesOf('{"data":1}\n\n{"data":2}\n', true), [
    { line: 1, text: '{"data":1}' },
    { line: 3, text: '{"data":2}' },
  ])
})

test('waits double up to the longest, are spread, and are never shorter than asked for', () => {
  fc.assert(
    fc.property(fc.nat(2_000), fc.double({ min: 0, max: 0.999, noNaN: true }), (failures, chance) => {
      const full = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** failures)
      const wait = waitAfter(failures, () => chance)
      assert.ok(wait >= full / 2 - 1 && wait <= full, `${wait} of ${full}`)
      assert.ok(waitAfter(failures, () => chance, 60_000) === 60_000)
    }),
  )
})

test('P14: what is refused for a time is tried again, and nothing else', () => {
  for (const status of [408, 425, 429, 500, 502, 503, 504])
    assert.equal(isLasting(status, ''), false, `${status}`)
  assert.equal(isLasting(409, 'idempotency-running'), false)
  assert.equal(isLasting(409, 'channel-ended'), true)
  for (const status of [300, 400, 401, 403, 404, 405, 406, 410, 413, 415, 422, 431, 501, 505]) {
    assert.equal(isLasting(status, ''), true, `${status}`)
  }
})

test('Retry-After is seconds or a date', () => {
  assert.equal(retryAfter('4', 0), 4_000)
  assert.equal(retryAfter('Thu, 01 Jan 1970 00:00:09 GMT', 2_000), 7_000)
  assert.equal(retryAfter('Thu, 01 Jan 1970 00:00:01 GMT', 2_000), 0)
  for (const header of [null, '', 'soon', '-3', '1.5e9x']) assert.equal(retryAfter(header, 0), 0, `${header}`)
  assert.equal(retryAfter('999999999', 0), 3_600_000)
})

test('an answer that is no problem is described by its status', async () => {
  const answer = Object.defineProperty(
    new Response('<h1>Bad gateway</h1>', { status: 502, statusText: 'Bad Gateway' }),
    'url',
    {
      value: 'http://hub.example/x',
    },
  )
  assert.equal(
    (await refusalOf(answer, 0)).text,
    "the answer of http://hub.example was no hub's (502 Bad Gateway)",
  )
})

test('what goes to a terminal is one line without control characters', () => {
  assert.equal(oneLine('a\nb\u001b[31m\u009bc\r\n'), 'a b [31m c')
  assert.equal(oneLine('x'.repeat(5_000)).length, 601)
})

test('a reason is the deepest there is, in plain words', () => {
  const refused = Object.assign(new Error('connect ECONNREFUSED ::1:1'), { code: 'ECONNREFUSED' })
  assert.equal(
    reasonOf(new TypeError('fetch failed', { cause: new AggregateError([refused]) })),
    'connection refused',
  )
  assert.equal(reasonOf(new TypeError('fetch failed', { cause: new Error('bad port') })), 'bad port')
})

function signals(): { send: (signal: EndSignal, at: number) => void; seen: string[]; source: EventEmitter } {
  const source = new EventEmitter()
  const seen: string[] = []
  let now = 0
  onEndSignal(
    (signal) => seen.push(`first ${signal}`),
    source,
    (signal) => seen.push(`again ${signal}`),
    () => now,
  )
  const send = (signal: EndSignal, at: number): void => {
    now = at
    source.emit(signal)
  }
  return { send, seen, source }
}

test('a second signal ends at once, and then nobody listens any more', () => {
  const { send, seen, source } = signals()
  send('SIGINT', 0)
  send('SIGINT', 501)
  assert.deepEqual(seen, ['first SIGINT', 'again SIGINT'])
  assert.equal(source.listenerCount('SIGINT') + source.listenerCount('SIGTERM'), 0)
})

test('one Ctrl-C that npm passes on once more counts once', () => {
  const { send, seen } = signals()
  send('SIGINT', 0)
  send('SIGINT', 3)
  assert.deepEqual(seen, ['first SIGINT'])
  send('SIGTERM', 4)
  assert.deepEqual(seen, ['first SIGINT', 'again SIGTERM'])
})
