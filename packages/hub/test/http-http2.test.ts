/** HTTP/2 on the hub's own server: what is its own beside the wire contract. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type ClientHttp2Session, type ClientHttp2Stream, connect, constants } from 'node:http2'
import { text } from 'node:stream/consumers'
import { describe, test, type TestContext } from 'node:test'
import { createParser, type StreamEvent } from '@downlink/wire'
import { type HubServerOptions, serveHub } from '../src/http/server.ts'
import { createHub, type Hub } from '../src/hub.ts'
import type { HubOptions } from '../src/hub-options.ts'
import { ERROR, FLAG, frame, FrameConnection, request, TYPE } from './http2/frames.ts'
import { ask, problemOf } from './wire-contract/client.ts'
import { RawConnection, bytes } from './wire-contract/raw.ts'

interface Served {
  readonly hub: Hub
  readonly url: string
  readonly session: ClientHttp2Session
  readonly stop: () => Promise<void>
}

async function served(
  t: TestContext,
  options: HubServerOptions = {},
  hubOptions: HubOptions = {},
): Promise<Served> {
  const hub = createHub({ onError: (error) => assert.fail(String(error)), ...hubOptions })
  const own = await serveHub(hub, { h2c: true, host: '127.0.0.1', ...options })
  const session = connect(own.url, { maxSessionMemory: 1000 })
  session.on('error', () => {})
  t.after(async () => {
    session.destroy()
    await own.stop()
    await hub.close()
  })
  return { hub, url: own.url, session, stop: () => own.stop() }
}

/** A stream of events on a connection that it shares. */
class Following {
  readonly stream: ClientHttp2Stream
  readonly events: StreamEvent[] = []
  readonly opened: Promise<unknown>
  #wake: (() => void) | undefined

