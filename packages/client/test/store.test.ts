/** `eventStore()` against the real hub: what frameworks follow. */
import assert from 'node:assert/strict'
import type { IncomingMessage } from 'node:http'
import { test, type TestContext } from 'node:test'
import { SubscribeError } from '@downlink/client'
import { type EventsSnapshot, type EventStore, eventStore } from '@downlink/client/store'
import { startHub } from './subscribe/hub.ts'

/** Follows a store until the test is over, or `stop()`; each snapshot that it was told of is in `told`. */
function follow<Events extends object>(t: TestContext, store: EventStore<Events>) {
  const told: EventsSnapshot<Events>[] = []
  const waiting = new Set<() => void>()
  const stop = store.subscribe(() => {
    told.push(store.getSnapshot())
    for (const look of waiting) look()
  })
  t.after(stop)
  /** Resolves with the snapshot as soon as it is so. */
  async function until(
    holds: (snapshot: EventsSnapshot<Events>) => boolean,
  ): Promise<EventsSnapshot<Events>> {
    while (!holds(store.getSnapshot())) {
      await new Promise<void>((resolve) => waiting.add(resolve))
      waiting.clear()
    }
    return store.getSnapshot()
  }
  return { told, stop, until }
}

const texts = ({ events }: EventsSnapshot<Record<string, string>>): string[] => events.map(({ data }) => data)
const channel = (url: string): string => `${url}/channels/orders`
const numbered = (count: number) => Array.from({ length: count }, (_, index) => ({ data: String(index) }))

/** When the reader has gone. */
const closing = (request: IncomingMessage | undefined): Promise<void> =>
  new Promise((resolve) => request?.on('error', () => {}).once('close', resolve))

test('a store that nobody follows opens nothing, and shows nothing yet', async (t) => {
  const { url, requests } = await startHub(t)
  const store = eventStore(channel(url), { last: 10 })
  const snapshot = store.getSnapshot()
  assert.deepEqual(snapshot, {
    events: [],
    latest: undefined,
    connection: { phase: 'connecting', transport: 'sse', attempt: 0 },
    gaps: [],
    error: undefined,
  })
  await fetch(`${url}/channels/orders?transport=poll`)
  assert.equal(requests.length, 1)
})

test('it shows the newest events, the latest, and that the connection is open', async (t) => {
  const { hub, url } = await startHub(t)
  await hub.publish('orders', numbered(7))
  const store = eventStore(channel(url), { after: 'start', keep: 3 })
  const { until } = follow(t, store)
  const snapshot = await until(
    ({ latest, connection }) => latest?.data === '6' && connection.phase === 'open',
  )
  assert.deepEqual(texts(snapshot), ['4', '5', '6'])
  await hub.publish('orders', { data: '7' })
  assert.deepEqual(texts(await until(({ latest }) => latest?.data === '7')), ['5', '6', '7'])
})

test('keep: 0 keeps the latest event only', async (t) => {
  const { hub, url } = await startHub(t)
  await hub.publish('orders', numbered(3))
  const store = eventStore(channel(url), { after: 'start', keep: 0 })
  const snapshot = await follow(t, store).until(({ latest }) => latest?.data === '2')
  assert.deepEqual(snapshot.events, [])
})

test('a snapshot never changes, and what did not change stays the same object', async (t) => {
  const { hub, url } = await startHub(t)
  const store = eventStore(channel(url))
  const { until, told } = follow(t, store)
  const before = await until(({ connection }) => connection.phase === 'open')
  assert.equal(store.getSnapshot(), before)
  await hub.publish('orders', { data: 'one' })
  const after = await until(({ latest }) => latest !== undefined)
  assert.deepEqual(texts(before), [])
  assert.equal(after.connection, before.connection)
  assert.equal(after.gaps, before.gaps)
  assert.notEqual(after.events, before.events)
  assert.throws(() => (after.events as unknown[]).push('x'), TypeError)
  assert.throws(() => Object.assign(after, { latest: undefined }), TypeError)
  assert.equal(new Set(told).size, told.length)
})

test('events that come at once are told at once', async (t) => {
  const { hub, url } = await startHub(t)
  await hub.publish('orders', numbered(500))
  const store = eventStore(channel(url), { after: 'start', transport: 'poll', keep: 500 })
  const { told, until } = follow(t, store)
  assert.equal((await until(({ latest }) => latest?.data === '499')).events.length, 500)
  const withEvents = told.filter(({ events }) => events.length > 0)
  // One for each page of the poll, and not one for each event.
  assert.ok(withEvents.length < 20, `${withEvents.length} snapshots`)
})

test('all who follow share one request; who leaves and comes back at once finds it open', async (t) => {
  const { url, requests } = await startHub(t)
  const store = eventStore(channel(url))
  const first = follow(t, store)
  first.stop()
  const second = follow(t, store)
  const third = follow(t, store)
  await second.until(({ connection }) => connection.phase === 'open')
  second.stop()
  second.stop()
  third.stop()
  follow(t, store)
  assert.equal(store.getSnapshot().connection.phase, 'open')
  assert.equal(requests.length, 1)
})

