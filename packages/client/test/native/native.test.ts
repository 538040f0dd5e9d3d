/**
 * `subscribe()` of `@downlink/client/native` against the real hub, with rules and tokens that end. In place of the browser's
 * EventSource stands ours, which is the standard's; `e2e/tickets-chromium.test.ts` has the browser's.
 */
import assert from 'node:assert/strict'
import { after, before, describe, test, type TestContext } from 'node:test'
import { EventSource, subscribe as subscribeByFetch } from '@downlink/client'
import type { ConnectionState, SubscribeError, SubscribeOptions } from '@downlink/client'
import { subscribe } from '@downlink/client/native'
import type { Authorize, HandlerOptions } from '@downlink/hub/node'
import { type RunningHub, type RunOptions, startHub } from '../subscribe/hub.ts'

/** `Bearer alice 1764000000000`: somebody, until then. */
const authorize: Authorize = (request, action) => {
  const [, subject, until] = /^Bearer (\w+) (\d+)$/.exec(request.header('authorization') ?? '') ?? []
  return action === 'read' && subject !== undefined && { subject, until: Number(until) }
}

const RULES: HandlerOptions = { authorize }

/** For streams that live for less than a second. */
const BRIEF = { minWaitMs: 1, retryMs: 20, healthyMs: 1, shortMs: 1 }

/** As the guard has it. */
const WITHOUT_RULES = { authorize: undefined } as unknown as HandlerOptions

/** A token that lives for so long from when it is asked for. */
const tokens = (ms: number) => {
  const asked: string[] = []
  const headers = () => {
    asked.push(`Bearer alice ${Date.now() + ms}`)
    return { authorization: asked.at(-1) ?? '' }
  }
  return { asked, headers }
}

interface Reading {
  readonly data: string[]
  readonly states: ConnectionState[]
  readonly errors: SubscribeError[]
  /** Resolves when it holds; looked at whenever something is told. */
  until(holds: () => boolean): Promise<void>
}

function reading(t: TestContext, by: typeof subscribe, url: string, options: SubscribeOptions) {
  const updates = by(url, { after: 'start', ...options })
  t.after(() => updates.close())
  let wake = (): void => {}
  const told: Reading = {
    data: [],
    states: [],
    errors: [],
    async until(holds) {
      while (!holds()) await new Promise<void>((resolve) => (wake = resolve))
    },
  }
  updates.on('state', (state) => {
    told.states.push(state)
    wake()
  })
  updates.on('error', (error) => void told.errors.push(error))
  updates.on('event', ({ data }) => {
    told.data.push(data)
    wake()
  })
  return Object.assign(told, { updates })
}

const streams = ({ requests }: RunningHub): string[] =>
  requests.flatMap(({ url = '' }) => (url.includes('data=event') ? [url] : []))
const tickets = (hub: RunningHub): string[] =>
  streams(hub).flatMap((url) => new URL(url, hub.url).searchParams.get('ticket') ?? [])

const numbers = (count: number): string[] => Array.from({ length: count }, (_, index) => `${index}`)

function start(t: TestContext, options: RunOptions = {}): Promise<RunningHub> {
  return startHub(t, {
    ...options,
    handler: RULES,
    hub: { limits: { ticketsPerSubject: 1_000 }, ...options.hub },
  })
}

