/** WebSocket on the hub's own server, byte by byte: what a client may send, what else a connection carries, who takes nothing. */
import assert from 'node:assert/strict'
import { EventEmitter, once } from 'node:events'
import { createServer, type IncomingMessage } from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { describe, test, type TestContext } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import type { Page } from '@downlink/wire'
import type { WebSocket } from 'ws'
import type { RequestRecord } from '../src/http/observe.ts'
import { nodeHandler } from '../src/http/node.ts'
import { serveHub } from '../src/http/server.ts'
import { Connection } from '../src/http/websocket/connection.ts'
import { textFrame } from '../src/http/websocket/frames.ts'
import { createHub, type Hub } from '../src/hub.ts'
import { MemoryLog } from '../src/log/memory.ts'
import { FrameReader, type ServerFrame } from './simulation/messages.ts'
import { ask, askPage, post, problemOf } from './wire-contract/client.ts'
import { fresh, shared, untilCounts } from './wire-contract/face.ts'
import { ownServer, secureServer } from './wire-contract/faces.ts'
import { openSocket, refusedSocket } from './wire-contract/page-socket.ts'
import { bytes, RawConnection } from './wire-contract/raw.ts'
import { selfSigned } from '../../../e2e/helpers/self-signed.ts'

const KEY = 'dGhlIHNhbXBsZSBub25jZQ=='
const HANDSHAKE = {
  Connection: 'keep-alive, Upgrade',
  Upgrade: 'WebSocket',
  'Sec-WebSocket-Version': '13',
  'Sec-WebSocket-Key': KEY,
}
const shake = (channel: string, more = {}): string =>
  bytes(`GET /channels/${channel}`, { ...HANDSHAKE, ...more })

/** A frame of a client, masked with zeros. */
function masked(first: number, payload: string | Buffer = ''): string {
  const body = Buffer.from(payload)
  const head =
    body.length < 126 ? [first, 0x80 | body.length] : [first, 0x80 | 126, body.length >> 8, body.length & 255]
  return Buffer.concat([Buffer.from([...head, 0, 0, 0, 0]), body]).toString('latin1')
}

/** The frames that have come since the head, taken out of the connection. */
async function framesOf(
  connection: RawConnection,
  enough: (frames: readonly ServerFrame[]) => boolean,
): Promise<ServerFrame[]> {
  const frames: ServerFrame[] = []
  const reader = new FrameReader((frame) => frames.push(frame))
  await connection.until((text) => {
    reader.feed(Buffer.from(text, 'latin1'))
    connection.text = ''
    return enough(frames)
  })
  return frames
}

const codeOf = ({ payload }: ServerFrame): number => payload.readUInt16BE(0)

async function shaken(url: string, channel: string, behind = ''): Promise<RawConnection> {
  const connection = new RawConnection(url)
  const { status } = await connection.send(shake(channel) + behind).answer({ head: true })
  assert.equal(status, 101)
  return connection
}

