/** What the standard doesn't say: limits, callbacks, stopping, and that the work is linear. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { createParser, DEFAULT_MAX_EVENT_SIZE, type StreamEvent, WireError } from '../src/index.ts'
import { eventsOf, parse, recordingParser } from './recorder.ts'
import { type Report, referenceParse } from './reference-parser.ts'
import { bytesOf, chunksOf, randomStream, seeded, split } from './stream-corpus.ts'

const withCode = (code: string) => (error: unknown) => error instanceof WireError && error.code === code

test('an event without channel and time has no such members', () => {
  const [event] = eventsOf(parse([bytesOf('data: a\n\n')]))
  assert.deepEqual(Object.keys(event ?? {}), ['type', 'data', 'lastEventId'])
})

test('goes on from the last event ID of an earlier connection', () => {
  const { parser, reports } = recordingParser({ lastEventId: 'before' })
  assert.equal(parser.lastEventId, 'before')
  parser.feed(bytesOf('data: a\n\nid: 1\n'))
  assert.equal(parser.lastEventId, 'before', 'an id counts once its block has ended')
  parser.feed(bytesOf('\n'))
  assert.equal(parser.lastEventId, '1')
  assert.deepEqual(eventsOf(reports), [{ type: 'message', data: 'a', lastEventId: 'before' }])
})

test('tells comments and retry as soon as their line has ended, within an unfinished event too', () => {
  const { parser, reports } = recordingParser()
  parser.feed(bytesOf('data: a\n: alive\nretry: 5\n'))
  assert.deepEqual(reports, [{ comment: 'alive' }, { retry: 5 }])
})

test('works with no callback but onEvent', () => {
  const events: StreamEvent[] = []
  const parser = createParser({ onEvent: (event) => events.push(event) })
  parser.feed(bytesOf(': a\nretry: 1\nid: 1\ndata: b\n\n'))
  assert.deepEqual(events, [{ type: 'message', data: 'b', lastEventId: '1' }])
})

test('does not keep the chunk: its bytes may be overwritten after feed', () => {
  const bytes = bytesOf('data: first\n\ndata: second\n\n')
  const { parser, reports } = recordingParser()
  const shared = new Uint8Array(5)
  for (const chunk of chunksOf(bytes, shared.length)) {
    shared.set(chunk)
    parser.feed(shared.subarray(0, chunk.length))
    shared.fill(0)
  }
  assert.deepEqual(
    eventsOf(reports).map((event) => event.data),
    ['first', 'second'],
  )
})

// The size of an event

/**
 * The blocks of `bytes` by a definition of their own: whether one has more characters than `limit`, and the events before it.
 * Bytes that may still become a character are none yet.
 */
function expectedWithin(
  bytes: Uint8Array,
  limit: number,
): { events: readonly StreamEvent[]; tooLarge: boolean } {
  // A byte order mark is no part of an event.
  const text = new TextDecoder().decode(bytes, { stream: true })
  let before = ''
  let block = ''
  for (const [line] of text.matchAll(/[^\r\n]*(?:\r\n?|\n|$)/g)) {
    if (/^[\r\n]/.test(line)) {
      before += block + line
      block = ''
    } else if ((block + line).length > limit) return { events: eventsOfText(before), tooLarge: true }
    else block += line
  }
  return { events: eventsOfText(before), tooLarge: false }

  function eventsOfText(whole: string) {
    // The text may begin with one more byte order mark, which is not to be taken off.
    return eventsOf(referenceParse(bytesOf('\uFEFF', whole)).reports)
  }
}

test('the limit on an event counts its characters, wherever the stream is split', (t) => {
  let refused = 0
  fc.assert(
    fc.property(fc.nat(), fc.nat(), fc.integer({ min: 3, max: 120 }), (streamSeed, splitSeed, limit) => {
      const bytes = randomStream(seeded(streamSeed))
      const expected = expectedWithin(bytes, limit)
      if (expected.tooLarge) refused++
      for (const chunks of [[bytes], chunksOf(bytes, 1), split(bytes, seeded(splitSeed))]) {
        const { parser, reports } = recordingParser({ maxEventSize: limit })
        const feedAll = () => chunks.forEach((chunk) => parser.feed(chunk))
        if (expected.tooLarge) assert.throws(feedAll, withCode('event-too-large'))
        else feedAll()
        assert.deepEqual(eventsOf(reports), expected.events)
      }
    }),
    { numRuns: 3000 },
  )
  t.diagnostic(`${refused} of 3000 streams refused`)
  assert.ok(refused > 300 && refused < 2700)
})

