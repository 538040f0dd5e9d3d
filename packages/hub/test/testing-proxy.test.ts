/** The hostile proxy in front of the real hub: what it passes on, and each of the things that it does wrong. */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { connect, type Socket } from 'node:net'
import { pipeline } from 'node:stream/promises'
import { describe, test, type TestContext } from 'node:test'
import { readEventStream } from '@downlink/client'
import { type Fault, hostileProxy } from '../src/testing.ts'
import { poll, proxiedHub, publish, rawTarget, Reading, servedHub, stream } from './proxies/behind.ts'
import { bytes } from './wire-contract/raw.ts'

const OPENING = 'event: downlink:open'

/** A hub with a reader of its own beside the proxy: what that reader was told, the proxy has had as well. */
async function setup(t: TestContext, fault: Fault = {}) {
  const proxied = await proxiedHub(t, { fault: { only: 'streams', ...fault } })
  const { direct, hub, proxy } = proxied
  const witness = stream(t, direct)
  await witness.until((text) => text.includes(OPENING))
  return {
    ...proxied,
    /** Resolves when a stream through the proxy is being read at the hub. */
    joined: async (readers = 2): Promise<void> => {
      while (hub.delivery.readers < readers) await publish(direct, 'joining', 'elsewhere')
    },
    /** Publishes, and resolves when the bytes would have passed. */
    tell: async (data: string): Promise<string> => {
      const id = await publish(direct, data)
      await witness.until((text) => text.includes(`id: ${id}\n`))
      for (let turn = 0; turn < 5; turn++) await poll(proxy.url)
      return id
    },
  }
}

/** What is after the opening. */
const told = (text: string): string => text.slice(text.indexOf('\n\n', text.indexOf(OPENING)) + 2)

