import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { encodeGap, encodePage, type Gap, type Page, parseGap, parsePage, WireError } from '../src/index.ts'

const event = { id: 'e-7', channel: 'orders', type: 'paid', data: 'a\nb', time: '2026-01-01T00:00:00.000Z' }
const gap: Gap = { reason: 'trimmed', channels: ['orders', 'a.**'], from: 'e-1', to: 'e-6' }
const page: Page = { events: [event], cursor: 'e-7', more: false, retry: 2000 }
const full: Page = { ...page, previous: 'e-7', gap, ended: ['orders'] }

test('a page is the JSON of the protocol', () => {
  assert.equal(
    encodePage(full),
    '{"events":[{"id":"e-7","channel":"orders","type":"paid","data":"a\\nb","time":"2026-01-01T00:00:00.000Z"}],' +
      '"cursor":"e-7","more":false,"retry":2000,"previous":"e-7",' +
      '"gap":{"reason":"trimmed","channels":["orders","a.**"],"from":"e-1","to":"e-6"},"ended":["orders"]}',
  )
})

test('a page without a gap and ends has no such members', () => {
  assert.equal(
    encodePage({ events: [], cursor: 'e-0', more: false, retry: 0 }),
    '{"events":[],"cursor":"e-0","more":false,"retry":0}',
  )
  assert.deepEqual(Object.keys(parsePage(encodePage(page))), ['events', 'cursor', 'more', 'retry'])
})

test('only members of the protocol are written', () => {
  const secret = { ...full, secret: 1, events: [{ ...event, secret: 1 }], gap: { ...gap, secret: 1 } }
  assert.equal(encodePage(secret), encodePage(full))
  assert.equal(encodeGap(secret.gap), encodeGap(gap))
})

const cursorText = fc.stringMatching(/^[A-Za-z0-9._~-]{1,64}$/)
const anyGap: fc.Arbitrary<Gap> = fc.record({
  reason: fc.constantFrom('trimmed', 'epoch', 'unknown', 'deleted'),
  channels: fc.array(fc.string()),
  from: fc.option(cursorText),
  to: cursorText,
})
const anyPage: fc.Arbitrary<Page> = fc.record(
  {
    events: fc.array(
      fc.record({
        id: cursorText,
        channel: fc.string(),
        type: fc.string(),
        data: fc.string({ unit: 'binary' }),
        time: fc.string(),
      }),
      { maxLength: 5 },
    ),
    cursor: cursorText,
    more: fc.boolean(),
    retry: fc.nat(),
    previous: cursorText,
    gap: anyGap,
    ended: fc.array(fc.string()),
  },
  { requiredKeys: ['events', 'cursor', 'more', 'retry'], noNullPrototype: true },
) as fc.Arbitrary<Page>

test('what was encoded is parsed again', () => {
  fc.assert(
    fc.property(anyPage, anyGap, (value, lost) => {
      assert.deepEqual(plain(parsePage(encodePage(value))), plain(value))
      assert.deepEqual(plain(parseGap(encodeGap(lost))), plain(lost))
    }),
  )
})

const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value))

test('passes over members that it does not know', () => {
  const newer = { ...full, later: { a: 1 }, events: [{ ...event, key: 'k' }], gap: { ...gap, upTo: 5 } }
  assert.deepEqual(parsePage(JSON.stringify(newer)), full)
  assert.deepEqual(parseGap(JSON.stringify({ ...gap, upTo: 5 })), gap)
})

const without = (value: object, member: string) =>
  Object.fromEntries(Object.entries(value).filter(([name]) => name !== member))

