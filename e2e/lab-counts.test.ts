/** What a run of the Lab says that it cost, against a relay in front of the hub that counts the raw bytes itself. */
import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { createHub } from '@downlink/hub'
import { serveHub } from '@downlink/hub/node'
import { Lab } from '../packages/hub/src/lab/lab.ts'
import type { LabReport, LabSettings } from '../packages/hub/src/lab/report.ts'
import { useChromium } from './helpers/chromium.ts'
import { type Counted, type CountingRelay, startCountingRelay } from './helpers/counting-relay.ts'

const SETTINGS: LabSettings = {
  techniques: ['poll', 'long-poll', 'sse', 'websocket'],
  events: { rate: 20, shape: 'poisson', size: 300 },
  clients: 5,
  pollEvery: 100,
  network: { delay: 0, buffering: false, cutAfter: 0 },
  seconds: 2,
  cpu: false,
}

interface World {
  readonly relay: CountingRelay
  /** What the relay had counted when the Lab last looked at its own. */
  readonly counted: () => Record<string, Counted>
  readonly begin: (settings: Partial<LabSettings>) => Promise<LabReport>
  /** The last report of the run, when nothing is left of it. */
  readonly over: (id: string) => Promise<LabReport>
}

/** All that connects to the hub does it by way of the relay, the crowd too. */
async function world(t: TestContext, compress: readonly string[] = []): Promise<World> {
  const hub = createHub({ delivery: { retryMs: 20, heartbeatMs: 500 } })
  const own = createHub()
  const way: { relay?: CountingRelay } = {}
  const target = {
    host: '127.0.0.1',
    get port(): number {
      return way.relay?.port ?? 0
    },
  }
  const lab = new Lab(hub, own, { target })
  // Both are read in one moment: when a run is over, long polls are answered that were not by then.
  let counted: Record<string, Counted> = {}
  const report = lab.meter.report.bind(lab.meter)
  t.mock.method(lab.meter, 'report', () => {
    counted = way.relay?.counted() ?? {}
    return report()
  })
  const server = await serveHub(hub, {
    host: '127.0.0.1',
    graceMs: 100,
    lab,
    compress,
    page: { headers: { 'content-type': 'text/html' }, body: '<!doctype html><title>A page</title>' },
  })
  t.after(async () => {
    await lab.close()
    await server.stop()
    await Promise.all([hub.close(), own.close()])
  })
  const counting = await startCountingRelay(server.port, /^lab\.run-[0-9a-f]+$/)
  way.relay = counting
  t.after(() => counting[Symbol.asyncDispose]())
  const ask = async (method: string, path: string, body?: unknown): Promise<unknown> => {
    const init = { method, ...(body !== undefined && { body: JSON.stringify(body) }) }
    return (await fetch(`${server.url}${path}`, init)).json()
  }
  return {
    relay: counting,
    counted: () => counted,
    async begin(settings) {
      const begun = (await ask('POST', '/lab', { ...SETTINGS, ...settings })) as { report: LabReport }
      return begun.report
    },
    async over(id) {
      await lab.over(id)
      return (await ask('GET', `/lab/${id}`)) as LabReport
    },
  }
}

/** Requests are equal, bytes within 2 %. */
function agree({ reason, state, techniques }: LabReport, counted: Record<string, Counted>): void {
  assert.deepEqual([state, reason], ['done', undefined])
  assert.deepEqual(Object.keys(counted).sort(), Object.keys(techniques).sort())
  for (const [technique, told] of Object.entries(techniques)) {
    const { requests, refused, bytesIn, bytesOut } = counted[technique] ?? assert.fail()
    assert.deepEqual([told.requests, told.refused], [requests, refused], technique)
    for (const [name, ours, theirs] of [
      ['heads in', told.bytesIn.head, bytesIn.head],
      ['bodies in', told.bytesIn.body, bytesIn.body],
      ['heads out', told.bytesOut.head, bytesOut.head],
      ['bodies out', told.bytesOut.body, bytesOut.body],
    ] as const) {
      const off = Math.abs(ours - theirs)
      // Of some bytes, a close of a WebSocket is more than 2 %.
      assert.ok(off <= Math.max(0.02 * theirs, 100), `${technique}, ${name}: ${ours}, and ${theirs}`)
    }
  }
}

test("a run's requests and bytes are those that a relay in front of the hub counts", async (t) => {
  const { counted, begin, over } = await world(t)
  const report = await over((await begin({})).id)
  assert.ok(report.published > 20)
  agree(report, counted())
})

test('so they are through a network that delays and cuts, with streams that are compressed', async (t) => {
  const { counted, begin, over } = await world(t, ['lab.**'])
  const { id } = await begin({ network: { delay: 20, buffering: false, cutAfter: 700 } })
  const report = await over(id)
  assert.ok((report.techniques.sse?.requests ?? 0) > 5, 'they came back')
  agree(report, counted())
})

/** Runs in the page: all read in their ways until each has had some. */
async function readIn(path: string): Promise<void> {
  const got = { poll: 0, wait: 0, sse: 0, ws: 0 }
  const pages = async (query: string, pause: number, came: () => void): Promise<void> => {
    let [cursor, etag] = ['start', '']
    while (!Object.values(got).every((count) => count > 2)) {
      const headers: HeadersInit = etag === '' ? {} : { 'If-None-Match': etag }
      const answer = await fetch(`${path}?after=${cursor}${query}`, { headers, cache: 'no-store' })
      if (answer.status === 200) {
        const page = (await answer.json()) as { events: unknown[]; cursor: string }
        if (page.cursor === cursor) etag = answer.headers.get('etag') ?? ''
        else [cursor, etag] = [page.cursor, '']
        if (page.events.length > 0) came()
      }
      await new Promise((resolve) => setTimeout(resolve, pause))
    }
  }
  const source = new EventSource(`${path}?after=start`)
  source.addEventListener('message', () => got.sse++)
  const socket = new WebSocket(`${path}?after=start`)
  socket.addEventListener('message', () => got.ws++)
  await Promise.all([pages('', 70, () => got.poll++), pages('&wait=1', 0, () => got.wait++)])
  source.close()
  socket.close()
}

const chromium = useChromium()

test('so they are with Chromium beside the crowd', async (t) => {
  const { relay, counted, begin, over } = await world(t)
  const page = await chromium.open(t, relay.url)
  const { id, channel } = await begin({ clients: 2, seconds: 4 })
  await page.evaluate(readIn, `/channels/${channel}`)
  const report = await over(id)
  agree(report, counted())
  assert.equal(report.techniques.sse?.requests, 3)
})
