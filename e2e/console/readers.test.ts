/** Who is connected, and how one of them is let go. */
import assert from 'node:assert/strict'
import { describe, test, type TestContext } from 'node:test'
import {
  assertAccessible,
  assertFits,
  type ConsoleHub,
  startConsoleHub,
  useConsole,
} from '../helpers/console.ts'

/** A stream of whoever calls itself that; the server’s end of it is over when `ended` resolves. */
async function read(
  t: TestContext,
  { url }: ConsoleHub,
  channels: string,
  userAgent: string,
): Promise<{ readonly ended: Promise<unknown> }> {
  const gone = new AbortController()
  t.after(() => gone.abort())
  const response = await fetch(`${url}/channels/${channels}`, {
    headers: { accept: 'text/event-stream', 'user-agent': userAgent },
    signal: gone.signal,
  })
  return { ended: response.text().catch(() => {}) }
}

describe('the readers in the console', () => {
  const browser = useConsole()

  test('are told with what they read, by which transport, and what their client calls itself', async (t) => {
    const hub = await startConsoleHub(t)
    await read(t, hub, 'orders.1,orders.2,news', 'curl/8.9.1')
    const page = await browser.open(t, hub.url, '#/readers')
    const row = page.getByRole('row').filter({ hasText: 'curl 8.9' })
    await row.waitFor()
    assert.match(await row.innerText(), /news\s*\+2\s*SSE\s*up to date/)
    // One that comes while one looks.
    await read(t, hub, 'late', 'Other/1')
    await page.getByRole('row').filter({ hasText: 'Other 1' }).waitFor()
    await row.getByRole('button', { name: 'news' }).click()
    const dialog = page.getByRole('dialog', { name: /^Reader \d+$/ })
    assert.match(await dialog.innerText(), /news, orders\.1, orders\.2[^]*curl\/8\.9\.1/)
    await assertAccessible(page)
    await page.keyboard.press('Escape')
    assert.equal(await page.evaluate('document.activeElement.innerText'), 'news', 'the focus is back')
  })

  test('who is slow is told with how far behind it is, and everything else in its details', async (t) => {
    const { hub, url } = await startConsoleHub(t)
    const sink = { write: () => false, bytesWaiting: 5_000, end() {}, abort() {} }
    const channels = Array.from({ length: 60 }, (_, at) => `orders.${at}.with.a.longer.name`)
    hub.open(hub.channelSet(channels), { after: 'now' }, sink)
    const page = await browser.open(t, url, '#/readers', { width: 390, language: 'ru' })
    await hub.publish('orders.1.with.a.longer.name', [{ data: '1' }, { data: '2' }, { data: '3' }])
    const row = page.getByRole('row').filter({ hasText: '+59' })
    await row.filter({ hasText: /SSE3/ }).waitFor()
    await assertFits(page)
    await row.getByRole('button').click()
    const dialog = page.getByRole('dialog', { name: 'Читатель 1' })
    assert.match(await dialog.innerText(), /не больше 3[^]*5 КБ; соединение больше не принимает/)
    await assertAccessible(page)
    await assertFits(page)
  })

  test('are found by text and by transport, and come in the order asked for', async (t) => {
    const hub = await startConsoleHub(t)
    for (const name of ['b', 'a', 'c']) await read(t, hub, `orders.${name}`, 'x')
    const wait = new AbortController()
    t.after(() => wait.abort())
    fetch(`${hub.url}/channels/polled?wait=30&after=now`, { signal: wait.signal }).catch(() => {})
    const socket = new WebSocket(`${hub.url.replace('http', 'ws')}/channels/pushed`)
    t.after(() => socket.close())
    const page = await browser.open(t, hub.url, '#/readers')
    const names = async (): Promise<readonly string[]> => page.locator('tbody button.link').allInnerTexts()
    await page.getByText('5 readers').waitFor()
    await page.getByRole('button', { name: 'Channels', exact: true }).click()
    assert.deepEqual(await names(), ['orders.a', 'orders.b', 'orders.c', 'polled', 'pushed'])
    await page.getByRole('button', { name: 'Channels', exact: true }).click()
    assert.deepEqual(await names(), ['pushed', 'polled', 'orders.c', 'orders.b', 'orders.a'])
    assert.equal(await page.locator('th[aria-sort]').getAttribute('aria-sort'), 'descending')
    await page.getByLabel('Transport').selectOption('long poll')
    await page.getByText('1 of 5 readers').waitFor()
    assert.deepEqual(await names(), ['polled'])
    await page.getByLabel('Transport').selectOption('WebSocket')
    await page.getByRole('button', { name: 'pushed' }).waitFor()
    assert.deepEqual(await names(), ['pushed'])
    await page.getByLabel('Transport').selectOption('all')
    await page.getByRole('searchbox').fill('ORDERS.B')
    await page.getByText('1 of 5 readers').waitFor()
    assert.deepEqual(await names(), ['orders.b'])
    await page.getByRole('searchbox').fill('nobody')
    await page.getByText('No reader fits what you are looking for.').waitFor()
  })

  test('one is disconnected, when that is confirmed; the others stay', async (t) => {
    const hub = await startConsoleHub(t)
    const { ended } = await read(t, hub, 'let.go', 'x')
    await read(t, hub, 'stays', 'x')
    const page = await browser.open(t, hub.url, '#/readers')
    const row = page.getByRole('row').filter({ hasText: 'let.go' })
    await row.getByRole('button', { name: /^Disconnect/ }).click()
    const dialog = page.getByRole('dialog')
    assert.equal(hub.hub.delivery.readers, 2, 'not yet')
    await dialog.getByRole('button', { name: 'Disconnect' }).click()
    await ended
    await page.getByText(/Reader \d+ is disconnected\./).waitFor()
    await row.waitFor({ state: 'detached' })
    assert.equal(await dialog.count(), 0)
    assert.equal(hub.hub.delivery.readers, 1)
  })

  test('the focus is on the table when the reader that had it leaves', async (t) => {
    const { hub, url } = await startConsoleHub(t)
    const sink = { write: () => true, end() {}, abort() {} }
    const [first] = ['a', 'b'].map((name) => hub.open(hub.channelSet(name), { after: 'now' }, sink))
    const page = await browser.open(t, url, '#/readers')
    await page.getByRole('button', { name: 'a', exact: true }).focus()
    first?.closed()
    await page.getByRole('button', { name: 'a', exact: true }).waitFor({ state: 'detached' })
    assert.equal(await page.evaluate('document.activeElement.className'), 'scroller')
  })

  test('what the hub says when it does not disconnect is shown', async (t) => {
    const hub = await startConsoleHub(t)
    await read(t, hub, 'a', 'x')
    const page = await browser.open(t, hub.url, '#/readers', { expect: /403|ERR_FAILED/ })
    await page.route('**/disconnect', (route) =>
      route.fulfill({ status: 403, json: { detail: 'You may not inspect this' } }),
    )
    await page.getByRole('button', { name: /^Disconnect/ }).click()
    const dialog = page.getByRole('dialog')
    await dialog.getByRole('button', { name: 'Disconnect' }).click()
    await dialog
      .getByRole('alert')
      .filter({ hasText: 'Not disconnected: You may not inspect this' })
      .waitFor()
    await page.unroute('**/disconnect')
    await page.route('**/disconnect', (route) => route.abort())
    await dialog.getByRole('button', { name: 'Disconnect' }).click()
    await dialog.getByRole('alert').filter({ hasText: 'the hub can’t be reached' }).waitFor()
  })

  test('2,000 are told one by one, of the rest how many there are', async (t) => {
    const { hub, url } = await startConsoleHub(t, { limits: { readers: 3_000 } })
    const sink = { write: () => true, end() {}, abort() {} }
    for (let at = 0; at < 2_004; at++) hub.open(hub.channelSet(`c.${at}`), { after: 'now' }, sink)
    const page = await browser.open(t, url, '#/readers')
    await page.getByText('and 4 more.').waitFor()
    await page.getByText('2,000 readers').waitFor()
    const rows = await page.locator('tbody [data-row]').count()
    assert.ok(rows < 100, `${rows} rows are on the page`)
    // The end is reached by scrolling.
    await page.evaluate("document.querySelector('.scroller').scrollTop = 1e6")
    await page.getByRole('button', { name: 'c.1999' }).waitFor()
  })
})
