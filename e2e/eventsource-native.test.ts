/** Chromium's own EventSource, in a page that the hub serves: what everyone has, without a line of ours on the client. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseGap } from '@downlink/wire'
import { useChromium } from './helpers/chromium.ts'
import { startHub } from './helpers/hub.ts'
import { openSource, type Told } from './helpers/native-source.ts'
import { randomOf, seedOf } from './helpers/random.ts'
import { startRelay } from './helpers/relay.ts'

const CLOSED = 2
const browser = useChromium()

test('receives what is published, with its type, data and id (P6.3.1)', async (t) => {
  const { hub, url } = await startHub(t)
  const page = await browser.open(t, url)
  const source = await openSource(page, '/channels/orders', { types: ['paid'] })
  await source.nth('downlink:open')
  const { ids } = await hub.publish('orders', [
    { data: 'one' },
    { type: 'paid', data: '{\n  "total": 1250\n}' },
    { data: '' },
    { data: ' é…😀 : x' },
  ])
  await source.until(() => source.messages.length === 4)
  assert.deepEqual(source.messages, [
    { type: 'message', data: 'one', lastEventId: ids[0], origin: url, readyState: 1 },
    { type: 'paid', data: '{\n  "total": 1250\n}', lastEventId: ids[1], origin: url, readyState: 1 },
    { type: 'message', data: '', lastEventId: ids[2], origin: url, readyState: 1 },
    { type: 'message', data: ' é…😀 : x', lastEventId: ids[3], origin: url, readyState: 1 },
  ])
})

test('is told downlink:open first, at once, and onmessage never sees it (P6.2.1)', async (t) => {
  const { hub, url } = await startHub(t)
  await hub.publish('orders', { data: 'before' })
  const { cursor } = await hub.read('orders')
  const page = await browser.open(t, url)
  const source = await openSource(page, '/channels/orders')
  await source.nth('downlink:open')
  assert.deepEqual(source.told, [
    { type: 'open', readyState: 1 },
    { type: 'downlink:open', readyState: 1, data: '{"heartbeat":15000}', lastEventId: cursor, origin: url },
  ])
  assert.equal(await source.readyState(), 1)
})

test('a connection cut at any byte while events flow loses none and repeats none (P1.2.1)', async (t) => {
  const random = randomOf(seedOf(t))
  const { hub, port, requests } = await startHub(t)
  await using relay = await startRelay(port)
  const page = await browser.open(t, relay.url)
  // From here on each connection lives for some bytes of its own: the head is about 350 of them.
  relay.lifetime = () => 300 + Math.floor(random() * 2_000)
  relay.cutting = () => (random() < 0.5 ? 'reset' : 'end')
  relay.cut()
  const source = await openSource(page, '/channels/ticks?after=start')
  const ids: string[] = []
  for (let round = 0; round < 25; round++) {
    const batch = Array.from({ length: 8 }, (_, i) => ({ data: `${round}.${i} ${'…'.repeat(20)}` }))
    ids.push(...(await hub.publish('ticks', batch)).ids)
    const seen = ids.length - 8
    await source.until(() => source.messages.length > seen)
  }
  await source.until(() => source.messages.length >= ids.length)
  assert.deepEqual(
    source.messages.map(({ lastEventId }) => lastEventId),
    ids,
  )
  assert.deepEqual(
    source.messages.map(({ data }) => data?.split(' ')[0]),
    ids.map((_, i) => `${Math.floor(i / 8)}.${i % 8}`),
  )
  assert.equal(source.of('downlink:gap').length, 0)
  assert.ok(requests.length >= 10, `${requests.length} connections`)
})

test('is cut several times by a reset, comes back with the last id it was given, and goes on (P6.7.1)', async (t) => {
  const { hub, port, requests } = await startHub(t)
  await using relay = await startRelay(port)
  const page = await browser.open(t, relay.url)
  const source = await openSource(page, '/channels/orders')
  await source.nth('downlink:open')
  const ids: string[] = []
  for (let round = 1; round <= 4; round++) {
    ids.push(...(await hub.publish('orders', { data: `live ${round}` })).ids)
    await source.until(() => source.messages.length === 2 * round - 1)
    relay.refusing = true
    relay.cut()
    await source.nth('error', round)
    ids.push(...(await hub.publish('orders', { data: `missed ${round}` })).ids)
    relay.refusing = false
    await source.until(() => source.messages.length === 2 * round)
    assert.equal(requests.at(-1)?.lastEventId, ids.at(-2))
  }
  assert.deepEqual(
    source.messages.map(({ lastEventId }) => lastEventId),
    ids,
  )
})

test('the id of downlink:open resumes a reader that never saw an event (P6.2.3)', async (t) => {
  const { hub, port, requests } = await startHub(t)
  await hub.publish('orders', { data: 'long ago' })
  await using relay = await startRelay(port)
  const page = await browser.open(t, relay.url)
  const source = await openSource(page, '/channels/orders')
  const opened = await source.nth('downlink:open')
  relay.refusing = true
  relay.cut()
  await source.nth('error')
  const { ids } = await hub.publish('orders', [{ data: 'one' }, { data: 'two' }])
  relay.refusing = false
  await source.until(() => source.messages.length >= 2)
  assert.deepEqual(
    source.messages.map(({ data, lastEventId }) => ({ data, lastEventId })),
    [
      { data: 'one', lastEventId: ids[0] },
      { data: 'two', lastEventId: ids[1] },
    ],
  )
  assert.equal(requests.at(-1)?.lastEventId, opened.lastEventId)
})

test('has history by ?after=start, ?last= and a cursor, and then what is live (P3.2.2, P3.2.3)', async (t) => {
  const { hub, url } = await startHub(t)
  const { ids } = await hub.publish('orders', [{ data: 'a' }, { data: 'b' }, { data: 'c' }])
  const page = await browser.open(t, url)
  const wanted = { 'after=start': 'abcd', 'last=2': 'bcd', [`after=${ids[1]}`]: 'cd', 'after=now': 'd' }
  const sources = []
  for (const query of Object.keys(wanted)) {
    const source = await openSource(page, `/channels/orders?${query}`)
    await source.nth('downlink:open')
    sources.push({ query, source })
  }
  await hub.publish('orders', { data: 'd' })
  const seen: Record<string, string> = {}
  for (const { query, source } of sources) {
    await source.until(() => source.messages.at(-1)?.data === 'd')
    seen[query] = source.messages.map(({ data }) => data).join('')
  }
  assert.deepEqual(seen, wanted)
})

test('the parameters of the URL act once: a reconnection goes on from the last id (P3.2.1)', async (t) => {
  const { hub, port, requests } = await startHub(t)
  await hub.publish('orders', [{ data: 'a' }, { data: 'b' }])
  await using relay = await startRelay(port)
  const page = await browser.open(t, relay.url)
  const source = await openSource(page, '/channels/orders?after=start')
  await source.until(() => source.messages.length === 2)
  relay.cut()
  await source.nth('downlink:open', 2)
  await hub.publish('orders', { data: 'c' })
  await source.until(() => source.messages.at(-1)?.data === 'c')
  assert.deepEqual(
    source.messages.map(({ data }) => data),
    ['a', 'b', 'c'],
  )
  assert.deepEqual(
    requests.map(({ url }) => url),
    Array(2).fill('/channels/orders?after=start'),
  )
})

test('stops for good on an ended channel: downlink:end, the stream closes, 204, no more requests (P6.6.3)', async (t) => {
  const { hub, url, requests } = await startHub(t)
  const page = await browser.open(t, url)
  const source = await openSource(page, '/channels/orders')
  await source.nth('downlink:open')
  const { ids } = await hub.publish('orders', { data: 'last' }, { end: true })
  await source.until(() => source.told.at(-1)?.readyState === CLOSED)
  assert.deepEqual(
    source.told
      .map(({ type, readyState, data, lastEventId }) => ({ type, readyState, data, lastEventId }))
      .slice(2),
    [
      { type: 'message', readyState: 1, data: 'last', lastEventId: ids[0] },
      { type: 'downlink:end', readyState: 1, data: '{"channel":"orders"}', lastEventId: ids[0] },
      { type: 'error', readyState: 0, data: undefined, lastEventId: undefined },
      { type: 'error', readyState: CLOSED, data: undefined, lastEventId: undefined },
    ],
  )
  // A second source takes the time that a third request of the first would have needed.
  const another = await openSource(page, '/channels/orders?after=start')
  await another.until(() => another.told.at(-1)?.readyState === CLOSED)
  assert.equal(requests.filter(({ url: asked }) => asked === '/channels/orders').length, 2)
  const again = await fetch(`${url}/channels/orders`, {
    headers: { accept: 'text/event-stream', 'last-event-id': ids[0] ?? '' },
  })
  assert.equal(again.status, 204, 'what the source was told when it came back')
})

test('is told downlink:gap when retention went on without it, then every event kept (P8.1.1, P8.2.1)', async (t) => {
  const { hub, port } = await startHub(t, { retention: [{ channels: '**', count: 5 }] })
  await using relay = await startRelay(port)
  const page = await browser.open(t, relay.url)
  const source = await openSource(page, '/channels/orders')
  await source.nth('downlink:open')
  const { ids: before } = await hub.publish('orders', [{ data: 'a' }, { data: 'b' }])
  await source.until(() => source.messages.length === 2)
  relay.refusing = true
  relay.cut()
  await source.nth('error')
  const { ids } = await hub.publish(
    'orders',
    Array.from({ length: 9 }, (_, i) => ({ data: `${i}` })),
  )
  relay.refusing = false
  await source.until(() => source.messages.length >= 7)
  const told = await source.nth('downlink:gap')
  const gap = parseGap(told.data ?? '')
  assert.deepEqual(
    { ...gap, to: undefined },
    { reason: 'trimmed', channels: ['orders'], from: before[1], to: undefined },
  )
  assert.equal(told.lastEventId, gap.to)
  assert.deepEqual(orderOf(source.told), ['a', 'b', 'downlink:gap', '4', '5', '6', '7', '8'])
  assert.deepEqual(
    source.messages.slice(2).map(({ lastEventId }) => lastEventId),
    ids.slice(4),
  )
})

test('is told a gap by a hub that was restarted and knows nothing of its id, then all that is kept (P8.3.3)', async (t) => {
  const first = await startHub(t)
  await using relay = await startRelay(first.port)
  const page = await browser.open(t, relay.url)
  const source = await openSource(page, '/channels/orders')
  await source.nth('downlink:open')
  const { ids } = await first.hub.publish('orders', [{ data: 'a' }, { data: 'b' }])
  await source.until(() => source.messages.length === 2)

  relay.refusing = true
  await first.stop()
  await source.nth('error')
  const second = await startHub(t)
  await second.hub.publish('orders', [{ data: 'c' }, { data: 'd' }])
  relay.target = second.port
  relay.refusing = false
  await source.until(() => source.messages.length >= 4)
  const gap = parseGap((await source.nth('downlink:gap')).data ?? '')
  assert.equal(gap.reason, 'unknown')
  assert.equal(gap.from, ids[1])
  assert.deepEqual(orderOf(source.told), ['a', 'b', 'downlink:gap', 'c', 'd'])
  assert.equal(second.requests[0]?.lastEventId, ids[1])

  relay.cut()
  await source.nth('downlink:open', 3)
  await second.hub.publish('orders', { data: 'e' })
  await source.until(() => source.messages.length >= 5)
  assert.equal(source.of('downlink:gap').length, 1)
})

test('comes back from a temporary refusal by itself, and then reads (P14.2.1)', async (t) => {
  const { hub, url } = await startHub(t, { limits: { readers: 1 } })
  const page = await browser.open(t, url)
  const holder = await openSource(page, '/channels/other')
  await holder.nth('downlink:open')
  const source = await openSource(page, '/channels/orders')
  await source.until(() => source.told.length >= 2)
  assert.deepEqual(source.told, [
    { type: 'open', readyState: 1 },
    { type: 'error', readyState: 0 },
  ])
  await holder.close()
  await source.nth('downlink:open')
  await hub.publish('orders', { data: 'one' })
  assert.equal((await source.nth('message')).data, 'one')
})

test('a lasting refusal closes it at once, as the standard has it (P14.2.3)', async (t) => {
  const { url } = await startHub(t)
  const page = await browser.open(t, url)
  const source = await openSource(page, '/channels/orders?afer=start')
  await source.nth('error')
  assert.deepEqual(source.told, [{ type: 'error', readyState: CLOSED }])
})

test('follows several channels and a pattern on one connection, told apart by ?event=channel (P6.3.3)', async (t) => {
  const { hub, url, requests } = await startHub(t)
  const page = await browser.open(t, url)
  const types = ['news', 'orders.42', 'paid']
  const source = await openSource(page, '/channels/news,orders.*?event=channel', { types })
  await source.nth('downlink:open')
  await hub.publish('news', { data: 'hello' })
  await hub.publish('elsewhere', { data: 'not for us' })
  await hub.publish('orders.42', { data: 'created' })
  await hub.publish('orders.42', { type: 'paid', data: '1250' })
  await hub.publish('news', { data: 'bye' })
  await source.until(() => source.messages.at(-1)?.data === 'bye')
  assert.deepEqual(
    source.messages.map(({ type, data }) => [type, data]),
    [
      ['news', 'hello'],
      ['orders.42', 'created'],
      ['paid', '1250'],
      ['news', 'bye'],
    ],
  )
  assert.equal(requests.length, 1)
})

test('one id resumes all channels of a connection (P1.2.3)', async (t) => {
  const { hub, port } = await startHub(t)
  await using relay = await startRelay(port)
  const page = await browser.open(t, relay.url)
  const source = await openSource(page, '/channels/a,b,c?event=channel', { types: ['a', 'b', 'c'] })
  await source.nth('downlink:open')
  await hub.publish(['a', 'b'], { data: '1' })
  await source.until(() => source.messages.length === 2)
  relay.refusing = true
  relay.cut()
  await source.nth('error')
  await hub.publish(['c', 'a', 'b'], [{ data: '2' }, { data: '3' }])
  relay.refusing = false
  await source.until(() => source.messages.length >= 8)
  assert.equal(source.messages.map(({ type, data }) => `${type}${data}`).join(' '), 'a1 b1 c2 a2 b2 c3 a3 b3')
})

test('a page of another origin reads nothing unless its origin is named (P16.1.1)', async (t) => {
  const { url: pageUrl } = await startHub(t)
  const { hub, url } = await startHub(t)
  await hub.publish('orders', { data: 'secret' })
  const page = await browser.open(t, pageUrl)
  for (const withCredentials of [false, true]) {
    const source = await openSource(page, `${url}/channels/orders?after=start`, { withCredentials })
    await source.nth('error')
    assert.deepEqual(source.told, [{ type: 'error', readyState: CLOSED }])
  }
})

test('a page of a named origin reads, with and without credentials, and resumes without a preflight (P16.1.2)', async (t) => {
  const { url: pageUrl } = await startHub(t)
  const { hub, port, requests } = await startHub(t, {}, { origins: [pageUrl] })
  await using relay = await startRelay(port)
  const page = await browser.open(t, pageUrl)
  for (const withCredentials of [false, true]) {
    const source = await openSource(page, `${relay.url}/channels/orders`, { withCredentials })
    await source.nth('downlink:open')
    const { ids } = await hub.publish('orders', { data: 'one' })
    await source.nth('message')
    relay.cut()
    await source.nth('downlink:open', 2)
    await hub.publish('orders', { data: 'two' })
    await source.nth('message', 2)
    assert.deepEqual(
      source.messages.map(({ data, origin }) => ({ data, origin })),
      [
        { data: 'one', origin: relay.url },
        { data: 'two', origin: relay.url },
      ],
    )
    assert.equal(requests.at(-1)?.lastEventId, ids[0])
    assert.equal(requests.at(-1)?.origin, pageUrl)
    await source.close()
  }
  assert.deepEqual(new Set(requests.map(({ method }) => method)), new Set(['GET']))
})

test('a held connection gets everything, in order, when it flows again', async (t) => {
  const { hub, port, requests } = await startHub(t)
  await using relay = await startRelay(port)
  const page = await browser.open(t, relay.url)
  const source = await openSource(page, '/channels/orders')
  await source.nth('downlink:open')
  relay.pause()
  const wanted = Array.from({ length: 40 }, (_, i) => `${i} ${'x'.repeat(256 * 1024)}`)
  for (const data of wanted) await hub.publish('orders', { data })
  relay.resume()
  await source.until(() => source.messages.length >= wanted.length)
  assert.deepEqual(
    source.messages.map(({ data }) => data?.length),
    wanted.map(({ length }) => length),
  )
  assert.ok(source.messages.every(({ data }, i) => data === wanted[i]))
  assert.equal(requests.length, 1)
})

test('close() is seen by the hub, which lets the reader go', async (t) => {
  const { hub, url, server } = await startHub(t)
  const page = await browser.open(t, url)
  const source = await openSource(page, '/channels/orders')
  await source.nth('downlink:open')
  assert.equal(hub.delivery.readers, 1)
  const gone = new Promise<void>((resolve) => {
    server.server.once('request', ({ socket }) => socket.once('close', resolve))
  })
  const another = await openSource(page, '/channels/orders')
  await another.nth('downlink:open')
  await another.close()
  await gone
  assert.equal(hub.delivery.readers, 1)
})

/** Events by their data, control events by their names; without `open`, `error` and openings. */
function orderOf(told: readonly Told[]): readonly string[] {
  return told.flatMap(({ type, data }) => {
    if (data === undefined || type === 'downlink:open') return []
    return type.startsWith('downlink:') ? type : data
  })
}
