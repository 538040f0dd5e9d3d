/** The Lab of the console: a whole run in a real browser, and what can go wrong with one. */
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { describe, test, type TestContext } from 'node:test'
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

const WAYS = ['Polling', 'Long polling', 'Server-Sent Events', 'WebSocket']
const SHORT = { rate: '10', seconds: '2', clients: '3', pollEvery: '0.5', size: '100' }
/** A poll that is cut off by the end of a run is no error of the page. */
const LEFT = /ERR_ABORTED/

describe('the Lab', () => {
  const { open } = useConsole()

  const openLab = async (
    t: TestContext,
    url: string,
    fields: Readonly<Record<string, string>> = SHORT,
    view: View = {},
  ): Promise<Page> => {
    const page = await open(t, url, '#/lab', { expect: LEFT, ...view })
    await page.locator('.lab-task summary').click()
    for (const [field, value] of Object.entries(fields)) await page.fill(`#lab-${field}`, value)
    const cpu = page.getByLabel(/CPU|процессор/)
    await cpu.uncheck()
    return page
  }
  const over = (page: Page): Promise<void> => page.getByText(/^(Done\.|Готово\.)$/).waitFor()
  const reports = async (url: string, id: string): Promise<Report> => {
    const response = await fetch(`${url}/lab/${id}`)
    return (await response.json()) as Report
  }

  test('runs a task by all four ways side by side, and says which one fits and why', async (t) => {
    const { url } = await startConsoleHub(t)
    const page = await openLab(t, url)
    const begun = page.waitForResponse((response) => response.request().method() === 'POST')
    await page.getByRole('button', { name: 'Run it' }).click()
    const { id } = (await (await begun).json()) as { id: string }
    await page.getByRole('button', { name: 'Stop' }).waitFor()
    await over(page)
    const report = await reports(url, id)
    const { published } = report
    assert.deepEqual([report.state, published], ['done', 17])

    assert.deepEqual(await page.locator('.ways h3').allTextContents(), WAYS)
    assert.equal(await page.locator('.choice-said').textContent(), 'Server-Sent Events fit this task.')
    await page.getByText(/^Server-Sent Events show half of the events within/).waitFor()

    // What the page's own clients did: each once, and all of it, but what came after a poller's last question.
    await page.locator('.lab-timeline summary').click()
    const rows = await page.locator('.lab-timeline tbody tr').all()
    const cells = await Promise.all(rows.map((row) => row.locator('td').allTextContents()))
    const figures = cells.map((row) => row.slice(0, 6).map(Number))
    for (const [way, [requests = 0, , failed, received = 0, missed, twice]] of figures.entries()) {
      const where = WAYS[way] as string
      assert.deepEqual([failed, missed, twice], [0, 0, 0], where)
      assert.ok(where === 'Polling' ? received >= 8 : received === published, `${where}: ${received} events`)
      const expected = { Polling: [3, 7], 'Long polling': [8, 20] }[where] ?? [1, 1]
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
    await assertAccessible(page)
  })

  test('is in Russian on a dark phone, has room there, and keeps the run before for comparison', async (t) => {
    const { url } = await startConsoleHub(t)
    const view = { width: 390, scheme: 'dark', language: 'ru' } as const
    const page = await openLab(t, url, { ...SHORT, clients: '1' }, view)
    await assertFits(page)
    await assertAccessible(page)
    const start = page.getByRole('button', { name: /Запустить/ })
    await start.click()
    await over(page)
    await page.getByText('Server-Sent Events подходят для этой задачи', { exact: false }).waitFor()
    await assertFits(page)
    await assertAccessible(page)
    await start.click()
    await page.getByText('Этот прогон, в скобках — предыдущий:', { exact: false }).waitFor()
  })

  test('stops when it is told to, keeps the focus on the button, and leaves no event', async (t) => {
    const { url } = await startConsoleHub(t)
    const page = await openLab(t, url, { ...SHORT, seconds: '60' })
    const button = page.locator('button.main')
    await button.focus()
    await page.keyboard.press('Enter')
    await page.getByText(/^Running: 1/).waitFor()
    await page.keyboard.press('Enter')
    await page.getByText('Stopped. The figures are of the time until then.').waitFor()
    assert.equal(await page.evaluate('document.activeElement.textContent'), 'Run it again')
    const left = await fetch(`${url}/channels`)
    const { channels } = (await left.json()) as { channels: readonly { events: number }[] }
    assert.ok(channels.every(({ events }) => events === 0))
  })

  test('says what is wrong with a field and how it would be right, and goes there', async (t) => {
    const { url } = await startConsoleHub(t)
    const page = await openLab(t, url, { ...SHORT, pollEvery: 'often' })
    await page.locator('button.main').focus()
    await page.keyboard.press('Enter')
    await page.getByText('Type a number.').waitFor()
    assert.equal(await page.evaluate('document.activeElement.id'), 'lab-pollEvery')
    await page.fill('#lab-pollEvery', '900')
    await page.getByText('Type a number from 0.1 to 600.').waitFor()
    await page.fill('#lab-clients', '500')
    await page.fill('#lab-rate', '100')
    await page.fill('#lab-pollEvery', '5')
    await page.getByText('Together this is too much for one machine.', { exact: false }).waitFor()
    await assertAccessible(page)
  })

  test('says so when another run is under way, and can stop it', async (t) => {
    const { url } = await startConsoleHub(t)
    const page = await openLab(t, url, SHORT, { expect: /409/ })
    // Not told to the page: it is asked before that.
    await page.route('**/lab', async (route) => {
      await fetch(`${url}/lab`, { method: 'POST', body: JSON.stringify({ seconds: 60, clients: 0 }) })
      await route.continue()
    })
    await page.locator('button.main').click()
    await page.getByText('Another run is under way on this hub.', { exact: false }).waitFor()
    await page.unroute('**/lab')
    await page.getByRole('button', { name: 'Stop the other run' }).click()
    await page
      .getByText('Another run is under way on this hub.', { exact: false })
      .waitFor({ state: 'detached' })
    await page.locator('button.main').click()
    await over(page)
  })
})