test('an event of exactly maxEventSize is delivered, one character more is not', () => {
  const block = 'data: é😀1\r\n'
  assert.equal(block.length, 12)
  const whole = bytesOf(block, '\r\n')
  for (const chunks of [[bytesOf(block), bytesOf('\r\n')], [whole], chunksOf(whole, 1)]) {
    assert.equal(eventsOf(parse(chunks, { maxEventSize: 12 })).length, 1)
    assert.throws(() => parse(chunks, { maxEventSize: 11 }), withCode('event-too-large'))
  }
})

for (const [name, chunks, size] of [
  ['after half a character', [bytesOf('\n: ', [0xc3]), bytesOf('\n\né'), bytesOf('éé\n')], 4],
  ['of CRLF lines that are not ASCII', [bytesOf('\n\nid: é\r\nid: é\r\n')], 14],
  ['of CRLF lines split within the CRLF', [bytesOf('\n\nid: é\r'), bytesOf('\nid: é\r'), bytesOf('\n')], 14],
  ['behind a CRLF split before a block', [bytesOf('data: a\r\n\r'), bytesOf('\nid: 1\n')], 6],
  ['behind simple blocks', [bytesOf('data: a\n\nid: 1\ndata: b\n\nid: 1\nevent: 2\n')], 15],
  ['of a byte order mark and a line', [bytesOf('\uFEFFid: 1\n')], 6],
  ['of ASCII lines', [bytesOf('data: é\n\nid: 1\r\nid: 2\r\n')], 14],
] as const) {
  test(`an unfinished block ${name} counts to the character`, () => {
    for (const spare of [0, 1]) {
      const { parser } = recordingParser({ maxEventSize: 100 })
      for (const chunk of chunks) parser.feed(chunk)
      const more = new Uint8Array(100 - size + spare).fill(120)
      if (spare === 0) parser.feed(more)
      else assert.throws(() => parser.feed(more), withCode('event-too-large'))
    }
  })
}

test('a line without end is bounded, whatever the size of its chunks', () => {
  for (const size of [1, 3, 127, 128, 5000]) {
    const parser = createParser({ onEvent: () => {}, maxEventSize: 10_000 })
    let fed = 0
    const feedForever = () => {
      for (; fed < 100_000; fed += size) parser.feed(new Uint8Array(size).fill(0x78))
    }
    assert.throws(feedForever, withCode('event-too-large'), `chunks of ${size}`)
    assert.ok(fed <= 10_000, `${fed} bytes taken, in chunks of ${size}`)
  }
})

test('a blank line at the start of a new stream ends a block, though the last stream ended inside a line', () => {
  const { parser, reports } = recordingParser({ maxEventSize: 12 })
  parser.feed(bytesOf('\n\nx'))
  parser.end()
  parser.feed(bytesOf('\ndata: 12345\n\n'))
  assert.equal(eventsOf(reports).length, 1)
})

test('many small events in one chunk larger than maxEventSize are all delivered', () => {
  const bytes = bytesOf('data: 123456\n\n'.repeat(10_000))
  assert.equal(eventsOf(parse([bytes], { maxEventSize: 20 })).length, 10_000)
  assert.equal(eventsOf(parse(chunksOf(bytes, 1000), { maxEventSize: 20 })).length, 10_000)
})

test('lines that no one hears of count too: comments and unknown fields of one block', () => {
  for (const line of [': comment\n', 'unknown: field\n', 'id: 1\n']) {
    assert.throws(
      () => parse(chunksOf(bytesOf(line.repeat(20)), 7), { maxEventSize: 100 }),
      withCode('event-too-large'),
    )
    assert.throws(() => parse([bytesOf(line.repeat(20))], { maxEventSize: 100 }), withCode('event-too-large'))
  }
})

