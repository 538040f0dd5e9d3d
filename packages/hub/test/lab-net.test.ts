/** Runs of the Lab through a network: the crowd behind it, and a page's own clients on the path that leads through it. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { get } from 'node:http'
import { connect as connectH2 } from 'node:http2'
import { describe, test, type TestContext } from 'node:test'
import { EventSource } from '@downlink/client'
import type { Page } from '@downlink/wire'
import { WebSocket } from 'ws'
import { selfSigned } from '../../../e2e/helpers/self-signed.ts'
import type { Authorize } from '../src/auth/authorize.ts'
import type { Counts } from '../src/lab/counts.ts'
import { type LabReport, type Technique, TECHNIQUES } from '../src/lab/report.ts'
import { isOver, labHub, type LabHub } from './lab/lab-hub.ts'
import { bytes, RawConnection } from './wire-contract/raw.ts'

const CHANNEL = 'lab.run-test'
const NET = `/lab/run-test/net/channels/${CHANNEL}`
const PLAIN = { delay: 0, buffering: false, cutAfter: 0 }

describe('the crowd behind a network', () => {
  test('has its events later by what that adds', async (t) => {
    const { begin, told } = await labHub(t)
    begin({ seconds: 1, network: { ...PLAIN, delay: 40 }, techniques: ['sse', 'websocket'] })
    const { published, techniques } = (await told(isOver)).at(-1) as LabReport
    for (const technique of ['sse', 'websocket'] as const) {
      const { crowd, requests } = techniques[technique] ?? assert.fail()
      assert.deepEqual([crowd.received, crowd.missed, crowd.twice], [4 * published, 0, 0])
      assert.ok(crowd.delays.p50 >= 40 && crowd.delays.p50 < 1_000, `${crowd.delays.p50} ms`)
      assert.equal(requests, 4)
    }
  })

  test('misses nothing when connections are cut', async (t) => {
    const { begin, told } = await labHub(t, { delivery: { retryMs: 20 } })
    begin({ seconds: 2, network: { ...PLAIN, cutAfter: 500 }, techniques: ['poll', 'long-poll', 'sse'] })
    const { published, techniques } = (await told(isOver)).at(-1) as LabReport
    for (const technique of ['long-poll', 'sse'] as const) {
      const { crowd } = techniques[technique] ?? assert.fail()
      assert.deepEqual([crowd.received, crowd.missed, crowd.twice], [4 * published, 0, 0], technique)
    }
    assert.ok((techniques.sse?.requests ?? 0) > 8, 'they came back')
  })
})

interface Through extends LabHub {
  /** Has been published, when this resolves. */
  readonly firstEvent: () => Promise<unknown>
  readonly counts: () => Partial<Record<Technique, Counts>>
}

async function through(
  t: TestContext,
  network: Partial<LabReport['settings']['network']>,
  options: Parameters<typeof labHub>[2] = {},
): Promise<Through> {
  const world = await labHub(t, { delivery: { retryMs: 20 } }, options)
  world.begin({ clients: 0, seconds: 60, techniques: TECHNIQUES, network: { ...PLAIN, ...network } })
  t.after(() => world.lab.stop('run-test'))
  return {
    ...world,
    firstEvent: () => world.hub.read(CHANNEL, { after: 'start', waitMs: 30_000 }),
    counts: () => world.lab.meter.report(),
  }
}

const timed = async (what: () => Promise<unknown>): Promise<number> => {
  const begun = performance.now()
  await what()
  return performance.now() - begun
}

