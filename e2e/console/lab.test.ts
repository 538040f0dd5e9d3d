/** The Lab of the console: a whole run in a real browser, and what can go wrong with one. */
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { describe, test, type TestContext } from 'node:test'
import { createAuthorizer } from '@downlink/hub/auth'
import { SignJWT } from 'jose'
import type { Page } from 'playwright-core'
import { assertAccessible, assertFits, startConsoleHub, useConsole, type View } from '../helpers/console.ts'

/** What the hub tells of a run, as far as it is looked at here. */
interface Report {
  readonly id: string
  readonly state: string
  readonly published: number
  readonly techniques: Readonly<
    Record<
      string,
      { readonly requests: number; readonly crowd: { readonly received: number; readonly clients: number } }
    >
  >
}

const SECRET = 'the secret of a test, which is long enough to be one'
const WAYS = ['Polling', 'Long polling', 'Server-Sent Events', 'WebSocket']
const SHORT = { rate: '10', seconds: '2', clients: '3', pollEvery: '0.5', size: '100' }
/** A poll that is cut off by the end of a run is no error of the page. */
const LEFT = /ERR_ABORTED/

describe('the Lab', () => {
  const browser = useConsole()

  const openLab = async (
    t: TestContext,
    url: string,
    fields: Readonly<Record<string, string>> = SHORT,
    view: View = {},
  ): Promise<Page> => {
    const page = await browser.open(t, url, '#/lab', { expect: LEFT, ...view })
    await tune(page, fields)
    return page
  }
  const tune = async (page: Page, fields: Readonly<Record<string, string>>): Promise<void> => {
    await page.locator('.lab-task summary').click()
    for (const [field, value] of Object.entries(fields)) await page.fill(`#lab-${field}`, value)
    await page.getByLabel(/CPU|процессор/).uncheck()
  }
  /** @returns The run's id. */
  const begin = async (page: Page): Promise<string> => {
    const begun = page.waitForResponse((response) => response.request().method() === 'POST')
    await page.locator('button.main').click()
    return ((await (await begun).json()) as { id: string }).id
  }
  const reports = async (url: string, id: string): Promise<Report> => {
    const response = await fetch(`${url}/lab/${id}`)
    return (await response.json()) as Report
  }

  test('runs a task by all four ways side by side, and says which one fits and why', async (t) => {
    const { url } = await startConsoleHub(t)
    const page = await openLab(t, url)
    const id = await begin(page)
    await page.getByRole('button', { name: 'Stop' }).waitFor()
    await page.getByText('Done.').waitFor()
    const report = await reports(url, id)
    const { published } = report
    assert.deepEqual([report.state, published], ['done', 17])

    assert.deepEqual(await page.locator('.ways h3').allTextContents(), WAYS)
    assert.equal(await page.locator('.choice-said').textContent(), 'Server-Sent Events fit this task.')
    await page.getByText(/^Server-Sent Events show half of the events within/).waitFor()

    // What the page's own clients did: each once, and all of it, but what was on its way when the run was over.
    await page.locator('.lab-timeline summary').click()
    const rows = await page.locator('.lab-timeline tbody tr').all()
    const cells = await Promise.all(rows.map((row) => row.locator('td').allTextContents()))
    const figures = cells.map((row) => row.slice(0, 6).map(Number))
    for (const [way, [requests = 0, , failed, received = 0, missed, twice]] of figures.entries()) {
      const where = WAYS[way] as string
      assert.deepEqual([failed, missed, twice], [0, 0, 0], where)
      assert.ok(received >= (where === 'Polling' ? 8 : published - 1), `${where}: ${received} events`)
      const expected = { Polling: [3, 12], 'Long polling': [8, 20] }[where] ?? [1, 1]
      assert.ok(
        requests >= (expected[0] ?? 0) && requests <= (expected[1] ?? 0),
        `${where}: ${requests} requests`,
      )
    }

    const download = page.waitForEvent('download')
    await page.getByRole('button', { name: 'Download as CSV' }).click()
    const saved = await readFile(await (await download).path(), 'utf8')
    assert.equal((await download).suggestedFilename(), `downlink-lab-${id}.csv`)
    const lines = saved.split('\r\n')
    assert.ok(lines.includes('settings,,,events.rate,10,1/s'))
    assert.ok(lines.includes('total,,,published,17,'))
    for (const [technique, { requests, crowd }] of Object.entries(report.techniques)) {
      assert.equal(crowd.clients, 3)
      assert.ok(lines.includes(`total,${technique},,requests,${requests},`), technique)
      assert.ok(lines.includes(`total,${technique},,crowd.received,${crowd.received},`), technique)
    }
    assert.ok(lines.some((line) => line.startsWith('second,sse,1,requests,')))
    // The crowd's three, and the page's own.
    assert.equal(report.techniques['sse']?.requests, 4)
    assert.equal(report.techniques['websocket']?.requests, 4)
    await assertAccessible(page)
  })

  test('is in Russian on a dark phone, checks what is typed, and counts what the hub counts', async (t) => {
    const { url } = await startConsoleHub(t)
    const view = { width: 390, scheme: 'dark', language: 'ru' } as const
    const page = await openLab(t, url, { ...SHORT, clients: '0', pollEvery: 'часто' }, view)
    await page.locator('button.main').focus()
    await page.keyboard.press('Enter')
    await page.getByText('Введите число.').waitFor()
    assert.equal(await page.evaluate('document.activeElement.id'), 'lab-pollEvery')
    await page.fill('#lab-pollEvery', '900')
    await page.getByText('Введите число от 0,1 до 600.').waitFor()
    await page.fill('#lab-rate', '100')
    await page.fill('#lab-clients', '500')
    await page.fill('#lab-pollEvery', '5')
    await page.getByText('Всё вместе — слишком много для одной машины.', { exact: false }).waitFor()
    await assertAccessible(page)
    await assertFits(page)

    await page.fill('#lab-rate', SHORT.rate)
    await page.fill('#lab-clients', '0')
    const id = await begin(page)
    await page.getByText('Готово.').waitFor()
    await page.locator('.choice-said').waitFor()
    await assertFits(page)
    await page.locator('.lab-timeline summary').click()
    const rows = await page.locator('.lab-timeline tbody tr').all()
    const told = await Promise.all(rows.map((row) => row.locator('td').first().textContent()))
    const { techniques } = await reports(url, id)
    for (const [way, technique] of ['poll', 'long-poll', 'sse', 'websocket'].entries()) {
      const [requests, counted] = [Number(told[way]), techniques[technique]?.requests ?? 0]
      // The hub counts until the events are over, the page until it is told so.
      assert.ok(counted >= 1 && [0, 1].includes(requests - counted), `${technique}: ${requests}, ${counted}`)
    }
  })

  test('reads with a token, through the network that was asked for: a proxy holds the stream back', async (t) => {
    const authorize = await createAuthorizer({ jwt: { secret: SECRET, audience: 'downlink' } })
    const { url } = await startConsoleHub(t, {}, { authorize })
    // The network ends with the run, and what is asked through it, too. Before the token there is none.
    const view = {
      expect: /40[14]|ERR_ABORTED|ERR_CONNECTION_RESET|ERR_EMPTY_RESPONSE|ERR_INCOMPLETE_CHUNKED|WebSocket/,
    }
    const page = await browser.open(t, url, '#/lab', view)
    const rights = ['lab.**']
    await page
      .getByLabel('Token')
      .fill(
        await new SignJWT({ downlink: { inspect: true, read: rights, publish: rights, drop: rights } })
          .setProtectedHeader({ alg: 'HS256' })
          .setSubject('root')
          .setAudience('downlink')
          .setExpirationTime('5m')
          .sign(new TextEncoder().encode(SECRET)),
      )
    await page.getByRole('button', { name: /use/i }).click()
    await tune(page, { ...SHORT, clients: '0', delay: '150' })
    await page.getByLabel('A proxy in between that holds answers back until they end').check()
    await begin(page)
    await page.getByText('Done.').waitFor()
    await page.locator('.ways .way-sse').getByText('held back on the way').waitFor()
    await page.getByText(/^Server-Sent Events are held back by something in between/).waitFor()
    await page.locator('.lab-timeline summary').click()
    const rows = await page.locator('.lab-timeline tbody tr').all()
    const received = await Promise.all(rows.map((row) => row.locator('td').nth(3).textContent()))
    assert.equal(received[2], '0')
    const typical = (await rows[3]?.locator('td').nth(6).textContent()) ?? ''
    assert.match(typical, /ms$/)
    assert.ok(Number.parseFloat(typical) >= 150, typical)
  })

  test('says so when another run is under way, stops that, and its own, and keeps the focus', async (t) => {
    const { url } = await startConsoleHub(t)
    const page = await openLab(t, url, { ...SHORT, seconds: '60' }, { expect: /409/ })
    const button = page.locator('button.main')
    const other = JSON.stringify({ seconds: 60, clients: 0 })
    // Before the page is told of it.
    await page.route('**/lab', async (route) => {
      await fetch(`${url}/lab`, { method: 'POST', body: other })
      await route.continue()
    })
    await button.click()
    const busy = page.getByText('Another run is under way on this hub.', { exact: false })
    await busy.waitFor()
    await page.unroute('**/lab')
    await page.getByRole('button', { name: 'Stop the other run' }).click()
    await busy.waitFor({ state: 'detached' })

    // It may have been shown here meanwhile.
    await page.getByRole('button', { name: /^Run it/ }).waitFor()
    await button.focus()
    await page.keyboard.press('Enter')
    await page.getByText(/^Running: 1/).waitFor()
    await page.keyboard.press('Enter')
    await page.getByText('Stopped. The figures are of the time until then.').waitFor()
    assert.equal(await page.evaluate('document.activeElement.textContent'), 'Run it again')
    const left = await fetch(`${url}/channels`)
    const { channels } = (await left.json()) as { channels: readonly { events: number }[] }
    assert.ok(channels.every(({ events }) => events === 0))
    await page.keyboard.press('Enter')
    await page.getByText('This run, and in brackets the one before:', { exact: false }).waitFor()
    await page.keyboard.press('Enter')
    await page.getByText('Stopped.', { exact: false }).waitFor()
  })
})
