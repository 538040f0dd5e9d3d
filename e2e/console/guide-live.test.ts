/** The guide in the console: what it shows alive is alive, and prints what the text says. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { createAuthorizer } from '@downlink/hub/auth'
import { SignJWT } from 'jose'
import type { Locator, Page } from 'playwright-core'
import { readAll } from '../../apps/console/build/guide-plugin.ts'
import { assertNothingFound, useAxe } from '../helpers/axe.ts'
import { assertFits, startConsoleHub, useConsole } from '../helpers/console.ts'

const guide = readAll()
/** So that a reconnection takes no time, and a heart beats while one looks. */
const QUICK = { delivery: { retryMs: 30, heartbeatMs: 500 } }
/** The hub stops before the page is closed, and the page comes back quickly. */
const STOPPED = { expect: /ERR_CONNECTION/ }
const SECRET = 'the secret of a test, which is long enough to be one'

const panels = (page: Page): Locator => page.locator('.code.of-js + .live')
const prints = (panel: Locator): Locator => panel.locator('.log .print span')
const happened = (panel: Locator): Promise<string[]> => panel.locator('.log .trace b').allTextContents()

/** Runs it, and waits until it has printed so many lines. */
async function run(panel: Locator, lines: number): Promise<readonly string[]> {
  await panel.getByRole('button', { name: /^(Run|Выполнить)/ }).click()
  await prints(panel)
    .nth(lines - 1)
    .waitFor({ timeout: 5000 })
    .catch(() => {})
  return prints(panel).allTextContents()
}

/** While it is alive, too. */
async function assertGood(page: Page): Promise<void> {
  await useAxe(page)
  for (const width of [390, 1440]) {
    await page.setViewportSize({ width, height: 900 })
    await assertNothingFound(page, `at ${width} px`)
    await assertFits(page)
  }
}

