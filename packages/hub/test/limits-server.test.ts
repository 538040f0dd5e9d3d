/** What the hub refuses over HTTP because there is too much of it, on real sockets: docs/limits.md. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { Server } from 'node:http'
import { createConnection, type Socket } from 'node:net'
import { describe, test, type TestContext } from 'node:test'
import type { Authorize } from '../src/auth/authorize.ts'
import { type Clock, systemClock } from '../src/clock.ts'
import { fetchHandler } from '../src/http/fetch.ts'
import { type HubServerOptions, serveHub } from '../src/http/server.ts'
import { createHub, type Hub } from '../src/hub.ts'
import type { HubOptions } from '../src/hub-options.ts'
import { LIMIT_NAMES, type LimitName } from '../src/limits/names.ts'
import { MemoryLog } from '../src/log/memory.ts'
import { ask, type Ask, type Got, openStream, post, problemOf } from './wire-contract/client.ts'
import { bytes, RawConnection } from './wire-contract/raw.ts'

/** The token is the subject, and perhaps what it may have: `ann`, `ann streams=5`, `ann publishes=5`. */
const bySubject: Authorize = (request) => {
  const [subject = '', limit = ''] = (request.header('authorization') ?? '').split(' ')
  const [name, value] = limit.split('=')
  return {
    subject,
    ...(name === 'streams' || name === 'publishes' ? { limits: { [name]: Number(value) } } : {}),
  }
}
const everybody: Authorize = () => true

interface Served {
  readonly hub: Hub
  readonly url: string
  readonly port: number
  readonly server: Server
  /** `downlink_limited_total` of a limit, as `/metrics` tells. */
  readonly limited: (name: LimitName) => Promise<number>
  readonly metric: (line: string) => Promise<number>
}

async function serve(
  t: TestContext,
  options: HubOptions = {},
  serverOptions: HubServerOptions = {},
): Promise<Served> {
  const hub = createHub(options)
  const server = await serveHub(hub, { host: '127.0.0.1', graceMs: 100, ...serverOptions })
  const { url, port } = server
  t.after(async () => {
    await server.stop()
    await hub.close()
  })
  const metric = async (line: string): Promise<number> => {
    const { text } = await ask(`${url}/metrics`)
    const found = text.split('\n').find((one) => one.startsWith(`${line} `))
    return Number(found?.slice(line.length))
  }
  return {
    hub,
    url,
    port,
    server: server.server,
    metric,
    limited: (name) => metric(`downlink_limited_total{limit="${name}"}`),
  }
}

const as = (token: string, headers: Ask['headers'] = {}): { headers: NonNullable<Ask['headers']> } => ({
  headers: { authorization: token, ...headers },
})
const SSE = { accept: 'text/event-stream' }
const HONEST = { accept: 'text/event-stream, application/problem+json' }

function isRefused(got: Got, code: 'too-many-streams' | 'too-fast', limit: number): number {
  const problem = problemOf(got, 429, code)
  assert.equal(problem['limit'], limit)
  const seconds = Number(got.headers['retry-after'])
  assert.ok(seconds >= 1, got.headers['retry-after'])
  return seconds
}