describe('subscribe() by EventSource', () => {
  const world = globalThis as { EventSource?: unknown }
  before(() => (world.EventSource = EventSource))
  after(() => delete world.EventSource)

  test('is given each event whole, with its channel, type and time', async (t) => {
    const running = await start(t)
    const { hub, url } = running
    await hub.publish('orders', [{ data: 'two\nlines' }, { type: 'paid', data: '{}' }])
    const updates = subscribe(`${url}/channels/orders,b.*`, {
      after: 'start',
      headers: tokens(60_000).headers,
    })
    t.after(() => updates.close())
    const seen: unknown[] = []
    for await (const { channel, type, data, time = '' } of updates) {
      seen.push([channel, type, data])
      assert.match(time, /^\d{4}-.*Z$/)
      if (seen.length === 2) break
    }
    assert.deepEqual(seen, [
      ['orders', 'message', 'two\nlines'],
      ['orders', 'paid', '{}'],
    ])
    assert.deepEqual([tickets(running).length, streams(running).length], [1, 1])
    assert.ok(running.requests.every((request) => !request.url?.includes('alice')))
  })

  for (const by of ['EventSource', 'fetch'] as const) {
    test(`tokens that end, one after the other, are no failure: each event comes once, by ${by}`, async (t) => {
      const running = await start(t)
      const { asked, headers } = tokens(1_000)
      const subscribeBy = by === 'fetch' ? subscribeByFetch : subscribe
      const told = reading(t, subscribeBy, `${running.url}/channels/numbers`, { headers, limits: BRIEF })
      const { hub } = running
      let sent = 0
      while (asked.length < 5) {
        await hub.publish('numbers', { data: `${sent++}` })
        await told.until(() => told.data.length === sent)
        await new Promise((resolve) => setTimeout(resolve, 5))
      }
      assert.deepEqual(told.data, numbers(sent))
      assert.deepEqual(told.errors, [])
      assert.ok(told.states.every(({ phase, error }) => phase !== 'closed' && error === undefined))
      assert.ok(told.states.every(({ transport }) => transport === 'sse'))
      // It is told in time, and changes over without a wait.
      assert.equal(
        told.states.some(({ phase }) => phase === 'waiting'),
        by === 'fetch',
      )
    })
  }

  test('the ticket of before is void once there is another one', async (t) => {
    const running = await start(t)
    const told = reading(t, subscribe, `${running.url}/channels/numbers`, { headers: tokens(60_000).headers })
    await told.until(() => told.updates.state.phase === 'open')
    running.cut()
    await told.until(() => told.updates.state.phase === 'waiting')
    await told.until(() => told.updates.state.phase === 'open')
    const [first = '', second = ''] = tickets(running)
    assert.notEqual(first, second)
    const answer = await fetch(`${running.url}/channels/numbers?transport=sse&ticket=${first}`)
    assert.equal(answer.status, 401)
    assert.equal(told.updates.state.phase, 'open')
  })

  test('connections that are cut lose nothing and repeat nothing', async (t) => {
    const running = await start(t)
    const { hub, cut } = running
    const told = reading(t, subscribe, `${running.url}/channels/numbers`, {
      headers: tokens(60_000).headers,
      transport: 'sse',
      limits: { minWaitMs: 1, retryMs: 5 },
    })
    for (let sent = 0; sent < 60; sent++) {
      await hub.publish('numbers', { data: `${sent}` })
      if (sent % 7 === 0) {
        await told.until(() => told.data.length >= sent)
        cut()
      }
    }
    await told.until(() => told.data.length >= 60)
    assert.deepEqual(told.data, numbers(60))
  })

  test('a slow listener has it stop, and go on where it was', async (t) => {
    const running = await start(t)
    const { hub } = running
    await hub.publish(
      'numbers',
      numbers(50).map((data) => ({ data })),
    )
    const { headers } = tokens(60_000)
    const updates = subscribe(`${running.url}/channels/numbers`, {
      after: 'start',
      headers,
      queue: 10,
      limits: { minWaitMs: 1, retryMs: 5 },
    })
    t.after(() => updates.close())
    const seen: string[] = []
    for await (const { data } of updates) {
      seen.push(data)
      if (seen.length === 5) while (hub.delivery.readers > 0) await fetch(`${running.url}/channels/other`)
      if (seen.length === 50) break
    }
    assert.deepEqual(seen, numbers(50))
  })

  test('ends when all channels have ended', async (t) => {
    const running = await start(t)
    const told = reading(t, subscribe, `${running.url}/channels/a`, { headers: tokens(60_000).headers })
    await told.until(() => told.updates.state.phase === 'open')
    await running.hub.publish('a', { data: 'last' }, { end: true })
    await told.updates.closed
    assert.deepEqual([told.data, told.updates.state.phase, told.errors], [['last'], 'ended', []])
    assert.ok(told.states.every(({ transport }) => transport === 'sse'))
  })

  test('goes on by long polls where streams are refused', async (t) => {
    const running = await start(t, {
      before(request, response) {
        if (!request.url?.includes('data=event')) return false
        response.writeHead(502).end()
        return true
      },
    })
    const told = reading(t, subscribe, `${running.url}/channels/a`, {
      headers: tokens(60_000).headers,
      limits: { minWaitMs: 1, retryMs: 5 },
    })
    await running.hub.publish('a', { data: '1' })
    await told.until(
      () => told.updates.state.transport === 'long-poll' && told.updates.state.phase === 'open',
    )
    await running.hub.publish('a', { data: '2' })
    await told.until(() => told.data.length === 2)
    assert.equal(told.updates.state.reason, 'streams-refused')
  })

  test('is closed, with the reason, when a token is not good: after asking for another one, once', async (t) => {
    const running = await start(t)
    const { asked, headers } = tokens(-1)
    const told = reading(t, subscribe, `${running.url}/channels/a`, { headers })
    await told.updates.closed
    const { phase, error } = told.updates.state
    assert.deepEqual(
      [phase, error?.code, error?.status, error?.problem],
      ['closed', 'refused', 401, 'expired'],
    )
    assert.equal(asked.length, 2)
  })

  test('a hub that is stopping is waited for, and streams are tried again', async (t) => {
    const running = await start(t)
    const { headers } = tokens(60_000)
    running.hub.drain()
    const told = reading(t, subscribe, `${running.url}/channels/a`, {
      headers,
      limits: { minWaitMs: 1, retryMs: 1 },
    })
    for (let n = 0; n < 4; n++) {
      const before = told.states.length
      await told.until(() => told.states.slice(before).some(({ phase }) => phase === 'waiting'))
    }
    assert.ok(told.states.every(({ transport }) => transport === 'sse'))
    assert.equal(told.states.find(({ phase }) => phase === 'waiting')?.reason, 'refused')
  })

  test('needs no ticket of a hub without rules', async (t) => {
    const running = await startHub(t, { handler: WITHOUT_RULES })
    const told = reading(t, subscribe, `${running.url}/channels/a`, {})
    await running.hub.publish('a', { data: '1' })
    await told.until(() => told.data.length === 1)
    assert.equal(told.updates.state.transport, 'sse')
  })

  test('reads by fetch what is no hub', async (t) => {
    const running = await start(t, {
      before(request, response) {
        if (request.method !== 'GET') response.writeHead(405).end()
        else response.writeHead(200, { 'content-type': 'text/event-stream' })
        if (request.method === 'GET') response.write('id: 1\ndata: hello\n\n')
        return true
      },
    })
    const told = reading(t, subscribe, `${running.url}/events`, {})
    await told.until(() => told.data.length > 0)
    assert.deepEqual(told.data, ['hello'])
  })
})

test('without an EventSource it reads by fetch', async (t) => {
  assert.equal('EventSource' in globalThis, false)
  const running = await start(t)
  const told = reading(t, subscribe, `${running.url}/channels/a`, { headers: tokens(60_000).headers })
  await running.hub.publish('a', { data: '1' })
  await told.until(() => told.data.length === 1)
  assert.equal(streams(running).length, 0)
})
