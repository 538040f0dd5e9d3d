/** The network of the Lab, as clients of a hub see it. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { describe, test, type TestContext } from 'node:test'
import { setImmediate, setTimeout as sleep } from 'node:timers/promises'
import { EventSource, subscribe } from '@downlink/client'
import type { Page } from '@downlink/wire'
import { WebSocket } from 'ws'
import { randomOf, seedOf } from '../../../e2e/helpers/random.ts'
import { selfSigned } from '../../../e2e/helpers/self-signed.ts'
import { type HubServerOptions, serveHub } from '../src/http/server.ts'
import { createHub, type Hub } from '../src/hub.ts'
import { AnswerBuffer } from '../src/lab/answer-buffer.ts'
import { type Network, startNetwork } from '../src/lab/network.ts'
import type { LabSettings } from '../src/lab/report.ts'
import { bytes, RawConnection } from './wire-contract/raw.ts'

const PATH = '/channels/x'
const STREAM = bytes(`GET ${PATH}`, { Accept: 'text/event-stream' })

interface World {
  readonly hub: Hub
  readonly network: Network
  readonly url: string
  readonly connect: () => RawConnection
}

async function world(
  t: TestContext,
  wanted: Partial<LabSettings['network']>,
  options: HubServerOptions = {},
  random?: () => number,
): Promise<World> {
  const hub = createHub({ onError: () => {}, delivery: { heartbeatMs: 60_000, retryMs: 10 } })
  const server = await serveHub(hub, { host: '127.0.0.1', graceMs: 100, ...options })
  const target = {
    host: '127.0.0.1',
    port: server.port,
    ...(options.tls && { tls: { rejectUnauthorized: false } }),
  }
  const network = await startNetwork({ delay: 0, buffering: false, cutAfter: 0, ...wanted }, target, random)
  const connections: RawConnection[] = []
  t.after(async () => {
    for (const { socket } of connections) socket.resetAndDestroy()
    await network.close()
    await server.stop()
    await hub.close()
  })
  const url = `http://127.0.0.1:${network.port}`
  return {
    hub,
    network,
    url,
    connect: () => {
      const connection = new RawConnection(url)
      connections.push(connection)
      return connection
    },
  }
}

async function timed(what: () => Promise<unknown>): Promise<number> {
  const begun = performance.now()
  await what()
  return performance.now() - begun
}

describe('delay', () => {
  test('comes on top once each way, and all comes in order', async (t) => {
    const { connect, hub } = await world(t, { delay: 100 })
    const connection = connect()
    const asked = await timed(() => connection.send(bytes(`GET ${PATH}`)).answer())
    assert.ok(asked >= 199 && asked < 1_000, `${asked} ms`)
    connection.send(STREAM)
    await connection.until((text) => text.includes('downlink:open'))
    const told = await timed(async () => {
      for (let n = 0; n < 50; n++) await hub.publish('x', `${n}`)
      await connection.until((text) => text.includes('data: 49'))
    })
    assert.ok(told >= 99 && told < 1_000, `${told} ms`)
    const order = [...connection.text.matchAll(/data: (\d+)\n/g)].map(([, n]) => Number(n))
    assert.deepEqual(
      order,
      Array.from({ length: 50 }, (_, n) => n),
    )
  })

  test('holds the sender back when more is under way than fits, and loses nothing', async (t) => {
    const { connect, hub } = await world(t, { delay: 50 })
    const connection = connect()
    for (let n = 0; n < 40; n++) await hub.publish('x', `${n}`.padEnd(100_000))
    const { body } = await connection.send(bytes(`GET ${PATH}?after=start&limit=40`)).answer()
    const first = JSON.parse(body) as { events: { data: string }[] }
    assert.ok(first.events.length >= 10)
    connection.send(bytes(`GET ${PATH}?after=start`, { Accept: 'text/event-stream' }))
    await connection.until((text) => text.includes('data: 39 '))
  })

  test('of a sender that nobody reads no more is taken than fits', async (t) => {
    const source = createServer((socket) => {
      socket.on('error', () => {}).end(Buffer.alloc(64 * 1024 * 1024))
      sources.push(socket)
    })
    const sources: Socket[] = []
    source.listen(0, '127.0.0.1')
    await once(source, 'listening')
    const { port } = source.address() as AddressInfo
    const network = await startNetwork(
      { delay: 5_000, buffering: false, cutAfter: 0 },
      { host: '127.0.0.1', port },
    )
    t.after(async () => {
      await network.close()
      source.close()
    })
    connectTo(network.port)
    let [before, waiting] = [0, Infinity]
    while (waiting !== before) {
      before = waiting
      await sleep(100)
      waiting = sources[0]?.writableLength ?? Infinity
    }
    assert.ok(waiting > 48 * 1024 * 1024, `${waiting} bytes wait at their source`)
  })

  test('the end of a connection comes later, too, and after what was sent before', async (t) => {
    const { connect, hub } = await world(t, { delay: 50 })
    await hub.publish('x', 'last', { end: true })
    const connection = connect().send(bytes(`GET ${PATH}?after=start`, { Accept: 'text/event-stream' }))
    await connection.closed
    assert.match(connection.text, /data: last[^]*downlink:end/)
    const idle = connect()
    await idle.send(bytes(`GET ${PATH}`)).answer()
    const ms = await timed(() => idle.half().closed)
    assert.ok(ms >= 99 && ms < 2_000, `${ms} ms, once each way`)
  })
})

describe('a buffering proxy', () => {
  test('holds a stream, its head too, until 64 KiB are there or it ends', async (t) => {
    const { connect, hub } = await world(t, { buffering: true })
    const connection = connect().send(STREAM)
    while (hub.delivery.readers === 0) await setImmediate()
    let published = 0
    while (connection.text === '') {
      assert.ok(published < 100_000, 'nothing came')
      await hub.publish('x', '-'.repeat(1_000))
      published += 1_000
      for (let n = 0; n < 10; n++) await setImmediate()
    }
    assert.ok(published > 60_000, `${published} bytes were published`)
    // Until the next 64 KiB.
    await connection.until((text) => text.length === 65_536)
    await hub.publish('x', 'the last')
    hub.disconnect({ channel: 'x' })
    await connection.closed
    assert.ok(connection.text.includes('data: the last'))
  })

  test('passes polls and long polls, which end, on one connection', async (t) => {
    const { connect, hub } = await world(t, { buffering: true })
    const connection = connect()
    for (let n = 0; n < 3; n++) {
      connection.send(bytes(`GET ${PATH}?wait=60`))
      while (hub.delivery.waiting === 0) await setImmediate()
      await hub.publish('x', `${n}`)
      assert.match((await connection.answer()).body, new RegExp(`"data":"${n}"`))
      const { headers } = await connection.send(bytes(`HEAD ${PATH}`)).answer({ head: true })
      const again = bytes(`GET ${PATH}`, { 'If-None-Match': headers['etag'] ?? '' })
      assert.equal((await connection.send(again).answer()).status, 304)
      assert.equal((await connection.send(bytes(`POST ${PATH}`, {}, 'posted')).answer()).status, 200)
    }
  })

  test('is a tunnel to a WebSocket', async (t) => {
    const { hub, url } = await world(t, { buffering: true, delay: 5 })
    const socket = new WebSocket(`${url.replace('http', 'ws')}${PATH}`)
    t.after(() => socket.terminate())
    await once(socket, 'message')
    void hub.publish('x', 'at once')
    const [message] = (await once(socket, 'message')) as [Buffer]
    assert.match(message.toString(), /at once/)
    socket.close()
    await once(socket, 'close')
  })

  test('subscribe() gets round it', async (t) => {
    const { hub, url } = await world(t, { buffering: true })
    const gone = new AbortController()
    t.after(() => gone.abort())
    const subscription = subscribe(`${url}${PATH}`, { signal: gone.signal })
    const came = new Promise<string>((resolve) => subscription.on('event', ({ data }) => resolve(data)))
    while (hub.delivery.waiting === 0) await setImmediate()
    await hub.publish('x', 'by long poll')
    assert.equal(await came, 'by long poll')
  })

  test('however the bytes come, all of them go on, and no answer before its end', () => {
    const random = randomOf(7)
    const parts = [
      'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello',
      'HTTP/1.1 304 Not Modified\r\nETag: "x"\r\n\r\n',
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n10\r\n0123456789abcdef\r\n0\r\n\r\n',
      'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n',
      'HTTP/1.1 200 OK\r\n\r\nto the end of the connection',
    ]
    const asked = ['GET / HTTP/1.1\r\n\r\n', 'GET', 'GET', 'HEAD', 'GET']
      .map((text) => (text.endsWith('\n') ? text : `${text} /x HTTP/1.1\r\nHost: x\r\n\r\n`))
      .join('')
    for (let round = 0; round < 200; round++) {
      const buffer = new AnswerBuffer()
      for (const piece of pieces(asked, random)) buffer.asked(piece)
      let came = 0
      let text = ''
      const ends = parts.slice(0, 4).map((_, n) => parts.slice(0, n + 1).join('').length)
      for (const piece of pieces(parts.join(''), random)) {
        came += piece.length
        text += Buffer.concat(buffer.answered(piece)).toString()
        assert.equal(text.length, Math.max(0, ...ends.filter((end) => end <= came)))
      }
      text += Buffer.concat(buffer.end()).toString()
      assert.equal(text, parts.join(''))
    }
  })

  test('what is no HTTP passes', () => {
    const buffer = new AnswerBuffer()
    buffer.asked(Buffer.from('\u0001\u0002\r\n\r\n'))
    assert.equal(Buffer.concat(buffer.answered(Buffer.from('what'))).toString(), 'what')
    const other = new AnswerBuffer()
    assert.equal(
      Buffer.concat(other.answered(Buffer.from('what\r\n\r\never'))).toString(),
      'what\r\n\r\never',
    )
  })
})

describe('cuts', () => {
  test('end each connection, by a reset or an end, and what reads by cursor loses nothing', async (t) => {
    const random = randomOf(seedOf(t))
    const { hub, url } = await world(t, { cutAfter: 60, delay: 2 }, {}, random)
    const cuts: string[] = []
    const streamed: string[] = []
    const source = new EventSource(`${url}${PATH}?after=start`)
    t.after(() => source.close())
    source.addEventListener('message', ({ data }) => streamed.push(data))
    source.addEventListener('error', () => cuts.push('stream'))
    const polled: string[] = []
    const polling = poll(
      url,
      (data) => polled.push(data),
      () => cuts.push('poll'),
    )
    let n = 0
    while (cuts.length < 20) await hub.publish('x', `${n++}`.padEnd(200)).then(() => sleep(1))
    await hub.publish('x', 'last')
    await polling
    while (streamed.at(-1) !== 'last') await setImmediate()
    const expected = [...Array.from({ length: n }, (_, m) => `${m}`.padEnd(200)), 'last']
    assert.deepEqual(streamed, expected)
    assert.deepEqual(polled, expected)
  })

  test('come after half to one and a half of the time, as chance has it', async (t) => {
    const { connect } = await world(t, { cutAfter: 200 }, {}, () => 0.999)
    const late = connect()
    const ms = await timed(() => late.closed)
    assert.ok(ms >= 295 && ms < 2_000, `${ms} ms`)
  })
})

describe('to a hub', () => {
  test('with TLS it is plain HTTP on this machine', async (t) => {
    const { connect } = await world(t, { buffering: true }, { tls: selfSigned() })
    assert.equal(
      (
        await connect()
          .send(bytes(`GET ${PATH}`))
          .answer()
      ).status,
      200,
    )
  })

  test('that is not there a connection ends', async (t) => {
    const { hub, network } = await world(t, {})
    await hub.close()
    await network.close()
    const nowhere = await startNetwork(
      { delay: 0, buffering: false, cutAfter: 0 },
      { host: '127.0.0.1', port: network.port },
    )
    t.after(() => nowhere.close())
    const client = connectTo(nowhere.port)
    await new Promise((resolve) => client.once('close', resolve))
    await assert.rejects(once(connectTo(network.port), 'connect'), { code: 'ECONNREFUSED' })
  })

  test('a close cuts what is open, and leaves nothing behind', async (t) => {
    const { connect, network, hub } = await world(t, { delay: 5_000, cutAfter: 600_000 })
    const connection = connect().send(STREAM)
    await once(connection.socket, 'connect')
    await network.close()
    await network.close()
    await connection.closed
    assert.equal(hub.delivery.readers, 0)
  })
})

/** By long polls, until the last. */
async function poll(url: string, came: (data: string) => void, failed: () => void): Promise<void> {
  for (let cursor = 'start', last = ''; last !== 'last';) {
    try {
      const answer = await fetch(`${url}${PATH}?wait=30&after=${cursor}`)
      const page = (await answer.json()) as Page
      cursor = page.cursor
      for (const { data } of page.events) came((last = data))
    } catch {
      failed()
    }
  }
}

function connectTo(port: number) {
  return connect({ port, host: '127.0.0.1' }).on('error', () => {})
}

function pieces(text: string, random: () => number): Buffer[] {
  const bytes = Buffer.from(text)
  const all: Buffer[] = []
  for (let at = 0; at < bytes.length;) {
    const size = 1 + Math.floor(random() * 30)
    all.push(bytes.subarray(at, at + size))
    at += size
  }
  return all
}
