/** Tickets as pages use them, in Chromium with its own EventSource: without a line of ours, and by `@downlink/client/native`. */
import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import type { Authorize, HubServerOptions } from '@downlink/hub/node'
import { SqliteLog } from '@downlink/hub/sqlite'
import type { Page } from 'playwright-core'
import { useChromium } from './helpers/chromium.ts'
import { startHub, type TestHub } from './helpers/hub.ts'
import { bundled } from './helpers/subscriber.ts'

const browser = useChromium()

/** Anyone may see the page; a token is the time at which it ends. */
const authorize: Authorize = (request, action) => {
  if (action === 'inspect') return true
  const until = Number(/^Bearer (\d+)$/.exec(request.header('authorization') ?? '')?.[1])
  return action === 'read' && until > 0 && { subject: 'alice', until, issued: until - 60_000 }
}
const RULES: HubServerOptions = { authorize, ticketSecret: 'the same on all nodes of this one hub' }
const LIMITS = { limits: { ticketsPerSubject: 1_000 } }

/** What docs/client.md shows for a bare EventSource, from the start, and less patient. `follow(ms)`: tokens are good for so long. */
const BARE = `
  globalThis.told = []
  globalThis.tickets = []
  globalThis.EventSource = class extends EventSource {
    constructor(url) {
      super(url)
      globalThis.source = this
      tickets.push(new URL(this.url).searchParams.get('ticket'))
    }
  }
  let lives = 0
  const token = async () => Date.now() + lives
  ${exampleOf(await readFile(new URL('../docs/client.md', import.meta.url), 'utf8'))}
  globalThis.follow = async (ms) => {
    lives = ms
    await example((data) => void told.push(data))
  }`

function exampleOf(guide: string): string {
  const example = /```js\n(let cursor = ''\nlet ticket\n[^]*?)```/.exec(guide)?.[1] ?? ''
  assert.match(example, /, 3000, [^]*cursor \|\| 'now'/)
  // Not the function of this name that a page is given.
  return `const example = (() => {${example.replace("'now'", "'start'").replace('3000', '100')}return follow})()`
}

const NATIVE = `
  import { subscribe } from '@downlink/client/native'
  globalThis.told = []
  globalThis.states = []
  globalThis.errors = []
  globalThis.follow = async (lives) => {
    const updates = subscribe('/channels/orders', {
      after: 'start',
      headers: () => ({ authorization: 'Bearer ' + (Date.now() + lives) }),
      limits: { retryMs: 50, minWaitMs: 1, healthyMs: 200, shortMs: 1 },
    })
    updates.on('event', ({ data }) => void told.push(data))
    updates.on('state', ({ phase, transport }) => void states.push(phase + ' ' + transport))
    updates.on('error', ({ message }) => void errors.push(message))
  }`

async function pageWith(t: TestContext, url: string, script: string): Promise<Page> {
  const page = await browser.open(t, url)
  await page.addScriptTag({ content: script })
  return page
}

const get = <T>(page: Page, expression: string): Promise<T> => page.evaluate(expression)
const come = (page: Page, count: number): Promise<unknown> => page.waitForFunction(`told.length >= ${count}`)
const numbers = (count: number): string[] => Array.from({ length: count }, (_, index) => `${index}`)

/** Publishes until it holds, one after the other, each when the page has the one before. @returns how many */
async function publishUntil(
  { hub }: TestHub,
  page: Page,
  begin: number,
  holds: () => Promise<boolean>,
): Promise<number> {
  let sent = begin
  while (!(await holds())) {
    await hub.publish('orders', { data: `${sent++}` })
    await come(page, sent)
  }
  return sent
}

const ticketsOf = ({ requests }: TestHub): number =>
  new Set(requests.map(({ url }) => new URLSearchParams(url.split('?')[1]).get('ticket'))).size

for (const [what, make] of [
  ['a bare EventSource, as the guide shows it,', () => BARE],
  ['subscribe() by EventSource', () => bundled(NATIVE)],
] as const) {
  test(`${what} has each event once, over tickets that end and another hub in the place of the first`, async (t) => {
    const folder = await mkdtemp(join(tmpdir(), 'downlink-tickets-'))
    t.after(() => rm(folder, { recursive: true }))
    const path = join(folder, 'log.db')
    const first = await startHub(t, { log: await SqliteLog.open({ path }), ...LIMITS }, RULES)
    const page = await pageWith(t, first.url, await make())
    await page.evaluate('follow(1500)')
    const sent = await publishUntil(first, page, 0, () => Promise.resolve(ticketsOf(first) >= 4))
    await first.stop()
    const second = await startHub(
      t,
      { log: await SqliteLog.open({ path }), ...LIMITS },
      { ...RULES, port: first.port },
    )
    const all = await publishUntil(second, page, sent, () => Promise.resolve(ticketsOf(second) >= 3))
    assert.deepEqual(await get(page, 'told'), numbers(all))
    if (what.startsWith('subscribe')) {
      assert.deepEqual(await get(page, 'errors'), [])
      assert.ok((await get<string[]>(page, 'states')).every((state) => !/^closed|poll/.test(state)))
    }
  })
}

test('an EventSource that is told of the end of its ticket and does nothing is closed for good', async (t) => {
  const hub = await startHub(t, LIMITS, RULES)
  const page = await pageWith(t, hub.url, BARE.replace('source.close()', 'return'))
  await page.evaluate('follow(600)')
  await page.waitForFunction('source.readyState === 2')
  const got = await fetch(
    `${hub.url}/channels/orders?transport=sse&ticket=${await get<string>(page, 'tickets[0]')}`,
  )
  assert.equal(got.status, 401)
})

test('of two pages with one ticket neither goes on with it, and the owner goes on with another', async (t) => {
  const hub = await startHub(t, LIMITS, RULES)
  const owner = await pageWith(t, hub.url, BARE)
  await owner.evaluate('follow(60000)')
  await hub.hub.publish('orders', { data: '0' })
  await come(owner, 1)
  const ticket = await get<string>(owner, 'tickets[0]')
  const thief = await pageWith(t, hub.url, BARE)
  await thief.evaluate(`
    globalThis.stolen = new EventSource('/channels/orders?after=start&ticket=' + ${JSON.stringify(ticket)})
    stolen.onmessage = ({ data }) => told.push(data)`)
  await thief.waitForFunction('stolen.readyState === 2')
  await hub.hub.publish('orders', { data: '1' })
  await come(owner, 2)
  assert.deepEqual(await get(owner, 'told'), ['0', '1'])
  assert.equal(await get(owner, 'tickets.length'), 2)
  assert.equal(await get(owner, 'source.readyState'), 1)
  assert.ok(!(await get<string[]>(thief, 'told')).includes('1'))
})
