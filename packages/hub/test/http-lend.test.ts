/** What the hub's own server lends, and when it keeps the response instead. `e2e/lending.test.ts` asks other versions of Node. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server } from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { describe, test, type TestContext } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { Handler } from '../src/http/handler.ts'
import { Lender, lenderOf } from '../src/http/lend.ts'
import { handlerOn } from '../src/http/node.ts'
import { type HubServerOptions, serveHub } from '../src/http/server.ts'
import { createHub, type Hub } from '../src/hub.ts'
import { tokenRules } from './wire-contract/rules.ts'
import { bytes, RawConnection } from './wire-contract/raw.ts'

const STREAM = bytes('GET /channels/x', { Accept: 'text/event-stream' })
const POLL = bytes('GET /channels/x?wait=60')

interface Lending {
  readonly hub: Hub
  readonly server: Server
  readonly lender: Lender
  readonly connect: () => RawConnection
  readonly stop: () => Promise<void>
}

async function lending(t: TestContext, options: HubServerOptions = {}): Promise<Lending> {
  const hub = createHub({ onError: () => {}, limits: { event: Infinity } })
  const own = await serveHub(hub, { host: '127.0.0.1', ...options })
  return around(t, hub, own.server, own.url, () => own.stop())
}

function around(t: TestContext, hub: Hub, server: Server, url: string, stop: () => Promise<void>): Lending {
  const lender = lenderOf(server)
  assert.ok(lender)
  const connections: RawConnection[] = []
  t.after(async () => {
    for (const { socket } of connections) socket.resetAndDestroy()
    await stop()
    await hub.close()
  })
  const connect = (): RawConnection => {
    const connection = new RawConnection(url)
    connections.push(connection)
    return connection
  }
  return { hub, server, lender, connect, stop }
}

/** A server with other settings than the hub's own. */
async function lendingOn(t: TestContext, server: Server): Promise<Lending> {
  const hub = createHub({ onError: () => {} })
  const handler = new Handler(hub, {})
  const keep = handlerOn(handler, {})
  const back = (socket: Socket): void => void server.emit('connection', socket)
  const lender = new Lender(server, handler, {}, keep, back, (_, socket) => socket.destroy())
  server.on('request', (req, res) => {
    if (!lender.offer(req, res)) void keep(req, res)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const stop = async (): Promise<void> => {
    const closed = new Promise((resolve) => server.close(resolve))
    hub.drain()
    lender.closeIdle()
    await closed
  }
  return around(t, hub, server, `http://127.0.0.1:${(server.address() as AddressInfo).port}`, stop)
}

const opened = (connection: RawConnection): Promise<void> =>
  connection.until((text) => text.includes('downlink:open'))

async function untilWaiting(hub: Hub, count = 1): Promise<void> {
  while (hub.delivery.waiting !== count) await setImmediate()
}

async function untilGone(hub: Hub): Promise<void> {
  while (hub.delivery.readers + hub.delivery.waiting > 0) await setImmediate()
}

describe('what is lent', () => {
  test('1,000 plain streams are, every one', async (t) => {
    const { lender, connect } = await lending(t)
    for (let n = 0; n < 1000; n++) {
      const connection = connect().send(STREAM)
      await opened(connection)
      connection.socket.destroy()
    }
    assert.deepEqual([lender.lent, [...lender.kept]], [1000, []])
  })

  test('a stream that is not read is full as soon as bytes wait for the kernel: what is kept for it is one write', async (t) => {
    const { hub, server } = await lending(t)
    const sockets: Socket[] = []
    server.on('connection', (socket) => sockets.push(socket))
    const reader = connect({ port: (server.address() as AddressInfo).port, host: '127.0.0.1' })
    t.after(() => reader.destroy())
    reader.write(STREAM)
    await once(reader, 'readable')
    let published = 0
    const publish = (): Promise<unknown> => hub.publish('x', `${published++} `.padEnd(10_000, 'x'))
    while (hub.delivery.slow === 0) {
      await publish()
      await setImmediate()
    }
    const waiting = sockets[0]?.writableLength ?? Infinity
    assert.ok(waiting > 0 && waiting < 11_000, `${waiting} bytes wait`)
    for (let more = 0; more < 20; more++) await publish()
    let text = ''
    reader.setEncoding('latin1').on('data', (chunk: string) => (text += chunk))
    while (!text.includes(`data: ${published - 1} `)) await once(reader, 'data')
    const had = [...text.matchAll(/^data: (\d+) x/gm)].map(([, number]) => Number(number))
    assert.deepEqual(had, [...Array(published).keys()])
    assert.equal(hub.delivery.slow, 0)
  })

  test('each of 200 long polls on one connection is, and no listener stays behind', async (t) => {
    const { hub, server, lender, connect } = await lending(t)
    const sockets: Socket[] = []
    server.on('connection', (socket) => sockets.push(socket))
    const connection = connect()
    const listeners = new Set<string>()
    for (let n = 0; n < 200; n++) {
      connection.send(POLL)
      await untilWaiting(hub)
      listeners.add(listenersOf(sockets[0] as Socket))
      await hub.publish('x', `${n}`)
      const { status, headers, body } = await connection.answer()
      assert.deepEqual(
        [status, headers['connection'], headers['keep-alive']],
        [200, 'keep-alive', 'timeout=75'],
      )
      assert.ok(body.includes(`"data":"${n}"`))
    }
    assert.deepEqual([lender.lent, [...lender.kept]], [200, []])
    assert.equal(new Set(sockets).size, 1)
    assert.equal(listeners.size, 1, [...listeners].join('\n'))
  })

  test('however the bytes of the request come', async (t) => {
    const { lender, connect } = await lending(t)
    for (let cut = 1; cut < STREAM.length; cut++) {
      const connection = connect().send(STREAM.slice(0, cut))
      await setImmediate()
      await opened(connection.send(STREAM.slice(cut)))
      connection.socket.destroy()
    }
    assert.equal(lender.lent + (lender.kept.get('behind') ?? 0), STREAM.length - 1)
    // A part that begins with CR or LF may hold more than this request: between the lines of its head there are some.
    assert.ok(lender.lent >= STREAM.length - 10, `${lender.lent}`)
  })

  test('polls, publishes and what looks are not', async (t) => {
    const { lender, connect } = await lending(t)
    const connection = connect()
    for (const request of [
      bytes('GET /channels/x'),
      bytes('GET /channels/x?wait=0'),
      bytes('HEAD /channels/x?wait=9'),
      bytes('POST /channels/x', {}, 'x'),
      bytes('GET /healthz'),
    ])
      assert.equal((await connection.send(request).answer({ head: request.startsWith('HEAD') })).status, 200)
    assert.deepEqual([lender.lent, [...lender.kept]], [0, []])
  })

  test('nothing keeps the request and the response of a stream or of a long poll', async (t) => {
    const { hub, server, connect } = await lending(t)
    setFlagsFromString('--expose-gc')
    const gc = runInNewContext('gc') as () => void
    const kept: WeakRef<object>[] = []
    server.prependListener('request', (req, res) => kept.push(new WeakRef(req), new WeakRef(res)))
    await opened(connect().send(STREAM))
    connect().send(POLL)
    await untilWaiting(hub)
    for (let turn = 0; turn < 5; turn++) await setImmediate()
    gc()
    assert.deepEqual(
      kept.map((ref) => ref.deref()),
      [undefined, undefined, undefined, undefined],
    )
  })
})

/** Event names with the number of their listeners. */
function listenersOf(socket: Socket): string {
  return socket
    .eventNames()
    .map((name) => `${String(name)} ${socket.listenerCount(name)}`)
    .sort()
    .join(', ')
}

describe('what is answered with its response kept', () => {
  for (const [what, request] of [
    ['an empty body', bytes('GET /channels/x', { Accept: 'text/event-stream' }, '')],
    ['a body', bytes('GET /channels/x', { Accept: 'text/event-stream' }, 'body')],
    [
      'a chunked body',
      `${bytes('GET /channels/x', { Accept: 'text/event-stream', 'Transfer-Encoding': 'chunked' })}1\r\nx\r\n0\r\n\r\n`,
    ],
    ['Expect', bytes('GET /channels/x', { Accept: 'text/event-stream', Expect: '100-continue' })],
    [
      'Upgrade',
      bytes('GET /channels/x', { Accept: 'text/event-stream', Connection: 'Upgrade', Upgrade: 'h2c' }),
    ],
  ] as const) {
    test(`a stream whose request has ${what}`, async (t) => {
      const { lender, connect } = await lending(t)
      await opened(connect().send(request))
      assert.deepEqual([lender.lent, [...lender.kept]], [0, [['head', 1]]])
    })
  }

  test('a stream behind a publish in one packet', async (t) => {
    const { lender, connect } = await lending(t)
    await opened(connect().send(bytes('POST /channels/x', {}, 'x') + STREAM))
    assert.deepEqual([lender.lent, [...lender.kept]], [0, [['turn', 1]]])
  })

  test('a stream or a long poll with more behind it, be it one byte', async (t) => {
    const { hub, lender, connect } = await lending(t)
    const publish = bytes('POST /channels/x', {}, 'x')
    for (const request of [STREAM, POLL]) {
      lender.kept.clear()
      for (const length of [1, 20, publish.length]) {
        const connection = connect().send(request + publish.slice(0, length))
        if (request === STREAM) await opened(connection)
        else await untilWaiting(hub)
        connection.socket.resetAndDestroy()
        await untilGone(hub)
      }
      assert.deepEqual([lender.lent, [...lender.kept]], [0, [['behind', 3]]])
    }
  })

  test('all, when somebody else listens for upgrades', async (t) => {
    const { lender, server, connect } = await lending(t)
    server.on('upgrade', () => assert.fail('it was offered to others'))
    await opened(connect().send(STREAM))
    assert.deepEqual([lender.lent, [...lender.kept]], [0, [['server', 1]]])
  })

  test('all, on a Node that asks nobody whether to upgrade: an Upgrade is still ignored', async (t) => {
    const server = createServer()
    Object.assign(server, { shouldUpgradeCallback: undefined })
    // As that Node would see to it.
    const old = await lendingOn(t, server)
    Object.assign(server, { shouldUpgradeCallback: () => server.listenerCount('upgrade') > 0 })
    await opened(old.connect().send(STREAM))
    const headers = { Connection: 'Upgrade', Upgrade: 'websocket' }
    assert.equal((await old.connect().send(bytes('GET /channels/x', headers)).answer()).status, 200)
    assert.deepEqual([old.lender.lent, [...old.lender.kept]], [0, [['server', 1]]])
  })

  test('all, on a Node that can’t be talked into it', async (t) => {
    const { lender, server, connect } = await lending(t)
    server.prependListener('request', (req: IncomingMessage) => {
      Object.defineProperty(req, 'upgrade', { get: () => false, set: () => {} })
    })
    await opened(connect().send(STREAM))
    assert.deepEqual([lender.lent, [...lender.kept]], [0, [['refused', 1]]])
  })

  test('all, on a Node whose parser does not show what it is at', async (t) => {
    const { lender, server, connect } = await lending(t)
    const shown: object[] = []
    server.prependListener('request', ({ socket }: IncomingMessage) => {
      const { parser } = socket as Socket & { parser: object }
      shown.push(Object.assign(parser, { getCurrentBuffer: undefined }))
    })
    await opened(connect().send(STREAM))
    // Parsers are used again, by all servers.
    for (const parser of shown) Reflect.deleteProperty(parser, 'getCurrentBuffer')
    assert.deepEqual([lender.lent, [...lender.kept]], [0, [['behind', 1]]])
  })
})

describe('an answer on a lent socket', () => {
  test('is to the byte what it is with the response kept, but for the date and the name of the request', async (t) => {
    const rules = { authorize: tokenRules([]), origins: ['https://app.example'] }
    const lent = await lending(t, rules)
    const kept = await lending(t, rules)
    kept.server.on('upgrade', () => {})
    // Without an event: the listing tells when it came.
    await Promise.all([lent, kept].map(({ hub }) => hub.publish('over', [], { end: true })))
    const allowed = { Authorization: 'Bearer ;read;', Accept: 'text/event-stream' }
    for (const [line, headers] of [
      ['GET /channels/x', { Accept: 'text/event-stream' }],
      ['GET /channels/x', { ...allowed, Authorization: 'Bearer ;publish;' }],
      ['GET /channels/a..b', allowed],
      ['GET /channels/over?after=now', { ...allowed, Origin: 'https://app.example' }],
      ['GET /channels/x?transport=wasp', allowed],
      ['GET /channels/x?after=now&wait=1&limit=0', allowed],
      ['GET /nothing', allowed],
      ['GET /healthz', allowed],
      ['GET /channels', allowed],
      ['GET /channels/x', { ...allowed, Authorization: 'Bearer throw' }],
      ['GET /channels/over?transport=long-poll&after=now', { ...allowed, Prefer: 'wait=9' }],
      ['GET /channels/x', { ...allowed, Origin: 'https://app.example' }],
      ['GET /channels/x', { ...allowed, 'User-Agent': 'node' }],
    ] as const)
      for (const version of ['1.1', '1.0', '1.0 kept', '1.1 closed']) {
        const request = asVersion(bytes(line, headers), version)
        const [a, b] = await Promise.all([answerOf(lent, request), answerOf(kept, request)])
        assert.deepEqual(a, b, request)
      }
    assert.deepEqual([kept.lender.lent, [...lent.lender.kept]], [0, []])
  })

  test('has the status 503 when the hub is full, and the socket is good for more', async (t) => {
    const { hub, lender, connect } = await lending(t)
    Object.assign(hub.limits, { readers: 0 })
    const connection = connect()
    for (let n = 0; n < 2; n++) assert.equal((await connection.send(POLL).answer()).status, 503)
    assert.equal((await connection.send(bytes('GET /channels/x')).answer()).status, 200)
    assert.equal(lender.lent, 2)
  })
})

function asVersion(request: string, version: string): string {
  if (version === '1.1 closed') return request.replace('\r\n\r\n', '\r\nConnection: close\r\n\r\n')
  if (version === '1.1') return request
  const old = request.replace('HTTP/1.1', 'HTTP/1.0')
  return version === '1.0' ? old : old.replace('\r\n\r\n', '\r\nConnection: keep-alive\r\n\r\n')
}

/** The head without its date, as lines in order of names, and the body without what differs for everybody. */
async function answerOf({ connect }: Lending, request: string): Promise<unknown> {
  const connection = connect().send(request)
  await connection.until((text) => text.includes('\r\n\r\n'))
  const { status, version, headers } = await connection.answer({ head: true })
  const { date, 'x-request-id': id, ...others } = headers
  assert.match(String(date), /GMT$/)
  if (id !== undefined) assert.match(id, /^\w{8}\.\w+$/)
  const length = Number(headers['content-length'] ?? 0)
  await connection.until((text) => text.length >= length)
  const stream = headers['content-type'] === 'text/event-stream' && !('content-length' in headers)
  if (stream) await opened(connection)
  else if (headers['connection'] === 'close') await connection.closed
  connection.socket.destroy()
  const body = connection.text
    .replaceAll(/retry"?: ?\d+/g, 'retry')
    .replaceAll(`urn:downlink:request:${id}`, 'instance')
    .replaceAll(/\b[\w]{8}-\d+/g, 'cursor')
    .replaceAll(/"time":"[^"]*"/g, 'time')
  return { status, version, others, body }
}

describe('a socket that was lent', () => {
  test('takes the next requests in order, however they came while the long poll waited', async (t) => {
    const { hub, lender, connect } = await lending(t)
    const behind =
      bytes('POST /channels/y', {}, 'two') + bytes('GET /channels/y?last=1') + bytes('GET /healthz')
    for (let cut = 1; cut < behind.length; cut += 7) {
      const connection = connect().send(POLL)
      await untilWaiting(hub)
      connection.send(behind.slice(0, cut))
      await setImmediate()
      assert.equal(connection.text, '')
      await hub.publish('x', 'one')
      assert.match((await connection.answer()).body, /"data":"one"/)
      connection.send(behind.slice(cut))
      assert.equal((await connection.answer()).status, 200)
      assert.match((await connection.answer()).body, /"data":"two"/)
      assert.equal((await connection.answer()).status, 200)
      connection.socket.destroy()
    }
    assert.deepEqual([...lender.kept], [])
  })

  test('P18.1.3 answers what came while the long poll waited, also when its peer has closed its side by then', async (t) => {
    const { hub, connect } = await lending(t)
    const connection = connect().send(POLL)
    await untilWaiting(hub)
    connection.send(bytes('GET /healthz').repeat(2)).half()
    await setImmediate()
    await hub.publish('x', 'one')
    for (let n = 0; n < 3; n++) assert.equal((await connection.answer()).status, 200)
    await connection.closed
  })

  test('P18.1.1 is not told that its next request takes too long before it has begun', async (t) => {
    const { hub, connect } = await lending(t, { headTimeoutMs: 40 })
    const connection = connect().send(POLL)
    await untilWaiting(hub)
    await hub.publish('x', 'one')
    await connection.answer()
    await new Promise((resolve) => setTimeout(resolve, 200))
    assert.equal((await connection.send(bytes('GET /healthz')).answer()).status, 200)
  })

  test('P19.1.1 has its time for a head, once it has begun one', async (t) => {
    const { hub, connect } = await lending(t, { headTimeoutMs: 40 })
    const connection = connect().send(POLL)
    await untilWaiting(hub)
    await hub.publish('x', 'one')
    await connection.answer()
    assert.equal((await connection.send('GET /channels/x HTTP/1.1\r\n').answer()).status, 408)
    await connection.closed
  })

  test('P18.1.1 P19.1.1 is closed without a word when it has been idle for long enough', async (t) => {
    const server = createServer({
      shouldUpgradeCallback: () => false,
      keepAliveTimeout: 20,
      keepAliveTimeoutBuffer: 20,
    })
    const { hub, connect, lender } = await lendingOn(t, server)
    const connection = connect().send(POLL)
    await untilWaiting(hub)
    await hub.publish('x', 'one')
    await connection.answer()
    await connection.closed
    assert.deepEqual([connection.text, lender.lent], ['', 1])
  })

  test('is not closed for being idle while it waits again, or has a body on its way', async (t) => {
    const server = createServer({
      shouldUpgradeCallback: () => false,
      keepAliveTimeout: 20,
      keepAliveTimeoutBuffer: 20,
    })
    const { hub, connect, lender } = await lendingOn(t, server)
    const connection = connect()
    for (let n = 0; n < 2; n++) {
      connection.send(POLL)
      await untilWaiting(hub)
      if (n > 0) await new Promise((resolve) => setTimeout(resolve, 200))
      await hub.publish('x', 'one')
      assert.equal((await connection.answer()).status, 200)
    }
    connection.send(bytes('POST /channels/x', { 'Content-Length': '2' })).send('a')
    await new Promise((resolve) => setTimeout(resolve, 200))
    assert.equal((await connection.send('b').answer()).status, 200)
    assert.equal(lender.lent, 2)
  })

  test('P18.1.2 lets nobody have answers pile up that are not taken', async (t) => {
    const { hub, lender, connect } = await lending(t)
    await hub.publish('big', 'x'.repeat(8_000_000))
    const connection = connect()
    connection.socket.pause()
    const poll = bytes('GET /channels/big?after=start&wait=9')
    connection.send(poll)
    await once(connection.socket, 'readable')
    for (let n = 0; n < 20; n++) {
      connection.send(poll)
      await setImmediate()
    }
    assert.equal(lender.lent, 1)
    connection.socket.removeAllListeners('readable').destroy()
  })
})

describe('a lent stream', () => {
  test('P18.1.2 does nothing with what comes behind it, up to a limit; then it is cut', async (t) => {
    const { hub, connect } = await lending(t)
    const connection = connect().send(STREAM)
    await opened(connection)
    connection.send(`\r\n${bytes('POST /channels/x', {}, 'behind')}`)
    await hub.publish('x', 'one')
    await connection.until((text) => text.includes('data: one\n\n'))
    assert.equal(connection.text.match(/HTTP\/1\.1/g)?.length, 1)
    connection.send('X'.repeat(64 * 1024))
    await connection.closed
    await untilGone(hub)
    assert.equal((await hub.read('x')).events.length, 1)
  })

  test('P18.1.3 is ended when its peer closes its side, also behind bytes', async (t) => {
    const { hub, connect } = await lending(t)
    const connection = connect().send(STREAM)
    await opened(connection)
    connection.send(bytes('GET /healthz')).half()
    await connection.closed
    await untilGone(hub)
  })

  test('for the fetch of Node that has ended leaves its socket good for more', async (t) => {
    const { hub, lender, connect } = await lending(t)
    const connection = connect()
    for (const channel of ['a', 'b']) {
      const head = { Accept: 'text/event-stream', 'User-Agent': 'node' }
      await opened(connection.send(bytes(`GET /channels/${channel}`, head)))
      await hub.publish(channel, 'x', { end: true })
      await connection.until((text) => text.endsWith('\r\n0\r\n\r\n'))
      connection.text = ''
    }
    assert.equal((await connection.send(bytes('GET /healthz')).answer()).status, 200)
    assert.equal(lender.lent, 2)
  })

  test('counts as a connection of its server', async (t) => {
    const { server, connect } = await lending(t)
    await opened(connect().send(STREAM))
    const count = await new Promise((resolve) => server.getConnections((_, count) => resolve(count)))
    assert.equal(count, 1)
  })
})

describe('a stop', () => {
  test('P5.1.6 closes lent sockets that are idle, ends streams and answers long polls with Connection: close', async (t) => {
    const { hub, connect, lender, stop } = await lending(t, { graceMs: 60_000 })
    const [idle, waiting, stream] = [connect().send(POLL), connect(), connect().send(STREAM)]
    await opened(stream)
    await untilWaiting(hub)
    await hub.publish('x', 'one')
    await idle.answer()
    waiting.send(POLL)
    await untilWaiting(hub)
    const stopped = stop()
    assert.equal((await waiting.answer()).headers['connection'], 'close')
    await Promise.all([stopped, idle.closed, waiting.closed, stream.closed])
    assert.equal(lender.lent, 3)
  })

  test('cuts a lent socket that takes nothing when the grace is over', async (t) => {
    const { hub, connect, lender, stop } = await lending(t, { graceMs: 50 })
    await hub.publish('big', 'x'.repeat(8_000_000))
    const connection = connect()
    connection.socket.pause()
    connection.send(bytes('GET /channels/big?after=start&wait=9'))
    await once(connection.socket, 'readable')
    await stop()
    assert.equal(lender.lent, 1)
  })
})