describe('without a fault', () => {
  test('publishing, polls, long polls and streams pass', async (t) => {
    const { proxy } = await proxiedHub(t)
    const reading = stream(t, proxy.url)
    await reading.until((text) => text.includes(OPENING))
    const { cursor } = await poll(proxy.url)
    const waiting = fetch(`${proxy.url}/channels/a?wait=30&after=${cursor}`)
    const id = await publish(proxy.url, 'héllo')
    await reading.until((text) => text.includes(id))
    assert.equal(told(reading.all), Buffer.from(`id: ${id}\ndata: héllo\n\n`).toString('latin1'))
    const page = (await (await waiting).json()) as { events: { data: string }[] }
    assert.deepEqual(
      page.events.map(({ data }) => data),
      ['héllo'],
    )
    assert.equal((await poll(proxy.url)).events.length, 1)
  })

  test('a head passes as the hub wrote it', async (t) => {
    const { direct, proxy } = await proxiedHub(t)
    const heads = []
    for (const url of [direct, proxy.url]) {
      const reading = stream(t, url)
      await reading.until((text) => text.includes(OPENING))
      heads.push(reading.all.slice(0, reading.all.indexOf('\r\n\r\n')).replace(/Date: .*/, ''))
    }
    assert.equal(heads[0], heads[1])
    assert.match(heads[0] ?? '', /Connection: close/i)
  })

  test('a connection is kept from answer to answer, whatever they are like', async (t) => {
    const { accepted, proxy } = await proxiedHub(t)
    const reading = new Reading(t, proxy.url)
    const etag = (await reading.send(bytes('GET /channels/a?transport=poll')).answer()).headers['etag'] ?? ''
    const again = bytes('GET /channels/a?transport=poll', { 'If-None-Match': etag })
    assert.equal((await reading.send(again).answer()).status, 304)
    assert.equal((await reading.send(bytes('HEAD /healthz')).answer({ head: true })).body, '')
    assert.equal((await reading.send(bytes('POST /channels/a', {}, 'one')).answer()).status, 200)
    const chunks = bytes('POST /channels/a', { 'Transfer-Encoding': 'chunked' })
    reading.send(`${chunks}2\r\nab\r\n`).send('1\r\nc\r\n0\r\n\r\n')
    assert.equal((await reading.answer()).status, 200)
    const page = await reading.send(bytes('GET /channels/a?transport=poll')).answer()
    assert.match(page.body, /"data":"one".*"data":"abc"/)
    assert.equal(proxy.requestsTo('/channels/a'), 5)
    assert.deepEqual([proxy.accepted, accepted()], [1, 1])
  })

  test('requests that were sent at once are answered one after the other', async (t) => {
    const { proxy } = await proxiedHub(t)
    const reading = new Reading(t, proxy.url)
    const post = (data: string): string => bytes('POST /channels/a', {}, data)
    reading.send(post('one') + post('two') + bytes('GET /channels/a?transport=poll'))
    const ids = []
    for (let count = 0; count < 2; count++)
      ids.push((JSON.parse((await reading.answer()).body) as { ids: [string] }).ids[0])
    const page = JSON.parse((await reading.answer()).body) as { events: { id: string; data: string }[] }
    assert.deepEqual(
      page.events.map(({ id, data }) => [id, data]),
      [
        [ids[0], 'one'],
        [ids[1], 'two'],
      ],
    )
  })

  test('a stream in chunks, as Node’s fetch gets it, passes, and the hub hears when its reader leaves', async (t) => {
    const { hub, proxy } = await proxiedHub(t)
    const abort = new AbortController()
    const init = { headers: { accept: 'text/event-stream' }, signal: abort.signal }
    const events = readEventStream((await fetch(`${proxy.url}/channels/a`, init)).body)
    assert.equal((await events.next()).value?.type, 'downlink:open')
    await publish(proxy.url, 'one')
    assert.equal((await events.next()).value?.data, 'one')
    assert.equal(hub.delivery.readers, 1)
    abort.abort()
    await assert.rejects(events.next())
    while (hub.delivery.readers > 0) await publish(proxy.url, 'x', 'elsewhere')
  })

  test('a client that does not read holds the target back, and has all of it later', async (t) => {
    const size = 64 * 1024 * 1024
    let from: Socket | undefined
    const target = await rawTarget(t, (socket) => {
      socket.on('data', (asked) => {
        if (asked.includes('GET /large')) void pipeline(whole(size), (from = socket))
        else socket.write('HTTP/1.1 204 No Content\r\n\r\n')
      })
    })
    const proxy = await hostileProxy(target)
    t.after(() => proxy.close())
    const socket = connect(Number(new URL(proxy.url).port), '127.0.0.1')
    t.after(() => socket.destroy())
    socket.pause().write(bytes('GET /large'))
    // Without a limit all of it would be in the proxy long before these are over.
    for (let turn = 0; turn < 300; turn++) await fetch(proxy.url)
    const { bytesWritten = 0, writableLength = 0 } = from ?? {}
    assert.ok(bytesWritten - writableLength < size / 2, `${bytesWritten - writableLength} bytes passed`)
    const came = createHash('sha1')
    for await (const piece of socket) came.update(piece as Buffer)
    const sent = createHash('sha1')
    for (const piece of whole(size)) sent.update(piece)
    assert.equal(came.digest('hex'), sent.digest('hex'))
  })
})

/** An answer whose bytes are all different, as far as they go. */
function* whole(size: number): Generator<Buffer> {
  yield Buffer.from(`HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: ${size}\r\n\r\n`)
  for (let sent = 0; sent < size; sent += 65_536) yield Buffer.alloc(65_536, sent.toString(36))
}