describe('streams and waiting long polls', () => {
  test('of one subject are so many; one more is 429, a bare EventSource is told to come back, others have their own', async (t) => {
    const { url, limited, metric } = await serve(
      t,
      { limits: { streamsPerSubject: 2 } },
      { authorize: bySubject },
    )
    const channel = `${url}/channels/x`
    const stream = await openStream(channel, { authorization: 'ann' })
    await stream.next()
    const poll = ask(`${channel}?wait=60`, as('ann'))
    while ((await metric('downlink_waiting_long_polls')) === 0);
    isRefused(await ask(channel, as('ann', HONEST)), 'too-many-streams', 2)
    isRefused(await ask(`${channel}?wait=1`, as('ann')), 'too-many-streams', 2)
    const bare = await ask(channel, as('ann', SSE))
    assert.equal(bare.status, 200)
    assert.match(bare.text, /^retry: \d+\n: too-many-streams: You have 2 streams and waiting long polls open/)
    assert.doesNotMatch(bare.text, /downlink:open/)
    assert.equal((await ask(channel, as('ann'))).status, 200, 'a poll that waits for nothing is no reader')
    const other = await openStream(channel, { authorization: 'bob' })
    assert.equal((await other.next())?.type, 'downlink:open')
    assert.equal(await limited('streams-per-subject'), 3)
    assert.equal(await metric('downlink_streams_most_subject'), 2)
    assert.equal(await metric('downlink_reading_subjects'), 2)

    await post(channel, 'x', { authorization: 'ann' })
    await poll
    const next = await openStream(channel, { authorization: 'ann' })
    assert.equal((await next.next())?.type, 'downlink:open')
  })

  test('of one address are so many, whoever asks', async (t) => {
    const { url, limited, metric } = await serve(
      t,
      { limits: { streamsPerAddress: 1 } },
      { authorize: everybody },
    )
    const stream = await openStream(`${url}/channels/x`)
    await stream.next()
    isRefused(await ask(`${url}/channels/x`, { headers: HONEST }), 'too-many-streams', 1)
    assert.equal(await limited('streams-per-address'), 1)
    assert.equal(await metric('downlink_streams_most_address'), 1)
  })

  test('are as many as a grant says', async (t) => {
    const limits = { streamsPerSubject: 1, streamsPerAddress: 1 }
    const { url } = await serve(t, { limits }, { authorize: bySubject })
    for (let n = 0; n < 3; n++) {
      const stream = await openStream(`${url}/channels/x`, { authorization: 'ann streams=3' })
      assert.equal((await stream.next())?.type, 'downlink:open')
    }
    isRefused(await ask(`${url}/channels/x`, as('ann streams=3', HONEST)), 'too-many-streams', 3)
    problemOf(await ask(`${url}/channels/x`, as('bob streams=0', SSE)), 403, 'forbidden')
  })

  test('that come all at once are never more than fit', async (t) => {
    const { url, hub, metric } = await serve(
      t,
      { limits: { streamsPerSubject: 10 } },
      { authorize: bySubject },
    )
    const asked = Array.from({ length: 40 }, (_, n) =>
      n % 2 === 0 ? ask(`${url}/channels/x?wait=60`, as('ann')) : ask(`${url}/channels/x`, as('ann', HONEST)),
    )
    const refused: Got[] = []
    const settled = Promise.all(
      asked.map(async (answer) => {
        const got = await answer
        if (got.status === 429) refused.push(got)
        return got.status
      }),
    )
    while ((await metric('downlink_streams_most_subject')) < 10 || refused.length < 30) {
      assert.ok(hub.delivery.seats.taken <= 10)
    }
    hub.drain()
    assert.equal((await settled).filter((status) => status === 200).length, 10)
    assert.deepEqual(
      [hub.delivery.seats.taken, hub.delivery.seats.holders],
      [0, { subjects: 0, addresses: 0 }],
    )
  })
})

