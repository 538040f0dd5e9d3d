/** The proxies of docs/deploy, run with the files that stand there, in front of a hub: what people get who copy them. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { connect as connectH2 } from 'node:http2'
import { join } from 'node:path'
import { before, describe, test, type TestContext } from 'node:test'
import { connect as connectTls, getCACertificates, setDefaultCACertificates } from 'node:tls'
import { setImmediate as turn } from 'node:timers/promises'
import { readEventStream } from '@downlink/client'
import type { AuthorizeRequest } from '@downlink/hub/node'
import { certificate } from './helpers/certificate.ts'
import { deploy, type Front, type FrontOptions, fronts, startFront } from './helpers/front.ts'
import { startHub, type TestHub } from './helpers/hub.ts'
import { openSocket, refusedSocket } from '../packages/hub/test/wire-contract/page-socket.ts'

before(() => setDefaultCACertificates([...getCACertificates('default'), certificate().cert]))

const BARE = { accept: 'text/event-stream' }
const KNOWS_PROBLEMS = { accept: 'text/event-stream, application/problem+json' }
const ALL = ['nginx', 'haproxy', 'caddy'] as const
type Name = (typeof ALL)[number]

interface Behind {
  readonly hub: TestHub
  readonly front: Front
  /** What the hub was asked, in order. */
  readonly asked: readonly AuthorizeRequest[]
  /** The channel `orders`, through the front. */
  readonly orders: string
}

async function behind(
  t: TestContext,
  name: Name,
  { heartbeatMs = 15_000, ...options }: FrontOptions & { readonly heartbeatMs?: number } = {},
): Promise<Behind> {
  const asked: AuthorizeRequest[] = []
  const authorize = (request: AuthorizeRequest): boolean => asked.push(request) > 0
  const hub = await startHub(
    t,
    { delivery: { heartbeatMs } },
    { authorize, proxies: { trusted: ['loopback'] } },
  )
  const front = await startFront(t, name, hub.url, options)
  return { hub, front, asked, orders: `${front.url}/channels/orders` }
}

/** The events of a stream after its opening. */
async function openEvents(t: TestContext, url: string, headers: Readonly<Record<string, string>> = {}) {
  const abort = new AbortController()
  t.after(() => abort.abort())
  const response = await fetch(url, { headers: { ...BARE, ...headers }, signal: abort.signal })
  assert.equal(response.status, 200)
  assert.equal(response.headers.get('content-encoding'), null)
  const events = readEventStream(response.body)
  assert.equal((await events.next()).value?.type, 'downlink:open')
  return { next: async () => (await events.next()).value?.data, leave: () => abort.abort() }
}