describe('a proxy that holds', () => {
  test('the response: not even a head comes, until it heals', async (t) => {
    const { joined, proxy, tell } = await setup(t, { hold: 'response' })
    const reading = stream(t, proxy.url)
    await joined()
    const id = await tell('one')
    assert.equal(reading.all, '')
    proxy.set({})
    await reading.until((text) => text.includes(id))
    assert.equal(told(reading.all), `id: ${id}\ndata: one\n\n`)
    const next = await publish(proxy.url, 'two')
    await reading.until((text) => text.includes(next))
  })

  test('the response: it comes when it ends', async (t) => {
    const { hub, joined, proxy, tell } = await setup(t, { hold: 'response' })
    const reading = stream(t, proxy.url)
    await joined()
    const id = await tell('one')
    hub.drain()
    assert.equal(await reading.how, 'end')
    assert.match(reading.all, new RegExp(`^HTTP/1.1 200 OK\r\n[^]*id: ${id}\ndata: one\n\n`))
  })

  test('the body: the head comes, and nothing else', async (t) => {
    const { proxy, tell } = await setup(t, { hold: 'body' })
    const reading = stream(t, proxy.url)
    await reading.until((text) => text.includes('\r\n\r\n'))
    await tell('one')
    assert.match(reading.all, /^HTTP\/1.1 200 OK\r\n[^]*\r\n\r\n$/)
    proxy.set({})
    await reading.until((text) => text.includes('data: one'))
  })

  test('until so many bytes have come: then it holds nothing any more', async (t) => {
    const { joined, proxy, tell } = await setup(t, { hold: { until: 2000 } })
    const reading = stream(t, proxy.url)
    await joined()
    await tell('one')
    assert.match(reading.all, /\r\n\r\n$/)
    await tell('x'.repeat(2000))
    await reading.until((text) => text.includes('xxx\n\n'))
    const id = await tell('three')
    await reading.until((text) => text.includes(id))
    assert.deepEqual(reading.all.match(/data: (?:\w{3})/g), ['data: one', 'data: xxx', 'data: thr'])
  })

  test('what does not fill a block', async (t) => {
    const { joined, proxy, tell } = await setup(t, { hold: { blocks: 1000 } })
    const reading = stream(t, proxy.url)
    await joined()
    await tell('x'.repeat(2100))
    const [, body = ''] = reading.all.split('\r\n\r\n')
    assert.equal(body.length, 2000)
    await tell('x'.repeat(900))
    assert.equal(reading.all.split('\r\n\r\n')[1]?.length, 3000)
  })

  test('everything after so many bytes', async (t) => {
    const { joined, proxy, tell } = await setup(t, { hold: { after: 200 } })
    const reading = stream(t, proxy.url)
    await joined()
    await tell('x'.repeat(300))
    assert.equal(reading.all.split('\r\n\r\n')[1]?.length, 200)
    await tell('one')
    assert.equal(reading.all.split('\r\n\r\n')[1]?.length, 200)
  })

  test('cuts a connection rather than hold more than its limit, and counts it', async (t) => {
    const { proxy, direct } = await proxiedHub(t, { fault: { hold: 'body' }, bufferLimit: 3000 })
    const reading = stream(t, proxy.url)
    await reading.until((text) => text.includes('\r\n\r\n'))
    await publish(direct, 'x'.repeat(2000))
    await publish(direct, 'y'.repeat(2000))
    assert.equal(await reading.how, 'reset')
    assert.deepEqual([proxy.overflows, reading.all.includes('xxx')], [1, false])
  })
})