describe('publishing', () => {
  const line = '{"data":"x"}\n'
  const ndjson = { 'content-type': 'application/x-ndjson' }

  /** Time stands still but for what the test lets pass: how busy the machine is makes no difference. */
  function standing(): { readonly clock: Clock; readonly pass: (ms: number) => void } {
    let now = Date.UTC(2026, 0, 1)
    return { clock: { ...systemClock, now: () => now }, pass: (ms) => void (now += ms) }
  }

  test('has a rate for each subject: what is beyond it is 429, stores nothing, and is taken when it was said', async (t) => {
    const { clock, pass } = standing()
    const limits = { publishesPerSubject: 10 }
    const { url, hub, limited, metric } = await serve(t, { clock, limits }, { authorize: bySubject })
    const publish = (channel: string, lines: number, token = 'ann'): Promise<Got> =>
      ask(`${url}/channels/${channel}`, {
        method: 'POST',
        body: line.repeat(lines),
        headers: { authorization: token, ...ndjson },
      })
    assert.equal((await publish('a', 20)).status, 200)
    const { frontier } = hub.log.state()
    const seconds = isRefused(await publish('b,c', 5), 'too-fast', 10)
    assert.equal(seconds, 1)
    assert.equal(hub.log.state().frontier, frontier)
    assert.equal((await publish('a', 20, 'bob')).status, 200)
    assert.equal(await limited('publishes-per-subject'), 1)
    assert.equal(await metric('downlink_rates_kept'), 3)
    pass(seconds * 1000 - 1)
    assert.equal((await publish('b,c', 5)).status, 429)
    pass(1)
    assert.equal((await publish('b,c', 5)).status, 200)
  })

  test('has a rate for each channel, whoever publishes', async (t) => {
    const { url, limited } = await serve(
      t,
      { clock: standing().clock, limits: { publishesPerChannel: 1 } },
      { authorize: bySubject },
    )
    const publish = (channel: string, token: string): Promise<Got> =>
      ask(`${url}/channels/${channel}`, { method: 'POST', body: 'x', headers: { authorization: token } })
    for (const token of ['ann', 'bob']) assert.equal((await publish('a', token)).status, 200)
    const got = await publish('b,a', 'cay')
    isRefused(got, 'too-fast', 1)
    assert.match(got.text, /Channel a takes 1 event a second: come back in 1 s/)
    assert.equal((await publish('b', 'cay')).status, 200)
    assert.equal(await limited('publishes-per-channel'), 1)
  })

  test('ends and erases count too', async (t) => {
    const { url } = await serve(
      t,
      { clock: standing().clock, limits: { publishesPerSubject: 1 } },
      { authorize: bySubject },
    )
    const { headers } = as('ann')
    assert.equal((await ask(`${url}/channels/a?end`, { method: 'POST', body: '', headers })).status, 200)
    assert.equal((await ask(`${url}/channels/a`, { method: 'DELETE', headers })).status, 204)
    isRefused(await ask(`${url}/channels/a`, { method: 'DELETE', headers }), 'too-fast', 1)
  })

  test('is as fast as a grant says', async (t) => {
    const limits = { publishesPerSubject: 1, publishesPerChannel: Infinity }
    const { url } = await serve(t, { clock: standing().clock, limits }, { authorize: bySubject })
    for (let n = 0; n < 10; n++) await post(`${url}/channels/a`, 'x', { authorization: 'ann publishes=5' })
    const got = await ask(`${url}/channels/a`, { method: 'POST', body: 'x', ...as('ann publishes=5') })
    isRefused(got, 'too-fast', 5)
    const never = await ask(`${url}/channels/a`, { method: 'POST', body: 'x', ...as('bob publishes=0') })
    problemOf(never, 403, 'forbidden')
    assert.equal(never.headers['retry-after'], undefined)
  })

  test('a batch larger than a burst is taken, and owed', async (t) => {
    const { url } = await serve(
      t,
      { clock: standing().clock, limits: { publishesPerSubject: 10 } },
      { authorize: bySubject },
    )
    await post(`${url}/channels/a`, line.repeat(500), { authorization: 'ann', ...ndjson })
    const got = await ask(`${url}/channels/a`, { method: 'POST', body: 'x', ...as('ann') })
    const seconds = isRefused(got, 'too-fast', 10)
    // 500 take 50 s, of which the bucket had 2; one more takes a tenth.
    assert.equal(seconds, 49)
  })

  test('who is too fast is told so before the body has come', async (t) => {
    const { url } = await serve(
      t,
      { clock: standing().clock, limits: { publishesPerSubject: 1 } },
      { authorize: everybody },
    )
    for (let n = 0; n < 2; n++) await post(`${url}/channels/a`, 'x')
    using connection = new RawConnection(url)
    connection.send(bytes('POST /channels/a', { 'Content-Length': '1000000' }))
    assert.equal((await connection.answer()).status, 429)
  })

  test('of the hub’s own machine, without rules, has no rate', async (t) => {
    const { url, hub } = await serve(t)
    for (let n = 0; n < 3; n++) await post(`${url}/channels/a`, line.repeat(5_000), ndjson)
    assert.deepEqual([hub.limiter.size, hub.log.state().frontier], [0, 15_000])
  })

  test('of the process that has the hub has none either', async (t) => {
    const { hub } = await serve(t, { limits: { publishesPerSubject: 1, publishesPerChannel: 1 } })
    for (let n = 0; n < 10; n++) await hub.publish('a', 'x')
    assert.equal(hub.limiter.size, 0)
  })
})

describe('connections', () => {
  test('are so many; one more is closed as it comes, and there is room again when one has left', async (t) => {
    const { port, hub, metric } = await serve(t, {}, { connections: 3 })
    const connect = (): Socket => {
      const socket = createConnection(port, '127.0.0.1').on('error', () => {})
      t.after(() => socket.destroy())
      return socket
    }
    const held = [connect(), connect()]
    for (const socket of held) await once(socket, 'connect')
    // The third asks for the metrics, so both of the others have been counted by then.
    assert.equal(await metric('downlink_connections'), 3)
    held.push(connect())
    await once(held[2] as Socket, 'connect')
    const refused = connect()
    await once(refused, 'close')
    assert.equal(hub.limited.of('connections'), 1)
    for (const socket of held) socket.destroy()
    while (Number.isNaN(await metric('downlink_connections').catch(() => Number.NaN)));
  })
})

