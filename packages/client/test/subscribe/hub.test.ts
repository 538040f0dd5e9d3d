/** `subscribe()` against the real hub, over real sockets. */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { subscribe } from '@downlink/client'
import type { ConnectionState, StandardSchema, SubscribeError, Subscription, Update } from '@downlink/client'
import { hostileProxy } from '@downlink/hub/testing'
import { SqliteLog } from '@downlink/hub/sqlite'
import { startHub } from './hub.ts'

test('a loop is given each event, with its channel, type and time', async (t) => {
  const { hub, url } = await startHub(t)
  await hub.publish('orders', [{ data: 'one' }, { type: 'paid', data: 'two' }])
  const updates = subscribe(`${url}/channels/orders`, { after: 'start' })
  t.after(() => updates.close())
  const seen: Update[] = []
  for await (const update of updates) {
    seen.push(update)
    if (seen.length === 2) break
  }
  assert.deepEqual(
    seen.map(({ channel, type, data }) => [channel, type, data]),
    [
      ['orders', 'message', 'one'],
      ['orders', 'paid', 'two'],
    ],
  )
  assert.match(seen[0]?.time ?? '', /^\d{4}-.*Z$/)
  await updates.closed
  assert.equal(updates.state.phase, 'closed')
})
for (const transport of ['sse', 'long-poll', 'poll'] as const) {
  test(`connections that are cut lose nothing and repeat nothing: ${transport}`, async (t) => {
    const { hub, url, cut } = await startHub(t)
    const updates = subscribe(`${url}/channels/numbers`, {
      after: 'start',
      transport,
      limits: { minWaitMs: 1 },
    })
    t.after(() => updates.close())
    const seen: string[] = []
    let sent = 0
    for (; sent < 5; sent++) await hub.publish('numbers', { data: String(sent) })
    for await (const { data } of updates) {
      seen.push(data)
      if (seen.length === 40) break
      if (seen.length % 5 === 0) {
        cut()
        for (let i = 0; i < 5; i++) await hub.publish('numbers', { data: String(sent++) })
      }
    }
    assert.deepEqual(
      seen,
      Array.from({ length: 40 }, (_, i) => String(i)),
    )
  })
}

test('it ends when all channels have ended', async (t) => {
  for (const transport of ['sse', 'long-poll', 'poll'] as const) {
    const { hub, url } = await startHub(t)
    const updates = subscribe(`${url}/channels/a,b`, { after: 'start', transport })
    t.after(() => updates.close())
    const ends: string[] = []
    updates.on('end', ({ channel }) => ends.push(channel))
    await hub.publish('a', { data: 'last' }, { end: true })
    await hub.publish('b', [], { end: true })
    const seen: string[] = []
    for await (const { data } of updates) seen.push(data)
    assert.deepEqual(seen, ['last'])
    assert.deepEqual(ends, ['a', 'b'])
    assert.equal(updates.state.phase, 'ended')
    await updates.closed
  }
})

/** Resolves with the first state that is so; also with the one at hand. */
function until(updates: Subscription, holds: (state: ConnectionState) => boolean): Promise<ConnectionState> {
  return new Promise((resolve) => {
    if (holds(updates.state)) resolve(updates.state)
    const stop = updates.on('state', (state) => {
      if (!holds(state)) return
      stop()
      resolve(state)
    })
  })
}

/** What comes, until there are so many. */
async function take(updates: Subscription, count: number): Promise<string[]> {
  const seen: string[] = []
  for await (const { data } of updates) {
    seen.push(data)
    if (seen.length === count) break
  }
  return seen
}

test('events wait for the first who listens, also when everything has ended meanwhile', async (t) => {
  const { hub, url } = await startHub(t)
  await hub.publish('a', { data: 'only' }, { end: true })
  const updates = subscribe(`${url}/channels/a`, { after: 'start' })
  t.after(() => updates.close())
  await until(updates, ({ phase }) => phase === 'ended')
  assert.deepEqual(await take(updates, 2), ['only'])
  await updates.closed
})