describe('a proxy that cuts', () => {
  for (const by of ['reset', 'end'] as const) {
    test(`by ${by}, after some time`, async (t) => {
      const { proxy } = await setup(t, { cut: { afterMs: 80, by } })
      const started = performance.now()
      const reading = stream(t, proxy.url)
      assert.equal(await reading.how, by)
      assert.ok(performance.now() - started >= 79)
      assert.match(reading.all, /downlink:open/)
      await proxy.until(() => proxy.connections === 0)
    })

    test(`by ${by}, after so many bytes`, async (t) => {
      const { joined, proxy, tell } = await setup(t, { cut: { afterBytes: 500, by } })
      const reading = stream(t, proxy.url)
      await joined()
      await tell('x'.repeat(1000))
      assert.equal(await reading.how, by)
      assert.equal(reading.all.split('\r\n\r\n')[1]?.length, 500)
    })
  }

  test('at once: no answer comes, and the target is not asked', async (t) => {
    const asked: string[] = []
    const target = await rawTarget(t, (socket) => socket.on('data', (bytes) => asked.push(bytes.toString())))
    const proxy = await hostileProxy(target, { fault: { cut: {} } })
    t.after(() => proxy.close())
    const reading = stream(t, proxy.url)
    assert.equal(await reading.how, 'reset')
    assert.deepEqual([reading.all, asked, proxy.requests], ['', [], 1])
  })

  test('what is open, too: a long poll that lasts too long, and idle connections', async (t) => {
    const { proxy } = await proxiedHub(t)
    const idle = new Reading(t, proxy.url)
    await idle.send(bytes('GET /healthz')).answer()
    const waiting = new Reading(t, proxy.url)
    waiting.send(bytes('GET /channels/a?wait=30'))
    await proxy.until(() => proxy.requests === 2)
    proxy.set({ cut: { afterMs: 1 } })
    assert.equal(await waiting.how, 'reset')
    await proxy.until(() => proxy.connections === 1)
    proxy.set({ cut: {} })
    assert.equal(await idle.how, 'reset')
  })

  test('only what it is for', async (t) => {
    const { proxy } = await proxiedHub(t)
    const idle = new Reading(t, proxy.url)
    await idle.send(bytes('GET /healthz')).answer()
    const reading = stream(t, proxy.url)
    await reading.until((text) => text.includes(OPENING))
    proxy.set({ only: ({ path }) => path === '/channels/a', cut: {} })
    assert.equal(await reading.how, 'reset')
    assert.equal((await idle.send(bytes('GET /healthz')).answer()).status, 200)
  })

  test('cut() ends everything that is open, and what comes next passes', async (t) => {
    const { hub, proxy } = await proxiedHub(t)
    const readings = [stream(t, proxy.url), stream(t, proxy.url)]
    for (const reading of readings) await reading.until((text) => text.includes(OPENING))
    proxy.cut()
    assert.deepEqual(await Promise.all(readings.map(({ how }) => how)), ['reset', 'reset'])
    await proxy.until(() => proxy.connections === 0)
    await publish(proxy.url, 'one')
    while (hub.delivery.readers > 0) await publish(proxy.url, 'one')
  })
})

describe('a proxy that falls silent', () => {
  test('passes nothing any more and tells neither end, even when it heals', async (t) => {
    const { hub, proxy, tell } = await setup(t)
    const reading = stream(t, proxy.url)
    await reading.until((text) => text.includes(OPENING))
    proxy.set({ silence: {}, only: 'streams' })
    await tell('one')
    proxy.set({})
    await tell('two')
    assert.equal(told(reading.all), '')
    assert.equal(reading.socket.readyState, 'open')
    reading.socket.destroy()
    await tell('three')
    assert.equal(hub.delivery.readers, 2)
    assert.ok(proxy.connections >= 1)
  })

  test('after so many bytes', async (t) => {
    const { joined, proxy, tell } = await setup(t, { silence: { afterBytes: 300 } })
    const reading = stream(t, proxy.url)
    await joined()
    await tell('x'.repeat(1000))
    await tell('one')
    assert.equal(reading.all.split('\r\n\r\n')[1]?.length, 300)
    assert.equal(reading.socket.readyState, 'open')
  })

  test('takes nothing from the target any more, so that its connection fills', async (t) => {
    let from: Socket | undefined
    const size = 64 * 1024 * 1024
    const target = await rawTarget(t, (socket) => {
      socket
        .on('error', () => {})
        .once('data', () => {
          from = socket
          for (const piece of whole(size)) socket.write(piece)
        })
    })
    const proxy = await hostileProxy(target, { fault: { silence: { afterBytes: 1000 } } })
    t.after(() => proxy.close())
    const reading = stream(t, proxy.url)
    await reading.until((text) => text.length > 1000)
    const { url } = await servedHub(t)
    for (let turn = 0; turn < 1000; turn++) await fetch(url)
    const passed = (from?.bytesWritten ?? size) - (from?.writableLength ?? 0)
    assert.ok(passed < size / 2, `${passed} bytes passed`)
  })

  test('at once: a request has no answer, and its connection does not end', async (t) => {
    const { hub, proxy, tell } = await setup(t, { silence: {} })
    const reading = stream(t, proxy.url)
    await proxy.until(() => proxy.requestsTo('/channels/a') === 1)
    await tell('one')
    assert.deepEqual([reading.all, reading.socket.readyState, hub.delivery.readers], ['', 'open', 1])
    await proxy.close()
    assert.equal(await reading.how, 'reset')
  })

  test('after some time', async (t) => {
    const { proxy, tell } = await setup(t, { silence: { afterMs: 60 } })
    const started = performance.now()
    const reading = stream(t, proxy.url)
    await reading.until((text) => text.includes(OPENING))
    while (performance.now() - started < 100) await tell('before')
    const { length } = reading.all
    await tell('after')
    assert.equal(reading.all.length, length)
  })
})

