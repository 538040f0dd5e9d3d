import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  encodeComment,
  encodeEvent,
  encodeRetry,
  type EventFields,
  type StreamEvent,
  WireError,
} from '../src/index.ts'
import { eventsOf, parse } from './recorder.ts'
import { bytesOf, chunksOf, seeded, split } from './stream-corpus.ts'

test('writes event, id, channel, time, data, in this order, and a blank line', () => {
  assert.equal(
    encodeEvent({
      data: 'a',
      time: '2026-01-01T00:00:00.000Z',
      channel: 'orders.42',
      id: 'e-1',
      type: 'paid',
    }),
    'event: paid\nid: e-1\nchannel: orders.42\ntime: 2026-01-01T00:00:00.000Z\ndata: a\n\n',
  )
})

test('writes only what there is', () => {
  assert.equal(encodeEvent({ data: 'a' }), 'data: a\n\n')
  assert.equal(encodeEvent({ data: 'a', id: '' }), 'id: \ndata: a\n\n')
})

test('leaves out the type message, which is what no type means', () => {
  assert.equal(encodeEvent({ type: 'message', data: 'a' }), 'data: a\n\n')
})

test('writes a data line for each line, whatever ends it', () => {
  assert.equal(encodeEvent({ data: 'a\nb\rc\r\nd' }), 'data: a\ndata: b\ndata: c\ndata: d\n\n')
  assert.equal(encodeEvent({ data: '\n\r' }), 'data:\ndata:\ndata:\n\n')
})

test('writes empty data as a data line, so that the event arrives', () => {
  assert.equal(encodeEvent({ data: '' }), 'data:\n\n')
})

for (const member of ['id', 'type', 'channel', 'time'] as const) {
  for (const [name, character] of [
    ['CR', '\r'],
    ['LF', '\n'],
    ['NUL', '\0'],
  ] as const) {
    test(`refuses ${name} in ${member}, and names it`, () => {
      for (const value of [character, `a${character}`, `${character}a`, `a${character}data: forged`]) {
        assert.throws(
          () => encodeEvent({ data: 'a', [member]: value }),
          (error: unknown) =>
            error instanceof WireError &&
            error.code === 'invalid-field' &&
            error.message.includes(`\`${member}\``) &&
            !error.message.includes(character),
        )
      }
    })
  }
}

test('refuses an empty type', () => {
  assert.throws(() => encodeEvent({ type: '', data: 'a' }), { code: 'invalid-field', message: /`type`/ })
})

test('does not echo a rejected value whole', () => {
  assert.throws(
    () => encodeEvent({ data: 'a', id: `\u001b[2J\n${'x'.repeat(100_000)}` }),
    (error: unknown) =>
      error instanceof WireError && error.message.length < 300 && error.message.includes('\\u001b[2J\\u000a'),
  )
})

test('writes comments, a line of them for each line', () => {
  assert.equal(encodeComment('still here'), ': still here\n')
  assert.equal(encodeComment(''), ':\n')
  assert.equal(encodeComment('a\r\n\ndata: b'), ': a\n:\n: data: b\n')
})

test('writes retry', () => {
  assert.equal(encodeRetry(0), 'retry: 0\n')
  assert.equal(encodeRetry(3000), 'retry: 3000\n')
  assert.equal(encodeRetry(Number.MAX_SAFE_INTEGER), 'retry: 9007199254740991\n')
})

test('refuses a retry that parsers would pass over', () => {
  for (const retry of [-1, 1.5, 2 ** 53, 1e21, Number.NaN, Number.POSITIVE_INFINITY]) {
    assert.throws(() => encodeRetry(retry), { code: 'invalid-field', message: /`retry`/ })
  }
})

// What is written is what is read

const nasty = fc.constantFrom(
  '\n',
  '\r',
  '\r\n',
  '\n\n',
  ' ',
  ':',
  'data: x',
  'id: 1',
  '\uFEFF',
  '\u2028',
  '\uD800',
  '\uDC00',
  '\0',
  '😀',
)
const text = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.string({ unit: fc.nat(0xffff).map((unit) => String.fromCharCode(unit)) }),
  fc.array(fc.oneof(nasty, fc.string()), { maxLength: 12 }).map((parts) => parts.join('')),
)
const lineOfText = text.map((value) => value.replace(/[\r\n\0]/g, ''))
const fields: fc.Arbitrary<EventFields> = fc.record(
  {
    id: lineOfText,
    type: lineOfText.filter((type) => type !== ''),
    data: text,
    channel: lineOfText,
    time: lineOfText,
  },
  { requiredKeys: ['data'] },
)

/** What UTF-8 makes of lone surrogates. */
const wellFormed = (value: string) => value.toWellFormed()

function expectedEvents(written: readonly EventFields[]): StreamEvent[] {
  let lastEventId = ''
  return written.map(({ id, type, data, channel, time }) => {
    if (id !== undefined) lastEventId = wellFormed(id)
    return {
      type: wellFormed(type ?? 'message'),
      data: wellFormed(data.replace(/\r\n?/g, '\n')),
      lastEventId,
      ...(channel !== undefined && { channel: wellFormed(channel) }),
      ...(time !== undefined && { time: wellFormed(time) }),
    }
  })
}

test('what was encoded is parsed again, whole, byte by byte and at random splits', () => {
  fc.assert(
    fc.property(fc.array(fields, { minLength: 1, maxLength: 5 }), fc.nat(), (written, seed) => {
      const bytes = bytesOf(written.map(encodeEvent).join(''))
      const expected = expectedEvents(written)
      for (const chunks of [[bytes], chunksOf(bytes, 1), split(bytes, seeded(seed))]) {
        assert.deepEqual(eventsOf(parse(chunks)), expected)
      }
    }),
    { numRuns: 1500 },
  )
})

test('whatever the data, a parser gets exactly one event, and comments get through as no event', () => {
  fc.assert(
    fc.property(text, text, fc.nat(100_000), (data, comment, retry) => {
      const reports = parse([bytesOf(encodeComment(comment), encodeRetry(retry), encodeEvent({ data }))])
      assert.equal(eventsOf(reports).length, 1)
      assert.deepEqual(
        reports.flatMap((report) => ('retry' in report ? [report.retry] : [])),
        [retry],
      )
      assert.equal(
        reports.flatMap((report) => ('comment' in report ? [report.comment] : [])).join('\n'),
        wellFormed(comment.replace(/\r\n?/g, '\n')),
      )
    }),
    { numRuns: 1500 },
  )
})

test('whatever the fields, encoding either gives exactly one event or is refused', () => {
  const anything: fc.Arbitrary<EventFields> = fc.record(
    { id: text, type: text, data: text, channel: text, time: text },
    { requiredKeys: ['data'] },
  )
  let refused = 0
  fc.assert(
    fc.property(anything, (event) => {
      let block: string
      try {
        block = encodeEvent(event)
      } catch (error) {
        assert.ok(error instanceof WireError && error.code === 'invalid-field')
        refused++
        return
      }
      assert.deepEqual(eventsOf(parse([bytesOf(block)])), expectedEvents([event]))
    }),
    { numRuns: 1500 },
  )
  assert.ok(refused > 100 && refused < 1400, `${refused} refused`)
})