  constructor(session: ClientHttp2Session, path: string) {
    this.stream = session.request({ ':path': path, accept: 'text/event-stream' })
    this.stream.on('error', () => {})
    this.opened = once(this.stream, 'response')
    const parser = createParser({ onEvent: (event) => this.events.push(event) })
    this.stream.on('data', (bytes: Buffer) => {
      parser.feed(bytes)
      this.#wake?.()
    })
    this.stream.on('close', () => this.#wake?.())
  }

  async until(data: string): Promise<void> {
    while (!this.events.some((event) => event.data === data)) {
      if (this.stream.closed) throw new Error(`The stream was closed before ${data}`)
      await new Promise<void>((resolve) => (this.#wake = resolve))
    }
  }
}

async function until(holds: () => boolean): Promise<void> {
  const patience = Date.now() + 20_000
  while (!holds()) {
    if (Date.now() > patience) assert.fail(`Waited in vain: ${String(holds)}`)
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}

const answer = async (stream: ClientHttp2Stream): Promise<{ status: unknown; body: string }> => {
  const [headers] = (await once(stream, 'response')) as [Record<string, unknown>]
  return { status: headers[':status'], body: await text(stream) }
}

describe('many streams on one connection', () => {
  test('200 streams get every event, each', async (t) => {
    const { hub, session } = await served(t)
    const streams = Array.from({ length: 200 }, () => new Following(session, '/channels/x'))
    await Promise.all(streams.map(({ opened }) => opened))
    await until(() => hub.delivery.readers === 200)
    for (let n = 0; n < 20; n++) await hub.publish('x', { data: `event ${n}` })
    await Promise.all(streams.map((stream) => stream.until('event 19')))
    for (const { events } of streams)
      assert.deepEqual(
        events.slice(1).map(({ data }) => data),
        Array.from({ length: 20 }, (_, n) => `event ${n}`),
      )
  })

  test('P18.3.4 the stream beyond the limit is refused, and those before go on', async (t) => {
    const { hub, url } = await served(t, { maxConcurrentStreams: 3 })
    using connection = new FrameConnection(url)
    const settings = await connection.next(({ type, flags }) => type === TYPE.settings && flags === 0)
    // SETTINGS_MAX_CONCURRENT_STREAMS
    const said = settings?.payload ?? Buffer.of()
    const values = new Map<number, number>()
    for (let at = 0; at < said.length; at += 6) values.set(said.readUInt16BE(at), said.readUInt32BE(at + 2))
    assert.equal(values.get(3), 3)
    for (const stream of [1, 3, 5, 7]) connection.ask(stream, '/channels/x', { accept: 'text/event-stream' })
    assert.equal(await connection.resetOf(7), ERROR.refused)
    await until(() => hub.delivery.readers === 3)
    await hub.publish('x', { data: 'on' })
    for (const stream of [1, 3, 5])
      assert.ok(await connection.next((got) => got.stream === stream && got.payload.includes('data: on')))
    connection.send(frame(TYPE.reset, 0, 1, Buffer.of(0, 0, 0, ERROR.cancel)))
    await until(() => hub.delivery.readers === 2)
    connection.ask(9, '/channels/x', { accept: 'text/event-stream' })
    await until(() => hub.delivery.readers === 3)
    // Who knows the limit, and opens more all the same, is cut.
    connection.send(frame(TYPE.settings, FLAG.ack, 0)).ask(11, '/channels/x')
    assert.equal(await connection.goaway(), ERROR.protocol)
    await connection.closed
    await until(() => hub.delivery.readers === 0)
  })

  test('P18.3.5 a stream whose client takes nothing slows none of its neighbours, and loses nothing', async (t) => {
    const { hub, session } = await served(t)
    const stalled = new Following(session, '/channels/x')
    await stalled.opened
    await stalled.until('{"heartbeat":15000}')
    stalled.stream.pause()
    const streams = Array.from({ length: 20 }, () => new Following(session, '/channels/x'))
    await Promise.all(streams.map(({ opened }) => opened))
    await until(() => hub.delivery.readers === 21)
    const data = (n: number): string => `${n} ${'x'.repeat(50_000)}`
    for (let n = 0; n < 40; n++) {
      await hub.publish('x', { data: data(n) })
      await Promise.all(streams.map((stream) => stream.until(data(n))))
    }
    assert.equal(hub.delivery.slow, 1)
    assert.ok(stalled.events.length < 10)
    stalled.stream.resume()
    await stalled.until(data(39))
    assert.deepEqual(
      stalled.events.slice(1).map(({ data }) => data),
      Array.from({ length: 40 }, (_, n) => data(n)),
    )
  })

  test('events go on while polls and publishes share the connection', async (t) => {
    const { session } = await served(t)
    const following = new Following(session, '/channels/x')
    await following.opened
    for (let n = 0; n < 10; n++) {
      const post = session.request({ ':method': 'POST', ':path': '/channels/x' })
      post.end(`event ${n}`)
      assert.equal((await answer(post)).status, 200)
      const poll = await answer(session.request({ ':path': '/channels/x' }))
      assert.match(poll.body, new RegExp(`"event ${n}"`))
      await following.until(`event ${n}`)
    }
  })
})

describe('ends', () => {
  test('P18.3.1 a stream that ends leaves its connection to others', async (t) => {
    const { hub, session } = await served(t)
    const one = new Following(session, '/channels/one')
    const two = new Following(session, '/channels/two')
    await Promise.all([one.opened, two.opened])
    await hub.end('one')
    await once(one.stream, 'end')
    assert.equal(one.stream.rstCode, constants.NGHTTP2_NO_ERROR)
    await hub.publish('two', { data: 'on' })
    await two.until('on')
  })

  for (const code of [constants.NGHTTP2_CANCEL, constants.NGHTTP2_NO_ERROR]) {
    test(`the place of a stream that its client resets with ${code} is free again, also when it took nothing`, async (t) => {
      const { hub, session } = await served(t)
      const one = new Following(session, '/channels/x')
      const stalled = new Following(session, '/channels/x?fields=time')
      const waiting = session.request({ ':path': '/channels/y?wait=60' })
      waiting.on('error', () => {})
      await Promise.all([one.opened, stalled.opened])
      stalled.stream.pause()
      for (let n = 0; n < 20; n++) await hub.publish('x', { data: 'x'.repeat(50_000) })
      await until(() => hub.delivery.slow === 1 && hub.delivery.waiting === 1)
      for (const stream of [one.stream, stalled.stream, waiting]) stream.close(code)
      await until(() => hub.delivery.readers === 0 && hub.delivery.waiting === 0)
    })
  }

  test('P18.3.6 a stop tells GOAWAY, ends streams, answers long polls, and is over', async (t) => {
    const { hub, session, stop } = await served(t)
    const following = new Following(session, '/channels/x')
    const waiting = session.request({ ':path': '/channels/x?wait=60' })
    await following.opened
    await until(() => hub.delivery.waiting === 1)
    const told = once(session, 'goaway')
    const polled = answer(waiting)
    const closed = once(session, 'close')
    const begun = performance.now()
    await stop()
    assert.ok(performance.now() - begun < 3_000)
    assert.equal(((await told) as number[])[0], constants.NGHTTP2_NO_ERROR)
    assert.equal((await polled).status, 200)
    assert.equal(following.stream.rstCode, constants.NGHTTP2_NO_ERROR)
    await closed
  })

  test('P18.3.6 a stop waits for an answer no longer than its grace', async (t) => {
    const { session, stop } = await served(t, { graceMs: 200 })
    const post = session.request({ ':method': 'POST', ':path': '/channels/x' })
    post.on('error', () => {})
    post.write('never whole')
    await answer(session.request({ ':path': '/healthz' }))
    await stop()
    await until(() => session.destroyed)
  })

  test('P18.3.6 a connection whose first bytes come while the hub stops is told so, too', async (t) => {
    const { url, stop } = await served(t)
    using connection = new FrameConnection(url, false)
    connection.send(Buffer.from('PRI * '))
    assert.equal((await ask(`${url}/healthz`)).status, 200)
    const stopped = stop()
    connection.send(
      Buffer.from('HTTP/2.0\r\n\r\nSM\r\n\r\n'),
      frame(TYPE.settings, 0, 0),
      request(1, '/healthz'),
    )
    assert.equal(await connection.goaway(), ERROR.none)
    await connection.closed
    await stopped
  })

  test('a session that its peer half-closes is closed', async (t) => {
    const { hub, url } = await served(t)
    using connection = new FrameConnection(url)
    connection.ask(1, '/channels/x', { accept: 'text/event-stream' })
    await until(() => hub.delivery.readers === 1)
    connection.socket.end()
    await connection.closed
    await until(() => hub.delivery.readers === 0)
  })
})

describe('requests', () => {
  test('P18.3.2 what is no request of HTTP/2 is refused as such', async (t) => {
    const { url } = await served(t)
    using connection = new FrameConnection(url)
    // Connection-specific headers, upper case, no path, two authorities: nghttp2 resets them.
    const wrong: readonly Readonly<Record<string, string>>[] = [
      { connection: 'close' },
      { 'transfer-encoding': 'chunked' },
      { Accept: '*/*' },
      { te: 'gzip' },
    ]
    let stream = 1
    for (const headers of wrong) {
      connection.ask(stream, '/healthz', headers)
      assert.equal(await connection.resetOf(stream), ERROR.protocol, JSON.stringify(headers))
      stream += 2
    }
    connection.ask(stream, '/healthz')
    assert.ok(await connection.next(({ type, stream: id }) => type === TYPE.headers && id === stream))
  })

  test('P18.3.2 Host that says something else than :authority is 400', async (t) => {
    const { url, session } = await served(t)
    const headers = { ':path': '/healthz', ':authority': 'localhost' }
    assert.equal((await answer(session.request({ ...headers, host: 'localhost' }))).status, 200)
    const { status, body } = await answer(session.request({ ...headers, host: 'evil.example' }))
    assert.equal(status, 400)
    assert.equal((JSON.parse(body) as { code: string }).code, 'bad-request')
    assert.ok(url)
  })

  test('P18.3.2 CONNECT is refused', async (t) => {
    const { session } = await served(t)
    const stream = session.request({ ':method': 'CONNECT', ':authority': 'localhost:80' })
    const [headers] = (await once(stream, 'response')) as [Record<string, unknown>]
    assert.equal(headers[':status'], 501)
    stream.destroy()
  })

  test('trailers are ignored', async (t) => {
    const { hub, session } = await served(t)
    const stream = session.request({ ':method': 'POST', ':path': '/channels/x' }, { waitForTrailers: true })
    stream.on('wantTrailers', () => stream.sendTrailers({ 'x-sum': '1' }))
    stream.end('hello')
    assert.equal((await answer(stream)).status, 200)
    assert.equal((await hub.read('x')).events[0]?.data, 'hello')
  })

  test('P9.2.5 a body that is too large is 413, whatever was announced, and the connection goes on', async (t) => {
    const { session } = await served(t, { bodyLimit: 100_000 })
    for (const length of [{}, { 'content-length': 10_000_000 }]) {
      const stream = session.request({ ':method': 'POST', ':path': '/channels/x', ...length })
      stream.on('error', () => {})
      stream.write(Buffer.alloc(1_000_000))
      const { status, body } = await answer(stream)
      assert.deepEqual([status, (JSON.parse(body) as { code: string }).code], [413, 'body-too-large'])
      await until(() => stream.closed)
    }
    assert.equal((await answer(session.request({ ':path': '/healthz' }))).status, 200)
  })

  test('P18.1.5 a body of GET is not read, and held back', async (t) => {
    const { hub, session } = await served(t)
    const stream = session.request(
      { ':path': '/channels/x', accept: 'text/event-stream' },
      { endStream: false },
    )
    stream.write(Buffer.alloc(1_000_000))
    await once(stream, 'response')
    await until(() => hub.delivery.readers === 1)
    assert.ok(stream.writableLength > 0)
    const poll = session.request({ ':path': '/healthz' }, { endStream: false })
    poll.write('x'.repeat(10))
    assert.equal((await answer(poll)).status, 200)
    await until(() => poll.closed)
    assert.equal(poll.rstCode, constants.NGHTTP2_NO_ERROR)
  })

  test('a body that never ends is 408', async (t) => {
    const { session } = await served(t, { bodyTimeoutMs: 100 })
    const stream = session.request({ ':method': 'POST', ':path': '/channels/x' })
    stream.on('error', () => {})
    stream.write('x')
    assert.equal((await answer(stream)).status, 408)
    await until(() => stream.closed)
  })

  test('32 bodies of 1 MB at once are all taken, a few at a time', async (t) => {
    const { hub, session } = await served(t)
    const body = 'x'.repeat(1_000_000)
    const answers = Array.from({ length: 32 }, async () => {
      const stream = session.request({ ':method': 'POST', ':path': '/channels/x' })
      stream.end(body)
      return (await answer(stream)).status
    })
    assert.ok((await Promise.all(answers)).every((status) => status === 200))
    for (let after = 'start', count = 0; count < 32; count++) {
      const page = await hub.read('x', { after, limit: 1 })
      assert.equal(page.events[0]?.data.length, body.length)
      after = page.cursor
    }
  })

  test('large bodies that never end hold up no small one', async (t) => {
    const { session } = await served(t)
    const begun = Array.from({ length: 32 }, () => {
      const stream = session.request({ ':method': 'POST', ':path': '/channels/x' })
      stream.on('error', () => {})
      return new Promise((resolve) =>
        stream.write('begun', () => resolve(stream.write(Buffer.alloc(200_000)))),
      )
    })
    await Promise.all(begun)
    const post = session.request({ ':method': 'POST', ':path': '/channels/x' })
    post.end('small'.repeat(10_000))
    assert.equal((await answer(post)).status, 200)
  })
})

describe('beside HTTP/1.1 on the plain port', () => {
  test('the first bytes decide, however they are cut', async (t) => {
    const { url } = await served(t)
    using connection = new FrameConnection(url, false)
    const all = Buffer.concat([
      Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'),
      frame(TYPE.settings, 0, 0),
      request(1, '/healthz'),
    ])
    for (const byte of all) {
      connection.send(Buffer.of(byte))
      await new Promise((resolve) => setImmediate(resolve))
    }
    assert.ok(await connection.next(({ type, stream }) => type === TYPE.headers && stream === 1))
    for (const line of ['POST /channels/x', 'PUT /channels/x', 'GET /channels/x']) {
      using plain = new RawConnection(url)
      for (const byte of bytes(line, {}, 'x')) {
        plain.send(byte)
        await new Promise((resolve) => setImmediate(resolve))
      }
      assert.equal((await plain.answer()).version, '1.1')
    }
    using wrong = new RawConnection(url)
    assert.equal((await wrong.send('PRX /x HTTP/1.1\r\n\r\n').answer()).status, 400)
  })

  test('a connection that says nothing is told so after the time for a head', async (t) => {
    const { url } = await served(t, { headTimeoutMs: 100 })
    using silent = new RawConnection(url)
    assert.equal((await silent.answer()).status, 408)
    using begun = new RawConnection(url)
    begun.send('PRI * HT')
    assert.equal((await begun.answer()).status, 408)
    using half = new RawConnection(url)
    half.send('PRI').half()
    await half.closed
  })

  test('without h2c the preface is no request', async (t) => {
    const { url } = await served(t, { h2c: false })
    using connection = new RawConnection(url)
    assert.equal((await connection.send('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n').answer()).status, 400)
    problemOf(await ask(`${url}/nowhere`), 404, 'not-found')
  })
})