describe('a proxy that is slow', () => {
  test('each way by its own delay, in order', async (t) => {
    const { direct, joined, proxy } = await setup(t, { delay: { requestMs: 60, responseMs: 90 } })
    const started = performance.now()
    const reading = stream(t, proxy.url)
    await joined()
    const asked = performance.now() - started
    assert.ok(asked >= 59, `${asked}`)
    await reading.until((text) => text.includes(OPENING))
    assert.ok(performance.now() - started >= 149)
    const published = performance.now()
    await publish(direct, 'one')
    await publish(direct, 'two')
    await reading.until((text) => text.includes('data: two'))
    assert.ok(performance.now() - published >= 89)
    assert.deepEqual(reading.all.match(/data: (?:one|two)/g), ['data: one', 'data: two'])
  })

  test('a number delays both ways, and the end as well', async (t) => {
    const { direct } = await setup(t)
    const proxy = await hostileProxy(direct, { fault: { delay: 50 } })
    t.after(() => proxy.close())
    const started = performance.now()
    const reading = new Reading(t, proxy.url)
    reading.send(bytes('GET /healthz', { Connection: 'close' }))
    assert.equal(await reading.how, 'end')
    assert.ok(performance.now() - started >= 99)
    assert.match(reading.all, /^HTTP\/1.1 200/)
  })

  test('byte by byte', async (t) => {
    const { proxy } = await setup(t, { trickle: true })
    const reading = stream(t, proxy.url)
    await reading.until((text) => text.includes(OPENING))
    // The system may join a few on their way.
    assert.ok(reading.pieces.length > reading.all.length / 4, `${reading.pieces.length} pieces`)
  })

  test('and splits each character of several bytes', async (t) => {
    const data = 'naïve €uro 😀'
    const { direct, proxy } = await setup(t, { splitUtf8: { everyMs: 10 } })
    const init = { headers: { accept: 'text/event-stream' } }
    const events = readEventStream((await fetch(`${proxy.url}/channels/a`, init)).body)
    t.after(() => events.return())
    await events.next()
    const reading = stream(t, proxy.url)
    await reading.until((text) => text.includes(OPENING))
    await publish(direct, data)
    await reading.until((text) => told(text).includes('\n\n'))
    assert.equal((await events.next()).value?.data, data)
    const endings = reading.pieces.map((piece) => piece.at(-1) ?? '')
    // A break is no promise: the system may join two of them.
    assert.ok(endings.filter((last) => last >= '\xc0').length >= 2, JSON.stringify(reading.pieces))
  })
})

