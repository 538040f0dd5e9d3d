/** What the Lab counts at the hub's sockets, against a relay in front of the hub that counts the raw bytes itself. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { Agent, type ClientRequest, get, type IncomingMessage, request } from 'node:http'
import { connect as connectH2 } from 'node:http2'
import { describe, test, type TestContext } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import type { Page } from '@downlink/wire'
import { WebSocket } from 'ws'
import { type Counted, type CountingRelay, startCountingRelay } from '../../../e2e/helpers/counting-relay.ts'
import { randomOf, seedOf } from '../../../e2e/helpers/random.ts'
import { selfSigned } from '../../../e2e/helpers/self-signed.ts'
import { type HubServerOptions, serveHub } from '../src/http/server.ts'
import type { HubOptions } from '../src/hub-options.ts'
import { createHub, type Hub } from '../src/hub.ts'
import { Lab } from '../src/lab/lab.ts'
import type { HubMeter } from '../src/lab/meter.ts'
import { bytes, RawConnection } from './wire-contract/raw.ts'

const CHANNEL = 'lab.1'
const PATH = `/channels/${CHANNEL}`
const STREAM = { Accept: 'text/event-stream' }

interface World {
  readonly hub: Hub
  readonly meter: HubMeter
  readonly relay: CountingRelay
  /** The relay's. */
  readonly url: string
  /** The hub's own. */
  readonly direct: string
  readonly connect: () => RawConnection
  /** As a client with one connection that is kept. */
  readonly ask: (path: string, headers?: Record<string, string>) => Promise<Answered>
  /** On the same connection. */
  readonly publish: (path: string, data: string) => Promise<Answered>
  /** Fails when meter and relay don't come to say the same. @returns what both say */
  readonly agree: () => Promise<Record<string, Counted>>
}

interface Answered {
  readonly status: number
  readonly headers: IncomingMessage['headers']
  readonly text: string
}

interface Options extends HubServerOptions {
  readonly hub?: HubOptions
}

async function world(t: TestContext, { hub: hubOptions, ...options }: Options = {}): Promise<World> {
  const hub = createHub({ onError: () => {}, ...hubOptions })
  const own = createHub()
  const lab = new Lab(hub, own)
  const server = await serveHub(hub, { host: '127.0.0.1', graceMs: 100, lab, ...options })
  const relay = await startCountingRelay(server.port, /^lab\.1$/)
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  const connections: RawConnection[] = []
  t.after(async () => {
    for (const { socket } of connections) socket.resetAndDestroy()
    agent.destroy()
    await relay[Symbol.asyncDispose]()
    await server.stop()
    await Promise.all([hub.close(), own.close()])
  })
  const { meter } = lab
  meter.start(CHANNEL)
  const connect = (): RawConnection => {
    const connection = new RawConnection(relay.url)
    connections.push(connection)
    return connection
  }
  return {
    hub,
    meter,
    relay,
    url: relay.url,
    direct: server.url,
    connect,
    ask: (path, headers = {}) => answered(get(`${relay.url}${path}`, { headers, agent })),
    publish: (path, data) => answered(request(`${relay.url}${path}`, { method: 'POST', agent }).end(data)),
    agree: () => agree(meter, relay),
  }
}

async function answered(request: ClientRequest): Promise<Answered> {
  const [answer] = (await once(request, 'response')) as [IncomingMessage]
  const parts: Buffer[] = []
  for await (const part of answer) parts.push(part as Buffer)
  return {
    status: answer.statusCode ?? 0,
    headers: answer.headers,
    text: Buffer.concat(parts).toString(),
  }
}

async function agree(meter: HubMeter, relay: CountingRelay): Promise<Record<string, Counted>> {
  const until = performance.now() + 3_000
  while (performance.now() < until) {
    if (JSON.stringify(sorted(meter.report())) === JSON.stringify(sorted(relay.counted()))) break
    await setImmediate()
  }
  assert.deepEqual(meter.report(), relay.counted())
  return relay.counted()
}

function sorted(counts: object): object {
  return Object.entries(counts).sort(([a], [b]) => (a < b ? -1 : 1))
}

const pageOf = ({ text }: Answered): Page => JSON.parse(text) as Page

