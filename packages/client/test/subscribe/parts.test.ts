/** The pure parts of `subscribe()`. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { randomOf } from '../../../../e2e/helpers/random.ts'
import { retryAfterMs, waitAfter } from '../../src/subscribe/backoff.ts'
import { SubscribeError } from '../../src/subscribe/error.ts'
import { createLadder } from '../../src/subscribe/ladder.ts'
import { DEFAULT_LIMITS } from '../../src/subscribe/limits.ts'
import { checked } from '../../src/subscribe/options.ts'
import { createOutlet } from '../../src/subscribe/outlet.ts'
import { createPace } from '../../src/subscribe/pace.ts'
import { pageOf } from '../../src/subscribe/page.ts'
import { createSieve } from '../../src/subscribe/sieve.ts'
import type { Item } from '../../src/subscribe/source.ts'
import { createJudge, heldBack, isLasting } from '../../src/subscribe/verdict.ts'
import { createWatchdog } from '../../src/subscribe/watchdog.ts'
import { settled, World } from './world.ts'

const event = (position: number, at?: number): Item => {
  const id = `e-${position}`
  const time = at === undefined ? undefined : new Date(at).toISOString()
  return { kind: 'event', id, value: { id, channel: 'a', type: 'message', data: '', time } }
}
const refused = (status: number, problem?: string): SubscribeError =>
  new SubscribeError('refused', '', { status, problem })

test('a wait keeps its bounds, and what the server asked for is waited for at least', () => {
  fc.assert(
    fc.property(
      fc.nat(100),
      fc.nat(10_000),
      fc.double({ min: 0, max: 0.999, noNaN: true }),
      fc.nat(1e8),
      (failures, retry, random, retryAfter) => {
        const wait = waitAfter(failures, retry, random, DEFAULT_LIMITS, retryAfter)
        assert.ok(wait >= DEFAULT_LIMITS.minWaitMs)
        assert.ok(wait >= Math.min(retryAfter, 3_600_000))
        assert.ok(wait <= Math.max(DEFAULT_LIMITS.maxWaitMs, Math.min(retryAfter, 3_600_000)))
      },
    ),
  )
  assert.equal(waitAfter(0, 3000, 0.5, DEFAULT_LIMITS), 3000)
  assert.equal(waitAfter(1, 3000, 0.5, DEFAULT_LIMITS), 3000)
  assert.equal(waitAfter(9, 3000, 0.5, DEFAULT_LIMITS), 15_000)
})

test('Retry-After is seconds or a date', () => {
  const now = Date.UTC(2026, 0, 1)
  assert.equal(retryAfterMs('7', now), 7000)
  assert.equal(retryAfterMs('Thu, 01 Jan 2026 00:00:05 GMT', now), 5000)
  for (const header of [null, '', '-1', 'soon', 'Thu, 01 Jan 2025 00:00:05 GMT'])
    assert.equal(retryAfterMs(header, now), 0, String(header))
})

test('no more than 40 requests at once and ten a second may leave, whenever they are asked for', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(300), { minLength: 1, maxLength: 300 }), (gaps) => {
      const pace = createPace()
      let now = 1e12
      const left = gaps.map((gap) => (now += gap) + pace.take(now)).sort((a, b) => a - b)
      for (const [index, time] of left.entries()) {
        const before = left[index - 60]
        if (before !== undefined) assert.ok(time - before >= 1999, `${time - before}`)
      }
    }),
  )
})

test('a clock that is set back does not stop requests', () => {
  const pace = createPace()
  pace.take(1e12)
  assert.ok(pace.take(5e11) <= 4100)
})

test('the watchdog barks when nothing is heard, and once', async () => {
  const world = new World(randomOf(1))
  const told: string[] = []
  const { expect } = createWatchdog(
    world.environment(() => Promise.reject(new Error('none'))),
    () => told.push('suspect'),
    () => told.push('dead'),
  )
  expect(25_000, 15_000)
  await world.run(14_000)
  expect(25_000, 15_000)
  await world.run(14_999)
  assert.deepEqual(told, [])
  await world.run(1)
  assert.deepEqual(told, ['suspect'])
  await world.run(100_000)
  assert.deepEqual(told, ['suspect', 'dead'])
  expect(1000)
  expect()
  await world.run(100_000)
  assert.deepEqual([told.length, world.timers], [2, 0])
})

test('the watchdog does not bark later for a sound that came when it had just been set', async () => {
  const world = new World(randomOf(1))
  const told: string[] = []
  const { expect } = createWatchdog(
    world.environment(() => Promise.reject(new Error('none'))),
    () => told.push('suspect'),
    () => {},
  )
  expect(20_000, 1500)
  await world.run(10)
  expect(20_000, 1500)
  await world.run(1499)
  assert.deepEqual(told, [])
  await world.run(1)
  assert.deepEqual(told, ['suspect'])
})

test('a watchdog that overslept lets what came meanwhile be heard first', async () => {
  const world = new World(randomOf(1))
  let dead = 0
  const { expect } = createWatchdog(
    world.environment(() => Promise.reject(new Error('none'))),
    () => {},
    () => dead++,
  )
  expect(10_000)
  // The machine slept: the clock on the wall has moved, the timer goes off late.
  world.time += 60_000
  await world.run(0)
  assert.equal(dead, 0)
  expect(10_000)
  await world.run(9999)
  assert.equal(dead, 0)
  await world.run(1002)
  assert.equal(dead, 1)
})

test('the queue says when it is full, and when there is room again', async () => {
  let listening = false
  const delivered: string[] = []
  const outlet = createOutlet(
    4,
    () => listening,
    (item) => void delivered.push(item.id),
    () => {},
  )
  assert.equal(outlet.push([1, 2, 3, 4].map((position) => event(position))), undefined)
  const full = outlet.push([event(5)])
  assert.ok(full)
  let room = false
  void full.then(() => (room = true))
  await settled()
  assert.deepEqual([delivered.length, room], [0, false])
  listening = true
  outlet.flow()
  await settled()
  assert.deepEqual([delivered.length, room], [5, true])
})

test('a gap and an end that are told again pass once', () => {
  const sieve = createSieve()
  const gap: Item = {
    kind: 'gap',
    id: 'e-5',
    value: { reason: 'trimmed', channels: ['a'], from: 'e-1', to: 'e-5' },
  }
  const end: Item = { kind: 'end', id: 'e-6', value: { channel: 'a' } }
  const kinds = (items: readonly Item[]): string[] => sieve(items).map(({ kind }) => kind)
  assert.deepEqual(kinds([gap, gap, end, end]), ['gap', 'cursor', 'end', 'cursor'])
  assert.deepEqual(kinds([event(7), gap, end]), ['event', 'gap', 'end'])
})

test('three streams that were cut short are suspicious; what a hub refuses, or lives long, is not', () => {
  const judge = createJudge(DEFAULT_LIMITS)
  assert.deepEqual(
    [1, 2, 3].map(() => judge.streamEnded('ended', 5000)),
    [undefined, undefined, 'cut-short'],
  )
  for (let i = 0; i < 10; i++) {
    assert.equal(judge.streamEnded('ended', 20_000), undefined)
    assert.equal(judge.streamEnded('soon', 10), undefined)
    assert.equal(judge.streamEnded('ended', 10), undefined)
    assert.equal(judge.streamEnded(refused(503, 'draining'), -1), undefined)
  }
  assert.equal(judge.streamEnded(refused(502), -1), undefined)
  assert.equal(judge.streamEnded(undefined, -1), 'streams-refused')
})

test('events that happened over seconds and come at once were held back, unless they are history', () => {
  const at = (seconds: readonly number[]): Item[] =>
    seconds.map((second, index) => event(index, second * 1000))
  assert.equal(heldBack(at([0, 1, 2, 3]), 5000), true)
  assert.equal(heldBack(at([0, 1, 2, 3]), 20), false)
  assert.equal(heldBack(at([0, 3600]), 5000), false)
  assert.equal(heldBack(at([0, 1]), 5000), false)
  assert.equal(heldBack([], 5000), undefined)
  const judge = createJudge(DEFAULT_LIMITS)
  const held = at([0, 3])
  assert.deepEqual(
    [held, held, at([1]), held, held, held].map((items) => judge.came(items, 4000)),
    [undefined, undefined, undefined, undefined, undefined, 'bursts'],
  )
})

test('which refusals last', () => {
  for (const status of [400, 401, 403, 404, 405, 406, 410, 501, 505])
    assert.ok(isLasting(refused(status)), `${status}`)
  for (const status of [408, 425, 429, 500, 502, 503, 504])
    assert.ok(!isLasting(refused(status)), `${status}`)
  for (const code of ['network', 'silent'] as const) assert.ok(!isLasting(new SubscribeError(code, '')))
  assert.ok(isLasting(new SubscribeError('not-a-stream', '')))
  assert.ok(isLasting(new SubscribeError('event-too-large', '')))
})

test('the ladder goes down with a reason, remembers it for the origin, and comes up', () => {
  const { storage } = new World(randomOf(1)).environment(() => Promise.reject(new Error('none')))
  const memory = storage('session')
  const ladder = createLadder(undefined, 'https://a', memory, DEFAULT_LIMITS, 0)
  assert.equal(ladder.probeIn(0), undefined)
  ladder.down('held-back', 0)
  assert.deepEqual([ladder.transport, ladder.reason, ladder.probeIn(0)], ['long-poll', 'held-back', 300_000])
  const other = createLadder('auto', 'https://a', memory, DEFAULT_LIMITS, 1000)
  assert.deepEqual([other.transport, other.reason], ['long-poll', 'remembered'])
  assert.equal(createLadder('auto', 'https://b', memory, DEFAULT_LIMITS, 1000).transport, 'sse')
  assert.equal(createLadder('auto', 'https://a', memory, DEFAULT_LIMITS, 700_000).transport, 'sse')
  assert.equal(createLadder('sse', 'https://a', memory, DEFAULT_LIMITS, 1000).transport, 'sse')
  // Waits become shorter before polls take over.
  ladder.down('waits-cut', 0)
  ladder.down('waits-cut', 0)
  assert.deepEqual([ladder.transport, ladder.waitMs], ['long-poll', 6250])
  ladder.down('waits-cut', 0)
  assert.equal(ladder.transport, 'poll')
  assert.ok(ladder.probeFailed(0))
  assert.equal(ladder.transport, 'long-poll')
  ladder.up()
  assert.deepEqual([ladder.transport, ladder.reason], ['sse', 'improved'])
  assert.equal(createLadder('auto', 'https://a', memory, DEFAULT_LIMITS, 1000).transport, 'sse')
})

test('what is no page is refused', () => {
  const right = { events: [], cursor: 'e-1', more: false, retry: 1 }
  assert.equal(pageOf(JSON.stringify(right)).cursor, 'e-1')
  for (const wrong of [
    { ...right, cursor: 'a b' },
    { ...right, cursor: undefined },
    { ...right, retry: 'x' },
    { ...right, events: {} },
    { ...right, events: [null] },
    { ...right, events: [{ id: '?', data: '' }] },
    { ...right, gap: { to: 'e-1' } },
    { ...right, ended: 'a' },
    null,
    [],
  ])
    assert.throws(() => pageOf(JSON.stringify(wrong)), Error, JSON.stringify(wrong))
})

test('a URL and options that cannot be used are refused at once', () => {
  for (const url of ['', '/relative', 'ftp://a/b', 'https://me:pw@a/b'])
    assert.throws(() => checked(url, {}), { code: 'invalid-option' }, url)
  assert.throws(() => checked('https://a/', { transport: 'websocket' as never }), { code: 'invalid-option' })
  assert.deepEqual(checked('https://a/', {}).start, { after: 'now' })
  assert.deepEqual(checked('https://a/?last=3', {}).start, {})
  assert.deepEqual(checked('https://a/', { last: 3 }).start, { last: '3' })
  assert.deepEqual(checked('https://a/', { last: 3, after: 'e-1' }).start, { after: 'e-1' })
})