test('the default limit is 16 Mi characters', () => {
  assert.equal(DEFAULT_MAX_EVENT_SIZE, 16 * 1024 * 1024)
  const parser = createParser({ onEvent: () => {} })
  parser.feed(new Uint8Array(DEFAULT_MAX_EVENT_SIZE).fill(120))
  assert.throws(() => parser.feed(bytesOf('x')), withCode('event-too-large'))
})

test('an event that is too large comes after the events before it, and stops the parser until reset', () => {
  const reports: Report[] = []
  const parser = createParser({ onEvent: (event) => reports.push({ event }), maxEventSize: 10 })
  assert.throws(
    () => parser.feed(bytesOf('id: 1\n\ndata: a\n\ndata: 1234567890\n\ndata: b\n\n')),
    (error: unknown) =>
      error instanceof WireError && /more than 10 characters \(maxEventSize\).*reset\(\)/.test(error.message),
  )
  assert.throws(() => parser.feed(bytesOf('data: c\n\n')), withCode('event-too-large'))
  parser.end()
  assert.throws(() => parser.feed(bytesOf('data: c\n\n')), withCode('event-too-large'))
  parser.reset()
  parser.feed(bytesOf('\uFEFFdata: d\n\n'))
  assert.deepEqual(eventsOf(reports), [
    { type: 'message', data: 'a', lastEventId: '1' },
    { type: 'message', data: 'd', lastEventId: '1' },
  ])
})

// Stopping

for (const where of ['onEvent', 'onComment', 'onRetry', 'onId'] as const) {
  const bytes = bytesOf('id: 1\n: c\nretry: 1\ndata: a\nchannel: x\n\nid: 2\n: c\nretry: 1\ndata: b\n\n')

  test(`reset in ${where} stops at once, and the parser is ready for a new stream`, () => {
    const { parser, reports } = recordingParser()
    let calls = 0
    const stopping = createParser({
      onEvent: () => {},
      [where]: () => {
        calls++
        stopping.reset()
      },
    })
    stopping.feed(bytes)
    assert.equal(calls, 1)
    parser.feed(bytes)
    assert.equal(parser.lastEventId, '2')
    assert.ok(reports.length > 4)
    stopping.feed(bytesOf('data: fresh\n\n: more\nretry: 1\nid: 3\n\n'))
    assert.equal(calls, 2, 'works again, and stops again')
  })

  test(`an exception in ${where} comes out of feed, which then refuses until reset`, () => {
    const failure = new Error('of the callback')
    let failing = true
    const events: StreamEvent[] = []
    const parser = createParser({
      onEvent: (event) => events.push(event),
      [where]: (...args: [StreamEvent]) => {
        if (failing) throw failure
        if (where === 'onEvent') events.push(...args)
      },
    })
    assert.throws(() => parser.feed(bytes), failure)
    failing = false
    assert.throws(() => parser.feed(bytesOf('data: lost\n\n')), withCode('parser-stopped'))
    parser.end()
    assert.throws(() => parser.feed(bytesOf('data: lost\n\n')), withCode('parser-stopped'))
    parser.reset()
    parser.feed(bytesOf('data: fresh\n\n'))
    assert.deepEqual(
      events.map((event) => event.data),
      ['fresh'],
    )
  })
}

test('what a stopped event had does not leak into the next stream', () => {
  const events: StreamEvent[] = []
  const parser = createParser({
    onEvent: (event) => events.push(event),
    onComment: () => parser.reset(),
  })
  parser.feed(bytesOf('id: 1\nevent: t\nchannel: c\ntime: t\ndata: a\n: stop\n\n'))
  parser.feed(bytesOf('data: b\n\n'))
  assert.deepEqual(events, [{ type: 'message', data: 'b', lastEventId: '' }])
})

test('a new stream may be fed from inside the callback that reset the parser', () => {
  const data: string[] = []
  const parser = createParser({
    onEvent: (event) => {
      data.push(event.lastEventId + event.data)
      if (event.data !== 'first') return
      parser.reset()
      parser.feed(bytesOf('data: nested\n\nid: 5\ndata: unfin'))
    },
  })
  parser.feed(bytesOf('data: first\n\ndata: dropped\n\ndata: dropped'))
  parser.feed(bytesOf('ished\n\n'))
  assert.deepEqual(data, ['first', 'nested', '5unfinished'])
})

