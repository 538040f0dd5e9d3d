/** Runs of the Lab on a real hub, with a real crowd. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect } from 'node:http2'
import { describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { selfSigned } from '../../../e2e/helpers/self-signed.ts'
import { Refusal } from '../src/auth/refusal.ts'
import type { Authorize } from '../src/auth/authorize.ts'
import { openConsole } from '../src/console.ts'
import { fetchHandler } from '../src/fetch.ts'
import { createHub } from '../src/hub.ts'
import type { LabReport } from '../src/lab/report.ts'
import { LogError } from '../src/log/log.ts'
import { MemoryLog } from '../src/log/memory.ts'
import { isOver, labHub, QUICK } from './lab/lab-hub.ts'

async function problemOf(response: Response): Promise<Record<string, unknown>> {
  return (await response.json()) as Record<string, unknown>
}

/** Takes the ten events that go before, and ten of the run. */
class SmallLog extends MemoryLog {
  override async append(...call: Parameters<MemoryLog['append']>): ReturnType<MemoryLog['append']> {
    if (this.state().frontier >= 20) throw new LogError('log-full', 'The log is full')
    return super.append(...call)
  }
}

// Each waits most of the time.
describe('a run of the Lab', { concurrency: 4 }, () => {
  test('a run: each event reaches each client once, it is told each second, and nothing is left of it', async (t) => {
    const { ask, connections, hub, lab, told } = await labHub(t)
    const before = Date.now()
    const begun = await ask('POST', '/lab', QUICK)
    assert.equal(begun.status, 201)
    const { id, channel, report } = (await begun.json()) as { id: string; channel: string; report: LabReport }
    assert.equal(begun.headers.get('location'), `/lab/${id}`)
    assert.deepEqual([channel, report.state, report.settings], [`lab.${id}`, 'running', QUICK])

    const reports = await told(isOver)
    const last = reports.at(-1) as LabReport
    assert.deepEqual([...new Set(reports.map(({ state }) => state))], ['running', 'done'])
    assert.ok(reports.length >= 3, 'at the start, after a second, at the end')
    assert.ok(Math.abs(last.started - before) < 60_000)
    // From 300 ms on, every 20 ms.
    assert.ok(last.published >= 80 && last.published <= 86, `${last.published}`)
    assert.ok(last.elapsed >= 1990, `${last.elapsed}`)

    for (const technique of ['long-poll', 'sse', 'websocket'] as const) {
      const { crowd } = last.techniques[technique] ?? assert.fail()
      const { clients, delays, missed, received, twice } = crowd
      assert.deepEqual([clients, received, missed, twice], [4, 4 * last.published, 0, 0], technique)
      assert.equal(delays.count, received)
      assert.ok(delays.p50 > 0 && delays.p50 <= delays.p99 && delays.p99 <= delays.max)
    }
    const { poll, sse, websocket, 'long-poll': longPoll } = last.techniques
    assert.ok(poll && sse && longPoll && websocket)
    assert.deepEqual([poll.crowd.missed, poll.crowd.twice], [0, 0])
    assert.ok(poll.crowd.received > last.published)
    assert.ok(poll.crowd.delays.p50 > 10, `${poll.crowd.delays.p50}`)
    assert.deepEqual(
      [sse.requests, sse.refused, sse.empty, sse.connections, sse.mostConnections],
      [4, 0, 0, 4, 4],
    )
    assert.ok(poll.requests >= 4 * 2 && poll.requests <= 4 * 25, `${poll.requests}`)
    assert.ok(longPoll.requests > 4 * 5 && longPoll.empty === 0)
    // Each event's data, and what is around it.
    assert.ok(sse.bytesOut.body > 4 * 80 * 200 && sse.bytesOut.body < 4 * 86 * 300, `${sse.bytesOut.body}`)
    assert.ok(longPoll.bytesOut.head > sse.bytesOut.head * 2 && longPoll.bytesIn.head > sse.bytesIn.head * 20)
    assert.equal(sse.bytesIn.body, 0)
    assert.deepEqual([websocket.requests, websocket.mostConnections], [4, 4])
    assert.ok(websocket.bytesOut.body > 4 * 80 * 200)

    const [info] = await hub.channels(channel)
    assert.equal(info?.events ?? 0, 0)
    assert.equal(lab.running, undefined)
    // That of `ask`, which keeps its connection. The others are closed, which this side may not have heard yet.
    while ((await connections()) > 1) await sleep(5)
    assert.equal(hub.delivery.readers + hub.delivery.waiting, 0)
    assert.deepEqual(await (await ask('GET', `/lab/${id}`)).json(), last)
  })

  test('one at a time: another one is told which; stopped, it is over at once and the next may begin', async (t) => {
    const { ask, told } = await labHub(t)
    const first = (await (await ask('POST', '/lab', { ...QUICK, seconds: 300 })).json()) as { id: string }
    const second = await ask('POST', '/lab', QUICK)
    const problem = await problemOf(second)
    assert.deepEqual([second.status, problem['code'], problem['run']], [409, 'lab-busy', first.id])
    assert.match(String(problem['detail']), new RegExp(`DELETE /lab/${first.id}`))
    await told(({ published }) => published > 0)

    const stopped = await ask('DELETE', `/lab/${first.id}`)
    const report = (await stopped.json()) as LabReport
    assert.deepEqual([stopped.status, report.state], [200, 'stopped'])
    assert.ok(report.published > 0 && report.elapsed < 10_000)
    assert.equal(((await (await ask('DELETE', `/lab/${first.id}`)).json()) as LabReport).state, 'stopped')
    const third = await ask('POST', '/lab', { ...QUICK, clients: 0 })
    assert.equal(third.status, 201)
  })

  test('what is out of bounds is named', async (t) => {
    const { ask } = await labHub(t)
    const refused = await ask('POST', '/lab', { ...QUICK, events: { rate: 1000 } })
    const { code, detail, setting } = await problemOf(refused)
    assert.deepEqual([refused.status, code, setting], [400, 'invalid-json', 'events.rate'])
    assert.equal(detail, 'Expected `events.rate` to be a number from 0.0166 to 100, got 1000')
    assert.equal((await ask('POST', '/lab', { speed: 1 })).status, 400)
  })

  test('paths and methods', async (t) => {
    const { ask } = await labHub(t)
    const statuses = async (...asked: readonly [string, string][]): Promise<number[]> =>
      Promise.all(asked.map(async ([method, path]) => (await ask(method, path)).status))
    assert.deepEqual(
      await statuses(
        ['GET', '/lab/nobody'],
        ['DELETE', '/lab/nobody'],
        ['GET', '/lab'],
        ['PUT', '/lab/x'],
        ['POST', '/lab/time'],
        ['GET', '/laboratory'],
        ['GET', '/lab/a/b'],
      ),
      [404, 404, 405, 405, 405, 404, 404],
    )
    const options = await ask('OPTIONS', '/lab/x')
    assert.deepEqual([options.status, options.headers.get('allow')], [204, 'GET, HEAD, DELETE, OPTIONS'])
    const { now } = (await (await ask('GET', '/lab/time')).json()) as { now: number }
    assert.ok(Math.abs(now - Date.now()) < 1000, 'the time of the hub')
    assert.notEqual(now, Math.round(now), 'with a fraction')
  })

  test('where no socket is known there is no crowd, and the answer says so', async (t) => {
    const hub = createHub()
    const console = openConsole(hub)
    t.after(async () => {
      await console.close()
      await hub.close()
    })
    const handle = fetchHandler(hub, { ...console.options, authorize: () => true })
    const refused = await handle(new Request('http://localhost/lab', { method: 'POST', body: '{}' }))
    const { detail } = await problemOf(refused)
    assert.equal(refused.status, 404)
    assert.match(String(detail), /no address/)
  })

  test('it takes the rights to inspect, and to publish, drop and read the channel of the run', async (t) => {
    const rights = new Set<string>()
    const authorize: Authorize = (_, action, channels) => {
      if (!channels.every((channel) => /^lab\.run-[0-9a-f]{12}(?:-cpu)?$/.test(channel))) return false
      return rights.has(action) || new Refusal('forbidden', action)
    }
    const { ask } = await labHub(t, {}, { authorize })
    for (const right of ['inspect', 'publish', 'drop', 'read']) {
      const refused = await ask('POST', '/lab', QUICK, { authorization: 'Bearer x' })
      const { detail } = await problemOf(refused)
      assert.deepEqual([refused.status, detail], [403, right])
      rights.add(right)
    }
    assert.equal((await ask('POST', '/lab', QUICK)).status, 201)
  })

  test('the crowd fits into what its starter may have open, or is refused with what would fit', async (t) => {
    const { ask } = await labHub(t, {}, { authorize: () => ({ subject: 'anna', limits: { streams: 33 } }) })
    const refused = await ask('POST', '/lab', { ...QUICK, clients: 11 })
    const { detail, setting } = await problemOf(refused)
    assert.deepEqual([refused.status, setting], [400, 'clients'])
    assert.match(String(detail), /^Expected `clients` to be at most 10: .* 33 streams and long polls$/)
    assert.equal((await ask('POST', '/lab', { ...QUICK, clients: 10 })).status, 201)
  })

  test('the crowd sends what the browser sends that has begun the run, its rights among it', async (t) => {
    const authorize: Authorize = ({ header }) => header('authorization') === 'Bearer secret'
    const { ask, requests, told } = await labHub(t, {}, { authorize })
    const sent = {
      authorization: 'Bearer secret',
      'user-agent': 'Browser/1.0',
      'accept-language': 'ru',
      cookie: 'a=b',
      'x-own': 'not of a browser',
    }
    await ask('POST', '/lab', QUICK, sent)
    const reports = await told(isOver)
    const { techniques } = reports.at(-1) as LabReport
    assert.deepEqual([techniques.sse?.refused, techniques.poll?.refused], [0, 0])
    const ofCrowd = requests.filter(({ accept }) => accept === 'text/event-stream')
    // Two have gone before.
    assert.equal(ofCrowd.length, 6)
    for (const headers of ofCrowd) {
      const { 'x-own': strange, ...known } = sent
      for (const [name, value] of Object.entries(known)) assert.equal(headers[name], value)
      assert.equal(headers['x-own'], undefined, strange)
    }
  })

  test('CPU is measured by turns, for each technique that had a crowd', async (t) => {
    if (typeof process.threadCpuUsage !== 'function')
      return t.skip('this Node cannot tell the CPU of a thread')
    const { begin, told, hub } = await labHub(t)
    begin({ techniques: ['sse'], seconds: 0.5, cpu: true, clients: 20 })
    const reports = await told(isOver)
    const last = reports.at(-1) as LabReport
    assert.deepEqual([...new Set(reports.map(({ state }) => state))], ['running', 'measuring-cpu', 'done'])
    const { cpu } = last.techniques.sse ?? assert.fail()
    assert.ok(
      cpu && cpu.perDelivery >= 0 && cpu.perDelivery < 2000 && cpu.plusMinus >= 0,
      JSON.stringify(cpu),
    )
    assert.ok(cpu.perSecond < 1000)
    // What was counted is of the events before.
    assert.equal(last.techniques.sse?.crowd.received, 20 * last.published)
    assert.ok((await hub.channels('lab.*')).every(({ events }) => events === 0))
  })

  test('without a crowd there are events, and a report of nobody', async (t) => {
    const { begin, told } = await labHub(t)
    begin({ clients: 0, seconds: 0.5, cpu: true })
    const last = (await told(isOver)).at(-1) as LabReport
    assert.deepEqual([last.state, last.techniques.sse?.crowd.clients], ['done', 0])
    assert.ok(last.published >= 8)
  })

  test('streams that end in the middle go on at their cursor: nothing is missed, nothing comes twice', async (t) => {
    const { begin, hub, told } = await labHub(t, { delivery: { retryMs: 30 } })
    const { channel } = begin({ seconds: 1.5 })
    await told(({ published }) => published > 20)
    assert.ok(hub.disconnect({ channel }) >= 4, 'all streams, and the long polls that wait')
    const last = (await told(isOver)).at(-1) as LabReport
    const { sse, websocket, 'long-poll': longPoll } = last.techniques
    for (const technique of [sse, websocket, longPoll]) {
      const { missed, received, twice } = technique?.crowd ?? assert.fail()
      assert.deepEqual([received, missed, twice], [4 * last.published, 0, 0])
    }
    assert.deepEqual([sse?.requests, sse?.mostConnections], [8, 4], 'each has come back once')
  })

  test('a log that takes no more ends the run, with the reason', async (t) => {
    const { begin, told } = await labHub(t, { log: new SmallLog() })
    begin({ seconds: 10 })
    const last = (await told(isOver)).at(-1) as LabReport
    assert.equal(last.state, 'failed')
    assert.deepEqual([last.reason, last.published], ['The log is full', 10])
  })

  test('a hub that stops in the middle of a run leaves nothing running', async (t) => {
    const { begin, lab, stop, told } = await labHub(t)
    const { id } = begin({ seconds: 300 })
    await told(({ published }) => published > 0)
    await stop()
    assert.deepEqual([lab.running, lab.report(id)?.state], [undefined, 'stopped'])
  })

  test('a network that delays and cuts is felt, and nothing is lost in it', async (t) => {
    const { begin, told } = await labHub(t, { delivery: { retryMs: 30 } })
    begin({ seconds: 3, network: { delay: 60, buffering: false, cutAfter: 1_500 } })
    const last = (await told(isOver)).at(-1) as LabReport
    for (const technique of ['long-poll', 'sse', 'websocket'] as const) {
      const { clients, delays, missed, received, twice } = last.techniques[technique]?.crowd ?? assert.fail()
      assert.deepEqual([received, missed, twice], [clients * last.published, 0, 0], technique)
      assert.ok(delays.p50 >= 59, `${technique} ${delays.p50}`)
    }
    assert.ok((last.techniques.sse?.requests ?? 0) > 4, 'streams were opened again')
  })

  test('behind a proxy that buffers, streams bring nothing, and that is told as missed', async (t) => {
    const { begin, told } = await labHub(t)
    begin({
      techniques: ['poll', 'long-poll', 'sse'],
      seconds: 1,
      network: { delay: 0, buffering: true, cutAfter: 0 },
    })
    const last = (await told(isOver)).at(-1) as LabReport
    const { poll, sse, 'long-poll': longPoll } = last.techniques
    assert.deepEqual([longPoll?.crowd.missed, longPoll?.crowd.received], [0, 4 * last.published])
    assert.deepEqual([sse?.crowd.missed, sse?.crowd.received], [4 * last.published, 0])
    assert.ok(last.elapsed < 5_000, 'figures are of the time with events')
    // Every 90 ms at the most, and not while streams are waited for.
    assert.ok((poll?.requests ?? Infinity) <= 4 * (last.elapsed / 90 + 2), `${poll?.requests}`)
  })

  test('over TLS: the crowd takes the certificate of the hub, whatever name it is for, also through a network', async (t) => {
    const { begin, told } = await labHub(t, {}, { tls: selfSigned() })
    begin({ seconds: 1, network: { delay: 5, buffering: false, cutAfter: 0 } })
    const last = (await told(isOver)).at(-1) as LabReport
    for (const technique of ['long-poll', 'sse', 'websocket'] as const) {
      const { missed, received } = last.techniques[technique]?.crowd ?? assert.fail()
      assert.deepEqual([received, missed], [4 * last.published, 0], technique)
    }
  })

  test('begun over HTTP/2, the crowd finds the port all the same', async (t) => {
    const { told, url } = await labHub(t, {}, { tls: selfSigned() })
    const session = connect(url, { rejectUnauthorized: false })
    t.after(() => session.destroy())
    const stream = session.request({ ':path': '/lab', ':method': 'POST' })
    stream.end(JSON.stringify({ ...QUICK, techniques: ['sse'] }))
    const [headers] = (await once(stream, 'response')) as [Record<string, unknown>]
    stream.resume()
    assert.equal(headers[':status'], 201)
    const last = (await told(isOver)).at(-1) as LabReport
    assert.deepEqual(
      [last.techniques.sse?.crowd.received, last.techniques.sse?.crowd.missed],
      [4 * last.published, 0],
    )
  })
})