describe('large bodies', () => {
  const LARGE = 'x'.repeat(200_000)
  /** A publish of which the end is missing. */
  function begin(url: string, channel: string): RawConnection {
    const connection = new RawConnection(url)
    connection.send(bytes(`POST /channels/${channel}`, { 'Content-Length': `${LARGE.length}` }))
    return connection.send(LARGE.slice(1))
  }

  test('beyond so many wait for the others, and small ones don’t', async (t) => {
    const { url, hub, limited } = await serve(t, {}, { largeBodies: 2 })
    using first = begin(url, 'first')
    using second = begin(url, 'second')
    using third = begin(url, 'third')
    while ((await limited('large-bodies')) === 0);
    third.send('x')
    await post(`${url}/channels/small`, 'x'.repeat(60_000))
    assert.equal(hub.log.state().frontier, 1)
    assert.equal((await first.send('x').answer()).status, 200)
    assert.equal((await third.answer()).status, 200)
    assert.equal((await second.send('x').answer()).status, 200)
    assert.equal(hub.log.state().frontier, 4)
    assert.equal(await limited('large-bodies'), 1)
  })

  test('leave their place when they are cut, late or too large', async (t) => {
    const { url, hub } = await serve(t, {}, { largeBodies: 1, bodyTimeoutMs: 2_000, bodyLimit: 250_000 })
    const cut = begin(url, 'cut')
    await post(`${url}/channels/a`, 'x')
    cut.socket.destroy()
    await post(`${url}/channels/a`, LARGE)
    using late = begin(url, 'late')
    assert.equal((await late.answer()).status, 408)
    await post(`${url}/channels/a`, LARGE)
    using chunked = new RawConnection(url)
    chunked.send(bytes('POST /channels/large', { 'Transfer-Encoding': 'chunked' }))
    chunked.send(`${(300_000).toString(16)}\r\n${'x'.repeat(300_000)}\r\n0\r\n\r\n`)
    assert.equal((await chunked.answer()).status, 413)
    await post(`${url}/channels/a`, LARGE)
    assert.equal(hub.log.state().frontier, 4)
  })

  test('that wait too long for a place are late, whatever they came by', async (t) => {
    const { url, hub } = await serve(t, {}, { largeBodies: 0, bodyTimeoutMs: 100 })
    using waiting = begin(url, 'waiting')
    assert.equal((await waiting.send('x').answer()).status, 408)
    const handle = fetchHandler(hub, { largeBodies: 0, bodyTimeoutMs: 100 })
    const request = new Request(`${url}/channels/waiting`, { method: 'POST', body: LARGE })
    assert.equal((await handle(request)).status, 408)
    assert.equal(hub.limited.of('large-bodies'), 2)
    assert.equal(hub.log.state().frontier, 0)
  })
})

describe('an answer that its client does not take', () => {
  const COUNT = 32
  /** More than two kernels hold for a connection. */
  async function full(t: TestContext, keep: boolean, answerTimeoutMs: number): Promise<Served> {
    const limits = { pageBytes: 64 * 2 ** 20, event: 2 ** 20 }
    const served = await serve(t, { limits }, { answerTimeoutMs, authorize: everybody })
    for (let n = 0; n < COUNT; n++) await served.hub.publish('large', 'x'.repeat(2 ** 20))
    // As if somebody else listened for upgrades: nothing is lent then.
    if (keep) served.server.on('upgrade', (_, socket) => socket.destroy())
    return served
  }
  const polls = [
    ['a poll', '/channels/large?after=start&transport=poll'],
    ['a long poll', '/channels/large?after=start&wait=9'],
  ] as const

  for (const keep of [false, true]) {
    for (const [what, path] of polls) {
      test(`${what} is given up with its connection, in time${keep ? ', nothing being lent' : ''}`, async (t) => {
        const { url, hub, metric } = await full(t, keep, 200)
        using connection = new RawConnection(url)
        connection.socket.pause()
        connection.send(bytes(`GET ${path}`))
        while (hub.limited.of('answer-time') === 0) await new Promise(setImmediate)
        // Its own is the only one left.
        while ((await metric('downlink_connections')) > 1);
        connection.socket.resume()
        await connection.closed
        assert.ok(connection.text.length < COUNT * 2 ** 20)
      })

      test(`${what} is taken whole by who is slow but goes on${keep ? ', nothing being lent' : ''}`, async (t) => {
        const { url, hub } = await full(t, keep, 2_000)
        using connection = new RawConnection(url)
        connection.socket.pause()
        connection.send(bytes(`GET ${path}`)).send(bytes('GET /healthz'))
        await new Promise((resolve) => setTimeout(resolve, 50))
        connection.socket.resume()
        const answer = await connection.answer()
        assert.ok(answer.body.length > COUNT * 2 ** 20)
        assert.equal((await connection.answer()).status, 200)
        // When it would have been given up by now.
        await new Promise((resolve) => setTimeout(resolve, 2_500))
        assert.equal((await connection.send(bytes('GET /healthz')).answer()).status, 200)
        assert.equal(hub.limited.of('answer-time'), 0)
      })
    }
  }
})

