/** Chromium on the hub's own HTTP/2: many streams on one connection, where HTTP/1.1 has six. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { build } from 'esbuild'
import { type Browser, chromium } from 'playwright-core'
import type * as Client from '@downlink/client'
import { createHub, type Hub } from '@downlink/hub'
import { type HubServer, serveHub } from '@downlink/hub/node'
import { tools } from '../scripts/tools.mjs'
import { CHROMIUM_ARGS } from './helpers/chromium.ts'
import { selfSigned } from './helpers/self-signed.ts'

const STREAMS = 40

declare const client: typeof Client

/** What a page finds: the data each reader got, and by which protocol. */
interface Found {
  readonly got: readonly string[]
  readonly protocols: readonly string[]
}

async function clientScript(): Promise<string> {
  const { outputFiles } = await build({
    stdin: { contents: "export * from '@downlink/client'", resolveDir: import.meta.dirname },
    bundle: true,
    write: false,
    format: 'iife',
    globalName: 'client',
    conditions: ['@downlink/source'],
  })
  return outputFiles[0]?.text ?? ''
}

/** Runs in the page. Each reader is done with its first event. */
async function readIn({ which, streams }: { which: string; streams: number }): Promise<Found> {
  const path = (n: number): string => `/channels/c${n}?after=start`
  const readers: Record<string, (n: number, got: (data: string) => void) => void> = {
    native: (n, got) => {
      new EventSource(path(n)).addEventListener('message', (event) => got(event.data as string))
    },
    ours: (n, got) => {
      new client.EventSource(path(n)).addEventListener('message', (event) => got(event.data))
    },
    subscribe: (n, got) => {
      client.subscribe(path(n)).on('event', (event) => got(event.data))
    },
  }
  const read = readers[which]
  if (!read) throw new Error(`No reader ${which}`)
  const got = await Promise.all(
    Array.from({ length: streams }, (_, n) => new Promise<string>((resolve) => read(n, resolve))),
  )
  const entries = performance.getEntriesByType('navigation') as PerformanceResourceTiming[]
  return { got, protocols: entries.map(({ nextHopProtocol }) => nextHopProtocol) }
}

describe('Chromium over HTTP/2', () => {
  let browser: Browser
  let hub: Hub
  let own: HubServer
  before(async () => {
    hub = createHub()
    const script = await clientScript()
    const body = `<!doctype html><meta charset="utf-8"><link rel="icon" href="data:,"><script>${script}</script>`
    const page = { headers: { 'content-type': 'text/html; charset=utf-8' }, body }
    own = await serveHub(hub, { tls: selfSigned(), page })
    browser = await chromium.launch({ executablePath: tools.chromium, args: [...CHROMIUM_ARGS] })
  })
  after(async () => {
    await browser.close()
    await own.stop()
    await hub.close()
  })

  for (const which of ['native', 'ours', 'subscribe']) {
    test(`${STREAMS} streams of a page are open at once, on one connection: ${which}`, async (t) => {
      const context = await browser.newContext({ ignoreHTTPSErrors: true })
      t.after(() => context.close())
      const page = await context.newPage()
      await page.goto(own.url)
      const finding = page.evaluate(readIn, { which, streams: STREAMS })
      const patience = Date.now() + 20_000
      while (hub.delivery.readers < STREAMS) {
        assert.ok(Date.now() < patience, `${hub.delivery.readers} of ${STREAMS} streams are open`)
        await new Promise((resolve) => setTimeout(resolve, 10))
      }
      const count = await new Promise((resolve) => own.server.getConnections((_, count) => resolve(count)))
      for (let n = 0; n < STREAMS; n++) await hub.publish(`c${n}`, { data: `${which} ${n}` })
      const { got, protocols } = await finding
      assert.deepEqual(protocols, ['h2'])
      assert.deepEqual(
        got,
        Array.from({ length: STREAMS }, (_, n) => `${which} ${n}`),
      )
      // Chromium may keep a second one ready, which speaks no HTTP yet.
      assert.ok(Number(count) <= 2, `${String(count)} connections`)
      for (let n = 0; n < STREAMS; n++) await hub.drop(`c${n}`)
      await page.close()
      while (hub.delivery.readers > 0) {
        assert.ok(Date.now() < patience, 'the streams of a page that is gone are gone')
        await new Promise((resolve) => setTimeout(resolve, 10))
      }
    })
  }
})