describe('equal to the byte, with a relay in front', () => {
  test('polls, those to which nothing is new among them, on one connection with other requests', async (t) => {
    const { hub, ask, agree, publish } = await world(t)
    await hub.publish(CHANNEL, 'a'.repeat(5_000))
    const first = await ask(PATH)
    const { cursor } = pageOf(first)
    const etag = (await ask(`${PATH}?after=${cursor}`)).headers.etag ?? ''
    for (let n = 0; n < 5; n++) {
      const { status } = await ask(`${PATH}?after=${cursor}`, { 'If-None-Match': etag })
      assert.equal(status, 304)
      await ask('/healthz')
      await ask('/channels/other')
      await publish('/channels/other', `${n}`)
    }
    await publish(PATH, 'b')
    assert.equal((await ask(`${PATH}?after=${cursor}`, { 'If-None-Match': etag })).status, 200)
    const { poll, ...others } = await agree()
    assert.deepEqual(others, {})
    assert.equal(poll?.requests, 8)
    assert.equal(poll.empty, 6)
    assert.deepEqual([poll.connections, poll.mostConnections], [1, 1])
  })

  test('a page that is compressed', async (t) => {
    const { hub, ask, agree } = await world(t)
    for (let n = 0; n < 50; n++) await hub.publish(CHANNEL, `event number ${n} ${'-'.repeat(100)}`)
    const { headers } = await ask(PATH, { 'Accept-Encoding': 'gzip' })
    assert.equal(headers['content-encoding'], 'gzip')
    const { poll } = await agree()
    assert.equal(poll?.empty, 0)
    assert.ok(poll.bytesOut.body < 3_000)
  })

  test('long polls: with an event, with none, and answered with the response kept', async (t) => {
    const { hub, connect, agree } = await world(t)
    const connection = connect()
    connection.send(bytes(`GET ${PATH}?wait=60`))
    while (hub.delivery.waiting !== 1) await setImmediate()
    await hub.publish(CHANNEL, 'x')
    assert.equal((await connection.answer()).status, 200)
    assert.equal((await connection.send(bytes(`GET ${PATH}?wait=1`)).answer()).status, 200)
    // Node's parser has what is behind the first of these: they can't be lent.
    const pipelined = connect()
    pipelined.send(bytes(`GET ${PATH}?wait=60`) + bytes(`GET ${PATH}?last=1`) + bytes('GET /healthz'))
    while (hub.delivery.waiting !== 1) await setImmediate()
    await hub.publish(CHANNEL, 'y')
    for (let n = 0; n < 3; n++) assert.equal((await pipelined.answer()).status, 200)
    const counted = await agree()
    assert.deepEqual([counted['long-poll']?.requests, counted['long-poll']?.empty], [3, 1])
    assert.deepEqual([counted['poll']?.requests, counted['poll']?.empty], [1, 0])
    assert.deepEqual([counted['long-poll']?.mostConnections, counted['poll']?.mostConnections], [2, 1])
  })

  test('streams, while they are open and when they have ended, with and without heartbeats', async (t) => {
    for (const heartbeatMs of [15_000, 20]) {
      const { hub, connect, agree, meter } = await world(t, { hub: { delivery: { heartbeatMs } } })
      const [busy, quiet] = [connect().send(bytes(`GET ${PATH}`, STREAM)), connect()]
      await busy.until((text) => text.includes('downlink:open'))
      for (let n = 0; n < 20; n++) {
        await hub.publish(CHANNEL, `${n}`)
        if (n % 5 === 0) await busy.until((text) => text.includes(`data: ${n}\n`))
      }
      await busy.until((text) => text.includes('data: 19\n'))
      quiet.send(bytes(`GET ${PATH}`, STREAM))
      await quiet.until((text) => text.includes('downlink:open'))
      if (heartbeatMs < 1_000) await quiet.until((text) => text.split('\n:').length > 5)
      else {
        const { sse } = await agree()
        assert.deepEqual([sse?.requests, sse?.empty, sse?.connections], [2, 0, 2])
      }
      hub.disconnect({ channel: CHANNEL })
      await Promise.all([busy.closed, quiet.closed])
      busy.socket.destroy()
      quiet.socket.destroy()
      const { sse } = await agree()
      assert.deepEqual([sse?.requests, sse?.empty, sse?.connections, sse?.mostConnections], [2, 1, 0, 2])
      meter.stop()
    }
  })

  test('a stream whose response is kept', async (t) => {
    const { hub, connect, agree } = await world(t)
    // With a body of nothing it is not lent.
    const connection = connect().send(bytes(`GET ${PATH}?last=3`, { ...STREAM, 'Content-Length': '0' }))
    await connection.until((text) => text.includes('downlink:open'))
    await hub.publish(CHANNEL, 'x')
    await connection.until((text) => text.includes('data: x'))
    const { sse } = await agree()
    assert.ok((sse?.bytesOut.head ?? 0) > 200)
    connection.socket.destroy()
    assert.equal((await agree())['sse']?.empty, 0)
  })

  test('streams that are compressed', async (t) => {
    const { hub, connect, agree } = await world(t, { compress: ['**'] })
    const connections = Array.from({ length: 10 }, () =>
      connect().send(bytes(`GET ${PATH}`, { ...STREAM, 'Accept-Encoding': 'gzip' })),
    )
    while (hub.delivery.readers !== 10) await setImmediate()
    for (let n = 0; n < 10; n++) await hub.publish(CHANNEL, `${n} ${'-'.repeat(2_000)}`)
    const { sse } = await agree()
    assert.ok((sse?.bytesOut.body ?? 0) < 10 * 10_000)
    for (const { socket } of connections) socket.destroy()
    assert.equal((await agree())['sse']?.empty, 0)
  })

  test('streams in chunks, and what comes behind them on the same connection', async (t) => {
    const { hub, agree, connect } = await world(t)
    const connection = connect()
    for (const said of ['x', undefined]) {
      connection.send(bytes(`GET ${PATH}`, { ...STREAM, 'User-Agent': 'node' }))
      await connection.until((text) => text.includes('downlink:open'))
      if (said) {
        await hub.publish(CHANNEL, said)
        await connection.until((text) => text.includes('data: x'))
      }
      hub.disconnect({ channel: CHANNEL })
      await connection.until((text) => text.endsWith('\r\n0\r\n\r\n'))
      connection.text = ''
      // Nothing more needs to be asked on it.
      assert.equal((await agree())['sse']?.empty, said ? 0 : 1)
      assert.equal((await connection.send(bytes('GET /healthz')).answer()).status, 200)
      assert.equal((await connection.send(bytes(`GET ${PATH}`)).answer()).status, 200)
    }
    const { sse, poll } = await agree()
    assert.deepEqual([sse?.requests, sse?.empty, poll?.requests], [2, 1, 2])
  })

  test('WebSockets, both ways', async (t) => {
    const { hub, url, agree } = await world(t)
    const open = async (query = ''): Promise<WebSocket> => {
      const socket = new WebSocket(`${url.replace('http', 'ws')}${PATH}${query}`)
      t.after(() => socket.terminate())
      await once(socket, 'message')
      return socket
    }
    const [busy, quiet] = [await open(), await open()]
    for (const size of [10, 1_000, 70_000]) {
      const came = [once(busy, 'message'), once(quiet, 'message')]
      await hub.publish(CHANNEL, 'x'.repeat(size))
      await Promise.all(came)
    }
    busy.ping('are you there')
    await once(busy, 'pong')
    const { websocket } = await agree()
    assert.deepEqual([websocket?.requests, websocket?.connections, websocket?.empty], [2, 2, 0])
    assert.ok((websocket?.bytesIn.body ?? 0) > 10)
    busy.close()
    hub.disconnect({ channel: CHANNEL })
    await Promise.all([once(busy, 'close'), once(quiet, 'close')])
    const { cursor } = await hub.read(CHANNEL)
    const none = await open(`?after=${cursor}`)
    none.close()
    await once(none, 'close')
    await assert.rejects(open('?after=nonsense'))
    const counted = await agree()
    assert.deepEqual(
      [counted['websocket']?.requests, counted['websocket']?.empty, counted['websocket']?.refused],
      [4, 1, 1],
    )
  })

  test('refusals, also those that look like streams', async (t) => {
    const { hub, connect, agree, ask } = await world(t, { hub: { limits: { readers: 1 } } })
    const only = connect().send(bytes(`GET ${PATH}`, STREAM))
    await only.until((text) => text.includes('downlink:open'))
    const refused = connect().send(bytes(`GET ${PATH}`, STREAM))
    await refused.until((text) => text.includes('overload'))
    assert.equal((await ask(`${PATH}?wait=9`)).status, 503)
    assert.equal((await ask(`${PATH}?wait=soon`)).status, 400)
    assert.equal((await ask(`${PATH}?after=nonsense`)).status, 400)
    assert.equal((await ask(`${PATH}?transport=sse&last=x`)).status, 400)
    refused.socket.destroy()
    const counted = await agree()
    assert.deepEqual(
      Object.entries(counted).map(([name, { requests, refused }]) => [name, requests, refused]),
      [
        ['sse', 3, 2],
        ['long-poll', 2, 2],
        ['poll', 1, 1],
      ],
    )
    await hub.publish(CHANNEL, '')
  })

  test('a channel that has ended, and HEAD', async (t) => {
    const { hub, agree, connect } = await world(t)
    await hub.publish(CHANNEL, 'last', { end: true })
    const { cursor } = await hub.read(CHANNEL)
    const connection = connect()
    const { status } = await connection.send(bytes(`GET ${PATH}?after=${cursor}`, STREAM)).answer()
    assert.equal(status, 204)
    await connection.send(bytes(`HEAD ${PATH}?last=1`)).answer({ head: true })
    const { sse, poll } = await agree()
    assert.deepEqual([sse?.empty, poll?.bytesOut.body], [1, 0])
  })

  test('connections that are cut in the middle', async (t) => {
    const { hub, connect, agree, relay } = await world(t)
    for (let n = 0; n < 3; n++) {
      const connections = [
        connect().send(bytes(`GET ${PATH}`, STREAM)),
        connect().send(bytes(`GET ${PATH}?wait=60`)),
        connect().send(bytes(`GET ${PATH}?last=1`)),
      ]
      await (connections[2] as RawConnection).answer()
      while (hub.delivery.readers + hub.delivery.waiting !== 2) await setImmediate()
      await (connections[0] as RawConnection).until((text) => text.includes('downlink:open'))
      if (n === 1) {
        await hub.publish(CHANNEL, 'x')
        await (connections[0] as RawConnection).until((text) => text.includes('data: x'))
        await (connections[1] as RawConnection).answer()
      }
      await agree()
      relay.cut()
      while (hub.delivery.readers + hub.delivery.waiting !== 0) await setImmediate()
    }
    const counted = await agree()
    assert.deepEqual(
      ['sse', 'long-poll', 'poll'].map((name) => [counted[name]?.requests, counted[name]?.empty]),
      // No answer at all is not one without an event.
      [
        [3, 2],
        [3, 0],
        [3, 2],
      ],
    )
    assert.ok(Object.values(counted).every(({ connections }) => connections === 0))
  })

  test('many clients of all kinds at once, some of which are cut', async (t) => {
    const random = randomOf(seedOf(t))
    const { hub, connect, agree, url } = await world(t, { hub: { delivery: { heartbeatMs: 100 } } })
    const stop = new AbortController()
    const poller = async (query: string): Promise<void> => {
      const agent = new Agent({ keepAlive: true, maxSockets: 1 })
      let cursor = 'now'
      while (!stop.signal.aborted) {
        const answer = await answered(get(`${url}${PATH}?after=${cursor}${query}`, { agent }))
        ;({ cursor } = pageOf(answer))
        if (query === '') for (let n = 0; n < 20; n++) await setImmediate()
      }
      agent.destroy()
    }
    const streams = Array.from({ length: 10 }, () => connect().send(bytes(`GET ${PATH}`, STREAM)))
    const polling = Array.from({ length: 20 }, (_, n) => poller(n < 10 ? '' : '&wait=30'))
    while (hub.delivery.readers !== 10) await setImmediate()
    for (let n = 0; n < 100; n++) {
      await hub.publish(CHANNEL, `${n} ${'x'.repeat(Math.floor(random() * 500))}`)
      const leaving = n % 10 === 0 ? streams[n / 10] : undefined
      // What a cut loses on its way has been sent, but not come.
      await leaving?.until((text) => text.includes(`data: ${n} `))
      leaving?.socket.destroy()
    }
    stop.abort()
    await hub.publish(CHANNEL, 'the last')
    await Promise.all(polling)
    const counted = await agree()
    assert.deepEqual(Object.keys(counted).sort(), ['long-poll', 'poll', 'sse'])
    assert.equal(counted['long-poll']?.mostConnections, 10)
  })
})