test('a new stream may be fed from inside onId after reset, and is not mixed with the stopped one', () => {
  const data: string[] = []
  let stopped = false
  const parser = createParser({
    onId: () => {
      if (stopped) return
      stopped = true
      parser.reset()
      parser.feed(bytesOf('data: new\n'))
    },
    onEvent: (event) => data.push(event.data),
  })
  parser.feed(bytesOf('id: 1\ndata: old\n\ndata: dropped\n\n'))
  assert.deepEqual(data, [])
  parser.feed(bytesOf('\n'))
  assert.deepEqual(data, ['new'])
})

test('half a character at the end of a stream does not reach the next one', () => {
  const { parser, reports } = recordingParser()
  parser.feed(bytesOf('data: a\n\n', [0xc3]))
  parser.end()
  parser.feed(bytesOf('data: b\ndata: c', [0xc3]))
  parser.feed(bytesOf([0xa9], '\n\n'))
  assert.deepEqual(
    eventsOf(reports).map((event) => event.data),
    ['a', 'b\ncé'],
  )
})

test('feed inside a callback is refused: it would mix two chunks', () => {
  const parser = createParser({ onEvent: () => parser.feed(bytesOf('data: b\n\n')) })
  assert.throws(() => parser.feed(bytesOf('data: a\n\n')), withCode('parser-stopped'))
})

test('reset stops a chunk of many parts', () => {
  let events = 0
  const parser = createParser({
    onEvent: () => {
      if (++events === 3) parser.reset()
    },
  })
  parser.feed(bytesOf(`data: ${'x'.repeat(50_000)}\n\n`.repeat(10)))
  assert.equal(events, 3)
})

// Linear work: these take well under a second each; a quadratic parser takes minutes and is cut off.

const MEGABYTE = 1024 * 1024
const guard = { timeout: 20_000 }

test('a line of 8 MiB in chunks of 1.4 kB takes linear time', guard, () => {
  const bytes = bytesOf('data: ', new Uint8Array(8 * MEGABYTE).fill(120), '\n\n')
  const [event] = eventsOf(parse(chunksOf(bytes, 1400)))
  assert.equal(event?.data.length, 8 * MEGABYTE)
})

test('8 MiB of short data lines in one event take linear time', guard, () => {
  const bytes = bytesOf('data:x\n'.repeat((8 * MEGABYTE) / 7), '\n')
  for (const chunks of [[bytes], chunksOf(bytes, 1400)]) {
    const [event] = eventsOf(parse(chunks))
    assert.equal(event?.data, 'x\n'.repeat((8 * MEGABYTE) / 7).slice(0, -1))
  }
})

for (const [name, line] of [
  ['lines without a colon', 'data\n'],
  ['lines that CR ends', 'data:x\r'],
  ['lines that LF ends after one CR far away', 'data:x\n'],
  ['unknown lines', 'x\n'],
  ['blank lines', '\r'],
] as const) {
  test(`4 MiB of ${name} take linear time, also at the limit of an event's size`, guard, () => {
    const bytes = bytesOf(line.repeat((4 * MEGABYTE) / line.length), '\r')
    assert.equal(parse([bytes]).length, name.includes('unknown') || name.includes('blank') ? 0 : 1)
    parse(chunksOf(bytes, 1000), { maxEventSize: bytes.length })
    parse([bytes], { maxEventSize: bytes.length })
  })
}

test('events near the limit take linear time', guard, () => {
  const bytes = bytesOf(`data: ${'x'.repeat(1000)}\n\n`.repeat(8000))
  assert.equal(eventsOf(parse([bytes], { maxEventSize: 1007 })).length, 8000)
  assert.equal(eventsOf(parse(chunksOf(bytes, 100), { maxEventSize: 1007 })).length, 8000)
})

test('a stream byte by byte takes linear time, also when one line has them all', guard, () => {
  const events = bytesOf('id: 1\ndata: some words\n\n'.repeat(20_000))
  assert.equal(eventsOf(parse(chunksOf(events, 1))).length, 20_000)
  const line = bytesOf('data: ', new Uint8Array(MEGABYTE).fill(120), '\n\n')
  assert.equal(eventsOf(parse(chunksOf(line, 1)))[0]?.data.length, MEGABYTE)
})