for (const face of [ownServer, secureServer]) {
  describe(face.name, () => {
    const hub = shared(face)

    test('P21.1.4 the answer is that of RFC 6455, without extensions and protocols', async () => {
      using connection = new RawConnection(hub.url)
      const offers = {
        'Sec-WebSocket-Extensions': 'permessage-deflate; client_max_window_bits',
        'Sec-WebSocket-Protocol': 'chat, superchat',
      }
      const { status, headers } = await connection.send(shake('a', offers)).answer({ head: true })
      assert.equal(status, 101)
      // The example of RFC 6455 1.3.
      assert.deepEqual(headers, {
        upgrade: 'websocket',
        connection: 'Upgrade',
        'sec-websocket-accept': 's3pPLMBiTxaQ9kYGzzhZRbK+xOo=',
      })
      const [first] = await framesOf(connection, (frames) => frames.length === 1)
      assert.equal(first?.opcode, 1)
    })

    test('P21.3.1 every kind of data is too much, and so is a frame that is large, not masked, or none', async () => {
      const wrong: readonly (readonly [string, number])[] = [
        [masked(0x81, 'text'), 1008],
        [masked(0x82, Buffer.from([1, 2])), 1008],
        [masked(0x81, ''), 1008],
        [masked(0x01, 'a') + masked(0x80, 'b'), 1008],
        [masked(0x81, 'x'.repeat(2_000)), 1009],
        ['\x81\x01x', 1002],
        [masked(0xf1, 'x'), 1002],
        [masked(0x83, 'x'), 1002],
        [masked(0x80, 'x'), 1002],
        [masked(0x81, Buffer.from([0xff])), 1007],
        [masked(0x89, 'p'.repeat(126)), 1002],
        [masked(0x01, '') + masked(0x00, '').repeat(20), 1008],
      ]
      for (const [sent, code] of wrong) {
        using connection = await shaken(hub.url, 'a')
        connection.send(sent)
        const frames = await framesOf(connection, (all) => all.some(({ opcode }) => opcode === 8))
        assert.equal(codeOf(frames.at(-1)!), code, JSON.stringify(sent.slice(0, 20)))
      }
      await untilCounts(hub, { readers: 0, waiting: 0 })
    })

    test('P21.3.2 frames behind the handshake count; nothing comes behind a close', async () => {
      const channel = fresh()
      using connection = await shaken(hub.url, channel, masked(0x89, 'early') + masked(0x88, '\x03\xe8'))
      const frames = await framesOf(connection, (all) => all.some(({ opcode }) => opcode === 8))
      assert.deepEqual(
        frames.map(({ opcode }) => opcode).sort((a, b) => a - b),
        [1, 8, 10],
      )
      assert.equal(frames.find(({ opcode }) => opcode === 10)?.payload.toString(), 'early')
      await post(`${hub.url}/channels/${channel}`, 'late')
      await connection.closed
      assert.equal(connection.text, '')
    })

    test('P21.3.3 who pings and takes no answer is cut, and holds no memory', async () => {
      const connection = await shaken(hub.url, 'a')
      connection.socket.pause()
      const flood = masked(0x89, 'p'.repeat(125)).repeat(1_000)
      const cut = new Promise((resolve) => connection.socket.once('close', resolve))
      for (let n = 0; n < 400 && !connection.socket.destroyed; n++) {
        if (!connection.socket.write(flood, 'latin1'))
          await Promise.race([once(connection.socket, 'drain').catch(() => {}), cut])
      }
      await cut
      await untilCounts(hub, { readers: 0, waiting: 0 })
    })

    test('P21.3.3 who pings without end is closed, though it takes the answers', async () => {
      using connection = await shaken(hub.url, 'a')
      await framesOf(connection, (frames) => frames.length === 1)
      let pongs = 0
      const close = await new Promise<ServerFrame>((resolve, reject) => {
        const reader = new FrameReader((frame) => {
          if (frame.opcode === 8) resolve(frame)
          if (frame.opcode !== 10) return
          pongs++
          connection.send(masked(0x89, 'p'))
        })
        connection.socket.on('data', (chunk: Buffer) => reader.feed(chunk))
        void connection.closed.then(() => reject(new Error('cut without a close')))
        connection.send(masked(0x89, 'p'))
      })
      assert.equal(codeOf(close), 1008)
      assert.ok(pongs >= 100 && pongs <= 200, `${pongs} were answered`)
    })

    test('P21.1.1 a connection on which other requests were answered may become one', async () => {
      using connection = new RawConnection(hub.url)
      await connection.send(bytes('GET /channels/a')).answer()
      await connection
        .send(bytes('GET /channels/a?wait=1&transport=long-poll', { 'Content-Length': '0' }))
        .answer()
      const { status } = await connection.send(shake('a')).answer({ head: true })
      assert.equal(status, 101)
    })

    test('P21.1.5 a handshake behind a request that is not answered, or with a body, is refused', async () => {
      using connection = new RawConnection(hub.url)
      connection.send(bytes('GET /channels/a?wait=1') + shake('a'))
      assert.equal((await connection.answer()).status, 200)
      const { status, body } = await connection.answer()
      assert.deepEqual([status, (JSON.parse(body) as { code: string }).code], [501, 'no-websocket'])
      for (const more of [{ 'Content-Length': '1' }, { 'Transfer-Encoding': 'chunked' }]) {
        using other = new RawConnection(hub.url)
        other.send(shake('a', more) + ('Content-Length' in more ? 'x' : '0\r\n\r\n'))
        assert.equal((await other.answer()).status, 501)
      }
    })

    test('P21.1.6 a refusal closes the connection, and what is behind it is never done', async () => {
      using connection = new RawConnection(hub.url)
      const channel = fresh()
      connection.send(shake('a..b') + bytes(`POST /channels/${channel}`, {}, 'smuggled'))
      const { status, headers } = await connection.answer()
      assert.deepEqual([status, headers['connection']], [400, 'close'])
      await connection.closed
      assert.deepEqual((await askPage(`${hub.url}/channels/${channel}`)).events, [])
    })

    test('P18.1.5 P21.1.1 any other Upgrade is ignored', async () => {
      const others: readonly (readonly [string, Record<string, string>])[] = [
        ['GET /channels/a', { ...HANDSHAKE, Upgrade: 'h2c' }],
        ['GET /channels/a', { ...HANDSHAKE, Connection: 'close' }],
        ['GET /channels/a', { Connection: 'Upgrade', Upgrade: 'websocket' }],
        ['GET /healthz', HANDSHAKE],
        ['GET /channels', HANDSHAKE],
      ]
      for (const [line, headers] of others) {
        using connection = new RawConnection(hub.url)
        const { status } = await connection.send(bytes(line, headers)).answer()
        const asked = headers['Connection'] === 'close'
        assert.equal(status, asked ? 501 : 200, line)
      }
    })

    test('P21.6.2 a client that closes its side, or vanishes, leaves nothing behind', async () => {
      using half = await shaken(hub.url, 'a')
      half.half()
      await half.closed
      const gone = await shaken(hub.url, 'a')
      gone.cut()
      await untilCounts(hub, { readers: 0, waiting: 0 })
    })
  })
}