describe('what is counted', () => {
  test('reads of the channel alone, however its name is written, and only while a run is on', async (t) => {
    const { ask, meter } = await world(t)
    const requests = (): number | undefined => meter.report().poll?.requests
    await ask('/channels/lab.10')
    await ask('/channels/lab.*')
    assert.equal(requests(), undefined)
    await ask('/channels/lab%2E1')
    await ask('/channels/other,lab.1')
    assert.equal(requests(), 2)
    meter.stop()
    await ask(PATH)
    assert.equal(requests(), 2)
    meter.start(CHANNEL)
    assert.deepEqual(meter.report(), {})
    meter.stop()
    meter.stop()
    assert.deepEqual(meter.report(), {})
  })

  test('after a run no listener of the meter is left at any socket', async (t) => {
    const { connect, meter, hub } = await world(t)
    const connection = connect().send(bytes(`GET ${PATH}`, STREAM))
    await connection.until((text) => text.includes('downlink:open'))
    meter.stop()
    const { bytesOut } = meter.report().sse ?? assert.fail()
    await hub.publish(CHANNEL, 'x')
    await connection.until((text) => text.includes('data: x'))
    assert.deepEqual(meter.report().sse?.bytesOut, bytesOut)
    connection.socket.destroy()
    while (hub.delivery.readers > 0) await setImmediate()
    assert.equal(meter.report().sse?.connections, 1)
  })

  test('what is within TLS: the same as without', async (t) => {
    const plain = await world(t)
    const secure = await world(t, { tls: selfSigned() })
    const counts = []
    for (const { hub, direct, meter } of [plain, secure]) {
      await hub.publish(CHANNEL, 'x')
      const connection = new RawConnection(direct)
      await connection.send(bytes(`GET ${PATH}?last=1`)).answer()
      await connection.send(bytes(`GET ${PATH}?wait=1&last=1`)).answer()
      connection.send(bytes(`GET ${PATH}`, STREAM))
      await connection.until((text) => text.includes('downlink:open'))
      await hub.publish(CHANNEL, 'y')
      await connection.until((text) => text.includes('data: y'))
      connection.socket.destroy()
      while (hub.delivery.readers > 0) await setImmediate()
      const report = meter.report()
      assert.equal(report.sse?.requests, 1)
      // The reconnection time is at random.
      counts.push([report.poll, report['long-poll'], report.sse.bytesOut.head])
    }
    assert.deepEqual(counts[1], counts[0])
  })

  test('of HTTP/2 the bodies, and on how many requests heads are missing', async (t) => {
    const { hub, meter, direct } = await world(t, { h2c: true })
    await hub.publish(CHANNEL, 'x')
    const session = connectH2(direct)
    t.after(() => session.destroy())
    const read = (path: string, headers = {}) => {
      const stream = session.request({ ':path': path, ...headers })
      stream.setEncoding('utf8')
      return { stream, text: '' }
    }
    const poll = read(PATH)
    for await (const part of poll.stream) poll.text += part
    const sse = read(PATH, { accept: 'text/event-stream' })
    for await (const part of sse.stream) {
      sse.text += part
      if (sse.text.includes('data: y')) hub.disconnect({ channel: CHANNEL })
      else if (!sse.text.includes('data')) continue
      else await hub.publish(CHANNEL, 'y')
    }
    const none = { head: 0, body: 0 }
    const same = { requests: 1, refused: 0, empty: 0, overHttp2: 1, connections: 1, mostConnections: 1 }
    assert.deepEqual(meter.report(), {
      poll: { ...same, bytesIn: none, bytesOut: { head: 0, body: poll.text.length } },
      sse: { ...same, bytesIn: none, bytesOut: { head: 0, body: sse.text.length } },
    })
    session.close()
    await once(session, 'close')
    while (meter.report().poll?.connections !== 0) await setImmediate()
  })
})
