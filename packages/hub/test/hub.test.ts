/** The hub in the process that has the events: publish, read, tail, end, drop, channels. */
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import type { Gap, PageEvent } from '@downlink/wire'
import { createHub, type Hub } from '../src/hub.ts'
import type { HubOptions, Published } from '../src/hub-options.ts'
import { SimulatedClock, settled } from './simulation/clock.ts'
import { OpenLog, RecordingSink } from './simulation/stage.ts'

interface World {
  readonly hub: Hub
  readonly log: OpenLog
  readonly clock: SimulatedClock
}

function world(t: TestContext, options: HubOptions = {}): World {
  const clock = new SimulatedClock()
  const log = new OpenLog({
    now: () => clock.now(),
    every: () => () => {},
    ...(options.retention ? { retention: options.retention } : {}),
  })
  const hub = createHub({ clock, log, onError: (error) => assert.fail(error as Error), ...options })
  t.after(() => hub.close())
  return { hub, log, clock }
}

function refusal(code: string): { code: string } {
  return { code }
}

async function all(events: AsyncIterable<PageEvent>): Promise<string[]> {
  const found: string[] = []
  for await (const { data } of events) found.push(data)
  return found
}

test('publishes one event, and answers its id', async (t) => {
  const { hub } = world(t)
  const { ids, repeated } = await hub.publish('orders', { type: 'paid', data: { total: 2 } })
  assert.equal(repeated, false)
  const { events } = await hub.read('orders')
  assert.deepEqual(events, [
    { id: ids[0], channel: 'orders', type: 'paid', data: '{"total":2}', time: '2026-01-01T00:00:00.000Z' },
  ])
})

test('publishes a batch to several channels: line by line, in each the channels in order', async (t) => {
  const { hub } = world(t)
  const { ids } = await hub.publish(['b', 'a'], ['1', { data: '2' }])
  const { events } = await hub.read(['a', 'b'])
  assert.deepEqual(
    events.map(({ channel, data }) => channel + data),
    ['b1', 'a1', 'b2', 'a2'],
  )
  assert.deepEqual(
    events.map(({ id }) => id),
    ids,
  )
})

test('a key is remembered in few bytes, however long its scope is, and scopes don’t meet', async (t) => {
  const { hub, log } = world(t)
  const keys: string[] = []
  const append = log.append.bind(log)
  log.append = (batch, options) => {
    keys.push(options?.idempotency?.key ?? '')
    return append(batch, options)
  }
  const long = 'x'.repeat(16_000)
  const publish = (scope: string): Promise<Published> =>
    hub.publish('a', ['1', '2', '3'], { idempotencyKey: 'k', scope })
  const [first, again, other] = [await publish(long), await publish(long), await publish(`${long}y`)]
  assert.deepEqual([first.repeated, again.repeated, other.repeated], [false, true, false])
  assert.deepEqual(again.ids, first.ids)
  for (const key of keys) assert.ok(key.length <= 200)
})

test('refuses what is no publish, and stores nothing', async (t) => {
  const { hub } = world(t, { limits: { channels: 2, batch: 3 } })
  const cases: readonly (readonly [string, () => Promise<unknown>])[] = [
    ['empty-batch', () => hub.publish('a', [])],
    ['no-channel', () => hub.publish([], '1')],
    ['invalid-channel', () => hub.publish('no spaces', '1')],
    ['pattern-not-allowed', () => hub.publish('a.*', '1')],
    ['reserved-channel', () => hub.publish('$a', '1')],
    ['duplicate-channel', () => hub.publish(['a', 'a'], '1')],
    ['too-many-channels', () => hub.publish(['a', 'b', 'c'], '1')],
    ['batch-too-large', () => hub.publish(['a', 'b'], ['1', '2'])],
    ['invalid-data', () => hub.publish('a', { data: undefined })],
    ['invalid-type', () => hub.publish('a', { type: 'downlink:end', data: '' })],
    ['reserved-channel', () => hub.drop('$a')],
    ['pattern-not-allowed', () => hub.end('a.*')],
  ]
  for (const [code, act] of cases) await assert.rejects(act, refusal(code), code)
  assert.deepEqual(await hub.channels(), [])
})

test('a repeated key stores nothing and answers the same ids, another content is refused', async (t) => {
  const { hub } = world(t)
  const first = await hub.publish('a', '1', { idempotencyKey: 'k' })
  assert.deepEqual(await hub.publish('a', '1', { idempotencyKey: 'k' }), { ids: first.ids, repeated: true })
  await assert.rejects(hub.publish('a', '2', { idempotencyKey: 'k' }), refusal('idempotency-mismatch'))
  const other = await hub.publish('a', '2', { idempotencyKey: 'k', scope: 'somebody else' })
  assert.equal(other.repeated, false)
})

test('P10.1.5 a key that is still running is refused, and free again when the first has ended', async (t) => {
  const { hub, log } = world(t)
  const running = Promise.withResolvers<void>()
  const append = log.append.bind(log)
  log.append = async (batch, options) => {
    await running.promise
    return append(batch, options)
  }
  const first = hub.publish('a', '1', { idempotencyKey: 'k' })
  await assert.rejects(hub.publish('a', '1', { idempotencyKey: 'k' }), refusal('idempotency-running'))
  running.resolve()
  await first
  assert.equal((await hub.publish('a', '1', { idempotencyKey: 'k' })).repeated, true)
})