async function served(
  t: TestContext,
  options: Parameters<typeof serveHub>[1] = {},
  hub: Hub = createHub({ log: new MemoryLog() }),
): Promise<{ hub: Hub; url: string }> {
  t.after(() => hub.close())
  const server = await serveHub(hub, options)
  t.after(() => server.stop())
  return { hub, url: server.url }
}

for (const tls of [undefined, selfSigned()]) {
  test(`P1.2.1 P21.2.6 one who takes nothing while 30 MB come is no buffer, and later has every event${tls ? ', over TLS' : ''}`, async (t) => {
    const { hub, url } = await served(t, tls && { tls })
    const connection = await shaken(url, 'a')
    connection.socket.pause()
    const ids: string[] = []
    let waited = 0
    for (let n = 0; n < 300; n++) {
      ids.push(...(await hub.publish('a', { data: String.fromCodePoint(97 + (n % 26)).repeat(100_000) })).ids)
      await setImmediate()
      const [reader] = [...hub.delivery.list()]
      waited = Math.max(waited, reader?.bytesWaiting ?? Infinity)
    }
    assert.ok(waited < 1_000_000, `${waited} bytes waited`)
    assert.equal(hub.delivery.slow, 1)
    const got: string[] = []
    const reader = new FrameReader(({ opcode, payload }) => {
      if (opcode === 1) got.push(...(JSON.parse(payload.toString()) as Page).events.map(({ id }) => id))
    })
    reader.feed(Buffer.from(connection.text, 'latin1'))
    connection.socket.removeAllListeners('data')
    connection.socket.on('data', (chunk: Buffer) => reader.feed(chunk)).resume()
    while (got.length < ids.length) await once(connection.socket, 'data')
    assert.deepEqual(got, ids)
    connection.socket.destroy()
  })
}

test('P21.3.2 nothing is written behind a close, though the reader does not know of it yet', () => {
  const written: Uint8Array[] = []
  const socket = Object.assign(new EventEmitter(), {
    writableLength: 0,
    write: (frame: Uint8Array) => written.push(frame) > 0,
  })
  const ws = Object.assign(new EventEmitter(), { OPEN: 1, readyState: 1 })
  const connection = new Connection(ws as unknown as WebSocket, socket as unknown as Socket)
  assert.equal(connection.write(textFrame('before')), true)
  ws.readyState = 2
  assert.equal(connection.write(textFrame('behind')), true)
  assert.deepEqual(written, [textFrame('before')])
})

