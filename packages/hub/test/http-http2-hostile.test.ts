/** HTTP/2 connections that mean harm, or are broken: they are cut, cost little, and nobody else notices. */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { connect } from 'node:http2'
import process from 'node:process'
import { describe, test, type TestContext } from 'node:test'
import { createHub, type Hub } from '../src/hub.ts'
import { Handler } from '../src/http/handler.ts'
import { type HubServer, type HubServerOptions, serveHub } from '../src/http/server.ts'
import {
  ERROR,
  FLAG,
  fields,
  type Frame,
  frame,
  FrameConnection,
  number32,
  PREFACE,
  request,
  TYPE,
} from './http2/frames.ts'
import { ask, openStream } from './wire-contract/client.ts'

const SSE = { accept: 'text/event-stream' }

interface Served {
  readonly hub: Hub
  readonly own: HubServer
  readonly url: string
  /** Passes when a reader that was there before gets the next event, and a poll is answered. */
  readonly unharmed: () => Promise<void>
}

async function served(t: TestContext, options: HubServerOptions = {}): Promise<Served> {
  const reports: unknown[] = []
  const hub = createHub({ onError: (error) => reports.push(error) })
  const own = await serveHub(hub, { h2c: true, host: '127.0.0.1', graceMs: 100, ...options })
  const { url } = own
  const stream = await openStream(`${url}/channels/witness`)
  t.after(async () => {
    stream.close()
    await own.stop()
    await hub.close()
    assert.deepEqual(reports, [])
  })
  await stream.next()
  let events = 0
  const unharmed = async (): Promise<void> => {
    const data = `event ${++events}`
    await hub.publish('witness', { data })
    assert.equal((await stream.next())?.data, data)
    assert.equal((await ask(`${url}/healthz`)).status, 200)
  }
  return { hub, own, url, unharmed }
}