for (const name of ALL) {
  describe(`docs/deploy/${fronts[name].file}`, () => {
    test('passes a stream event by event, and tells the hub when its reader leaves', async (t) => {
      const { hub, orders } = await behind(t, name)
      const events = await openEvents(t, orders)
      for (const data of ['one', 'two']) {
        await hub.hub.publish('orders', { data })
        assert.equal(await events.next(), data)
      }
      events.leave()
      while (hub.hub.delivery.readers > 0) {
        await hub.hub.publish('orders', { data: 'x' })
        await turn()
      }
    })

    test('speaks HTTP/2 to browsers, many streams on one connection, and HTTP/1.1 to others', async (t) => {
      const { hub, front } = await behind(t, name)
      const session = connectH2(front.url)
      t.after(() => session.destroy())
      const streams = Array.from({ length: 12 }, () =>
        session.request({ ':path': '/channels/orders', accept: 'text/event-stream' }),
      )
      const texts = streams.map(() => '')
      for (const [index, stream] of streams.entries()) {
        stream.setEncoding('utf8').on('data', (text: string) => (texts[index] += text))
      }
      const all = async (part: string): Promise<void> => {
        for (const [index, stream] of streams.entries()) {
          for (;;) {
            if (texts[index]?.includes(part)) break
            await once(stream, 'data')
          }
        }
      }
      await all('downlink:open')
      await hub.hub.publish('orders', { data: 'one' })
      await all('data: one\n\n')
      assert.equal(session.alpnProtocol, 'h2')
      assert.equal((await fetch(`${front.url}/channels/orders`)).status, 200)
    })

    test('passes WebSocket, and the refusal of a handshake', async (t) => {
      const { hub, front, orders } = await behind(t, name)
      const socket = await openSocket(orders, { origin: front.url })
      t.after(() => socket.ws.terminate())
      assert.ok(await socket.next())
      for (const data of ['one', 'two']) {
        await hub.hub.publish('orders', { data })
        assert.equal((await socket.next())?.events[0]?.data, data)
      }
      const refused = await refusedSocket(orders, { origin: 'https://evil.example' })
      assert.deepEqual([refused.status, /"code":"([^"]+)"/.exec(refused.text)?.[1]], [403, 'cross-site'])
      socket.ws.close()
      await socket.closed
      while (hub.hub.delivery.readers > 0) await turn()
    })

    test('lets a long poll wait until there is something', async (t) => {
      const { hub, orders } = await behind(t, name)
      const { cursor } = (await (await fetch(`${orders}?transport=poll`)).json()) as { cursor: string }
      const waiting = fetch(`${orders}?wait=30&after=${cursor}`)
      while (hub.requests.length < 2) await once(hub.server.server, 'request')
      await hub.hub.publish('orders', { data: 'one' })
      const { events } = (await (await waiting).json()) as { events: { data: string }[] }
      assert.deepEqual(
        events.map(({ data }) => data),
        ['one'],
      )
    })

    test('keeps a stream as long as it has heartbeats', async (t) => {
      // Each time-out that the file sets to 90 s, at a ninetieth.
      const text = readFileSync(join(deploy, fronts[name].file), 'utf8')
      const times = text.split('90s').length - 1
      const { hub, front } = await behind(t, name, { heartbeatMs: 300, changes: [['90s', '1s', times]] })
      const response = await fetch(`${front.url}/channels/orders`, { headers: BARE })
      let said = ''
      let beats = 0
      for await (const piece of response.body ?? []) {
        said += Buffer.from(piece).toString()
        // Two seconds of silence but for these.
        if (said.endsWith('\n:\n') && ++beats === 7) await hub.hub.publish('orders', { data: 'still here' })
        if (said.includes('data: still here')) break
      }
      assert.match(said, /data: still here/)
    })

    test('has its own word of who asked, passes on what the client says for itself, and keeps connections to the hub', async (t) => {
      const { hub, asked, orders } = await behind(t, name)
      // The hub may take up a connection again that it had lent.
      const connections = new Set<number | undefined>()
      hub.server.server.on('connection', ({ remotePort }) => connections.add(remotePort))
      const forged = {
        'X-Forwarded-For': '203.0.113.9',
        'X-Forwarded-Host': 'evil.example',
        'X-Forwarded-Port': '1',
        'X-Forwarded-Proto': 'http',
        'X-Real-IP': '203.0.113.9',
        'X-Request-Id': 'forged',
        Forwarded: 'for=203.0.113.9;host=evil.example',
        Via: '1.1 evil.example',
      }
      const own = { Authorization: 'Bearer token', Cookie: 'a=b', 'If-None-Match': 'W/"x"', Prefer: 'wait=0' }
      for (let count = 0; count < 5; count++) {
        await (await fetch(orders, { headers: { ...forged, ...own } })).text()
      }
      assert.equal(asked.length, 5)
      assert.ok(connections.size <= 2, `${connections.size}`)
      assert.equal(new Set(asked.map(({ header }) => header('x-request-id'))).size, 5)
      for (const { header, address } of asked) {
        assert.match(header('x-request-id') ?? '', /^[0-9a-f-]{32,36}$/)
        assert.equal(address, '127.0.0.1')
        assert.equal(header('x-forwarded-for'), '127.0.0.1')
        assert.equal(header('x-forwarded-proto'), 'https')
        assert.ok([undefined, new URL(orders).host].includes(header('x-forwarded-host')))
        for (const gone of ['x-forwarded-port', 'x-real-ip', 'forwarded'])
          assert.equal(header(gone), undefined)
        assert.doesNotMatch(header('via') ?? '', /evil/)
        for (const [one, value] of Object.entries(own)) assert.equal(header(one.toLowerCase()), value)
        assert.equal(header('host'), new URL(orders).host)
      }
    })

    test('keeps tickets and tokens out of all that it writes, while the hub is there and while it is not', async (t) => {
      const { hub, front, orders } = await behind(t, name)
      const secrets = { ticket: 'sesame-1', access_token: 'sesame-2' }
      const headers = {
        Authorization: 'Bearer sesame-3',
        Cookie: '__Host-downlink=sesame-4',
        Referer: `${orders}?ticket=sesame-5`,
      }
      const url = (path: string): string => `${front.url}/channels/${path}?${new URLSearchParams(secrets)}`
      await (await fetch(url('here'), { headers })).text()
      const stream = await fetch(url('watched'), { headers: { ...headers, ...BARE } })
      await hub.stop()
      await stream.text()
      await Promise.all([
        fetch(url('away'), { headers }),
        fetch(url('refused'), { headers: { ...headers, ...BARE } }),
        fetch(url('published'), { method: 'POST', headers, body: 'x' }),
      ])
      for (const path of ['here', 'watched', 'away', 'refused', 'published']) {
        // What it has answered it may log a moment later.
        while (!front.accessLog().includes(`/channels/${path}`)) await turn()
      }
      assert.doesNotMatch(front.written(), /sesame|ticket=|access_token=/)
    })

    test('answers for a hub that is away: a stream that comes back to bare sources, the honest status to all others', async (t) => {
      const named = 'https://named.example'
      const { hub, orders } = await behind(t, name, { origin: named })
      await hub.stop()

      const [source, stranger] = await Promise.all(
        [named, 'https://other.example'].map((origin) => fetch(orders, { headers: { ...BARE, origin } })),
      )
      assert.ok(source && stranger)
      assert.equal(stranger.status, 200)
      assert.equal(stranger.headers.get('access-control-allow-origin'), null)
      assert.equal(source.status, 200)
      assert.equal(source.headers.get('content-type'), 'text/event-stream')
      assert.equal(source.headers.get('cache-control'), 'no-store, no-transform')
      assert.equal(source.headers.get('access-control-allow-origin'), named)
      assert.equal(source.headers.get('access-control-allow-credentials'), 'true')
      assert.match(source.headers.get('strict-transport-security') ?? '', /^max-age=/)
      const [, retry] = /^retry: (\d{4})\n: away: [^\n]+\n\n$/.exec(await source.text()) ?? []
      assert.ok(Number(retry) >= 2000 && Number(retry) <= 4000, retry)

      const others = {
        'a stream of a client that knows problems': { headers: KNOWS_PROBLEMS },
        'a poll': {},
        'a publish': { method: 'POST', body: 'x' },
        'a publish that accepts streams': { method: 'POST', body: 'x', headers: BARE },
      }
      await Promise.all(
        Object.entries(others).map(async ([what, init]) => {
          const answer = await fetch(orders, init)
          const problem = (await answer.json()) as { status: number }
          assert.ok([502, 503].includes(answer.status), what)
          assert.equal(problem.status, answer.status, what)
          assert.equal(answer.headers.get('content-type'), 'application/problem+json', what)
          assert.match(answer.headers.get('retry-after') ?? '', /^[2-4]$/, what)
          assert.equal(answer.headers.get('cache-control'), 'no-store', what)
        }),
      )
    })

    test('answers only for its own site, only with TLS, and neither for /metrics nor for what is its own', async (t) => {
      const { hub, front, asked } = await behind(t, name)
      const page = await fetch(`${front.plain}/`, { redirect: 'manual' })
      assert.equal(page.status, 308)
      assert.equal(page.headers.get('location'), 'https://localhost/')
      const plain = await fetch(`${front.plain}/channels/orders?ticket=x`, { redirect: 'manual' })
      assert.deepEqual([plain.status, plain.headers.get('location')], [403, null])
      for (const path of ['/metrics', '/.away/502/source', '/.away/502/honest']) {
        assert.equal((await fetch(`${front.url}${path}`)).status, 404, path)
      }
      assert.deepEqual(
        asked.filter(({ path }) => !path.startsWith('/.away')),
        [],
      )
      assert.doesNotMatch(await strangersAnswer(front), /^HTTP\/1\.1 200 OK\r\n[^]*events/)
      assert.equal(hub.requests.length, 0)
      const secure = await fetch(`${front.url}/channels/orders?transport=poll`)
      assert.equal(secure.status, 200)
      assert.match(secure.headers.get('strict-transport-security') ?? '', /^max-age=\d{8};/)
    })
  })
}

/** What it says to who asks for another site at its address; nothing when it refuses the connection. */
async function strangersAnswer({ port }: Front): Promise<string> {
  const socket = connectTls({
    port,
    host: '127.0.0.1',
    servername: 'evil.example',
    rejectUnauthorized: false,
  })
  let answer = ''
  socket.on('data', (piece) => (answer += piece.toString()))
  socket.on('error', () => {})
  socket.write('GET /channels/orders HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n')
  await new Promise((resolve) => socket.on('close', resolve))
  return answer
}

test('the time-outs of the files are longer than a long poll that waits its longest', () => {
  const LONGEST_S = 60 * (9 / 8)
  for (const [file, setting] of [
    ['nginx.conf', /proxy_read_timeout (\d+)s/],
    ['haproxy.cfg', /timeout client (\d+)s/],
    ['haproxy.cfg', /timeout server (\d+)s/],
    ['Caddyfile', /response_header_timeout (\d+)s/],
  ] as const) {
    const [, seconds] = setting.exec(readFileSync(join(deploy, file), 'utf8')) ?? []
    assert.ok(Number(seconds) > LONGEST_S, `${file}: ${setting.source}`)
  }
})