test('P21.1.4 a request record of a handshake has status 101, and it is counted by its transport', async (t) => {
  const records: RequestRecord[] = []
  const observe = {
    answered: (one: RequestRecord) => records.push(one),
    refused: (one: RequestRecord) => records.push(one),
  }
  const { hub, url } = await served(t, { observe })
  using socket = await openSocket(`${url}/channels/a`)
  await socket.next()
  await refusedSocket(`${url}/channels/a..b`)
  assert.deepEqual(
    records.map(({ path, status, code }) => [path, status, code]),
    [
      ['/channels/a', 101, undefined],
      ['/channels/a..b', 400, 'invalid-channel'],
    ],
  )
  const [reader] = [...hub.delivery.list()]
  assert.deepEqual([reader?.transport, reader?.channels, reader?.bytesWaiting], ['websocket', ['a'], 0])
  const { text } = await ask(`${url}/metrics`)
  assert.match(text, /^downlink_readers\{transport="websocket"\} 1$/m)
  assert.match(text, /^downlink_readers\{transport="sse"\} 0$/m)
  assert.match(text, /^downlink_http_requests_total\{method="GET",status="101"\} 1$/m)
})

test('P21.6.1 a server that stops closes them with 1012, and waits for none that does not answer', async (t) => {
  const hub = createHub({ log: new MemoryLog() })
  t.after(() => hub.close())
  const server = await serveHub(hub, { graceMs: 100 })
  t.after(() => server.stop())
  using polite = await openSocket(`${server.url}/channels/a`)
  using deaf = await shaken(server.url, 'a')
  const begun = performance.now()
  await server.stop()
  // The library would wait ten seconds for an answer.
  assert.ok(performance.now() - begun < 5_000)
  assert.deepEqual(await polite.closed, { code: 1012, reason: 'draining' })
  await deaf.closed
})

test('P1.2.2 a cursor of a page is good for another hub on the same log', async (t) => {
  const log = new MemoryLog()
  const first = await served(t, {}, createHub({ log }))
  using before = await openSocket(`${first.url}/channels/a`)
  await before.next()
  await post(`${first.url}/channels/a`, '1')
  const { cursor } = (await before.next())!
  await post(`${first.url}/channels/a`, '2')
  const second = await served(t, {}, createHub({ log }))
  using after = await openSocket(`${second.url}/channels/a?after=${cursor}`)
  assert.deepEqual(
    (await after.take(1)).map(({ data }) => data),
    ['2'],
  )
})

test('P21.1.5 embedded: below a mount, beside other upgrades of the same server', async (t) => {
  const hub = createHub({ log: new MemoryLog() })
  const handle = nodeHandler(hub, { mount: '/updates' })
  const server = createServer((req, res) => void handle(req, res))
  const others: string[] = []
  server.on('upgrade', (req: IncomingMessage, socket, head) => {
    if (handle.upgrade(req, socket, head)) return
    others.push(req.url ?? '')
    socket.end('HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n')
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => server.close())
  t.after(() => hub.close())
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  using socket = await openSocket(`${url}/updates/channels/a`)
  await socket.next()
  await hub.publish('a', { data: 'x' })
  assert.equal((await socket.take(1))[0]?.data, 'x')
  assert.equal((await refusedSocket(`${url}/channels/a`)).status, 404)
  assert.deepEqual(others, ['/channels/a'])
})

test('P21.1.5 embedded without its upgrades: who asks for a WebSocket is told so', async (t) => {
  const hub = createHub({ log: new MemoryLog() })
  const handle = nodeHandler(hub)
  const server = createServer((req, res) => void handle(req, res))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => server.close())
  t.after(() => hub.close())
  const { port } = server.address() as AddressInfo
  problemOf(await refusedSocket(`http://127.0.0.1:${port}/channels/a`), 501, 'no-websocket')
})

test('an address that vanishes while authorize thinks leaves nothing', async (t) => {
  const asked = Promise.withResolvers<void>()
  const answered = Promise.withResolvers<boolean>()
  const authorize = (): Promise<boolean> => {
    asked.resolve()
    return answered.promise
  }
  const { hub, url } = await served(t, { authorize })
  const socket = connect(Number(new URL(url).port), '127.0.0.1')
  socket.write(shake('a'))
  await asked.promise
  socket.destroy()
  await once(socket, 'close')
  answered.resolve(true)
  while (hub.delivery.readers > 0) await setImmediate()
  assert.equal(hub.delivery.readers, 0)
})