test('the cursor moves on when the listener has done with the event', async (t) => {
  const { hub, url } = await startHub(t)
  const { ids } = await hub.publish('a', [{ data: '1' }, { data: '2' }])
  const updates = subscribe(`${url}/channels/a`, { after: 'start' })
  t.after(() => updates.close())
  const first = Promise.withResolvers<void>()
  const second = Promise.withResolvers<void>()
  updates.on('event', ({ data }) => {
    if (data === '2') return second.resolve()
    assert.notEqual(updates.cursor, ids[0])
    return first.promise
  })
  await until(updates, ({ phase }) => phase === 'open')
  assert.notEqual(updates.cursor, ids[0])
  first.resolve()
  await second.promise
  assert.equal(updates.cursor, ids[0])
})

test('a 401 asks headers() again, once', async (t) => {
  const tokens: (string | undefined)[] = []
  const { hub, url } = await startHub(t, {
    before(req, res) {
      tokens.push(req.headers.authorization)
      if (req.headers.authorization === 'Bearer 2') return false
      res.writeHead(401).end()
      return true
    },
  })
  await hub.publish('a', { data: 'secret' })
  let count = 0
  const headers = (): HeadersInit => ({ authorization: `Bearer ${++count}` })
  const updates = subscribe(`${url}/channels/a`, { after: 'start', headers })
  t.after(() => updates.close())
  assert.deepEqual(await take(updates, 1), ['secret'])
  const third = subscribe(`${url}/channels/a`, { headers })
  t.after(() => third.close())
  await assert.rejects(take(third, 1), { code: 'refused', status: 401 })
  assert.deepEqual(tokens, ['Bearer 1', 'Bearer 2', 'Bearer 3', 'Bearer 4'])
})

test('a refusal that lasts ends it with an error that says why', async (t) => {
  for (const [status, authorize] of [
    [401, () => false],
    [403, () => false],
  ] as const) {
    const { url } = await startHub(t, { handler: { authorize } })
    const headers = status === 403 ? { authorization: 'Bearer x' } : {}
    const updates = subscribe(`${url}/channels/a`, { headers })
    await assert.rejects(take(updates, 1), { name: 'SubscribeError', code: 'refused', status })
    await updates.closed
    assert.equal(updates.state.phase, 'closed')
    assert.equal(updates.state.error?.status, status)
  }
})

test('a 503 is waited out for as long as Retry-After says', async (t) => {
  const asked: number[] = []
  const { hub, url } = await startHub(t, {
    before(_req, res) {
      if (asked.push(Date.now()) > 1) return false
      res.writeHead(503, { 'retry-after': '1' }).end()
      return true
    },
  })
  const updates = subscribe(`${url}/channels/a`)
  t.after(() => updates.close())
  const waiting = await until(updates, ({ phase }) => phase === 'waiting')
  assert.equal(waiting.reason, 'refused')
  assert.equal(waiting.error?.status, 503)
  await until(updates, ({ phase }) => phase === 'open')
  const [first = 0, second = 0] = asked
  assert.ok(second - first >= 990, `${second - first}`)
  await hub.publish('a', { data: 'x' })
  assert.deepEqual(await take(updates, 1), ['x'])
})

test('until the hub has said what it wants, failures double the wait that `limits.retryMs` says', async (t) => {
  let refusals = 3
  const { url } = await startHub(t, {
    before(_req, res) {
      if (refusals-- <= 0) return false
      res.writeHead(503).end()
      return true
    },
  })
  const updates = subscribe(`${url}/channels/a`, { transport: 'sse', limits: { retryMs: 2, minWaitMs: 0 } })
  t.after(() => updates.close())
  const waits: number[] = []
  updates.on('state', ({ retryAt }) => {
    if (retryAt !== undefined) waits.push(retryAt - Date.now())
  })
  await until(updates, ({ phase }) => phase === 'open')
  assert.equal(waits.length, 3)
  for (const [index, wait] of waits.entries()) assert.ok(wait <= 2 * 2 ** index, waits.join())
})

