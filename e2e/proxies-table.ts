/**
 * Measures `subscribe()` with its defaults, and two other clients, through what can be in between: the tables of `docs/client.md`.
 * Some six minutes. The tables are printed; with `UPDATE=1` they are put into the page.
 *
 *   node --conditions=@downlink/source e2e/proxies-table.ts
 */
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, test, type TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Page } from 'playwright-core'
import { root } from '../scripts/tools.mjs'
import { useChromium } from './helpers/chromium.ts'
import { startHub } from './helpers/hub.ts'
import { bundled, subscribeIn, Subscriber } from './helpers/subscriber.ts'
import { hostile, type Way, WAYS } from './helpers/ways.ts'

const DEFAULTS = { heartbeatMs: 15_000, retryMs: 3_000 }
const BEFORE = 3
/** One a second. */
const EVENTS = 60
/** How long the last ones may take. */
const PATIENCE_MS = 45_000
/** So many pages at a time; more would measure the machine. */
const AT_ONCE = 14

/** With times and amounts as one meets them. */
const LATER: readonly Way[] = [
  hostile('resets each stream after 5 s', 'long-poll', { only: 'streams', cut: { afterMs: 5_000 } }),
  hostile('ends each stream after 5 s', 'long-poll', {
    only: 'streams',
    cut: { afterMs: 5_000, by: 'end' },
  }),
  hostile('resets each response after 20 s', 'sse', { cut: { afterMs: 20_000 } }),
  hostile('drops each connection silently after 20 s', 'long-poll', { silence: { afterMs: 20_000 } }),
  hostile('truncates each response to 1,500 bytes', 'long-poll', { truncate: 1500 }),
]
const ALL = [...WAYS, ...LATER]

const READERS = {
  subscribe: 'subscribe()',
  eventsource: 'eventsource 5.1.5',
  'fetch-event-source': 'fetch-event-source 2.0.1',
} as const
type Reader = keyof typeof READERS

/** Where the others are measured, too. */
const COMPARED = [
  'nothing',
  'buffers everything, the head too',
  'nginx that ignores X-Accel-Buffering',
  'passes the first 700 bytes, then holds',
  'resets each stream after 5 s',
  'ends each stream after 5 s',
  'drops each connection silently after 20 s',
  'answers 503 and Retry-After three times',
  'answers 502 three times',
]

interface Row {
  readonly way: string
  readonly reader: Reader
  /** `NaN`: it never came. */
  readonly firstMs: number
  readonly slowestMs: number
  readonly transport: string
  readonly missed: number
  readonly repeated: number
  readonly ordered: boolean
}

const rows: Row[] = []
const browser = useChromium()
const others = bundled(
  `import { EventSource } from 'eventsource'
   import { fetchEventSource } from '@microsoft/fetch-event-source'
   Object.assign(globalThis, { npmEventSource: EventSource, fetchEventSource })`,
)

const runs = [
  ...ALL.map((way) => ({ way, reader: 'subscribe' as Reader })),
  ...(['eventsource', 'fetch-event-source'] as const).flatMap((reader) =>
    ALL.filter(({ name }) => COMPARED.includes(name)).map((way) => ({ way, reader })),
  ),
]

for (let from = 0; from < runs.length; from += AT_ONCE) {
  test(`rows ${from + 1} to ${Math.min(runs.length, from + AT_ONCE)} of ${runs.length}`, async (t) => {
    const ready = []
    for (const { way, reader } of runs.slice(from, from + AT_ONCE)) ready.push(await prepared(t, way, reader))
    const measured = []
    for (const measure of ready) {
      measured.push(measure())
      await sleep(150)
    }
    rows.push(...(await Promise.all(measured)))
  })
}

