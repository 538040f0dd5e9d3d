/**
 * Takes the pictures of docs/screenshots: each page of the console, on a hub at work, at three widths, in both languages, light and dark.
 *
 *   node --conditions=@downlink/source e2e/console/screenshots.ts [folder]
 */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { type Browser, chromium, type Page } from 'playwright-core'
import { buildConsole } from '../../scripts/console.mjs'
import { root, tools } from '../../scripts/tools.mjs'
import { CHROMIUM_ARGS } from '../helpers/chromium.ts'
import { type ConsoleHub, startConsoleHub } from '../helpers/console.ts'

const VIEWS = [
  { width: 390, scheme: 'light', language: 'ru' },
  { width: 820, scheme: 'dark', language: 'en' },
  { width: 1440, scheme: 'light', language: 'en' },
  { width: 1440, scheme: 'dark', language: 'ru' },
] as const

const PAGES: readonly (readonly [name: string, hash: string])[] = [
  ['hub', '#/'],
  ['channels', '#/channels'],
  ['channel', '#/channels/orders.1'],
  ['readers', '#/readers'],
  ['lab', '#/lab'],
  ['guide', '#/guide'],
  ['guide-chapter', '#/guide/03-event-source'],
  ['guide-stream', '#/guide/04-stream-format/try-it'],
]

/** What a shop might say, ten times a second, and readers of every kind. */
async function atWork(hub: ConsoleHub, cleanups: (() => void)[]): Promise<void> {
  const { url } = hub
  for (let at = 0; at < 400; at++) {
    await hub.hub.publish(`sensors.hall-${at % 20}.${Math.floor(at / 20)}`, [
      { data: `{"celsius":${18 + (at % 7)}}` },
    ])
  }
  const types = ['placed', 'paid', 'packed', 'sent']
  let count = 0
  const timer = setInterval(() => {
    for (let each = 0; each < 3; each++) {
      const order = count++
      const data = JSON.stringify({ order, total: (order * 7) % 200, currency: 'EUR' })
      void hub.hub.publish(`orders.${order % 12}`, [{ type: types[order % 4] ?? 'placed', data }])
    }
  }, 100)
  cleanups.push(() => clearInterval(timer))
  const gone = new AbortController()
  cleanups.push(() => gone.abort())
  const read = (path: string, headers: Record<string, string>): void => {
    const reading = async (): Promise<void> => {
      const { body } = await fetch(`${url}/channels/${path}`, { headers, signal: gone.signal })
      for await (const _ of body ?? []) if (gone.signal.aborted) break
    }
    // Cut at the end.
    reading().catch(() => {})
  }
  for (let at = 0; at < 14; at++) {
    read(`orders.${at}`, { accept: 'text/event-stream', 'user-agent': 'shop-window/2.1' })
  }
  for (let at = 0; at < 5; at++)
    read(`sensors.hall-${at}.*?wait=60&after=now`, { 'user-agent': 'boiler-room/1.0' })
  read('a..b', {})
}

async function shoot(browser: Browser, hub: ConsoleHub, folder: string): Promise<void> {
  for (const { width, scheme, language } of VIEWS) {
    const context = await browser.newContext({
      viewport: { width, height: width === 390 ? 844 : 900 },
      colorScheme: scheme,
      locale: language === 'ru' ? 'ru-RU' : 'en-US',
    })
    const page = await context.newPage()
    page.on('pageerror', (error) => console.error(error))
    page.on('console', (message) => {
      if (['error', 'warning'].includes(message.type())) console.error(message.text())
    })
    const take = async (name: string): Promise<void> => {
      await page.screenshot({
        path: join(folder, `${name}-${width}-${scheme}-${language}.png`),
      })
    }
    await page.goto(hub.url)
    // The charts have something to show.
    await page.waitForTimeout(6_000)
    for (const [name, hash] of PAGES) {
      await page.goto(`${hub.url}/${hash}`)
      await page.locator('main h1').waitFor()
      await page.waitForTimeout(1_500)
      await take(name)
    }
    await runLab(page, hub.url)
    await page.screenshot({
      path: join(folder, `lab-result-${width}-${scheme}-${language}.png`),
      fullPage: true,
    })
    await context.close()
  }
}

/** The first preset, to its end. */
async function runLab(page: Page, url: string): Promise<void> {
  await page.goto(`${url}/#/lab`)
  await page.getByRole('button', { name: /^(?:Run it|Запустить)/ }).click()
  await page.getByRole('button', { name: 'CSV' }).waitFor({ timeout: 180_000 })
  await page.waitForTimeout(1_000)
}

const folder = process.argv[2] ?? join(root, 'docs', 'screenshots')
const cleanups: (() => void | Promise<void>)[] = []
mkdirSync(folder, { recursive: true })
buildConsole()
const browser = await chromium.launch({ executablePath: tools.chromium, args: [...CHROMIUM_ARGS] })
try {
  const hub = await startConsoleHub({
    after: (cleanup) => void cleanups.push(cleanup as () => Promise<void>),
  })
  const ends: (() => void)[] = []
  await atWork(hub, ends)
  await shoot(browser, hub, folder)
  for (const end of ends) end()
} finally {
  await browser.close()
  for (const cleanup of cleanups) await cleanup()
}
