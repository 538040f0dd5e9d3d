/** Real Chromium, without a service of Google's in the background. */
import { type Browser, chromium, type Page } from 'playwright-core'
import { after, before, type TestContext } from 'node:test'
import { tools } from '../../scripts/tools.mjs'

export const CHROMIUM_ARGS: readonly string[] = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]

export interface ChromiumOptions {
  /** Believes any certificate, as the tests make their own. */
  readonly anyCertificate?: boolean
}

/** One browser for the tests of a file, with a profile of its own; a page of it for each test. */
export function useChromium({ anyCertificate = false }: ChromiumOptions = {}): {
  open(t: TestContext, url: string): Promise<Page>
} {
  let browser: Browser | undefined
  before(async () => {
    browser = await chromium.launch({ executablePath: tools.chromium, args: [...CHROMIUM_ARGS] })
  })
  after(() => browser?.close())
  return {
    async open(t, url) {
      if (browser === undefined) throw new Error('Expected useChromium() to be called outside of the tests')
      const context = await browser.newContext({ ignoreHTTPSErrors: anyCertificate })
      t.after(() => context.close())
      const page = await context.newPage()
      await page.goto(url)
      return page
    },
  }
}