test('a publish that fails frees its key', async (t) => {
  const { hub, log } = world(t)
  const append = log.append.bind(log)
  log.append = () => Promise.reject(new Error('away'))
  await assert.rejects(hub.publish('a', '1', { idempotencyKey: 'k' }), /away/)
  log.append = append
  assert.equal((await hub.publish('a', '1', { idempotencyKey: 'k' })).repeated, false)
})

test('ends channels with the last event or without one; after that nothing can be published', async (t) => {
  const { hub } = world(t)
  await hub.publish('a', 'last', { end: true })
  await hub.end(['b', 'c'])
  await hub.end('a')
  assert.deepEqual((await hub.read(['a', 'b', 'c'])).ended, ['a', 'b', 'c'])
  await assert.rejects(hub.publish('a', '1'), refusal('channel-ended'))
})

test('drops a channel, and says whether anybody knew it', async (t) => {
  const { hub } = world(t)
  const { ids } = await hub.publish('a', '1')
  assert.equal(await hub.drop('a'), true)
  assert.equal(await hub.drop('never'), false)
  const page = await hub.read('a', { after: ids[0] as string })
  assert.deepEqual([page.gap?.reason, page.gap?.channels], ['deleted', ['a']])
})

test('lists channels by name, page by page', async (t) => {
  const { hub } = world(t)
  await hub.publish(['b', 'a.x', 'a.y'], '1')
  const names = (infos: readonly { name: string }[]): string[] => infos.map(({ name }) => name)
  assert.deepEqual(names(await hub.channels()), ['a.x', 'a.y', 'b'])
  assert.deepEqual(names(await hub.channels('a.*')), ['a.x', 'a.y'])
  assert.deepEqual(names(await hub.channels('**', 'a.x', 1)), ['a.y'])
})

test('reads the newest events, those after a cursor, from the start, or the last few', async (t) => {
  const { hub } = world(t)
  const { ids } = await hub.publish('a', ['1', '2', '3', '4'])
  const data = async (options?: Parameters<Hub['read']>[1]): Promise<string[]> =>
    (await hub.read('a', options)).events.map((event) => event.data)
  assert.deepEqual(await data(), ['1', '2', '3', '4'])
  assert.deepEqual(await data({ after: ids[1] as string }), ['3', '4'])
  assert.deepEqual(await data({ after: 'start', limit: 2 }), ['1', '2'])
  assert.deepEqual(await data({ after: 'now' }), [])
  assert.deepEqual(await data({ last: 1 }), ['4'])
  assert.deepEqual(await data({ limit: 3 }), ['2', '3', '4'])
})

test('refuses what is no read', async (t) => {
  const { hub } = world(t, { limits: { channels: 2, readers: 1 } })
  const cases: readonly (readonly [string, () => Promise<unknown>])[] = [
    ['invalid-option', () => hub.read('a', { after: 'start', last: 1 })],
    ['invalid-option', () => hub.read('a', { limit: 0 })],
    ['invalid-option', () => hub.read('a', { limit: 1_001 })],
    ['invalid-option', () => hub.read('a', { last: 1.5 })],
    ['invalid-cursor', () => hub.read('a', { after: 'yesterday' })],
    ['invalid-pattern', () => hub.read('a.**.b')],
    ['no-channel', () => hub.read([])],
    ['too-many-channels', () => hub.read(['a', 'b', 'c'])],
  ]
  for (const [code, act] of cases) await assert.rejects(act, refusal(code), code)
})

test('a read that waits counts as a reader, beyond the limit it is refused', async (t) => {
  const { hub } = world(t, { limits: { readers: 1 } })
  const first = hub.read('a', { waitMs: 1_000 })
  await settled()
  await assert.rejects(hub.read('a', { waitMs: 1_000 }), refusal('overload'))
  assert.deepEqual((await hub.read('a')).events, [])
  hub.drain()
  await first
})

test('a read waits for the next event, until its time is up or its signal aborts', async (t) => {
  const { hub, clock } = world(t)
  const event = hub.read('a', { waitMs: 10_000 })
  const late = hub.read('b', { waitMs: 10_000 })
  const abort = new AbortController()
  const aborted = hub.read('c', { waitMs: 10_000, signal: abort.signal })
  await settled()
  await hub.publish('a', '1')
  await clock.turn()
  assert.equal((await event).events[0]?.data, '1')
  abort.abort()
  assert.deepEqual((await aborted).events, [])
  await clock.run(10_000)
  assert.deepEqual((await late).events, [])
  assert.equal(hub.delivery.waiting, 0)
  assert.equal(clock.timers, 0)
})

test('a longer wait than the limit is cut to it', async (t) => {
  const { hub, clock } = world(t, { limits: { waitMs: 1_000 } })
  const page = hub.read('a', { waitMs: 1e9 })
  await clock.run(1_000)
  assert.deepEqual((await page).events, [])
})

