/** The page at `/`, in Chromium, from `downlink serve`. */
import assert from 'node:assert/strict'
import test, { type TestContext } from 'node:test'
import type { Page } from 'playwright-core'
import { useChromium } from '../../../e2e/helpers/chromium.ts'
import { serving } from './cli/command.ts'

const chromium = useChromium()

async function opened(
  t: TestContext,
  hash: string,
): Promise<{ page: Page; url: string; problems: string[]; stop: () => void }> {
  const { command, url } = await serving(t, ['--port', '0'])
  const page = await chromium.open(t, 'about:blank')
  const problems: string[] = []
  page.on('console', (message) => problems.push(message.text()))
  page.on('pageerror', (error) => problems.push(error.message))
  await page.goto(`${url}/${hash}`)
  return { page, url, problems, stop: () => void command.child.kill('SIGTERM') }
}

async function publish(url: string, channel: string, data: string, query = ''): Promise<void> {
  assert.equal(
    (await fetch(`${url}/channels/${channel}${query}`, { method: 'POST', body: data })).status,
    200,
  )
}

const live = (page: Page): Promise<void> => page.locator('#state[data-state=live]').waitFor()
const shown = (page: Page): Promise<string[]> => page.locator('#events pre').allTextContents()

test('shows history and what comes, of every type, the newest first, as text and never as markup', async (t) => {
  const { page, url, problems } = await opened(t, '')
  await live(page)
  await publish(url, 'demo', '<img src=x onerror="document.title=1"><b>bold</b>')
  await publish(url, 'demo', 'typed', '?type=paid')
  // The page didn't listen for this type: it looks for such now and then.
  await page.getByText('typed', { exact: true }).waitFor()
  await publish(url, 'demo', 'typed again', '?type=paid')
  await page.getByText('typed again').waitFor()
  const all = ['typed again', 'typed', '<img src=x onerror="document.title=1"><b>bold</b>']
  assert.deepEqual(await shown(page), all)
  await page.reload()
  await live(page)
  assert.deepEqual(await shown(page), all)
  assert.equal(await page.locator('#events img, #events b').count(), 0)
  assert.equal(await page.title(), 'demo · Downlink')
  assert.deepEqual(problems, [])
})

test('publishes by keyboard, verbatim, and shows it', async (t) => {
  const { page, url, problems } = await opened(t, '#orders.42')
  await live(page)
  await page.focus('#data')
  await page.keyboard.type('  one')
  await page.keyboard.press('Enter')
  await page.keyboard.type('two')
  await page.keyboard.press('Control+Enter')
  await page.getByText(/^Published as /).waitFor()
  await page.locator('#events pre').waitFor()
  const { events } = (await (await fetch(`${url}/channels/orders.42`)).json()) as {
    events: { data: string }[]
  }
  assert.deepEqual(
    events.map(({ data }) => data),
    ['  one\ntwo'],
  )
  assert.deepEqual(await shown(page), ['  one\ntwo'])
  assert.equal(await page.inputValue('#data'), '')
  assert.deepEqual(problems, [])
})

test('says that a channel was erased, and that it has ended', async (t) => {
  const { page, url } = await opened(t, '#a')
  await live(page)
  await publish(url, 'a', 'x')
  await page.locator('#events pre').waitFor()
  assert.equal((await fetch(`${url}/channels/a`, { method: 'DELETE' })).status, 204)
  await page.getByText('Gap: a was erased.').waitFor()
  await publish(url, 'a', '', '?end')
  await page.getByText('a has ended: it takes no more events.').waitFor()
  await page.locator('#state[data-state=over]', { hasText: 'Ended' }).waitFor()
  await page.fill('#data', 'more')
  await page.keyboard.press('Control+Enter')
  await page.locator('#said.error', { hasText: 'has ended' }).waitFor()
})

test('tells the events of a pattern’s channels apart, also of channels that are new', async (t) => {
  const { page, url } = await opened(t, '#orders.**')
  await live(page)
  await publish(url, 'orders.1', 'first')
  await page.locator('li', { hasText: 'first' }).locator('.type', { hasText: 'orders.1' }).waitFor()
  assert.equal(await page.locator('#publish button').isDisabled(), true)
})

test('says why a channel can’t be shown, and shows another', async (t) => {
  const { page } = await opened(t, '#a..b')
  await page.locator('#state[data-state=bad]', { hasText: 'empty level' }).waitFor()
  await page.fill('#channel', 'b')
  await page.keyboard.press('Enter')
  await live(page)
  assert.equal(new URL(page.url()).hash, '#b')
})

test('says that the hub is away', async (t) => {
  const { page, stop } = await opened(t, '')
  await live(page)
  stop()
  await page.locator('#state[data-state=wait]', { hasText: 'trying again' }).waitFor()
  await page.fill('#data', 'kept')
  await page.keyboard.press('Control+Enter')
  await page.locator('#said.error', { hasText: 'does not answer' }).waitFor()
  assert.equal(await page.inputValue('#data'), 'kept')
})

for (const width of [320, 390, 1280]) {
  test(`is no wider than a screen of ${width} px, whatever is in it`, async (t) => {
    const { page, url } = await opened(t, `#${'long-name'.repeat(20)}`)
    await page.setViewportSize({ width, height: 800 })
    await live(page)
    await publish(url, 'long-name'.repeat(20), 'x'.repeat(3_000))
    await page.locator('#events pre').waitFor()
    assert.equal(await page.evaluate('document.documentElement.scrollWidth <= innerWidth'), true)
  })
}