/** A page behind the way; the function returned reads in it. */
async function prepared(t: TestContext, way: Way, reader: Reader): Promise<() => Promise<Row>> {
  const { hub, url } = await startHub(t, { delivery: DEFAULTS }, { authorize: () => true })
  const sentAt: number[] = []
  const send = async (): Promise<void> => {
    sentAt.push(Date.now())
    await hub.publish('orders', { data: `${sentAt.length - 1}` })
  }
  const page = await browser.open(t, await way.before(t, url))
  return async () => {
    for (let count = 0; count < BEFORE; count++) await send()
    const told = await begin(page, reader)
    for (let count = 0; count < EVENTS; count++) {
      await sleep(1000)
      await send()
    }
    const end = Date.now() + PATIENCE_MS
    while (new Set(told.data).size < sentAt.length && Date.now() < end) await sleep(100)
    const numbers = told.data.map(Number)
    return {
      way: way.name,
      reader,
      firstMs: told.firstAfterMs,
      slowestMs: Math.max(...told.events.slice(BEFORE).map(({ at, data }) => at - (sentAt[+data] ?? NaN))),
      transport: told.state?.transport ?? '',
      missed: sentAt.length - new Set(numbers).size,
      repeated: numbers.length - new Set(numbers).size,
      ordered: numbers.every((number, index) => index === 0 || number > (numbers[index - 1] ?? NaN)),
    }
  }
}

async function begin(page: Page, reader: Reader): Promise<Subscriber> {
  const path = '/channels/orders?after=start'
  if (reader === 'subscribe') return subscribeIn(page, path)
  await page.addScriptTag({ content: await others })
  const subscriber = new Subscriber(page, 'other')
  await subscriber.listen()
  await page.evaluate(readInPage, { reader, path })
  return subscriber
}

interface OtherWorld {
  readonly tell_other: (told: object) => void
  readonly npmEventSource: typeof EventSource
  readonly fetchEventSource: (
    url: string,
    options: { onmessage: (message: { event: string; id: string; data: string }) => void },
  ) => Promise<void>
}

/** Runs in the page. Each as its README shows it. */
function readInPage({ reader, path }: { readonly reader: string; readonly path: string }): void {
  const { tell_other: tell, npmEventSource, fetchEventSource } = globalThis as unknown as OtherWorld
  const url = new URL(path, location.href).href
  const take = (id: string, data: string): void => tell({ kind: 'event', at: Date.now(), id, data })
  tell({ kind: 'state', at: Date.now(), state: { phase: 'connecting', transport: 'sse', attempt: 0 } })
  if (reader === 'eventsource') {
    new npmEventSource(url).addEventListener('message', ({ lastEventId, data }) =>
      take(lastEventId, data as string),
    )
  } else {
    void fetchEventSource(url, {
      onmessage({ event, id, data }) {
        if (event === '') take(id, data)
      },
    })
  }
}

// The tables

const seconds = (ms: number): string =>
  Number.isFinite(ms) ? `${(ms / 1000).toFixed(ms < 995 ? 2 : 1)} s` : ''

const once = ({ missed, repeated, ordered }: Row): string =>
  [
    missed > 0 && `${missed} missed`,
    repeated > 0 && `${repeated} twice`,
    missed + repeated === 0 && ordered && 'each once',
    !ordered && 'out of order',
  ]
    .filter(Boolean)
    .join(', ')

function tables(): string {
  const of = (reader: Reader, name: string): Row | undefined =>
    rows.find((row) => row.reader === reader && row.way === name)
  const mine = ALL.flatMap(({ name }) => {
    const row = of('subscribe', name)
    if (!row) return []
    return `| ${name} | ${seconds(row.firstMs)} | \`${row.transport}\` | ${seconds(row.slowestMs)} | ${once(row)} |`
  })
  const compared = COMPARED.map((name) => {
    const cells = (Object.keys(READERS) as Reader[]).map((reader) => {
      const row = of(reader, name)
      if (!row) return ''
      if (Number.isNaN(row.firstMs)) return 'nothing'
      return `${seconds(row.firstMs)}; ${once(row)}`
    })
    return `| ${name} | ${cells.join(' | ')} |`
  })
  return `
| in between | first event | ends on | slowest event | events |
| --- | --- | --- | --- | --- |
${mine.join('\n')}

| first event; events | ${Object.values(READERS).join(' | ')} |
| --- | --- | --- | --- |
${compared.join('\n')}
`
}

after(async () => {
  const made = tables()
  console.log(made)
  if (process.env['UPDATE'] !== '1') return
  const file = join(root, 'docs/client.md')
  const page = await readFile(file, 'utf8')
  const between = /(<!-- made by e2e\/proxies-table\.ts -->\n)[^]*?(<!-- end -->)/
  if (!between.test(page)) throw new Error('docs/client.md has no place for the tables')
  await writeFile(
    file,
    page.replace(between, (_, open: string, close: string) => `${open}${made}\n${close}`),
  )
})
