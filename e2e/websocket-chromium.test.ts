/** WebSocket as pages use it, in Chromium: what a browser sends with a handshake, and what a page sees of how it ends. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Authorize } from '@downlink/hub/node'
import type { Page } from 'playwright-core'
import { useChromium } from './helpers/chromium.ts'
import { startHub } from './helpers/hub.ts'

const browser = useChromium()

/** In the page: `follow(path)` comes back by itself, as 21.7.1 says; `told`, `codes` and `failures` say what came of it. */
const FOLLOW = `
  globalThis.told = []
  globalThis.codes = []
  globalThis.failures = 0
  globalThis.follow = (base, query = '') => {
    let cursor = 'start'
    let retry = 30
    const connect = () => {
      const socket = new WebSocket(base.replace(/^http/, 'ws') + '?after=' + cursor + query)
      globalThis.socket = socket
      socket.onmessage = ({ data }) => {
        const page = JSON.parse(data)
        cursor = page.cursor
        retry = page.retry ?? retry
        for (const event of page.events) told.push(event.data)
      }
      socket.onerror = () => failures++
      socket.onclose = ({ code }) => {
        codes.push(code)
        if (code !== 1000) setTimeout(connect, retry)
      }
    }
    connect()
  }`

const get = <T>(page: Page, expression: string): Promise<T> => page.evaluate(expression)
const come = (page: Page, count: number): Promise<unknown> => page.waitForFunction(`told.length >= ${count}`)

test('P21.7.1 a page follows a channel over cuts, and stops when it has ended', async (t) => {
  const { hub, url } = await startHub(t)
  const page = await browser.open(t, url)
  await page.addScriptTag({ content: FOLLOW })
  await hub.publish('orders', { data: '0' })
  await page.evaluate(`follow('${url}/channels/orders')`)
  await come(page, 1)
  for (let n = 1; n < 6; n++) {
    await hub.publish('orders', { data: String(n) })
    await come(page, n + 1)
    hub.disconnect({ channel: 'orders' })
    // While nobody reads.
    await hub.publish('orders', { data: String(++n) })
  }
  await hub.publish('orders', { data: 'last' }, { end: true })
  await page.waitForFunction('codes.at(-1) === 1000')
  assert.deepEqual(await get(page, 'told'), ['0', '1', '2', '3', '4', '5', '6', 'last'])
  assert.deepEqual(await get(page, 'codes.filter((code) => code !== 1000)'), [4001, 4001, 4001])
})

test('P21.2.2 large pages and many come whole', async (t) => {
  const { hub, url } = await startHub(t)
  const page = await browser.open(t, url)
  await page.addScriptTag({ content: FOLLOW })
  const large = 'é"'.repeat(200_000)
  await hub.publish('orders', { data: large })
  await page.evaluate(`follow('${url}/channels/orders')`)
  await come(page, 1)
  await hub.publish(
    'orders',
    Array.from({ length: 3_000 }, (_, n) => ({ data: String(n) })),
  )
  await come(page, 3_001)
  assert.equal(await get(page, 'told[0].length'), large.length)
  assert.equal(await get(page, 'told.slice(1).every((data, n) => data === String(n))'), true)
})

test('P17.2.4 a page of another origin is refused, also where the browser sends its cookie', async (t) => {
  const cookies: (string | undefined)[] = []
  const authorize: Authorize = (request, action) => {
    if (action === 'inspect') return true
    cookies.push(request.header('cookie'))
    return request.header('cookie')?.includes('session=1') ?? false
  }
  const ours = await startHub(t, {}, { authorize })
  const theirs = await startHub(t)
  const page = await browser.open(t, ours.url)
  await page.evaluate("document.cookie = 'session=1; path=/'")
  await page.addScriptTag({ content: FOLLOW })
  await ours.hub.publish('orders', { data: 'secret' })
  await page.evaluate(`follow('${ours.url}/channels/orders')`)
  await come(page, 1)
  // Cookies know no ports: this page has it, too.
  await page.goto(theirs.url)
  await page.addScriptTag({ content: FOLLOW })
  assert.equal(await get(page, 'document.cookie'), 'session=1')
  cookies.length = 0
  await page.evaluate(`follow('${ours.url}/channels/orders')`)
  await page.waitForFunction('failures >= 2')
  assert.deepEqual(await get(page, 'told'), [])
  assert.deepEqual(cookies, [], 'it is refused before anybody is asked')
})

test('P17.6.3 with a ticket, which is all that a browser can send', async (t) => {
  const authorize: Authorize = (request, action) =>
    action === 'inspect' ||
    (action === 'read' && request.header('authorization') === 'Bearer alice' && { subject: 'alice' })
  const { hub, url } = await startHub(t, {}, { authorize })
  const page = await browser.open(t, url)
  await page.addScriptTag({ content: FOLLOW })
  await hub.publish('orders', { data: 'paid' })
  await page.evaluate(`(async () => {
    const answer = await fetch('/tickets', {
      method: 'POST',
      headers: { authorization: 'Bearer alice' },
      body: JSON.stringify({ channels: ['orders'] }),
    })
    const { ticket } = await answer.json()
    follow('${url}/channels/orders', '&ticket=' + ticket)
  })()`)
  await come(page, 1)
  assert.deepEqual(await get(page, 'told'), ['paid'])
})
