/** The table of all channels, when they are many and change all the time. */
import assert from 'node:assert/strict'
import { describe, test, type TestContext } from 'node:test'
import type { Hub } from '@downlink/hub'
import type { Page } from 'playwright-core'
import { assertAccessible, assertFits, startConsoleHub, useConsole } from '../helpers/console.ts'

const CHANNELS = 5_000
const A_SECOND = 200
/** A longer one is felt. */
const LONG_MS = 50

async function fill(hub: Hub, count: number): Promise<void> {
  for (let at = 0; at < count; at += 50) {
    const names = Array.from({ length: Math.min(50, count - at) }, (_, more) => `sensor.${at + more}`)
    await hub.publish(names, { data: `${at}` })
  }
}

/** Publishes to channels here and there, until the test ends. */
function keepPublishing(t: TestContext, hub: Hub, channels: number): void {
  let next = 0
  const timer = setInterval(() => {
    for (let more = 0; more < A_SECOND / 20; more++) {
      next = (next + 7_919) % channels
      hub.publish(`sensor.${next}`, { data: 'again' }).catch(() => {})
    }
  }, 50)
  t.after(() => clearInterval(timer))
}

const names = async (page: Page): Promise<readonly string[]> => page.locator('tbody a').allInnerTexts()

describe('the channels in the console', () => {
  const browser = useConsole()

  test('are found, and come in the order asked for; what changes is there within a second or two', async (t) => {
    const { hub, url } = await startConsoleHub(t)
    await hub.publish('orders.1', [{ data: 'x' }, { data: 'x' }])
    await hub.publish('orders.2', { data: 'y'.repeat(2_000) }, { end: true })
    await hub.publish('news', [{ data: 'x' }, { data: 'x' }, { data: 'x' }])
    const page = await browser.open(t, url, '#/channels')
    await page.getByText('3 channels').waitFor()
    assert.deepEqual(await names(page), ['news', 'orders.1', 'orders.2'])
    const row = page.getByRole('row').filter({ hasText: 'orders.2' })
    assert.match(await row.innerText(), /orders\.2\s*ended[^]*2 KB/)
    await page.getByRole('button', { name: 'Events' }).click()
    assert.deepEqual(await names(page), ['news', 'orders.1', 'orders.2'])
    await page.getByRole('button', { name: 'Size' }).click()
    assert.equal((await names(page))[0], 'orders.2')
    await page.getByRole('searchbox').fill('ORDERS')
    await page.getByText('2 of 3 channels').waitFor()
    await hub.publish('orders.3', { data: 'z'.repeat(9_000) })
    await page.getByRole('link', { name: 'orders.3' }).waitFor()
    assert.deepEqual(await names(page), ['orders.3', 'orders.2', 'orders.1'], 'in its place')
    await hub.drop('orders.1')
    await page
      .getByRole('row')
      .filter({ hasText: /orders\.1.*0 B/ })
      .waitFor()
    await assertAccessible(page)
  })

  test('who reads them is told by transport, by name or by pattern', async (t) => {
    const { hub, url } = await startConsoleHub(t)
    const sink = { write: () => true, end() {}, abort() {} }
    await hub.publish('orders.1', { data: 'x' })
    for (const part of ['orders.1', 'orders.*', 'other'])
      hub.open(hub.channelSet(part), { after: 'now' }, sink)
    const page = await browser.open(t, url, '#/channels')
    await page.getByTitle('2 by SSE, 0 by long poll, 0 by WebSocket').waitFor()
  })

  test('the focus stays with its row when the order changes', async (t) => {
    const { hub, url } = await startConsoleHub(t)
    for (const name of ['a', 'b', 'c']) await hub.publish(name, { data: name })
    const page = await browser.open(t, url, '#/channels')
    await page.getByRole('button', { name: 'Events' }).click()
    await page.getByRole('link', { name: 'b', exact: true }).focus()
    await hub.publish('c', [{ data: 'x' }, { data: 'x' }])
    await page.locator('tbody tr').first().filter({ hasText: 'c' }).waitFor()
    await hub.publish('b', [{ data: 'x' }, { data: 'x' }, { data: 'x' }])
    await page.locator('tbody tr').first().filter({ hasText: 'b' }).waitFor()
    assert.equal(await page.evaluate('document.activeElement.innerText'), 'b')
  })

  test(`${CHANNELS} of them with ${A_SECOND} events a second leave the page quick`, async (t) => {
    const { hub, url } = await startConsoleHub(t)
    await fill(hub, CHANNELS)
    const page = await browser.open(t, url, '#/channels')
    await page.getByText('5,000 channels').waitFor()
    await page.getByRole('button', { name: 'Last minute' }).click()
    keepPublishing(t, hub, CHANNELS)
    await page.locator('tbody tr').first().filter({ hasText: '/s' }).waitFor()
    const tasks = await tasksOf(page, 4_000)
    assert.ok(tasks.count > 20, `only ${tasks.count} tasks were seen`)
    const long = tasks.cpu.filter((ms) => ms > LONG_MS)
    t.diagnostic(`the longest tasks, in ms of CPU: ${tasks.cpu.slice(0, 5).map(Math.round).join(', ')}`)
    assert.deepEqual(long, [], 'tasks that take too long')
    assert.ok((await page.locator('tbody [data-row]').count()) < 100)
  })

  test('on a phone nothing sticks out, and names that are long are cut', async (t) => {
    const { hub, url } = await startConsoleHub(t)
    await hub.publish(`a.${'very-long-name-'.repeat(12)}`, { data: 'x' })
    const page = await browser.open(t, url, '#/channels', { width: 390, language: 'ru' })
    await page.getByText('Каналов: 1').waitFor()
    await assertFits(page)
    const [inner, outer] = await page.evaluate<[number, number]>(
      "(({ scrollWidth, clientWidth }) => [scrollWidth, clientWidth])(document.querySelector('.scroller'))",
    )
    assert.ok(inner <= outer, `the table is ${inner} px wide in ${outer}`)
  })
})

interface TraceEvent {
  readonly name: string
  readonly pid: number
  readonly tid: number
  /** Microseconds of CPU. */
  readonly tdur?: number
  readonly args: { readonly name?: string }
}

/** Of the page's main thread, over some time: the CPU time of each task in ms, the longest first. Wall time is no measure on a busy machine. */
async function tasksOf(page: Page, ms: number): Promise<{ readonly count: number; readonly cpu: number[] }> {
  const session = await page.context().newCDPSession(page)
  const events: TraceEvent[] = []
  session.on('Tracing.dataCollected', ({ value }) => events.push(...(value as unknown as TraceEvent[])))
  await session.send('Tracing.start', {
    traceConfig: { includedCategories: ['toplevel', 'disabled-by-default-devtools.timeline', '__metadata'] },
    transferMode: 'ReportEvents',
  })
  await page.waitForTimeout(ms)
  const complete = new Promise((resolve) => session.once('Tracing.tracingComplete', resolve))
  await session.send('Tracing.end')
  await complete
  const main = new Set(
    events
      .filter(({ name, args }) => name === 'thread_name' && args.name === 'CrRendererMain')
      .map(({ pid, tid }) => `${pid} ${tid}`),
  )
  const cpu = events
    .filter(({ name, pid, tid }) => /RunTask/.test(name) && main.has(`${pid} ${tid}`))
    .map(({ tdur = 0 }) => tdur / 1_000)
    .sort((one, other) => other - one)
  return { count: cpu.length, cpu }
}