async function until(holds: () => boolean): Promise<void> {
  const patience = Date.now() + 20_000
  while (!holds()) {
    if (Date.now() > patience) assert.fail(`Waited in vain: ${String(holds)}`)
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}

const reset = (stream: number, code: number): Buffer => frame(TYPE.reset, 0, stream, number32(code))

describe('floods', () => {
  const stormOf = (path: string): Buffer[] => {
    const storm: Buffer[] = []
    for (let stream = 1; stream < 20_000; stream += 2)
      storm.push(request(stream, path, path.includes('?') ? {} : SSE), reset(stream, ERROR.cancel))
    return storm
  }

  for (const path of ['/channels/x', '/channels/x?wait=60', '/channels/x?transport=poll']) {
    test(`P19.2.3 thousands of streams that are opened and reset at once end the connection: ${path}`, async (t) => {
      const { hub, url, unharmed } = await served(t)
      using connection = new FrameConnection(url)
      connection.send(...stormOf(path))
      await connection.closed
      await unharmed()
      await until(() => hub.delivery.readers === 1 && hub.delivery.waiting === 0)
    })
  }

  test('P19.2.3 whose connection was cut for that gets no other for a while, but by HTTP/1.1', async (t) => {
    const { url, unharmed } = await served(t)
    using connection = new FrameConnection(url)
    connection.send(...stormOf('/channels/x'))
    await connection.closed
    using again = new FrameConnection(url)
    again.ask(1, '/healthz')
    assert.equal(await again.next(({ type }) => type === TYPE.headers), undefined)
    await unharmed()
  })

  test('P19.2.3 a trusted proxy gets another: it has many clients', async (t) => {
    const { url } = await served(t, { proxies: { trusted: ['loopback'] } })
    using connection = new FrameConnection(url)
    connection.send(...stormOf('/channels/x'))
    await connection.closed
    using again = new FrameConnection(url)
    again.ask(1, '/healthz')
    assert.ok(await again.next(({ type }) => type === TYPE.headers))
  })

  test('a hundred storms at once hold nobody up for as long as they would one after the other', async (t) => {
    const { hub, url, unharmed } = await served(t)
    let answered = 0
    // oxlint-disable-next-line typescript/unbound-method -- it is called with its own `this`
    const { begin } = Handler.prototype
    t.mock.method(
      Handler.prototype,
      'begin',
      function (this: Handler, ...args: Parameters<Handler['begin']>) {
        answered++
        return begin.apply(this, args)
      },
    )
    const connections = Array.from({ length: 100 }, () => new FrameConnection(url))
    t.after(() => connections.forEach(({ socket }) => socket.destroy()))
    const storm = Buffer.concat(stormOf('/channels/x').slice(0, 4_000))
    for (const connection of connections) connection.send(storm)
    await Promise.all(connections.map(({ closed }) => closed))
    // Four begin in a turn, and what they reset in it is not answered; the others are of an address that is known by then.
    assert.ok(answered < 10_000, `${answered} of 200,000 streams were answered`)
    await unharmed()
    await until(() => hub.delivery.readers === 1)
  })

  test('P19.2.3 so do thousands of streams that make the hub reset them', async (t) => {
    const { hub, url, unharmed } = await served(t)
    using connection = new FrameConnection(url)
    const storm: Buffer[] = []
    // An increment of 0 is an error of the stream (RFC 9113 6.9).
    for (let stream = 1; stream < 20_000; stream += 2)
      storm.push(request(stream, '/channels/x', SSE), frame(TYPE.windowUpdate, 0, stream, number32(0)))
    connection.send(...storm)
    await connection.closed
    await unharmed()
    await until(() => hub.delivery.readers === 1)
  })

  test('P19.2.3 a page that is left resets all its streams, and its connection goes on', async (t) => {
    const { hub, url, unharmed } = await served(t)
    using connection = new FrameConnection(url)
    let stream = 1
    for (let round = 0; round < 3; round++) {
      const opened = Array.from({ length: 200 }, () => (stream += 2))
      connection.send(...opened.map((id) => request(id, '/channels/x', SSE)))
      await until(() => hub.delivery.readers === 201)
      connection.send(...opened.map((id) => reset(id, ERROR.cancel)))
      await until(() => hub.delivery.readers === 1)
    }
    connection.ask(stream + 2, '/healthz')
    assert.ok(await connection.next(({ type, stream: id }) => type === TYPE.headers && id === stream + 2))
    await unharmed()
  })

  for (const [name, flood] of [
    ['PING', frame(TYPE.ping, 0, 0, Buffer.alloc(8))],
    ['SETTINGS', frame(TYPE.settings, 0, 0, Buffer.of(0, 4, 0, 1, 0, 0))],
  ] as const) {
    test(`P19.2.3 thousands of ${name} end the connection, also when each answer is read`, async (t) => {
      const { url, unharmed } = await served(t)
      {
        using connection = new FrameConnection(url)
        connection.send(...Array.from({ length: 5_000 }, () => flood))
        await connection.closed
      }
      using connection = new FrameConnection(url)
      const answer = { type: flood[3] as number, flags: FLAG.ack }
      const answered = (frame: Frame): boolean => frame.type === answer.type && frame.flags === answer.flags
      let rounds = 0
      for (; rounds < 30; rounds++) {
        connection.send(...Array.from({ length: 100 }, () => flood))
        for (let n = 0; n < 100; n++) await connection.next(answered)
        if (connection.over) break
      }
      assert.ok(rounds >= 9 && rounds < 20, `${rounds} rounds`)
      assert.equal(await connection.goaway(), ERROR.enhanceYourCalm)
      await unharmed()
    })
  }

  test('frames that ask for nothing are borne', async (t) => {
    const { url, unharmed } = await served(t)
    using connection = new FrameConnection(url)
    connection.send(request(1, '/channels/x', { ':method': 'POST' }, FLAG.endHeaders))
    const nothing = [
      frame(TYPE.data, 0, 1),
      frame(TYPE.priority, 0, 1, Buffer.of(0, 0, 0, 3, 16)),
      frame(0xbe, 0, 0, Buffer.alloc(100)),
      frame(TYPE.windowUpdate, 0, 0, number32(1)),
    ]
    connection.send(...Array.from({ length: 500 }, () => nothing).flat())
    connection.send(frame(TYPE.data, FLAG.endStream, 1, Buffer.from('x')))
    await unharmed()
  })
})

describe('heads', () => {
  test('P19.2.2 a head that is too long, or has too many fields, ends its stream and no other', async (t) => {
    const { url, unharmed } = await served(t)
    using connection = new FrameConnection(url)
    const long = { 'x-long': 'x'.repeat(16_200) }
    const many = Object.fromEntries(Array.from({ length: 140 }, (_, n) => [`x-${n}`, 'x']))
    connection.ask(1, '/healthz', long)
    const refused = await connection.next(({ type, stream }) => type === TYPE.data && stream === 1)
    assert.match(String(refused?.payload), /"code":"head-too-large","limit":16384/)
    connection.ask(3, '/healthz', many)
    assert.equal(await connection.resetOf(3), ERROR.enhanceYourCalm)
    connection.send(frame(TYPE.settings, FLAG.ack, 0)).ask(7, '/healthz', long)
    assert.equal(await connection.resetOf(7), ERROR.enhanceYourCalm)
    connection.ask(9, '/healthz', { 'x-long': 'x'.repeat(14_000) })
    assert.ok(await connection.next(({ type, stream }) => type === TYPE.headers && stream === 9))
    await unharmed()
  })

  test('P19.2.2 a head that goes on and on ends the connection', async (t) => {
    const { url, unharmed } = await served(t)
    using connection = new FrameConnection(url)
    connection.send(request(1, '/healthz', {}, FLAG.endStream))
    const more = frame(TYPE.continuation, 0, 1, fields({ 'x-more': 'x'.repeat(1_000) }))
    connection.send(...Array.from({ length: 5_000 }, () => more))
    await connection.closed
    await unharmed()
  })

  test('P19.2.1 who never ends a head, or never sends settings, is cut in the time for a head', async (t) => {
    const { url, unharmed } = await served(t, { headTimeoutMs: 100 })
    using silent = new FrameConnection(url, false)
    silent.send(Buffer.from(PREFACE))
    await silent.closed
    await unharmed()
  })
})

describe('who takes nothing', () => {
  test('P19.2.4 of 250 large pages that nobody takes some wait, the others are reset', async (t) => {
    const { hub, url, unharmed } = await served(t)
    for (let n = 0; n < 10; n++) await hub.publish('large', { data: 'x'.repeat(100_000) })
    const before = process.memoryUsage().rss
    using connection = new FrameConnection(url)
    for (let stream = 1; stream < 500; stream += 2) connection.ask(stream, '/channels/large?after=start')
    const countOf = (type: number): number => connection.frames.filter((frame) => frame.type === type).length
    await until(() => countOf(TYPE.headers) + countOf(TYPE.reset) === 250)
    await unharmed()
    for (const { type, payload } of connection.frames)
      if (type === TYPE.reset) assert.equal(payload.readUInt32BE(), ERROR.enhanceYourCalm)
    // Of 1 MB each: 32 MiB, and what was sent before.
    const answered = countOf(TYPE.headers)
    assert.ok(answered >= 30 && answered < 60, `${answered} answers`)
    connection.frames.length = 0
    for (let stream = 501; stream < 5_000 && !connection.over; stream += 200) {
      for (let n = 0; n < 200; n += 2) connection.ask(stream + n, '/channels/large?after=start')
      await until(() => countOf(TYPE.reset) >= (stream - 301) / 2 || connection.over)
    }
    // Each of these made the hub read a page: about a thousand times, and no more.
    assert.ok(connection.over)
    assert.ok(countOf(TYPE.reset) < 1_500, `${countOf(TYPE.reset)} resets`)
    await unharmed()
    const grown = (process.memoryUsage().rss - before) / 1e6
    assert.ok(grown < 400, `the hub grew by ${grown} MB`)
  })

  test('P19.2.4 250 streams whose connection takes nothing cost little', async (t) => {
    const { hub, url, unharmed } = await served(t)
    using connection = new FrameConnection(url)
    for (let stream = 1; stream < 500; stream += 2) connection.ask(stream, `/channels/x`, SSE)
    await until(() => hub.delivery.readers === 251)
    connection.socket.pause()
    const before = process.memoryUsage().rss
    for (let n = 0; n < 60; n++) {
      await hub.publish('x', { data: String.fromCodePoint(97 + (n % 26)).repeat(500_000) })
      await unharmed()
    }
    // Each alone would be 30 MB.
    const grown = (process.memoryUsage().rss - before) / 1e6
    assert.ok(grown < 300, `the hub grew by ${grown} MB`)
    assert.equal(hub.delivery.slow, 250)
  })

  test('P19.2.5 a connection without streams is closed, and its peer told', async (t) => {
    // What is kept for 75 s elsewhere.
    const { url, unharmed } = await served(t, { keepAliveMs: 100 })
    using connection = new FrameConnection(url)
    connection.ask(1, '/healthz')
    assert.equal(await connection.goaway(), ERROR.none)
    await connection.closed
    await unharmed()
  })

  test('P19.2.5 one whose peer does not close its side then, or takes nothing at all, is cut', async (t) => {
    const { hub, own, url } = await served(t, { keepAliveMs: 100, headTimeoutMs: 100 })
    const connections = (): Promise<number> =>
      new Promise((resolve) => own.server.getConnections((_, count) => resolve(count)))
    const witness = await connections()
    using open = new FrameConnection(url, true, { allowHalfOpen: true })
    open.send(frame(TYPE.settings, FLAG.ack, 0))
    await open.goaway()
    using stalled = new FrameConnection(url)
    for (let stream = 1; stream < 100; stream += 2) stalled.ask(stream, `/channels/x`, SSE)
    await until(() => hub.delivery.readers === 51)
    stalled.socket.pause()
    stalled.send(
      frame(TYPE.settings, 0, 0, Buffer.of(0, 4, 0x7f, 0, 0, 0)),
      frame(TYPE.windowUpdate, 0, 0, number32(0x7f000000)),
    )
    for (let n = 0; n < 100; n++) await hub.publish('x', { data: 'x'.repeat(500_000) })
    await until(() => hub.delivery.slow === 50)
    hub.delivery.endAll()
    while ((await connections()) > witness - 1) await new Promise((resolve) => setTimeout(resolve, 10))
  })

  test('P19.2.4 answers that a connection never takes go in their time, and the connection after them', async (t) => {
    const times = { answerTimeoutMs: 200, keepAliveMs: 100, headTimeoutMs: 100 }
    const { hub, own, url } = await served(t, times)
    for (let n = 0; n < 10; n++) await hub.publish('large', { data: 'x'.repeat(100_000) })
    using stalled = new FrameConnection(url)
    stalled.socket.pause()
    stalled.send(
      frame(TYPE.settings, 0, 0, Buffer.of(0, 4, 0x7f, 0, 0, 0)),
      frame(TYPE.windowUpdate, 0, 0, number32(0x7f000000)),
    )
    for (let stream = 1; stream < 60; stream += 2) stalled.ask(stream, '/channels/large?after=start')
    await until(() => hub.limited.of('answer-time') > 0)
    let open = 2
    while (open > 1) {
      open = await new Promise((resolve) => own.server.getConnections((_, count) => resolve(count)))
      await new Promise((resolve) => setTimeout(resolve, 10))
    }
  })

  test('a stream that is over its age on a stalled connection leaves nothing behind', async (t) => {
    const { hub, url } = await served(t)
    const session = connect(url)
    t.after(() => session.destroy())
    session.on('error', () => {})
    const stream = session.request({ ':path': '/channels/x', ...SSE })
    stream.on('error', () => {})
    await once(stream, 'response')
    stream.pause()
    for (let n = 0; n < 10; n++) await hub.publish('x', { data: 'x'.repeat(50_000) })
    await until(() => hub.delivery.slow === 1)
    hub.delivery.endAll()
    await until(() => stream.closed || stream.destroyed)
    assert.equal(stream.rstCode, ERROR.cancel)
    assert.equal(hub.delivery.readers, 0)
  })
})

describe('nonsense', () => {
  test('frames in no order, and bytes that are none, end their connection only', async (t) => {
    const { url, unharmed } = await served(t)
    const wrong: readonly (readonly Buffer[])[] = [
      [frame(TYPE.data, 0, 1, Buffer.from('x'))],
      [frame(TYPE.continuation, 4, 1)],
      [frame(TYPE.settings, 0, 1)],
      [frame(TYPE.settings, 0, 0, Buffer.of(0, 4, 255, 255, 255, 255))],
      [frame(TYPE.windowUpdate, 0, 0, number32(0))],
      [
        frame(TYPE.windowUpdate, 0, 0, number32(0x7fffffff)),
        frame(TYPE.windowUpdate, 0, 0, number32(0x7fffffff)),
      ],
      [frame(TYPE.headers, 5, 2, fields({ ':path': '/' }))],
      [frame(TYPE.headers, 5, 1, Buffer.from('ffffffff', 'hex'))],
      [frame(TYPE.goaway, 0, 0, Buffer.alloc(8))],
      [frame(TYPE.ping, 0, 0, Buffer.alloc(7))],
      [request(5, '/healthz'), request(3, '/healthz')],
      [Buffer.alloc(100, 255)],
      [randomBytes(10_000)],
    ]
    for (const frames of wrong) {
      using connection = new FrameConnection(url)
      connection.send(...frames)
      // Some are borne, such as a GOAWAY; then the end of the connection is what ends it.
      connection.socket.end()
      await connection.closed
    }
    await unharmed()
  })

  test('a connection that breaks in the middle of anything leaves nothing behind', async (t) => {
    const { hub, url, unharmed } = await served(t)
    const all = Buffer.concat([
      Buffer.from(PREFACE),
      frame(TYPE.settings, 0, 0),
      request(1, '/channels/x', SSE),
      request(3, '/channels/x?wait=60'),
      request(5, '/channels/x', { ':method': 'POST' }, FLAG.endHeaders),
      frame(TYPE.data, 0, 5, Buffer.from('body')),
    ])
    for (let length = 0; length <= all.length; length += 7) {
      const connection = new FrameConnection(url, false)
      connection.send(all.subarray(0, length))
      await new Promise((resolve) => setImmediate(resolve))
      connection.socket.resetAndDestroy()
      await connection.closed
    }
    await unharmed()
    await until(() => hub.delivery.readers === 1 && hub.delivery.waiting === 0)
  })
})