test('who comes back within the moment keeps it open beyond that', async (t) => {
  const { hub, url, requests } = await startHub(t)
  const store = eventStore(channel(url), { lingerMs: 20 })
  const first = follow(t, store)
  await first.until(({ connection }) => connection.phase === 'open')
  first.stop()
  const { until } = follow(t, store)
  // Another that is left later, for as long: when it has closed, the moment of the first is over.
  const other = eventStore(channel(url), { lingerMs: 20 })
  const left = follow(t, other)
  await left.until(({ connection }) => connection.phase === 'open')
  const closed = closing(requests[1])
  left.stop()
  await closed
  await hub.publish('orders', { data: 'one' })
  await until(({ latest }) => latest?.data === 'one')
  assert.equal(requests.length, 2)
})

test('what a server renders is one object for all stores', () => {
  const store = eventStore('/channels/a')
  assert.equal(store.getServerSnapshot(), store.getSnapshot())
  assert.equal(store.getServerSnapshot(), eventStore('/channels/b', { last: 1 }).getServerSnapshot())
  const { connection } = eventStore('/', { transport: 'poll' }).getServerSnapshot()
  assert.equal(connection.transport, 'poll')
})

test('it closes a moment after the last has left; who comes later goes on at the cursor, without a hole or a repeat', async (t) => {
  const { hub, url, requests } = await startHub(t)
  const store = eventStore(channel(url), { lingerMs: 5 })
  const first = follow(t, store)
  await first.until(({ connection }) => connection.phase === 'open')
  await hub.publish('orders', { data: 'one' })
  await first.until(({ latest }) => latest?.data === 'one')
  const closed = closing(requests[0])
  first.stop()
  await closed
  const idle = store.getSnapshot()
  assert.deepEqual([texts(idle), idle.connection.phase], [['one'], 'connecting'])
  await hub.publish('orders', [{ data: 'two' }, { data: 'three' }])
  const later = follow(t, store)
  const snapshot = await later.until(({ latest }) => latest?.data === 'three')
  assert.deepEqual(texts(snapshot), ['one', 'two', 'three'])
  assert.deepEqual(snapshot.gaps, [])
})

test('a gap is shown, and what comes after it', async (t) => {
  const { hub, url } = await startHub(t)
  await hub.publish('orders', { data: 'one' })
  const store = eventStore(channel(url), { after: 'another-7' })
  const { until } = follow(t, store)
  const { gaps } = await until(({ gaps }) => gaps.length > 0)
  assert.equal(gaps.length, 1)
  assert.equal(typeof gaps[0]?.reason, 'string')
  await hub.publish('orders', { data: 'two' })
  assert.equal((await until(({ latest }) => latest?.data === 'two')).gaps, gaps)
})

test('data that does not fit is an error beside the events', async (t) => {
  const { hub, url } = await startHub(t)
  await hub.publish('orders', [{ data: '{"total":1}' }, { data: 'none' }, { data: '{"total":2}' }])
  const store = eventStore<{ message: { total: number } }>(channel(url), { after: 'start', parse: 'json' })
  const { events, error } = await follow(t, store).until(({ latest }) => latest?.data.total === 2)
  assert.deepEqual(
    events.map(({ data }) => data.total),
    [1, 2],
  )
  assert.equal(error?.code, 'invalid-data')
})

test('refused for good it says why, and asks again for who comes first after that', async (t) => {
  let allowed = false
  const { url, hub } = await startHub(t, { handler: { authorize: () => allowed } })
  await hub.publish('orders', { data: 'one' })
  const store = eventStore(channel(url), { after: 'start' })
  const refused = follow(t, store)
  const { connection, error } = await refused.until(({ connection }) => connection.phase === 'closed')
  assert.ok(connection.error !== undefined)
  assert.equal(error, connection.error)
  refused.stop()
  allowed = true
  const snapshot = await follow(t, store).until(({ latest }) => latest !== undefined)
  assert.equal(snapshot.error, undefined)
})

test('a listener that fails does not keep others from being told', async (t) => {
  const { url } = await startHub(t)
  const store = eventStore(channel(url))
  const uncaught = new Promise<Error>((resolve) => process.setUncaughtExceptionCaptureCallback(resolve))
  t.after(() => process.setUncaughtExceptionCaptureCallback(null))
  const stop = store.subscribe(() => {
    stop()
    throw new Error('on purpose')
  })
  const { until } = follow(t, store)
  await until(({ connection }) => connection.phase === 'open')
  assert.equal((await uncaught).message, 'on purpose')
})

test('what cannot be is refused: keep when it is made, the URL when it is followed', () => {
  const invalid = (error: unknown) => error instanceof SubscribeError && error.code === 'invalid-option'
  for (const keep of [-1, 1.5, NaN, 1e6]) assert.throws(() => eventStore('/', { keep }), invalid)
  assert.throws(() => eventStore('/', { lingerMs: -1 }), invalid)
  const store = eventStore('ftp://localhost/')
  assert.throws(() => store.subscribe(() => {}), invalid)
  // Nobody follows it, so nothing waits to be closed.
  assert.throws(() => store.subscribe(() => {}), invalid)
})