/** Where a page ends is no refusal, what HTTP/2 refuses is its library's; the others have their own tests. */
const ELSEWHERE = [
  'page-bytes',
  'http2-streams',
  'large-bodies',
  'tickets-per-subject',
  'answer-time',
] as const
type Elsewhere = (typeof ELSEWHERE)[number]

/** Does what the limit of this name refuses. */
const MEET: Readonly<Record<Exclude<LimitName, Elsewhere>, (served: Served) => Promise<unknown>>> = {
  streams: ({ url, hub }) => {
    Object.assign(hub.limits, { readers: 0 })
    return ask(`${url}/channels/x?wait=1`).finally(() => Object.assign(hub.limits, { readers: 10 }))
  },
  'streams-per-subject': ({ url }) => ask(`${url}/channels/x?wait=1`, as('ann streams=0')),
  'streams-per-address': ({ url, hub }) => {
    Object.assign(hub.limits, { streamsPerAddress: 0 })
    return ask(`${url}/channels/x?wait=1`)
  },
  'publishes-per-subject': ({ url }) =>
    ask(`${url}/channels/x`, { method: 'POST', body: 'x', ...as('ann publishes=0') }),
  'publishes-per-channel': async ({ url }) => {
    for (let n = 0; n < 9; n++) await ask(`${url}/channels/slow`, { method: 'POST', body: 'x' })
  },
  body: ({ url }) => ask(`${url}/channels/x`, { method: 'POST', body: 'x'.repeat(1001) }),
  'body-time': ({ url }) => raw(url, bytes('POST /channels/x', { 'Content-Length': '5' })),
  batch: ({ url }) =>
    ask(`${url}/channels/x`, {
      method: 'POST',
      body: '{"data":1}\n'.repeat(11),
      headers: { 'content-type': 'application/x-ndjson' },
    }),
  event: ({ url }) => ask(`${url}/channels/x`, { method: 'POST', body: 'x'.repeat(501) }),
  head: ({ url }) => raw(url, bytes(`GET /channels/${'x'.repeat(2000)}`)),
  'head-time': ({ url }) => raw(url, 'GET /channels/x HTTP/1.1\r\nHost: loc'),
  headers: ({ url }) =>
    raw(
      url,
      bytes('GET /channels/x', Object.fromEntries(Array.from({ length: 20 }, (_, n) => [`x-${n}`, '1']))),
    ),
  channels: ({ url }) => ask(`${url}/channels/a,b,c`),
  wait: ({ url }) => ask(`${url}/channels/x?wait=2`),
  'page-events': ({ url }) => ask(`${url}/channels/x?limit=11`),
  connections: async ({ port }) => {
    const sockets = Array.from({ length: 11 }, () =>
      createConnection(port, '127.0.0.1').on('error', () => {}),
    )
    await Promise.race(sockets.map((socket) => once(socket, 'close')))
    for (const socket of sockets) socket.destroy()
  },
  log: ({ url }) => ask(`${url}/channels/x`, { method: 'POST', body: 'x'.repeat(400) }),
}

function isElsewhere(name: LimitName): name is Elsewhere {
  return ELSEWHERE.some((one) => one === name)
}

async function raw(url: string, request: string): Promise<void> {
  using connection = new RawConnection(url)
  connection.send(request)
  await connection.answer()
  await connection.closed
}

describe('each limit', () => {
  for (const name of LIMIT_NAMES) {
    if (isElsewhere(name)) continue
    test(`${name} is counted when it is met`, async (t) => {
      const served = await serve(
        t,
        {
          log: new MemoryLog({ fullBytes: 500 }),
          limits: {
            batch: 10,
            channels: 2,
            event: 500,
            waitMs: 1_000,
            pageEvents: 10,
            publishesPerChannel: 1,
          },
        },
        {
          authorize: bySubject,
          bodyLimit: 1000,
          bodyTimeoutMs: 100,
          headLimit: 1000,
          headTimeoutMs: 100,
          headersLimit: 10,
          connections: 10,
        },
      )
      assert.equal(served.hub.limited.of(name), 0)
      await MEET[name](served)
      assert.equal(served.hub.limited.of(name) > 0, true)
      for (const other of LIMIT_NAMES)
        if (other !== name && other !== 'connections') assert.equal(served.hub.limited.of(other), 0, other)
    })
  }

  test('stands in /metrics from the beginning', async (t) => {
    const { limited } = await serve(t)
    for (const name of LIMIT_NAMES) assert.equal(await limited(name), 0, name)
  })
})
