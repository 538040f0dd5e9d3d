/** WebSocket: the same log, a page in each message. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { ask, askPage, openStream, post, problemOf } from './client.ts'
import { type Face, fresh, type Running, shared, untilCounts } from './face.ts'
import { type Message, openSocket, type PageSocket, refusedSocket } from './page-socket.ts'
import { token } from './rules.ts'
import { ticketFor } from './tickets.ts'

const ndjson = { 'content-type': 'application/x-ndjson' }
const HANDSHAKE = {
  connection: 'Upgrade',
  upgrade: 'websocket',
  'sec-websocket-version': '13',
  'sec-websocket-key': 'AAAAAAAAAAAAAAAAAAAAAA==',
}

function batch(...events: readonly object[]): string {
  return events.map((event) => JSON.stringify(event)).join('\n')
}

export function webSocketFacts(face: Face): void {
  if (face.cannot?.websocket === undefined) facts(face)
  else without(face)
}

function without(face: Face): void {
  describe('without WebSocket', () => {
    const hub = shared(face)
    test('P21.1.5 who asks for one is told that there is none', async () => {
      const url = `${hub.url}/channels/${fresh()}?transport=websocket`
      const { status, text } = await ask(url)
      assert.ok(status === 501 || status === 426, text)
    })
  })
}

function facts(face: Face): void {
  describe('WebSocket', () => {
    const hub = shared(face)
    const at = (path: string): string => `${hub.url}/channels/${path}`
    const open = async (path: string): Promise<{ socket: PageSocket; first: Message }> => {
      const socket = await openSocket(at(path))
      const first = await socket.next()
      assert.ok(first)
      return { socket, first }
    }

    test('P21.2.1 the first message comes at once: a page with where it starts, and what to know', async () => {
      const channel = fresh()
      await post(at(channel), 'before')
      const { cursor } = await askPage(at(channel))
      const { socket, first } = await open(channel)
      using _ = socket
      const { retry = 0, ...others } = first
      assert.deepEqual(others, { events: [], cursor, more: false, heartbeat: 15_000 })
      assert.ok(retry >= 2_000 && retry <= 4_000)
      assert.equal(socket.ws.extensions, '')
    })

    test('P21.2.2 what comes at once is one page, with the events as a poll has them', async () => {
      const channel = fresh()
      const { socket } = await open(channel)
      using _ = socket
      const data = [
        'plain',
        '',
        'line\nline\r\nline',
        ' lead',
        '\ufefftext 🎉 \u2028',
        '"\\\u0001',
        'é'.repeat(70_000),
      ]
      await post(
        at(channel),
        batch(...data.map((text, n) => ({ data: text, ...(n % 2 && { type: 'tü' }) }))),
        ndjson,
      )
      const message = (await socket.next()) as Message
      const { events, cursor } = await askPage(at(channel))
      assert.equal(events.length, data.length)
      assert.deepEqual(message, { events, cursor, more: false })
    })

    test('P21.2.2 several names and patterns, in one order', async () => {
      const [one, two] = [fresh('ws.a'), fresh('ws.b')]
      const { socket } = await open(`${one},ws.*,other`)
      using _ = socket
      const ids = [
        ...(await post(at(`${one},${two}`), '1')),
        ...(await post(at('other'), '2')),
        ...(await post(at(two), '3')),
      ]
      assert.deepEqual(
        (await socket.take(4)).map(({ id }) => id),
        ids,
      )
    })

    test('P21.1.2 starts where any read does: after, last, Last-Event-ID', async () => {
      const channel = fresh()
      const ids = await post(at(channel), batch({ data: 1 }, { data: 2 }, { data: 3 }), ndjson)
      const idsOf = async (path: string, count: number, headers = {}): Promise<readonly string[]> => {
        using socket = await openSocket(at(path), { headers })
        return (await socket.take(count)).map(({ id }) => id)
      }
      assert.deepEqual(await idsOf(`${channel}?after=start`, 3), ids)
      assert.deepEqual(await idsOf(`${channel}?after=${ids[0]}`, 2), ids.slice(1))
      assert.deepEqual(await idsOf(`${channel}?last=1`, 1), ids.slice(2))
      const header = { 'last-event-id': ids[1] as string }
      assert.deepEqual(await idsOf(`${channel}?after=start`, 1, header), ids.slice(2))
      problemOf(await refusedSocket(at(`${channel}?after=x`)), 400, 'invalid-cursor')
      problemOf(await refusedSocket(at(`${channel}?afer=start`)), 400, 'unknown-parameter')
      problemOf(await refusedSocket(at(`${channel}?transport=poll`)), 400, 'invalid-parameter')
      problemOf(await refusedSocket(at('a..b')), 400, 'invalid-channel')
    })

    test('P21.2.4 a cursor that is none is a gap, in the first message; what is kept follows', async () => {
      const channel = fresh()
      const ids = await post(at(channel), 'kept')
      using socket = await openSocket(at(channel), { headers: { 'last-event-id': '42' } })
      const first = (await socket.next()) as Message
      assert.deepEqual([first.gap?.reason, first.gap?.from, first.events], ['unknown', null, []])
      assert.ok(first.retry !== undefined && first.cursor === first.gap?.to)
      assert.deepEqual(
        (await socket.take(1)).map(({ id }) => id),
        ids,
      )
    })

    test('P21.2.4 an erased channel is a gap, before the events that follow', async () => {
      const channel = fresh()
      await post(at(channel), 'old')
      const { socket } = await open(channel)
      using _ = socket
      assert.equal((await ask(at(channel), { method: 'DELETE' })).status, 204)
      await post(at(channel), 'new')
      const messages: Message[] = []
      while (!messages.some(({ events }) => events.length > 0))
        messages.push((await socket.next()) as Message)
      assert.deepEqual(messages[0]?.gap?.channels, [channel])
      assert.equal(messages[0]?.gap?.reason, 'deleted')
      assert.deepEqual(
        messages.flatMap(({ events }) => events).map(({ data }) => data),
        ['new'],
      )
    })

    test('P21.2.5 P21.6.1 an end is told in a page; when all have ended the socket is closed with 1000', async () => {
      const [one, two] = [fresh(), fresh()]
      const { socket } = await open(`${one},${two}`)
      using _ = socket
      await post(at(`${one}?end`), 'last')
      const message = (await socket.next()) as Message
      assert.deepEqual([message.events.length, message.ended], [1, [one]])
      await post(at(`${two}?end`), '')
      assert.deepEqual(((await socket.next()) as Message).ended, [two])
      assert.deepEqual(await socket.closed, { code: 1000, reason: 'ended' })
      // Who comes later is told the same.
      using late = await openSocket(at(`${one},${two}`))
      const told = [await late.next(), await late.next()] as Message[]
      assert.deepEqual(
        told.map(({ ended }) => ended),
        [undefined, [one, two]],
      )
      assert.deepEqual(await late.closed, { code: 1000, reason: 'ended' })
      using all = await openSocket(at(`${one}?after=start`))
      assert.deepEqual(
        (await all.take(1)).map(({ data }) => data),
        ['last'],
      )
      assert.equal((await all.closed).code, 1000)
    })

    test('P1.2.2 who comes back with the cursor of a page misses nothing, and repeats nothing', async () => {
      const channel = fresh()
      const ids: string[] = []
      const got: string[] = []
      let after = 'start'
      for (let round = 0; round < 5; round++) {
        using socket = await openSocket(at(`${channel}?after=${after}`))
        ids.push(...(await post(at(channel), batch({ data: round }, { data: 'x' }), ndjson)))
        while (got.length < ids.length) {
          const { events, cursor } = (await socket.next()) as Message
          got.push(...events.map(({ id }) => id))
          after = cursor
        }
      }
      assert.deepEqual(got, ids)
    })

    test('P21.3.1 nothing is expected from a client', async () => {
      const { socket } = await open(fresh())
      socket.ws.send('hello')
      const { code, reason } = await socket.closed
      assert.equal(code, 1008)
      assert.match(reason, /POST/)
      const other = await open(fresh())
      other.socket.ws.send(Buffer.alloc(2_000))
      assert.equal((await other.socket.closed).code, 1009)
      await untilCounts(hub, { readers: 0, waiting: 0 })
    })

    test('P21.3.2 a ping is answered; a close, too', async () => {
      const { socket } = await open(fresh())
      const pong = new Promise<string>((resolve) => {
        socket.ws.once('pong', (data) => resolve(data.toString()))
      })
      socket.ws.ping('are you there?')
      assert.equal(await pong, 'are you there?')
      socket.ws.close(1000, 'enough')
      assert.equal((await socket.closed).code, 1000)
      await untilCounts(hub, { readers: 0, waiting: 0 })
    })

    test('P17.2.4 P17.1 a page of another origin reads nothing, nor does a rebound name', async () => {
      const { host } = new URL(hub.url)
      problemOf(await refusedSocket(at('a'), { origin: 'https://evil.example' }), 403, 'cross-site')
      problemOf(await refusedSocket(at('a'), { origin: 'null' }), 403, 'cross-site')
      const site = { 'sec-fetch-site': 'cross-site' }
      problemOf(await refusedSocket(at('a'), { headers: site }), 403, 'cross-site')
      problemOf(await refusedSocket(at('a'), { headers: { host: 'evil.example' } }), 403, 'guard')
      problemOf(await refusedSocket(at('a'), { headers: { 'x-forwarded-for': '::1' } }), 403, 'guard')
      using own = await openSocket(at('a'), { origin: `http://${host}` })
      assert.ok(await own.next())
    })

    test('P21.1.3 a bad handshake is told what it lacks', async () => {
      const refused = (headers: Record<string, string>, path = 'a'): ReturnType<typeof ask> =>
        ask(at(path), { headers })
      const { 'sec-websocket-key': key, 'sec-websocket-version': version, ...neither } = HANDSHAKE
      const old = await refused({ ...HANDSHAKE, 'sec-websocket-version': '8' })
      problemOf(old, 426, 'upgrade-required')
      assert.equal(old.headers['sec-websocket-version'], '13')
      assert.equal(old.headers.upgrade, 'websocket')
      problemOf(await refused({ ...neither, 'sec-websocket-key': key }), 426, 'upgrade-required')
      const short = await refused({ ...HANDSHAKE, 'sec-websocket-key': 'AAAA' })
      assert.equal(problemOf(short, 400, 'invalid-header')['parameter'], 'Sec-WebSocket-Key')
      assert.equal(short.headers['sec-websocket-version'], '13')
      problemOf(await refused({ ...neither, 'sec-websocket-version': version }), 400, 'invalid-header')
      problemOf(await refused({}, 'a?transport=websocket'), 426, 'upgrade-required')
      const { upgrade: _, ...cut } = HANDSHAKE
      for (let n = 0; n < 2; n++) {
        assert.equal((await refused({})).status, 200)
        const lost = problemOf(await refused({ ...cut, connection: 'close' }), 426, 'upgrade-required')
        assert.match(String(lost['detail']), /in between/)
      }
    })

    test('P21.2.6 the same events come by SSE and by WebSocket, live and later', async () => {
      const channel = fresh()
      using stream = await openStream(at(channel))
      await stream.next()
      const { socket } = await open(channel)
      using _ = socket
      const ids: string[] = []
      for (let n = 0; n < 20; n++)
        ids.push(
          ...(await post(
            at(channel),
            batch(...Array.from({ length: 1 + (n % 3) }, () => ({ data: n }))),
            ndjson,
          )),
        )
      const bySse = (await stream.take(ids.length)).map(({ lastEventId }) => lastEventId)
      assert.deepEqual(bySse, ids)
      assert.deepEqual(
        (await socket.take(ids.length)).map(({ id }) => id),
        ids,
      )
      using later = await openSocket(at(`${channel}?after=start`))
      assert.deepEqual(
        (await later.take(ids.length)).map(({ id }) => id),
        ids,
      )
    })

    test('P21.2.3 a flush of more than a page is several messages, of at most 1,000 events and 1 MiB', async () => {
      const channel = fresh()
      const { socket } = await open(channel)
      using _ = socket
      const many = Array.from({ length: 2_500 }, (_, n) => ({ data: String(n) }))
      await post(at(channel), batch(...many), ndjson)
      const sizes: number[] = []
      const more: boolean[] = []
      for (let got = 0; got < many.length; got += sizes.at(-1) ?? 0) {
        const message = (await socket.next()) as Message
        sizes.push(message.events.length)
        more.push(message.more)
      }
      assert.deepEqual(sizes, [1_000, 1_000, 500])
      assert.deepEqual(more, [true, true, false])
    })
  })

  describe('the end of WebSockets', () => {
    const hub = shared(face, { delivery: { maxAgeMs: 300, heartbeatMs: 75 } })

    test('P21.6.1 one that is old is closed with 4000, after what it was to be told', async () => {
      using socket = await openSocket(`${hub.url}/channels/${fresh()}`)
      assert.deepEqual(await socket.closed, { code: 4000, reason: 'age' })
    })
  })

  describe('heartbeats of WebSockets', () => {
    const hub = shared(face, { delivery: { heartbeatMs: 45, cursorMs: 200 } })

    test('P21.4.1 pings come in the rhythm of heartbeats; who leaves two unanswered is cut', async () => {
      using live = await openSocket(`${hub.url}/channels/a`)
      using dead = await openSocket(`${hub.url}/channels/a`, { autoPong: false })
      assert.equal((await dead.closed).code, 1006)
      assert.equal(dead.pings, 2)
      await live.pinged(5)
      assert.equal(live.ws.readyState, live.ws.OPEN)
    })

    test('P21.4.2 a quiet reader is given a fresh cursor now and then', async () => {
      using quiet = await openSocket(`${hub.url}/channels/quiet`)
      const first = (await quiet.next()) as Message
      await post(`${hub.url}/channels/other`, 'x')
      const { cursor } = await askPage(`${hub.url}/channels/quiet`)
      assert.notEqual(first.cursor, cursor)
      assert.deepEqual(await quiet.next(), { events: [], cursor, more: false })
    })
  })

  describe('WebSockets and rules', () => {
    const origin = 'https://app.example'
    const hub = shared(face, {
      rules: true,
      delivery: { retryMs: 1 },
      limits: { streamsPerSubject: 2, ticketsPerSubject: 1_000 },
      handler: { origins: [origin] },
    })
    const at = (path: string): string => `${hub.url}/channels/${path}`
    const as = (subject: string, more = {}): { headers: { authorization: string } } => ({
      headers: { authorization: token(subject, ['read'], '', more) },
    })
    const writer = { authorization: token('writer', ['publish']) }
    const admin = { authorization: token('admin', ['inspect']) }

    test('P13.3.2 refusals keep their status, before anything is upgraded', async () => {
      problemOf(await refusedSocket(at('a')), 401, 'unauthorized')
      const writes = { headers: { authorization: token('alice', ['publish']) } }
      problemOf(await refusedSocket(at('a'), writes), 403, 'forbidden')
      const broken = { headers: { authorization: 'Bearer throw' } }
      const got = await refusedSocket(at('a'), broken)
      problemOf(got, 500, 'internal')
      assert.doesNotMatch(got.text, /secret/)
      using socket = await openSocket(at('a'), as('async-alice'))
      assert.ok(await socket.next())
    })

    test('P17.2.4 with rules, too, only pages of the own origin or of a named one may ask', async () => {
      problemOf(
        await refusedSocket(at('a'), { ...as('alice'), origin: 'https://evil.example' }),
        403,
        'cross-site',
      )
      using socket = await openSocket(at('a'), { ...as('alice'), origin })
      assert.ok(await socket.next())
    })

    test('P14.1.2 a limit is told honestly, and WebSockets count as streams do', async () => {
      using one = await openSocket(at('a'), as('carol'))
      using two = await openStream(at('a'), as('carol').headers)
      await Promise.all([one.next(), two.next()])
      const got = await refusedSocket(at('a'), as('carol'))
      problemOf(got, 429, 'too-many-streams')
      assert.ok(Number(got.headers['retry-after']) > 0)
      one.ws.close()
      await one.closed
      await untilCounts(hub, { readers: 1, waiting: 0 })
      using three = await openSocket(at('a'), as('carol'))
      assert.ok(await three.next())
    })

    test('P12.3.2 P21.6.1 POST /disconnect reaches them', async () => {
      const channel = fresh()
      using socket = await openSocket(at(channel), as('mallory'))
      await socket.next()
      const [id] = await post(at(channel), '1', writer)
      const got = await ask(`${hub.url}/disconnect`, {
        method: 'POST',
        headers: admin,
        body: JSON.stringify({ subject: 'mallory' }),
      })
      assert.deepEqual(JSON.parse(got.text), { disconnected: 1 })
      assert.deepEqual(
        (await socket.take(1)).map((event) => event.id),
        [id],
      )
      assert.deepEqual(await socket.closed, { code: 4001, reason: 'disconnected' })
    })

    test('P21.5.1 the end of a right is told before, and closes with 4401', async () => {
      const channel = fresh()
      const until = Date.now() + 1_000
      using socket = await openSocket(at(channel), as('alice', { until }))
      await socket.next()
      const told = (await socket.next()) as Message
      assert.ok((told.expires ?? 0) > 50 && (told.expires ?? 0) < 1_000, JSON.stringify(told))
      assert.deepEqual([told.events, told.more], [[], false])
      await post(at(channel), 'still', writer)
      assert.equal((await socket.take(1))[0]?.data, 'still')
      assert.deepEqual(await socket.closed, { code: 4401, reason: 'expired' })
      assert.ok(Date.now() < until + 5)
    })

    test('P17.6.3 a ticket opens a WebSocket; a second one with it ends the first', async () => {
      const channel = fresh()
      const ticket = await ticketFor(hub, [channel])
      using first = await openSocket(at(`${channel}?ticket=${ticket}`))
      assert.ok(await first.next())
      problemOf(await refusedSocket(at(`other?ticket=${ticket}`)), 403, 'forbidden')
      problemOf(await refusedSocket(at(`${channel}?ticket=x`)), 401, 'invalid-ticket')
      const evil = { origin: 'https://evil.example' }
      problemOf(await refusedSocket(at(`${channel}?ticket=${ticket}`), evil), 403, 'cross-site')
      using second = await openSocket(at(`${channel}?ticket=${ticket}`), { origin })
      assert.deepEqual(await first.closed, { code: 4409, reason: 'replaced' })
      assert.ok(await second.next())
    })
  })

  describe('WebSockets of a hub that stops', () => {
    const full: Running = shared(face, { limits: { readers: 0 } })
    const hub: Running = shared(face)

    test('P14.1.2 one that is full says so before the upgrade', async () => {
      const got = await refusedSocket(`${full.url}/channels/a`)
      problemOf(got, 503, 'overload')
      assert.ok(Number(got.headers['retry-after']) > 0)
    })

    test('P21.6.1 those that are open are closed with 1012, others are refused', async () => {
      const channel = fresh()
      using socket = await openSocket(`${hub.url}/channels/${channel}`)
      await socket.next()
      await hub.command({ do: 'drain' })
      assert.deepEqual(await socket.closed, { code: 1012, reason: 'draining' })
      problemOf(await refusedSocket(`${hub.url}/channels/${channel}`), 503, 'draining')
    })
  })
}