test('a tail yields events as they come, and ends when all channels have', async (t) => {
  const { hub, clock } = world(t)
  await hub.publish('a', 'before')
  const found = all(hub.tail(['a', 'b']))
  await settled()
  for (const data of ['1', '2', '3']) {
    await hub.publish('a', data)
    await clock.turn()
  }
  await hub.publish('b', '4', { end: true })
  await clock.turn()
  await hub.end('a')
  await clock.turn()
  assert.deepEqual(await found, ['1', '2', '3', '4'])
})

test('a tail begins after a cursor, at the start, or with the last few, and gives page after page', async (t) => {
  const { hub } = world(t)
  const { ids } = await hub.publish(
    'a',
    Array.from({ length: 250 }, (_, n) => `${n}`),
  )
  await hub.end('a')
  assert.equal((await all(hub.tail('a', { after: 'start' }))).length, 250)
  assert.deepEqual(await all(hub.tail('a', { after: ids[247] as string })), ['248', '249'])
  assert.deepEqual(await all(hub.tail('a', { last: 2 })), ['248', '249'])
  assert.equal((await all(hub.tail('a', { last: 201 }))).length, 201)
})

test('a tail ends when its signal aborts', async (t) => {
  const { hub, clock } = world(t)
  const abort = new AbortController()
  const found = all(hub.tail('**', { signal: abort.signal }))
  await settled()
  await hub.publish('a', '1')
  await clock.turn()
  abort.abort()
  assert.deepEqual(await found, ['1'])
  assert.equal(clock.timers, 0)
})

test('a tail that nobody wants any more lets go of everything', async (t) => {
  const { hub, log, clock } = world(t)
  await hub.publish('a', ['1', '2'])
  for await (const { data } of hub.tail('a', { after: 'start' })) if (data === '1') break
  assert.deepEqual([hub.delivery.waiting, log.followed, clock.timers], [0, [], 0])
})

test('a tail throws history-lost at a gap, unless it is told what to do with it', async (t) => {
  const { hub } = world(t, { retention: [{ channels: 'a', count: 1 }] })
  await hub.publish('a', ['1', '2'], { end: true })
  await assert.rejects(all(hub.tail('a', { after: 'start' })), refusal('history-lost'))
  const gaps: Gap[] = []
  const found = await all(hub.tail('a', { after: 'start', onGap: (gap) => gaps.push(gap) }))
  assert.deepEqual(found, ['2'])
  assert.deepEqual(
    gaps.map(({ reason, channels }) => [reason, channels]),
    [['trimmed', ['a']]],
  )
})

test('closing ends tails, waits and streams without an error, and what comes later is refused', async (t) => {
  const { hub, clock } = world(t)
  const tail = all(hub.tail('a'))
  const page = hub.read('a', { waitMs: 60_000 })
  await settled()
  const sink = new RecordingSink()
  hub.open(hub.channelSet('a'), { after: 'now' }, sink)
  await settled()
  await hub.close()
  await hub.close()
  assert.equal(sink.state, 'ended')
  assert.deepEqual(await tail, [])
  assert.deepEqual((await page).events, [])
  assert.equal(clock.timers, 0)
  await assert.rejects(hub.publish('a', '1'), refusal('log-closed'))
  await assert.rejects(hub.read('a'), refusal('log-closed'))
  await assert.rejects(hub.read('a', { waitMs: 1 }), refusal('draining'))
  assert.deepEqual(await hub.health(), { ok: false, reason: 'The hub is stopping' })
})

test('a hub that drains takes no new waits, and goes on publishing and polling', async (t) => {
  const { hub } = world(t)
  hub.drain()
  await hub.publish('a', '1')
  assert.equal((await hub.read('a')).events.length, 1)
  await assert.rejects(hub.read('a', { waitMs: 1 }), refusal('draining'))
})

test('a hub is disposed of by `await using`', async () => {
  const hubs: Hub[] = []
  {
    await using hub = createHub()
    hubs.push(hub)
    await hub.publish('a', '1')
  }
  await assert.rejects((hubs[0] as Hub).publish('a', '1'), refusal('log-closed'))
})

test('a read is over when all its channels have ended and are passed, unless the epoch changed meanwhile', async (t) => {
  const { hub, log } = world(t)
  await hub.publish('a', ['1', '2'], { end: true })
  const { name } = log.state().epochs[0]
  const set = hub.channelSet('a')
  const at = (position: number) => ({ after: { epoch: name, position } })
  assert.equal(await hub.isOver(set, at(2)), true)
  assert.equal(await hub.isOver(set, at(1)), false)
  assert.equal(await hub.isOver(hub.channelSet('*'), at(2)), false)
  // P6.6.3: a request with `last` always gets a stream first.
  assert.equal(await hub.isOver(set, { last: 0 }), false)
  const release = log.hold()
  const over = hub.isOver(set, at(2))
  await settled()
  log.epochs = [{ name: 'B', parent: { name, upTo: 1 } }, { name }]
  release()
  assert.equal(await over, false)
})