test('a stream that breaks after it has proved healthy waits for what the hub asked for, and counts as no failure', async (t) => {
  const { cut, url } = await startHub(t, { hub: { delivery: { retryMs: 60_000 } } })
  const updates = subscribe(`${url}/channels/a`, {
    limits: { healthyMs: 0, retryMs: 1 },
    // A bare cut may look like an end.
    fetch: async (input, init) => broken(await fetch(input, init)),
  })
  t.after(() => updates.close())
  await until(updates, ({ phase }) => phase === 'open')
  cut()
  const { attempt, error, retryAt = 0 } = await until(updates, ({ phase }) => phase === 'waiting')
  assert.deepEqual([attempt, error?.code], [0, 'network'])
  // The hub spreads it by a third.
  assert.ok(retryAt - Date.now() > 35_000)
})

/** The same, with an error where the body ends. */
function broken(response: Response): Response {
  const end = new TransformStream<Uint8Array, Uint8Array>({
    flush() {
      throw new Error('cut')
    },
  })
  return new Response(response.body?.pipeThrough(end), response)
}

for (const transport of ['long-poll', 'poll'] as const) {
  test(`pages that never come through whole become smaller: ${transport}`, async (t) => {
    const { hub, url } = await startHub(t)
    // What cannot be compressed.
    const all = Array.from({ length: 400 }, () => randomBytes(100).toString('base64'))
    await hub.publish(
      'a',
      all.map((data) => ({ data })),
    )
    const proxy = await hostileProxy(url, { fault: { cut: { afterBytes: 8192 } } })
    t.after(() => proxy.close())
    const updates = subscribe(`${proxy.url}/channels/a`, {
      after: 'start',
      transport,
      limits: { retryMs: 1, minWaitMs: 0, maxWaitMs: 10 },
    })
    t.after(() => updates.close())
    assert.deepEqual(await take(updates, all.length), all)
  })
}

test('what was lost is told as a gap', async (t) => {
  const { hub, url } = await startHub(t, { hub: { retention: [{ channels: '**', count: 2 }] } })
  await hub.publish('a', [{ data: '1' }, { data: '2' }, { data: '3' }])
  for (const transport of ['sse', 'long-poll', 'poll'] as const) {
    const updates = subscribe(`${url}/channels/a`, { after: 'start', transport })
    t.after(() => updates.close())
    const gaps: string[] = []
    updates.on('gap', ({ reason }) => gaps.push(reason))
    assert.deepEqual(await take(updates, 2), ['2', '3'])
    assert.deepEqual(gaps, ['trimmed'])
  }
})

test('a cursor store outlives the subscription', async (t) => {
  const { hub, url } = await startHub(t)
  let stored: string | undefined
  const resume = { get: () => stored, set: (cursor: string) => void (stored = cursor) }
  await hub.publish('a', [{ data: '1' }, { data: '2' }])
  const first = subscribe(`${url}/channels/a`, { after: 'start', resume })
  assert.deepEqual(await take(first, 2), ['1', '2'])
  await first.closed
  await hub.publish('a', { data: '3' })
  const second = subscribe(`${url}/channels/a`, { after: 'start', resume })
  t.after(() => second.close())
  // The loop was left while it had 2 in its hands.
  assert.deepEqual(await take(second, 2), ['2', '3'])
})

test('a slow loop stops reading, and misses nothing', async (t) => {
  const { hub, url } = await startHub(t)
  const updates = subscribe(`${url}/channels/a`, { after: 'start', queue: 10 })
  t.after(() => updates.close())
  const data = 'x'.repeat(10_000)
  for (let i = 0; i < 30; i++)
    await hub.publish(
      'a',
      Array.from({ length: 50 }, (_, j) => ({ data: `${i * 50 + j} ${data}` })),
    )
  let count = 0
  for await (const { data } of updates) {
    assert.equal(Number(data.split(' ')[0]), count++)
    if (count % 100 === 0) await new Promise((resolve) => setTimeout(resolve, 5))
    if (count === 1500) break
  }
})

