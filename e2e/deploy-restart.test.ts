/** A hub behind each proxy of docs/deploy goes away, and comes back: EventSources of all kinds survive what the proxy says meanwhile. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { before, describe, test, type TestContext } from 'node:test'
import { getCACertificates, setDefaultCACertificates } from 'node:tls'
import { EventSource as OurEventSource } from '@downlink/client'
import { SqliteLog } from '@downlink/hub/sqlite'
import { EventSource as NpmEventSource } from 'eventsource'
import { certificate } from './helpers/certificate.ts'
import { useChromium } from './helpers/chromium.ts'
import { fronts, startFront } from './helpers/front.ts'
import { startHub, type TestHub } from './helpers/hub.ts'
import { type NativeSource, openSource } from './helpers/native-source.ts'

const CLOSED = 2
const browser = useChromium({ anyCertificate: true })

before(() => setDefaultCACertificates([...getCACertificates('default'), certificate().cert]))

/** A hub that can be started again on the same port, with the same log. */
async function startAt(t: TestContext, path: string, origin: string, port = 0): Promise<TestHub> {
  const log = await SqliteLog.open({ path, durability: 'os' })
  return startHub(t, { log }, { port, origins: [origin], authorize: () => true })
}

/** A source, and what it has told so far. */
class Watched {
  readonly name: string
  readonly data: string[] = []
  opened = false
  /** How often it has lost its connection. */
  errors = 0
  readonly #source: OurEventSource | NpmEventSource
  #news = Promise.withResolvers<void>()

  constructor(t: TestContext, name: string, source: OurEventSource | NpmEventSource) {
    this.name = name
    this.#source = source
    t.after(() => source.close())
    const on = (type: string, take: (event: Event) => void): void => {
      source.addEventListener(type, (event: Event) => {
        take(event)
        this.#news.resolve()
        this.#news = Promise.withResolvers()
      })
    }
    on('message', (event) => this.data.push((event as MessageEvent<string>).data))
    on('downlink:open', () => (this.opened = true))
    on('error', () => this.errors++)
  }

  get closed(): boolean {
    return this.#source.readyState === CLOSED
  }

  async until(holds: () => boolean): Promise<void> {
    while (!holds()) await this.#news.promise
  }
}

/** The same of a page's source. */
function ofPage(source: NativeSource): Pick<Watched, 'name' | 'data' | 'opened' | 'errors' | 'until'> {
  return {
    name: "Chromium's own",
    get data() {
      return source.messages.map(({ data }) => data as string)
    },
    get opened() {
      return source.of('downlink:open').length > 0
    },
    get errors() {
      return source.of('error').length
    },
    until: (holds) => source.until(holds),
  }
}

const watchBoth = (t: TestContext, url: string): Watched[] => [
  new Watched(t, 'ours', new OurEventSource(url)),
  new Watched(t, "npm's eventsource", new NpmEventSource(url)),
]

// They wait most of the time.
describe('bare sources survive a hub that is away, and miss nothing', { concurrency: true }, () => {
  for (const name of ['nginx', 'haproxy', 'caddy'] as const) {
    test(`behind docs/deploy/${fronts[name].file}`, async (t) => {
      // The page is of another origin, which must be able to read what the proxy itself says, too.
      const elsewhere = await startHub(t)
      const origin = elsewhere.url
      const path = logPath(t)
      const hub = await startAt(t, path, origin)
      const front = await startFront(t, name, hub.url, { origin })
      const url = `${front.url}/channels/orders`
      const native = await openSource(await browser.open(t, origin), url)
      const sources = [ofPage(native), ...watchBoth(t, url)]
      const all = (holds: (source: (typeof sources)[number]) => boolean) =>
        Promise.all(sources.map((source) => source.until(() => holds(source))))

      await all((source) => source.opened)
      await hub.hub.publish('orders', { data: 'before' })
      await all((source) => source.data.includes('before'))
      await hub.stop()
      // The end of the stream, and then at least one answer of the proxy's own.
      await all((source) => source.errors >= 2)
      const again = await startAt(t, path, origin, hub.port)
      await again.hub.publish('orders', { data: 'missed' })
      await all((source) => source.data.includes('missed'))
      await again.hub.publish('orders', { data: 'live' })
      await all((source) => source.data.includes('live'))
      for (const source of sources) assert.deepEqual(source.data, ['before', 'missed', 'live'], source.name)
      assert.equal(native.of('downlink:gap').length, 0)
    })
  }
})

test('without that rule of nginx a bare source is closed for good', async (t) => {
  const hub = await startHub(t, {}, { authorize: () => true })
  const front = await startFront(t, 'nginx', hub.url, {
    changes: [['error_page 502 503 = /.away/502/$asker;', '']],
  })
  const sources = watchBoth(t, `${front.url}/channels/orders`)
  await Promise.all(sources.map((source) => source.until(() => source.opened)))
  await hub.stop()
  await Promise.all(sources.map((source) => source.until(() => source.closed)))
})

function logPath(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'downlink-deploy-'))
  t.after(() => rmSync(folder, { recursive: true, force: true, maxRetries: 10 }))
  return join(folder, 'log.db')
}
