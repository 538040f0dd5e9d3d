/** How the hub is: figures, charts, and what was refused. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Page } from 'playwright-core'
import { assertAccessible, assertFits, startConsoleHub, useConsole } from '../helpers/console.ts'

/** The tile of this title. */
const tile = (page: Page, title: string) =>
  page.locator('.tiles div').filter({ has: page.locator('dt', { hasText: new RegExp(`^${title}$`) }) })

describe('the hub in the console', () => {
  const browser = useConsole()

  test('its figures are those of what goes on', async (t) => {
    const { hub, url } = await startConsoleHub(t)
    const sink = { write: () => true, end() {}, abort() {} }
    for (let at = 0; at < 3; at++) hub.open(hub.channelSet('a'), { after: 'now' }, sink)
    const page = await browser.open(t, url)
    await tile(page, 'Readers').filter({ hasText: '3 SSE, 0 long polls, 0 WebSockets' }).waitFor()
    const posting = setInterval(() => {
      for (let more = 0; more < 5; more++)
        fetch(`${url}/channels/a`, { method: 'POST', body: 'x' }).catch(() => {})
    }, 50)
    t.after(() => clearInterval(posting))
    await tile(page, 'Publishes')
      .filter({ hasText: /half of them take .* ms or less/ })
      .waitFor()
    await tile(page, 'Deliveries')
      .filter({ hasText: /[1-9][\d,]*\/s/ })
      .waitFor()
    await tile(page, 'Log').filter({ hasText: 'healthy' }).waitFor()
    const chart = page.locator('figure').filter({ hasText: 'Events a second' })
    await chart.filter({ hasText: /delivered [1-9]/ }).waitFor()
    assert.ok(await chart.locator('canvas').isVisible())
    await page.getByRole('rowheader', { name: '1', exact: true }).waitFor()
    await assertAccessible(page)
  })

  test('what was refused is told, with its reason, and no query', async (t) => {
    const { url } = await startConsoleHub(t)
    const page = await browser.open(t, url)
    await page.getByText('Nothing was refused, and nothing failed').waitFor()
    await fetch(`${url}/channels/a..b?secret=1`)
    const line = page.getByRole('listitem').filter({ hasText: 'invalid-channel' })
    await line.waitFor()
    assert.match(await line.innerText(), /400\s+invalid-channel GET \/channels\/a\.\.b$/)
  })

  test('a hub that restarts on its port is waited for, and what it tells then is shown', async (t) => {
    const first = await startConsoleHub(t, { delivery: { retryMs: 50 } })
    const sink = { write: () => true, end() {}, abort() {} }
    first.hub.open(first.hub.channelSet('a'), { after: 'now' }, sink)
    await first.hub.publish('of.the.first', { data: 'x' })
    const page = await browser.open(t, first.url, '', { expect: /ERR_|Failed to load/ })
    await tile(page, 'Readers').filter({ hasText: '1 SSE' }).waitFor()
    const { port } = first.server
    await first.stop()
    await page.getByRole('alert').filter({ hasText: 'can’t be reached' }).waitFor()
    assert.ok(await tile(page, 'Readers').isVisible(), 'what was known stays')
    const second = await startConsoleHub(t, { delivery: { retryMs: 50 } }, { port })
    await second.hub.publish('of.the.second', { data: 'x' })
    await tile(page, 'Readers').filter({ hasText: '0 SSE' }).waitFor()
    assert.equal(await page.getByRole('alert').count(), 0)
    // Nothing is left of what was there before: neither channels nor readers.
    await page.getByRole('link', { name: 'Channels' }).click()
    await page.getByRole('link', { name: 'of.the.second' }).waitFor()
    await page.getByRole('link', { name: 'of.the.first' }).waitFor({ state: 'detached' })
    await page.getByRole('link', { name: 'Readers' }).click()
    await page.getByText('Nobody reads just now.').waitFor()
  })

  test('is readable in Russian on a phone', async (t) => {
    const { url } = await startConsoleHub(t)
    const page = await browser.open(t, url, '', { language: 'ru', width: 390 })
    await page.locator('figure canvas').first().waitFor()
    await assertAccessible(page)
    await assertFits(page)
  })
})