describe('a proxy that answers by itself', () => {
  test('with and without Retry-After, on a connection that stays', async (t) => {
    const { proxy } = await proxiedHub(t, { fault: { answer: { status: 503, retryAfter: 7 } } })
    const reading = new Reading(t, proxy.url)
    const first = await reading.send(bytes('POST /channels/a', {}, 'lost')).answer()
    assert.deepEqual(
      [first.status, first.headers['retry-after'], first.body],
      [503, '7', '<h1>503 Service Unavailable</h1>\n'],
    )
    proxy.set({ answer: { status: 502 } })
    const second = await reading.send(bytes('GET /channels/a')).answer()
    assert.deepEqual([second.status, second.headers['retry-after']], [502, undefined])
    proxy.set({})
    const third = await reading.send(bytes('GET /channels/a?transport=poll')).answer()
    assert.deepEqual([third.status, JSON.parse(third.body).events], [200, []])
    // Nor does the target, which is connected now, get the body of a request that it did not get.
    proxy.set({ answer: { status: 503, times: 1 } })
    assert.equal((await reading.send(bytes('POST /channels/a', {}, 'lost')).answer()).status, 503)
    assert.equal((await reading.send(bytes('GET /healthz')).answer()).status, 200)
  })

  test('the next few requests, and no more', async (t) => {
    const { proxy } = await proxiedHub(t, { fault: { answer: { status: 504, times: 2 } } })
    const statuses = []
    for (let count = 0; count < 4; count++) statuses.push((await fetch(`${proxy.url}/healthz`)).status)
    assert.deepEqual(statuses, [504, 504, 200, 200])
  })

  test('streams only', async (t) => {
    const { proxy } = await setup(t, { answer: { status: 503, body: 'no streams' } })
    const answer = await stream(t, proxy.url).answer()
    assert.deepEqual([answer.status, answer.body], [503, 'no streams'])
    assert.equal((await fetch(`${proxy.url}/channels/a?transport=poll`)).status, 200)
  })

  test('with a redirect, or a 407', async (t) => {
    const { direct, proxy } = await proxiedHub(t)
    proxy.set({ answer: { status: 302, headers: { Location: `${direct}/healthz` } } })
    assert.equal((await fetch(`${proxy.url}/elsewhere`)).url, `${direct}/healthz`)
    proxy.set({ answer: { status: 407, headers: { 'Proxy-Authenticate': 'Basic realm="x"' } } })
    const answer = await new Reading(t, proxy.url).send(bytes('GET /channels/a')).answer()
    assert.deepEqual([answer.status, answer.headers['proxy-authenticate']], [407, 'Basic realm="x"'])
  })

  test('and closes when the client waits to be told to send its body', async (t) => {
    const { proxy } = await proxiedHub(t, { fault: { answer: { status: 503 } } })
    const reading = new Reading(t, proxy.url)
    reading.send(
      'POST /channels/a HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n',
    )
    assert.equal((await reading.answer()).headers['connection'], 'close')
    assert.equal(await reading.how, 'end')
  })
})

describe('a proxy that changes what passes', () => {
  test('truncates: the answer is whole by HTTP, and is not', async (t) => {
    const { proxy } = await proxiedHub(t)
    await publish(proxy.url, 'one')
    const whole = await (await fetch(`${proxy.url}/channels/a?transport=poll`)).text()
    proxy.set({ truncate: 20 })
    const reading = new Reading(t, proxy.url)
    const answer = await reading.send(bytes('GET /channels/a?transport=poll')).answer()
    assert.deepEqual([answer.body, answer.headers['content-length']], [whole.slice(0, 20), '20'])
    // The connection goes on, with another one to the target.
    assert.equal((await reading.send(bytes('GET /healthz')).answer()).status, 200)
    const last = new Reading(t, proxy.url)
    last.send(bytes('GET /channels/a?transport=poll', { Connection: 'close' }))
    assert.equal(await last.how, 'end')
    const cut = stream(t, proxy.url)
    assert.equal(await cut.how, 'end')
    assert.equal(cut.all.split('\r\n\r\n')[1]?.length, 20)
  })

  test('leaves the target when it truncates: a hub has no reader that nobody reads', async (t) => {
    const { hub, direct, proxy } = await proxiedHub(t, { fault: { truncate: 20 } })
    const init = { headers: { accept: 'text/event-stream' } }
    const response = await fetch(`${proxy.url}/channels/a`, init)
    assert.equal(response.headers.get('transfer-encoding'), 'chunked')
    assert.equal((await response.text()).length, 20)
    while (hub.delivery.readers > 0) await publish(direct, 'x', 'elsewhere')
  })

  test('strips Last-Event-ID, so that a stream that was to resume begins anew', async (t) => {
    const { hub, joined, proxy, tell } = await setup(t)
    const before = (await poll(proxy.url)).cursor
    await tell('one')
    const resumed = stream(t, proxy.url, '/channels/a', { 'Last-Event-ID': before })
    await resumed.until((text) => text.includes('data: one'))
    proxy.set({ strip: ['Last-Event-ID'] })
    const anew = stream(t, proxy.url, '/channels/a', { 'Last-Event-ID': before })
    await joined(3)
    const id = await tell('two')
    await anew.until((text) => text.includes(id))
    assert.equal(anew.all.includes('data: one'), false)
    assert.equal(hub.delivery.readers, 3)
  })

  test('compresses, and keeps a stream’s events until it ends', async (t) => {
    const { hub, proxy, tell } = await setup(t, { gzip: true })
    const init = { headers: { accept: 'text/event-stream' } }
    const response = await fetch(`${proxy.url}/channels/a`, init)
    assert.equal(response.headers.get('content-encoding'), 'gzip')
    const reading = stream(t, proxy.url, '/channels/a', { 'Accept-Encoding': 'gzip' })
    await reading.until((text) => text.includes('\r\n\r\n'))
    await tell('one')
    assert.match(reading.all, /\r\n\r\n$/)
    hub.drain()
    const events = []
    for await (const { type, data } of readEventStream(response.body)) events.push([type, data])
    assert.deepEqual(events[1], ['message', 'one'])
    assert.equal(await reading.how, 'end')
    assert.ok(reading.all.includes('\x1f\x8b'))
  })
})

