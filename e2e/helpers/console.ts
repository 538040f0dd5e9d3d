/** The console in a real Chromium, on a real hub that tells of itself. */
import { AxeBuilder } from '@axe-core/playwright'
import assert from 'node:assert/strict'
import { after, before, type TestContext } from 'node:test'
import { createHub, type Hub, type HubOptions } from '@downlink/hub'
import { type HubConsole, openConsole } from '@downlink/hub/console'
import { type HubServer, type HubServerOptions, serveHub } from '@downlink/hub/node'
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core'
import { buildConsole } from '../../scripts/console.mjs'
import { tools } from '../../scripts/tools.mjs'
import { CHROMIUM_ARGS } from './chromium.ts'

export interface ConsoleHub {
  readonly hub: Hub
  readonly server: HubServer
  readonly console: HubConsole
  readonly url: string
  readonly stop: () => Promise<void>
}

/** Stopped when the test ends. */
export async function startConsoleHub(
  t: Pick<TestContext, 'after'>,
  options: HubOptions = {},
  serverOptions: HubServerOptions = {},
): Promise<ConsoleHub> {
  const told: { by?: HubConsole } = {}
  const hub = createHub({ onError: (error) => told.by?.failed(error), ...options })
  const shown = openConsole(hub)
  told.by = shown
  const server = await serveHub(hub, {
    host: '127.0.0.1',
    graceMs: 100,
    ...shown.options,
    ...serverOptions,
  })
  const stop = async (): Promise<void> => {
    await server.stop()
    await shown.close()
    await hub.close()
  }
  t.after(stop)
  return { hub, server, console: shown, url: server.url, stop }
}

export interface View {
  /** Pixels. Default 1440. */
  readonly width?: 390 | 820 | 1440
  readonly scheme?: 'light' | 'dark'
  readonly language?: 'en' | 'ru'
  /** What the browser may say in its console although nothing else may: failed requests that the test makes. */
  readonly expect?: RegExp
}

/** One browser for the tests of a file. */
export function useConsole(): {
  /** @param hash Such as `#/channels`. */
  open(t: TestContext, url: string, hash?: string, view?: View): Promise<Page>
} {
  let browser: Browser | undefined
  before(async () => {
    buildConsole()
    browser = await chromium.launch({ executablePath: tools.chromium, args: [...CHROMIUM_ARGS] })
  })
  after(() => browser?.close())
  return {
    async open(t, url, hash = '', { width = 1440, scheme = 'light', language = 'en', expect } = {}) {
      if (browser === undefined) throw new Error('Expected useConsole() to be called outside of the tests')
      const context: BrowserContext = await browser.newContext({
        viewport: { width, height: 900 },
        colorScheme: scheme,
        locale: language === 'ru' ? 'ru-RU' : 'en-US',
      })
      const said: string[] = []
      t.after(async () => {
        await context.close()
        assert.deepEqual(said, [], 'the console of the browser')
      })
      const page = await context.newPage()
      const hear = (text: string): void => {
        if (!expect?.test(text)) said.push(text)
      }
      page.on('console', (message) => {
        if (['error', 'warning'].includes(message.type())) hear(message.text())
      })
      page.on('pageerror', (error) => hear(error.message))
      await page.goto(`${url}/${hash}`)
      return page
    },
  }
}

/** Fails with what axe finds on the page as it is. */
export async function assertAccessible(page: Page): Promise<void> {
  const { violations } = await new AxeBuilder({ page }).analyze()
  const found = violations.map(({ id, help, nodes }) => ({
    id,
    help,
    nodes: nodes.slice(0, 3).map(({ html, failureSummary }) => `${html}\n${failureSummary}`),
  }))
  assert.deepEqual(found, [])
}

/** Nothing sticks out to the side. */
export async function assertFits(page: Page): Promise<void> {
  // A string: types of the page's globals are not for Node's tests.
  const [inner, outer] = await page.evaluate<[number, number]>(
    '[document.documentElement.scrollWidth, document.documentElement.clientWidth]',
  )
  assert.ok(inner <= outer, `the page is ${inner} px wide on a screen of ${outer}`)
}