test('a signal closes it', async (t) => {
  const { hub, url } = await startHub(t)
  const abort = new AbortController()
  const updates = subscribe(`${url}/channels/a`, { signal: abort.signal })
  await until(updates, ({ phase }) => phase === 'open')
  const over = take(updates, 1)
  abort.abort()
  assert.deepEqual(await over, [])
  await updates.closed
  assert.equal(updates.state.error, undefined)
  while (hub.delivery.readers > 0) await new Promise(setImmediate)
})

test('a stream that is held back whole is found out, and long polls take over', async (t) => {
  const { hub, url } = await startHub(t, {
    before: (req) => !/transport=/.test(req.url ?? ''),
  })
  await hub.publish('a', { data: 'early' })
  const updates = subscribe(`${url}/channels/a`, { after: 'start', limits: { openMs: 50, graceMs: 20 } })
  t.after(() => updates.close())
  setTimeout(() => void hub.publish('a', { data: 'late' }), 200)
  assert.deepEqual(await take(updates, 2), ['early', 'late'])
  assert.equal(updates.state.transport, 'long-poll')
})

test('streams that are refused in between make long polls of it', async (t) => {
  const { hub, url } = await startHub(t, {
    before(req, res) {
      if (/transport=/.test(req.url ?? '')) return false
      res.writeHead(502).end('bad gateway')
      return true
    },
  })
  await hub.publish('a', { data: 'x' })
  const updates = subscribe(`${url}/channels/a`, { after: 'start', limits: { maxWaitMs: 10 } })
  t.after(() => updates.close())
  const { transport, reason } = await until(updates, ({ phase }) => phase === 'open')
  assert.deepEqual([transport, reason], ['long-poll', 'streams-refused'])
  assert.deepEqual(await take(updates, 1), ['x'])
})

test('streams that are cut short again and again make long polls of it', async (t) => {
  const { hub, url } = await startHub(t, {
    before(req, res) {
      if (!/transport=/.test(req.url ?? '')) setTimeout(() => res.destroy(), 20)
      return false
    },
  })
  const updates = subscribe(`${url}/channels/a`, { limits: { maxWaitMs: 10, minWaitMs: 1 } })
  t.after(() => updates.close())
  const { reason } = await until(updates, ({ phase, transport }) => phase === 'open' && transport !== 'sse')
  assert.equal(reason, 'cut-short')
  await hub.publish('a', { data: 'x' })
  assert.deepEqual(await take(updates, 1), ['x'])
})