describe('the target', () => {
  test('that is not there is a 502, and when it has moved, it is found', async (t) => {
    const { url, stop } = await servedHub(t)
    const proxy = await hostileProxy(url)
    t.after(() => proxy.close())
    await stop()
    const answer = await fetch(`${proxy.url}/healthz`)
    assert.deepEqual([answer.status, await answer.text()], [502, '<h1>502 Bad Gateway</h1>\n'])
    proxy.lead((await servedHub(t)).url)
    assert.equal((await fetch(`${proxy.url}/healthz`)).status, 200)
  })

  test('that says nothing, or nonsense, is a 502', async (t) => {
    for (const nonsense of ['', 'hello\r\n\r\n', 'HTTP/1.1 101 Switching\r\n\r\n', 'x'.repeat(100_000)]) {
      const target = await rawTarget(t, (socket) => socket.once('data', () => socket.end(nonsense)))
      const proxy = await hostileProxy(target)
      t.after(() => proxy.close())
      assert.equal((await fetch(proxy.url)).status, 502, nonsense.slice(0, 20))
    }
  })

  test('that breaks off is seen to break off, in its own way', async (t) => {
    const head = 'HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc'
    for (const how of ['reset', 'end'] as const) {
      const target = await rawTarget(t, (socket) => {
        socket.once('data', () =>
          socket.write(head, () => (how === 'end' ? socket.end() : socket.resetAndDestroy())),
        )
      })
      const proxy = await hostileProxy(target)
      t.after(() => proxy.close())
      const reading = stream(t, proxy.url)
      assert.equal(await reading.how, how)
      assert.equal(reading.all, head)
    }
  })

  test('may answer before it has the whole request, and gets it all the same', async (t) => {
    const came: string[] = []
    const answer = 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n'
    const target = await rawTarget(t, (socket) => {
      socket.on('data', (bytes) => {
        came.push(bytes.toString())
        if (bytes.includes('HTTP/1.1')) socket.write(answer)
      })
    })
    const proxy = await hostileProxy(target)
    t.after(() => proxy.close())
    const reading = new Reading(t, proxy.url)
    reading.send('POST /one HTTP/1.1\r\nContent-Length: 3\r\n\r\n')
    assert.equal((await reading.answer()).status, 200)
    reading.send('abcGET /two HTTP/1.1\r\n\r\n')
    assert.equal((await reading.answer()).status, 200)
    assert.equal(came.join(''), 'POST /one HTTP/1.1\r\nContent-Length: 3\r\n\r\nabcGET /two HTTP/1.1\r\n\r\n')
  })

  test('that closes a kept connection instead of answering is seen to close it: clients ask again', async (t) => {
    const target = await rawTarget(t, (socket) => {
      socket.once('data', () => {
        socket.write('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n')
        socket.once('data', () => socket.end())
      })
    })
    const proxy = await hostileProxy(target)
    t.after(() => proxy.close())
    const reading = new Reading(t, proxy.url)
    assert.equal((await reading.send(bytes('GET /')).answer()).status, 200)
    reading.send(bytes('GET /'))
    assert.equal(await reading.how, 'end')
    assert.equal(reading.text, '')
  })

  test('that says more than it was asked loses its connection, and what it said too much', async (t) => {
    const target = await rawTarget(t, (socket) => {
      const answer = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'
      socket.once('data', () => socket.write(`${answer}${answer}`))
    })
    const proxy = await hostileProxy(target)
    t.after(() => proxy.close())
    const reading = stream(t, proxy.url)
    assert.equal(await reading.how, 'end')
    assert.equal(reading.all, 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok')
  })

  test('may say 100 before its answer', async (t) => {
    const { proxy } = await proxiedHub(t)
    const reading = new Reading(t, proxy.url)
    reading.send(
      'POST /channels/a HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n',
    )
    assert.equal((await reading.answer()).status, 100)
    assert.equal((await reading.send('abc').answer()).status, 200)
  })
})

describe('the proxy', () => {
  test('refuses what is no request that it could pass on', async (t) => {
    const { proxy } = await proxiedHub(t)
    const refused = async (text: string): Promise<number> => {
      const reading = new Reading(t, proxy.url)
      const { status } = await reading.send(text).answer()
      await reading.closed
      return status
    }
    assert.equal(await refused('hello\r\n\r\n'), 400)
    assert.equal(
      await refused(bytes('POST /', { 'Content-Length': '1', 'Transfer-Encoding': 'chunked' })),
      400,
    )
    assert.equal(await refused(bytes('GET /', { A: 'x'.repeat(70_000) })), 431)
    assert.equal(await refused(bytes('CONNECT example.com:443')), 501)
    assert.equal(proxy.requests, 0)
  })

  test('counts connections, those that are open, and requests by path', async (t) => {
    const { proxy } = await proxiedHub(t)
    const reading = new Reading(t, proxy.url)
    await reading.send(bytes('GET /healthz?a')).answer()
    await reading.send(bytes('GET /healthz?b')).answer()
    const other = stream(t, proxy.url)
    await other.until((text) => text.includes(OPENING))
    assert.deepEqual([proxy.accepted, proxy.connections, proxy.requests], [2, 2, 3])
    assert.deepEqual(
      [proxy.requestsTo('/healthz'), proxy.requestsTo('/channels/a'), proxy.requestsTo('/x')],
      [2, 1, 0],
    )
    other.socket.destroy()
    await proxy.until(() => proxy.connections === 1)
    assert.equal(proxy.accepted, 2)
  })

  test('until() says what there was when it waited in vain', async (t) => {
    const { proxy } = await proxiedHub(t)
    const vain = proxy.until(() => proxy.requests > 0, 5)
    await assert.rejects(
      vain,
      /Waited 5 ms in vain for \(\) => proxy\.requests > 0\. There were 0 requests, /,
    )
  })

  test('close() leaves nothing behind, whatever it was at, and may be called again', async (t) => {
    const { hub, url } = await servedHub(t)
    const before = process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length
    const faults: Fault[] = [
      {},
      { hold: 'response' },
      { trickle: { everyMs: 1000 } },
      { delay: 100_000 },
      { cut: { afterMs: 100_000 } },
      { silence: {} },
      { silence: { afterMs: 100_000 } },
    ]
    for (const fault of faults) {
      const proxy = await hostileProxy(url, { fault })
      const reading = stream(t, proxy.url)
      await proxy.until(() => proxy.requests === 1)
      await Promise.all([proxy.close(), proxy.close()])
      assert.equal(await reading.how, 'reset', JSON.stringify(fault))
      assert.equal(proxy.connections, 0)
      await assert.rejects(fetch(url.replace(/\d+$/, new URL(proxy.url).port)))
    }
    while (hub.delivery.readers > 0) await publish(url, 'x')
    const after = process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length
    assert.ok(after <= before + 1, `${before} timers before, ${after} after`)
  })

  test('leads to an origin only', async () => {
    for (const target of ['https://localhost', 'http://localhost/path', 'localhost:80', '']) {
      await assert.rejects(hostileProxy(target), { code: 'invalid-option' }, target)
    }
  })
})