const WRONG_PAGES: readonly (readonly [string, unknown, RegExp])[] = [
  ['an array', [], /the page/],
  ['null', null, /the page/],
  ['a string', 'page', /the page/],
  ['no events', without(page, 'events'), /`events`.*got nothing/],
  ['events that are no array', { ...page, events: {} }, /`events`/],
  ['an event that is no object', { ...page, events: [event, null] }, /`events\[1\]`/],
  ['no cursor', without(page, 'cursor'), /`cursor`/],
  ['an empty cursor', { ...page, cursor: '' }, /`cursor`/],
  ['a cursor with a line end', { ...page, cursor: 'a-1\n' }, /`cursor`/],
  ['a cursor of 65 characters', { ...page, cursor: 'a'.repeat(65) }, /`cursor`/],
  ['no more', without(page, 'more'), /`more`/],
  ['more that is a number', { ...page, more: 1 }, /`more`/],
  ['no retry', without(page, 'retry'), /`retry`/],
  ['a negative retry', { ...page, retry: -1 }, /`retry`.*got -1/],
  ['a retry that is a string', { ...page, retry: '5' }, /`retry`/],
  ['a previous that is null', { ...page, previous: null }, /`previous`/],
  ['a previous that is no cursor', { ...page, previous: 'a b' }, /`previous`/],
  ['a gap that is null', { ...page, gap: null }, /`gap`/],
  ['ends that are no array', { ...page, ended: 'orders' }, /`ended`/],
  ['an end that is no string', { ...page, ended: ['a', 1] }, /`ended\[1\]`/],
  ...(['id', 'channel', 'type', 'data', 'time'] as const).flatMap((member) => [
    [
      `an event without ${member}`,
      { ...page, events: [without(event, member)] },
      new RegExp(`events\\[0\\]\\.${member}`),
    ] as const,
    [
      `an event with a number as ${member}`,
      { ...page, events: [{ ...event, [member]: 5 }] },
      new RegExp(`events\\[0\\]\\.${member}`),
    ] as const,
  ]),
]

for (const [name, value, message] of WRONG_PAGES) {
  test(`refuses a page: ${name}, and names the member`, () => {
    assert.throws(() => parsePage(JSON.stringify(value)), {
      name: 'WireError',
      code: 'invalid-page',
      message,
    })
  })
}

for (const [name, value, member] of [
  ['no reason', without(gap, 'reason'), 'reason'],
  ['a reason that is no string', { ...gap, reason: 7 }, 'reason'],
  ['no channels', without(gap, 'channels'), 'channels'],
  ['a channel that is no string', { ...gap, channels: [1] }, 'channels[0]'],
  ['no from', without(gap, 'from'), 'from'],
  ['a from that is a number', { ...gap, from: 5 }, 'from'],
  ['no to', without(gap, 'to'), 'to'],
  ['a to that is null', { ...gap, to: null }, 'to'],
] as const) {
  test(`refuses a gap: ${name}, and names the member`, () => {
    const names = (path: string) => (error: unknown) =>
      error instanceof WireError && error.code === 'invalid-page' && error.message.includes(`\`${path}\``)
    assert.throws(() => parseGap(JSON.stringify(value)), names(member))
    assert.throws(() => parsePage(JSON.stringify({ ...page, gap: value })), names(`gap.${member}`))
  })
}

test('refuses what is no JSON, in one short printable line', () => {
  for (const text of [
    '',
    '{',
    'undefined',
    `<html>\n${'x'.repeat(10_000)}`,
    '\u001b[2J',
    '['.repeat(100_000),
  ]) {
    for (const parse of [parsePage, parseGap]) {
      assert.throws(
        () => parse(text),
        (error: unknown) =>
          error instanceof WireError &&
          error.code === 'invalid-page' &&
          /^[ -~…]{1,400}$/.test(error.message),
      )
    }
  }
})

test('any JSON gives a page or a named error', () => {
  fc.assert(
    fc.property(fc.oneof(fc.json(), fc.string()), (text) => {
      try {
        assert.equal(typeof parsePage(text).cursor, 'string')
      } catch (error) {
        assert.ok(error instanceof WireError && error.code === 'invalid-page')
      }
    }),
    { numRuns: 1000 },
  )
})

test('a __proto__ member gives the page nothing, and pollutes nothing', () => {
  const members = encodePage(page).slice(1, -1)
  assert.throws(() => parsePage(`{"__proto__":{${members}}}`), { code: 'invalid-page' })
  const parsed = parsePage(`{${members},"__proto__":{"gap":{},"ended":["a"]}}`)
  assert.equal(Object.getPrototypeOf(parsed), Object.prototype)
  assert.equal(parsed.gap, undefined)
  assert.equal(parsed.ended, undefined)
  assert.equal(({} as { ended?: unknown }).ended, undefined)
})

test('a polluted Object.prototype does not add members to a page', (t) => {
  const text = encodePage(page)
  const everyone: object = Object.prototype
  Object.defineProperty(everyone, 'ended', { value: ['forged'], configurable: true })
  t.after(() => Reflect.deleteProperty(everyone, 'ended'))
  assert.equal(Object.hasOwn(parsePage(text), 'ended'), false)
})

test('P20.1.2: a gap is a gap, also for a reason that only a newer hub knows', () => {
  assert.deepEqual(parseGap(JSON.stringify({ ...gap, reason: 'compacted' })), { ...gap, reason: 'compacted' })
})