test('it goes up again when streams work, and nothing is missed or doubled', async (t) => {
  let held = true
  const { hub, url } = await startHub(t, {
    hub: { delivery: { heartbeatMs: 300 } },
    before: (req) => held && !/transport=/.test(req.url ?? ''),
  })
  const limits = { openMs: 50, graceMs: 20, probeMs: 100 }
  const updates = subscribe(`${url}/channels/a`, { after: 'start', limits })
  t.after(() => updates.close())
  const seen: number[] = []
  updates.on('event', ({ data }) => seen.push(Number(data)))
  await until(updates, ({ phase, transport }) => phase === 'open' && transport === 'long-poll')
  held = false
  let sent = 0
  while (updates.state.transport !== 'sse') {
    await hub.publish('a', { data: String(sent++) })
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
  for (let i = 0; i < 10; i++) await hub.publish('a', { data: String(sent++) })
  while (seen.length < sent) await new Promise((resolve) => setTimeout(resolve, 5))
  assert.deepEqual(
    seen,
    Array.from({ length: sent }, (_, i) => i),
  )
})

test('a server that is no hub is read like an EventSource reads it', async (t) => {
  const asked: (string | undefined)[] = []
  const { url } = await startHub(t, {
    before(req, res) {
      asked.push(`${req.url} ${String(req.headers['last-event-id'] ?? '')}`)
      res.writeHead(200, { 'content-type': 'text/event-stream;charset=utf-8' })
      if (asked.length === 1) res.end('retry: 10\nid: 7\ndata: one\n\n')
      else if (asked.length === 2) res.end('id: ä\nevent: downlink:gap\ndata: two\n\n')
      else res.write('data: three\n\n')
      return true
    },
  })
  const updates = subscribe(`${url}/events?a=b%20c`)
  t.after(() => updates.close())
  assert.deepEqual(await take(updates, 3), ['one', 'two', 'three'])
  assert.deepEqual(asked.slice(1), ['/events?a=b%20c 7', '/events?a=b%20c Ã¤'])
  assert.match(asked[0] ?? '', /^\/events\?a=b\+c&after=now&fields=/)
})

test('data is parsed as JSON or by schemas, and what does not fit is an error of that event', async (t) => {
  const { hub, url } = await startHub(t)
  await hub.publish('a', [
    { type: 'paid', data: '{"total":1}' },
    { type: 'paid', data: '{"total":"no"}' },
    { type: 'note', data: 'text' },
    { type: 'paid', data: '{' },
    { type: 'paid', data: '{"total":2}' },
  ])
  const schema: StandardSchema<{ total: number }> = {
    '~standard': {
      version: 1,
      vendor: 'test',
      validate: (value) =>
        typeof (value as { total?: unknown }).total === 'number'
          ? { value: value as { total: number } }
          : { issues: [{ message: 'total is no number' }] },
    },
  }
  const updates = subscribe<{ paid: { total: number }; note: string }>(`${url}/channels/a`, {
    after: 'start',
    parse: { paid: schema },
  })
  t.after(() => updates.close())
  const errors: SubscribeError[] = []
  updates.on('error', (error) => errors.push(error))
  const seen: unknown[] = []
  for await (const { data } of updates) {
    seen.push(data)
    if (seen.length === 3) break
  }
  assert.deepEqual(seen, [{ total: 1 }, 'text', { total: 2 }])
  assert.deepEqual(
    errors.map(({ code, event }) => [code, event?.data]),
    [
      ['invalid-data', '{"total":"no"}'],
      ['invalid-data', '{'],
    ],
  )
  assert.match(errors[0]?.message ?? '', /total is no number/)
})

test('a listener that fails is told to `error`, and the next event comes', async (t) => {
  const { hub, url } = await startHub(t)
  await hub.publish('a', [{ data: '1' }, { data: '2' }])
  const updates = subscribe(`${url}/channels/a`, { after: 'start' })
  t.after(() => updates.close())
  const failed = Promise.withResolvers<SubscribeError>()
  const second = Promise.withResolvers<void>()
  updates.on('error', failed.resolve)
  updates.on('event', async ({ data }) => {
    if (data === '1') throw new Error('mine')
    second.resolve()
  })
  assert.equal((await failed.promise).code, 'listener')
  await second.promise
})

test('a stream of events can be read and cancelled', async (t) => {
  const { hub, url } = await startHub(t)
  await hub.publish('a', [{ data: '1' }, { data: '2' }])
  const updates = subscribe(`${url}/channels/a`, { after: 'start' })
  const reader = updates.readable().getReader()
  assert.equal((await reader.read()).value?.data, '1')
  assert.equal((await reader.read()).value?.data, '2')
  const pending = reader.read()
  await reader.cancel()
  assert.equal((await pending).done, true)
  await updates.closed
})

test('a hub that restarts on its file is read on at the cursor', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'downlink-subscribe-'))
  t.after(() => rm(folder, { recursive: true, force: true }))
  const open = (): Promise<SqliteLog> => SqliteLog.open({ path: join(folder, 'log.db') })
  const first = await startHub(t, { hub: { log: await open() } })
  const updates = subscribe(`${first.url}/channels/a`, { after: 'start', limits: { maxWaitMs: 50 } })
  t.after(() => updates.close())
  const seen: string[] = []
  const gaps: unknown[] = []
  updates.on('gap', (gap) => gaps.push(gap))
  updates.on('event', ({ data }) => seen.push(data))
  await first.hub.publish('a', { data: '1' })
  await until(updates, ({ phase }) => phase === 'open')
  while (seen.length < 1) await new Promise(setImmediate)
  await first.stop()
  const second = await startHub(t, { hub: { log: await open() }, port: first.port })
  await second.hub.publish('a', { data: '2' })
  while (seen.length < 2) await new Promise((resolve) => setTimeout(resolve, 5))
  assert.deepEqual(seen, ['1', '2'])
  assert.deepEqual(gaps, [])
})