describe('the clients of a page', () => {
  test('poll, wait, stream and open WebSockets through it, and these requests are what is counted', async (t) => {
    const { ask, counts, url, firstEvent, lab } = await through(t, { delay: 60 })
    await firstEvent()
    const poll = await ask('GET', `${NET}?last=1`)
    const { cursor, events } = (await poll.json()) as Page
    assert.deepEqual([poll.status, events.length, events[0]?.channel], [200, 1, CHANNEL])
    const etag = { 'if-none-match': poll.headers.get('etag') ?? '' }
    assert.ok((await timed(() => ask('GET', `${NET}?last=1`, undefined, etag))) >= 119)
    assert.equal((await ask('GET', `${NET}?after=${cursor}&wait=20`)).status, 200)

    const source = new EventSource(`${url}${NET}`)
    t.after(() => source.close())
    const [event] = (await new Promise((resolve) =>
      source.addEventListener('message', (event) => resolve([event])),
    )) as [{ data: string }]
    const { t: stamp } = JSON.parse(event.data) as { t: number }
    assert.ok(lab.clock.now() - stamp >= 60)

    const socket = new WebSocket(`${url.replace('http', 'ws')}${NET}?after=${cursor}`)
    t.after(() => socket.terminate())
    const [message] = (await once(socket, 'message')) as [Buffer]
    assert.ok((JSON.parse(message.toString()) as Page).cursor)

    assert.deepEqual(
      Object.entries(counts()).map(([name, { requests }]) => [name, requests]),
      [
        ['poll', 2],
        ['long-poll', 1],
        ['sse', 1],
        ['websocket', 1],
      ],
    )
  })

  test('one connection of theirs is one to the hub', async (t) => {
    const { url, counts, firstEvent } = await through(t, { delay: 1 })
    await firstEvent()
    const connection = new RawConnection(url)
    t.after(() => connection.socket.destroy())
    for (let n = 0; n < 5; n++) await connection.send(bytes(`GET ${NET}?last=1`)).answer()
    for (let n = 0; n < 3; n++) await connection.send(bytes(`GET ${NET}?wait=9`)).answer()
    connection.send(bytes(`GET ${NET}`, { Accept: 'text/event-stream' }))
    await connection.until((text) => text.includes('downlink:open'))
    const { poll, sse, 'long-poll': longPoll } = counts()
    assert.deepEqual([poll?.requests, longPoll?.requests, sse?.connections], [5, 3, 1])
    assert.deepEqual([poll?.mostConnections, longPoll?.mostConnections, poll?.connections], [1, 1, 0])
  })

  test('have nothing of a stream behind a proxy that buffers, but polls', async (t) => {
    const { ask, url, firstEvent } = await through(t, { buffering: true })
    await firstEvent()
    const request = get(`${url}${NET}`, { headers: { accept: 'text/event-stream' } })
    t.after(() => request.destroy())
    let head = false
    request.on('response', () => (head = true)).on('error', () => {})
    for (let n = 0; n < 3; n++) assert.equal((await ask('GET', `${NET}?wait=9`)).status, 200)
    assert.equal(head, false)
  })

  for (const tls of [undefined, selfSigned()])
    test(`are cut with the relay, in the middle and while they wait${tls ? ', with TLS too' : ''}`, async (t) => {
      const { url, firstEvent } = await through(t, { cutAfter: 200 }, tls && { tls })
      await firstEvent()
      // Some by a reset, some by an end.
      const streams = Array.from({ length: 6 }, () =>
        new RawConnection(url).send(bytes(`GET ${NET}`, { Accept: 'text/event-stream' })),
      )
      const socket = new WebSocket(`${url.replace('http', 'ws')}${NET}`, { rejectUnauthorized: false }).on(
        'error',
        () => {},
      )
      const ended = once(socket, 'close')
      const headers = { Accept: 'text/event-stream', 'User-Agent': 'node' }
      const chunked = new RawConnection(url).send(bytes(`GET ${NET}`, headers))
      await Promise.all([...streams.map(({ closed }) => closed), ended])
      await chunked.closed
      assert.ok(!chunked.text.endsWith('\r\n0\r\n\r\n'), 'it was no clean end')
      assert.ok(streams.some(({ text }) => text.includes('downlink:open')))
      const polls = new RawConnection(url)
      const polling = (async () => {
        for (;;) await polls.send(bytes(`GET ${NET}?wait=9`)).answer()
      })()
      await assert.rejects(polling, /The connection ended/)
    })

  test('with TLS, over HTTP/2 and HTTP/1.1', async (t) => {
    const { url, firstEvent, counts } = await through(t, { delay: 20 }, { tls: selfSigned() })
    await firstEvent()
    const connection = new RawConnection(url)
    t.after(() => connection.socket.destroy())
    assert.equal((await connection.send(bytes(`GET ${NET}?last=1`)).answer()).status, 200)
    const session = connectH2(url, { rejectUnauthorized: false })
    t.after(() => session.destroy())
    const read = (path: string, headers = {}) => session.request({ ':path': path, ...headers })
    const [poll, sse] = [read(`${NET}?last=1`), read(NET, { accept: 'text/event-stream' })]
    let [page, stream] = ['', '']
    for await (const part of poll.setEncoding('utf8')) page += part
    assert.equal((JSON.parse(page) as Page).events.length, 1)
    for await (const part of sse.setEncoding('utf8')) if ((stream += part).includes('"n":')) break
    const { poll: polls, sse: streams } = counts()
    // Behind the relay all is HTTP/1.1.
    assert.deepEqual([polls?.requests, streams?.requests, polls?.overHttp2], [2, 1, undefined])
  })

  test('go nowhere else, and nowhere when nothing is in between', async (t) => {
    const { ask, begin, lab } = await labHub(t)
    const status = async (path: string, method = 'GET'): Promise<number> => (await ask(method, path)).status
    assert.equal(await status(NET), 404)
    begin({ clients: 0, seconds: 60, network: { ...PLAIN, delay: 1 } })
    assert.equal(await status(NET), 200)
    assert.equal(await status(NET, 'HEAD'), 200)
    assert.equal(await status(NET, 'OPTIONS'), 204)
    assert.equal(await status(NET, 'POST'), 405)
    assert.equal(await status(`${NET}?after=nonsense`), 400)
    assert.equal(await status('/lab/run-test/net/channels/other'), 404)
    assert.equal(await status(`${NET},other`), 404)
    assert.equal(await status(`/lab/run-other/net/channels/${CHANNEL}`), 404)
    await lab.stop('run-test')
    assert.equal(await status(NET), 404)
    begin({ clients: 0, seconds: 60 })
    assert.equal(await status(NET), 404)
    await lab.stop('run-test')
  })

  test('who may read this from where they are may do it through the relay, and nobody else', async (t) => {
    const asked: (readonly [string | undefined, string | undefined])[] = []
    const authorize: Authorize = ({ address, header }, action, [channel]) => {
      if (action === 'read' && channel === CHANNEL) asked.push([address, header('x-forwarded-for')])
      return header('authorization') === 'Bearer yes' ? { subject: 'anna' } : false
    }
    const { ask } = await through(t, { delay: 1 }, { authorize, proxies: { trusted: ['10.0.0.1'] } })
    const refused = await ask('GET', NET, undefined, { 'x-forwarded-for': '10.9.9.9' })
    assert.equal(refused.status, 401)
    assert.equal(asked.length, 1)
    const read = await ask('GET', NET, undefined, {
      authorization: 'Bearer yes',
      'x-forwarded-for': '10.9.9.9',
    })
    assert.equal(read.status, 200)
    assert.deepEqual(
      asked.map(([address]) => address),
      ['127.0.0.1', '127.0.0.1', '127.0.0.1'],
    )
    // Nobody who may be believed has said so.
    assert.equal(asked.at(-1)?.[1], undefined)
  })
})
