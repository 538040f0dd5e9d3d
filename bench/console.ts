/**
 * Claim: the console is usable within a second, and 5,000 channels with 200 events a second leave the page's main thread free: no task
 * of 50 ms. In Chromium, on this machine; the hub is in this process, so what it does slows the page down, too.
 */
import { brotliCompressSync, gzipSync } from 'node:zlib'
import { createHub } from '@downlink/hub'
import { openConsole } from '@downlink/hub/console'
import { serveHub } from '@downlink/hub/node'
import { type Browser, chromium } from 'playwright-core'
import { buildConsole } from '../scripts/console.mjs'
import { tools } from '../scripts/tools.mjs'
import type { Bench } from './delivery/bench.ts'

const CHANNELS = 5_000
const EVERY_MS = 50
const EVENTS_A_SECOND = 200
const PAGES = ['#/', '#/channels', '#/channels/orders.0', '#/readers'] as const

export const consolePage: Bench = {
  name: 'console',
  claim: `The console is usable within a second, and stays smooth with ${CHANNELS} channels and ${EVENTS_A_SECOND} events a second.`,
  async run({ quick, say }) {
    buildConsole()
    const hub = createHub()
    const shown = openConsole(hub)
    const server = await serveHub(hub, { host: '127.0.0.1', ...shown.options })
    const browser = await chromium.launch({
      executablePath: tools.chromium,
      args: ['--no-sandbox', '--disable-gpu'],
    })
    const names = Array.from({ length: CHANNELS }, (_, at) => `orders.${at}`)
    for (const name of names) await hub.publish(name, { data: '{"total":1}' })
    let next = 0
    const publishing = setInterval(() => {
      for (let each = 0; each < (EVENTS_A_SECOND * EVERY_MS) / 1_000; each++) {
        // Half of them in one channel, which one of the pages shows.
        const at = next++ % 2 === 0 ? 0 : next % CHANNELS
        void hub.publish(`orders.${at}`, { type: 'paid', data: JSON.stringify({ total: next }) })
      }
    }, EVERY_MS)
    try {
      const usable = await usableAfter(browser, server.url, quick ? 3 : 11)
      say(`usable after ${usable.toFixed(0)} ms`)
      const rows: string[][] = []
      let longest = 0
      for (const hash of PAGES) {
        const tasks = await longTasks(browser, `${server.url}/${hash}`, quick ? 2_000 : 15_000)
        const most = Math.max(0, ...tasks)
        longest = Math.max(longest, most)
        rows.push([hash, String(tasks.length), tasks.length === 0 ? '–' : `${most.toFixed(0)} ms`])
      }
      const html = await (await fetch(server.url)).text()
      const gzipped = gzipSync(html, { level: 9 }).length
      return {
        tables: [
          { caption: 'Tasks of 50 ms or more', head: ['page', 'tasks', 'longest'], rows },
          {
            caption: 'The page',
            head: ['', ''],
            rows: [
              ['gzip', `${(gzipped / 1000).toFixed(1)} kB`],
              ['brotli', `${(brotliCompressSync(html).length / 1000).toFixed(1)} kB`],
              ['the first channel is shown after', `${usable.toFixed(0)} ms`],
            ],
          },
        ],
        targets: [
          { what: 'gzipped', wanted: { atMost: 150 }, got: gzipped / 1000, unit: ' kB' },
          { what: 'usable after', wanted: { atMost: 1_000 }, got: usable, unit: ' ms' },
          { what: 'the longest task', wanted: { atMost: 50 }, got: longest, unit: ' ms' },
        ],
        notes: [],
      }
    } finally {
      clearInterval(publishing)
      await browser.close()
      await server.stop()
      await shown.close()
      await hub.close()
    }
  },
}

/** The median, in milliseconds, from the address to the first row of the list, each time in a browser that knows nothing. */
async function usableAfter(browser: Browser, url: string, times: number): Promise<number> {
  const took: number[] = []
  for (let time = 0; time < times; time++) {
    const context = await browser.newContext()
    const page = await context.newPage()
    const begun = performance.now()
    await page.goto(`${url}/#/channels`, { waitUntil: 'commit' })
    await page.locator('tbody a').first().waitFor()
    took.push(performance.now() - begun)
    await context.close()
  }
  return took.toSorted((a, b) => a - b)[Math.floor(times / 2)] ?? Number.NaN
}

/** Of the page's main thread, in milliseconds each, when it has been open for two seconds. */
async function longTasks(browser: Browser, url: string, forMs: number): Promise<readonly number[]> {
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 } })
  const page = await context.newPage()
  await page.goto(url)
  await page.locator('main h1').waitFor()
  await page.waitForTimeout(2_000)
  // Text: the page's globals are none of Node's.
  await page.evaluate(
    'globalThis.tasks = []; new PerformanceObserver((list) => tasks.push(...list.getEntries().map((one) => one.duration))).observe({ type: "longtask" })',
  )
  await page.waitForTimeout(forMs)
  const tasks = await page.evaluate<readonly number[]>('tasks')
  await context.close()
  return tasks
}
