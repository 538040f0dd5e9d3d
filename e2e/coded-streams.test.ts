/** Streams that are sent as gzip, read by what people have: each event when it comes, by the first reader and by one who comes later. */
import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
import { readEventStream } from '@downlink/client'
import { EventSource } from 'eventsource'
import { tools } from '../scripts/tools.mjs'
import { useChromium } from './helpers/chromium.ts'
import { startHub, type TestHub } from './helpers/hub.ts'
import { openSource } from './helpers/native-source.ts'
import { start } from './helpers/process.ts'

const browser = useChromium()

/** Large enough to be packed where eight read it, and told apart by its beginning. */
const large = (name: string): string => `${name} ${'the same again and again '.repeat(50)}`

interface Client {
  /** Resolves when the event whose data begin with this word has come. */
  event(name: string): Promise<unknown>
  /** Resolves when the stream has ended for good, as the client sees it. */
  ended(): Promise<unknown>
}

type Open = (t: TestContext, url: string) => Promise<Client> | Client

function program(t: TestContext, command: string, args: readonly string[]): Client {
  const printing = start(t, command, args)
  return {
    event: (name) => printing.line((line) => line.startsWith(`data: ${name} `)),
    async ended() {
      assert.equal(await printing.ended, 0, printing.said)
    },
  }
}

const print = fileURLToPath(new URL('helpers/print-stream.ts', import.meta.url))

const clients: Readonly<Record<string, Open>> = {
  'curl -N --compressed': (t, url) =>
    program(t, tools.curl, ['-sN', '--compressed', '-H', 'Accept: text/event-stream', url]),
  'fetch of Node 22': (t, url) => program(t, tools.node22, ['--no-warnings', print, url]),
  'fetch of Node 24': (t, url) => program(t, tools.node24, [print, url]),
  'fetch of Bun': (t, url) => program(t, tools.bun, [print, url]),
  'fetch of Deno': (t, url) => program(t, tools.deno, ['run', '--no-config', '--allow-net', print, url]),
  'the EventSource of Chromium': async (t, url) => {
    const page = await browser.open(t, new URL(url).origin)
    const source = await openSource(page, url)
    return {
      event: (name) => source.until(() => source.messages.some(({ data }) => data?.startsWith(`${name} `))),
      ended: () => source.until(() => source.of('error').some(({ readyState }) => readyState === 2)),
    }
  },
  'the EventSource of npm': (t, url) => {
    const source = new EventSource(url)
    t.after(() => source.close())
    const seen: string[] = []
    let news = Promise.withResolvers<void>()
    const tell = (): void => {
      news.resolve()
      news = Promise.withResolvers()
    }
    source.addEventListener('message', ({ data }) => {
      seen.push(data as string)
      tell()
    })
    source.addEventListener('error', () => tell())
    return {
      async event(name) {
        while (!seen.some((data) => data.startsWith(`${name} `))) await news.promise
      },
      async ended() {
        while (source.readyState !== EventSource.CLOSED) await news.promise
      },
    }
  },
}

/** Readers of gzip, so that what goes to them is packed. */
async function crowd(t: TestContext, url: string, count: number): Promise<void> {
  const over = new AbortController()
  t.after(() => over.abort())
  await Promise.all(
    Array.from({ length: count }, async () => {
      const headers = { accept: 'text/event-stream', 'accept-encoding': 'gzip' }
      const response = await fetch(url, { headers, signal: over.signal })
      const events = readEventStream(response.body)
      await events.next()
      void (async () => {
        for await (const _ of events) continue
      })().catch(() => {})
    }),
  )
}

/** Resolves when so many read, all of them gzip. */
async function untilCoded({ hub }: TestHub, count: number): Promise<void> {
  const coded = (): number => [...hub.delivery.list()].filter((reader) => reader.coding === 'gzip').length
  const patience = Date.now() + 30_000
  while (coded() < count) {
    assert.ok(Date.now() < patience, `${coded()} of ${count} read gzip`)
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}

for (const [name, open] of Object.entries(clients)) {
  test(`${name} reads a stream of gzip event by event, from its beginning and from its middle`, async (t) => {
    const test = await startHub(t, {}, { compress: ['orders'] })
    const { hub, url } = test
    const channel = `${url}/channels/orders`
    const first = await open(t, channel)
    await untilCoded(test, 1)
    for (const word of ['small', 'stored']) {
      await hub.publish('orders', word === 'small' ? 'small x' : large(word))
      await first.event(word)
    }
    await crowd(t, channel, 8)
    await hub.publish('orders', large('packed'))
    await first.event('packed')
    const late = await open(t, `${channel}?last=1`)
    await late.event('packed')
    await untilCoded(test, 10)
    for (const word of ['one', 'two', 'three']) {
      await hub.publish('orders', large(word))
      await Promise.all([first.event(word), late.event(word)])
    }
    await hub.end('orders')
    await Promise.all([first.ended(), late.ended()])
  })
}