describe('what is alive in the guide', () => {
  const browser = useConsole()

  test('each script that is shown alive prints what the text says', async (t) => {
    const { url } = await startConsoleHub(t, QUICK)
    const page = await browser.open(t, url, '#/guide', { expect: /400|ERR_CONNECTION/ })
    for (const { slug, parts, title } of guide.en.chapters) {
      await page.goto(`${url}/#/guide/${slug}`)
      await page.getByRole('heading', { level: 1, name: title }).waitFor()
      const alive = parts.filter((part) => part.kind === 'run')
      assert.equal(await panels(page).count(), alive.length, slug)
      for (const [at, part] of alive.entries()) {
        // The only thing that it says of the hub, and ours has another heart.
        const expected = part.output.replace(/^15 seconds$/, '0.5 seconds').split('\n')
        const got = await run(panels(page).nth(at), expected.length)
        assert.deepEqual(got, expected, `${slug}, script ${at + 1}`)
      }
    }
  })

  test('they run in channels of their own, and take them away when the page is left', async (t) => {
    const { hub, server, url } = await startConsoleHub(t, QUICK)
    await hub.publish('orders', { data: 'a real one' })
    const page = await browser.open(t, url, '#/guide/02-choosing', STOPPED)
    assert.deepEqual(await run(panels(page).first(), 1), ['round 2: order 1'])
    const kept = async (): Promise<readonly string[]> => {
      const response = await fetch(`${url}/channels`)
      const { channels } = (await response.json()) as {
        channels: readonly { name: string; events: number }[]
      }
      return channels.map(({ name, events }) => `${name.replace(/guide\.\w{5}-/, 'guide.…-')}: ${events}`)
    }
    assert.deepEqual(await kept(), ['guide.…-1.orders: 2', 'orders: 1'])
    const erased = new Promise((resolve) => {
      server.server.on('request', ({ method }, response) => {
        if (method === 'DELETE') response.once('close', resolve)
      })
    })
    await page.goto('about:blank')
    await erased
    assert.deepEqual(await kept(), ['guide.…-1.orders: 0', 'orders: 1'])
  })

  test('a connection that is cut comes back by itself, and brings what it missed', async (t) => {
    const { url } = await startConsoleHub(t, { delivery: { retryMs: 1500 } })
    const page = await browser.open(t, url, '#/guide/01-one-way-updates', STOPPED)
    const panel = panels(page).nth(1)
    await run(panel, 2)
    await panel.getByText('1 OPEN', { exact: true }).waitFor()
    const id = panel.locator('.facts div').filter({ hasText: 'last event ID' }).locator('dd')
    const before = await id.textContent()
    await panel.getByRole('button', { name: 'Cut the connection' }).click()
    await panel.getByText('0 CONNECTING', { exact: true }).waitFor()
    await panel.getByText('the browser waits, and comes back by itself').waitFor()
    await panel.getByLabel('Data').fill('missed')
    await panel.getByRole('button', { name: 'Publish' }).click()
    await prints(panel).nth(2).waitFor()
    assert.equal(await prints(panel).nth(2).textContent(), 'missed')
    assert.match(`${await panel.locator('.facts').textContent()}`, /1 OPEN.*connections2back after [\d.]+ s/)
    assert.notEqual(await id.textContent(), before)
    const seen = await happened(panel)
    assert.deepEqual(seen.slice(seen.lastIndexOf('cut')), [
      'cut',
      'onerror',
      'publish',
      'onopen',
      'onmessage',
    ])
    await assertGood(page)
    await panel.getByRole('button', { name: 'Stop' }).click()
    await panel.getByText('2 CLOSED', { exact: true }).waitFor()
    await panel.getByRole('link', { name: 'This channel in the console' }).click()
    await page.getByRole('heading', { level: 1, name: /^guide\..*\.kitchen$/ }).waitFor()
    await page.getByText('missed').waitFor()
  })

  test('only one example is alive at a time: a browser has six connections', async (t) => {
    const { url } = await startConsoleHub(t, QUICK)
    const page = await browser.open(t, url, '#/guide/03-event-source', STOPPED)
    const [one, two] = [panels(page).nth(0), panels(page).nth(2)]
    await run(one, 1)
    await one.getByText('1 OPEN', { exact: true }).waitFor()
    await run(two, 3)
    await one.getByText('2 CLOSED', { exact: true }).waitFor()
    await two.getByText('1 OPEN', { exact: true }).waitFor()
  })

  test('a typed stream is explained as one types', async (t) => {
    const { url } = await startConsoleHub(t)
    const page = await browser.open(t, url, '#/guide/04-stream-format/try-it', STOPPED)
    const box = page.getByRole('region', { name: 'A stream to type' })
    const rows = async (): Promise<readonly string[]> =>
      (await box.locator('tbody tr').allInnerTexts()).map((row) => row.replaceAll(/\s+/g, ' ').trim())
    const status = box.getByRole('status')
    assert.match(
      `${await status.textContent()}`,
      /^2 events · last event ID: 7 · reconnection time: 3000 ms$/,
    )
    await box.getByLabel('Type a stream').fill('id: 1\ndata: a\n\nretry: x\nfoo')
    await status.filter({ hasText: '1 event ·' }).waitFor()
    assert.deepEqual(await rows(), [
      '1 id:␣1LF the last event ID from now on',
      '2 data:␣aLF a line of data',
      '3 LF an empty line: the event is sent',
      'message a · lastEventId 1',
      '4 retry:␣xLF ignored: not digits only',
      '5 foo thrown away: the line has no end',
    ])
    await box.getByRole('combobox', { name: 'Line ends', exact: true }).selectOption('CRLF')
    await box.getByRole('button', { name: 'BOM' }).click()
    assert.equal((await rows())[0], '1 BOMid:␣1CRLF the last event ID from now on')
    await box.getByLabel('Type a stream').fill('id: 1')
    await box.getByLabel('Type a stream').press('End')
    await box.getByRole('button', { name: '«NUL»' }).click()
    await page.keyboard.type('2\n')
    await box.getByText('ignored: a NUL in it').waitFor()
    await box.getByLabel('Begin with').selectOption('line ends')
    await status.filter({ hasText: '3 events' }).waitFor()
    assert.ok((await rows()).includes('message CR alone'))
  })

  test('the three ways are counted side by side', async (t) => {
    const { url } = await startConsoleHub(t)
    const page = await browser.open(t, url, '#/guide/02-choosing', STOPPED)
    const panel = page.getByRole('region', { name: 'The three ways, side by side' })
    await panel.getByLabel('Poll every').selectOption('1000')
    await panel.getByRole('button', { name: 'Start' }).click()
    const way = (name: string): Locator => panel.locator('.way').filter({ hasText: name })
    const [poll, long, sse] = [way('Polling').first(), way('Long polling'), way('Server-Sent Events')]
    await sse.getByText('open, and stays open').waitFor()
    await poll.getByText('nothing new').first().waitFor()
    await panel.getByRole('button', { name: 'Publish an event' }).click()
    for (const one of [sse, long, poll]) await one.getByText(/event 1, [\d.,]+ ms late/).waitFor()
    const figures = (one: Locator): Promise<string[]> => one.locator('dd').allTextContents()
    const [[requests, nothing], [asked, empty, seen], [connections, , streamed]] = [
      await figures(poll),
      await figures(long),
      await figures(sse),
    ] as [string[], string[], string[]]
    assert.ok(Number(requests) >= 2 && Number(nothing) >= 1, `${requests} requests, ${nothing} empty`)
    assert.deepEqual([asked, empty, seen], ['2', '0', '1 / 1'])
    assert.deepEqual([connections, streamed], ['1', '1 / 1'])
    await assertGood(page)
    await panel.getByRole('button', { name: 'Stop' }).click()
  })

  test('the bytes of a stream are shown with their heartbeats', async (t) => {
    const { url } = await startConsoleHub(t, QUICK)
    const page = await browser.open(t, url, '#/guide/05-reconnecting/heartbeats', STOPPED)
    const panel = page.getByRole('region', { name: 'What comes over the wire' }).first()
    await panel.getByRole('button', { name: 'Connect' }).click()
    await panel.getByText('downlink:open').first().waitFor()
    await panel.getByRole('button', { name: 'Publish' }).click()
    await panel.getByRole('row', { name: /greeting hello/ }).waitFor()
    await panel.getByText('a comment: ignored').first().waitFor()
    await assertGood(page)
    await panel.getByRole('button', { name: 'Stop' }).click()
  })

  test('with rules they run by tickets, and say what is missing', async (t) => {
    const authorize = await createAuthorizer({ jwt: { secret: SECRET, audience: 'downlink' } })
    const { url } = await startConsoleHub(t, QUICK, { authorize })
    const page = await browser.open(t, url, '', { expect: /40[13]|ERR_CONNECTION/ })
    const enter = async (rights: object): Promise<void> => {
      const token = await new SignJWT({ downlink: rights })
        .setProtectedHeader({ alg: 'HS256' })
        .setSubject('root')
        .setAudience('downlink')
        .setExpirationTime('5m')
        .sign(new TextEncoder().encode(SECRET))
      await page.evaluate(`sessionStorage.setItem('downlink-console-token', '${token}')`)
      await page.goto(`${url}/#/guide/05-reconnecting`)
      await page.reload()
      await page.getByRole('status').filter({ hasText: 'live' }).waitFor()
    }
    await enter({ inspect: true, read: ['**'], publish: ['guide.**'] })
    const panel = panels(page).first()
    assert.deepEqual(await run(panel, 3), ['before', 'meanwhile', '2 connections'])
    await enter({ inspect: true, read: ['**'] })
    await panel.getByRole('button', { name: 'Run it' }).click()
    assert.match(`${await panel.locator('.fail').textContent()}`, /403 .*publish/)
  })
})
