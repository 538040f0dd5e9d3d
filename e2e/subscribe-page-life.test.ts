/** `subscribe()` in pages that are left and found again, hidden, frozen, cut off, loaded again and closed, in Chromium as people use it. */
import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import type { ConnectionState, SubscribeOptions } from '@downlink/client'
import { hostileProxy } from '@downlink/hub/testing'
import { startHub } from './helpers/hub.ts'
import { bundled } from './helpers/subscriber.ts'
import { profile, startTabs, type Tab } from './helpers/tabs.ts'

/** Reading begins at `start(options)`; what came is seen by `come(…)`. */
const SCRIPT = `
  import { subscribe } from '@downlink/client'
  Object.assign(globalThis, {
    data: [],
    states: [],
    shown: [],
    start(options) {
      const updates = subscribe('/channels/orders', options)
      globalThis.updates = updates
      updates.on('state', ({ phase, reason, transport }) => states.push({ phase, reason, transport }))
      updates.on('event', async ({ data: one }) => {
        data.push(one)
        if (one === 'endless') await new Promise(() => {})
      })
    },
    // Looks whenever something may have changed.
    async until(holds) {
      while (!holds()) await new Promise((resolve) => setTimeout(resolve, 5))
    },
  })
  addEventListener('pageshow', ({ persisted }) => shown.push(persisted))`

const scripted = bundled(SCRIPT)

/** So seldom that nothing but what a test is about brings a page back. */
const SLOW = { minWaitMs: 600_000, maxWaitMs: 600_000 }

async function world(t: TestContext) {
  const { hub, url } = await startHub(
    t,
    { delivery: { heartbeatMs: 60_000 } },
    {
      authorize: () => true,
      page: PAGE(await scripted),
    },
  )
  const send = async (...all: readonly string[]): Promise<void> => {
    for (const data of all) await hub.publish('orders', { data })
  }
  /** Resolves when the hub has so many readers. */
  const readers = async (count: number): Promise<void> => {
    while (hub.delivery.readers !== count) await fetch(`${url}/channels/elsewhere?transport=poll`)
  }
  return { url, send, readers }
}

const PAGE = (script: string) => ({
  headers: { 'content-type': 'text/html; charset=utf-8' },
  body: `<!doctype html><title>life</title><link rel="icon" href="data:,"><script>${script}</script>`,
})

type Options = Pick<SubscribeOptions, 'after' | 'whenHidden' | 'limits'> & {
  readonly resume?: 'reload' | 'restart'
}

const start = (tab: Tab, options: Options = {}): Promise<unknown> =>
  tab.get(`void start(${JSON.stringify(options)})`)

/** Resolves when so many events have come. */
async function come(tab: Tab, count: number): Promise<readonly string[]> {
  await tab.get(`until(() => data.length >= ${count})`)
  return tab.get('data')
}

const open = (tab: Tab): Promise<unknown> => tab.get(`until(() => updates.state.phase === 'open')`)

const states = (tab: Tab): Promise<readonly Pick<ConnectionState, 'phase' | 'reason'>[]> => tab.get('states')

async function assertPaused(tab: Tab, reason: string): Promise<void> {
  assert.ok((await states(tab)).some((state) => state.phase === 'paused' && state.reason === reason))
}

test('a page in the back/forward cache holds no connection, and goes on at its cursor when it is shown again', async (t) => {
  const { url, send, readers } = await world(t)
  const tab = await (await startTabs(t)).open(`${url}/?a`)
  await start(tab)
  await open(tab)
  await send('one')
  await come(tab, 1)

  await tab.go(`${url}/?b`)
  await readers(0)
  await send('two', 'three')
  await tab.back()

  assert.deepEqual(await come(tab, 3), ['one', 'two', 'three'])
  // It is the page that was left, and not a new one.
  assert.deepEqual(await tab.get('shown'), [false, true])
  await assertPaused(tab, 'away')
  await readers(1)
})

test('a frozen tab holds no connection, and goes on at its cursor when it is thawed', async (t) => {
  const { url, send, readers } = await world(t)
  const tabs = await startTabs(t)
  const tab = await tabs.open(url)
  await start(tab)
  await open(tab)
  await send('one')
  await come(tab, 1)

  // Chromium freezes hidden tabs only.
  await tabs.open('about:blank')
  await tab.send('Page.setWebLifecycleState', { state: 'frozen' })
  await readers(0)
  await send('two')
  await tab.send('Page.setWebLifecycleState', { state: 'active' })

  // It is still hidden, and reads on.
  assert.deepEqual(await come(tab, 2), ['one', 'two'])
  assert.equal(await tab.get('document.visibilityState'), 'hidden')
  await assertPaused(tab, 'away')
})

test('a hidden tab keeps its stream', async (t) => {
  const { url, send } = await world(t)
  const tabs = await startTabs(t)
  const tab = await tabs.open(url)
  await start(tab, { limits: { hiddenMs: 0 } })
  await open(tab)
  await tabs.open('about:blank')
  await tab.get(`until(() => document.visibilityState === 'hidden')`)
  await send('one')
  assert.deepEqual(await come(tab, 1), ['one'])
  assert.deepEqual(
    (await states(tab)).filter(({ phase }) => phase === 'paused'),
    [],
  )
})

test(`with whenHidden 'pause' a hidden tab lets go of it, and misses nothing when it is shown`, async (t) => {
  const { url, send, readers } = await world(t)
  const tabs = await startTabs(t)
  const tab = await tabs.open(url)
  await start(tab, { whenHidden: 'pause', limits: { hiddenMs: 20 } })
  await open(tab)
  await send('one')
  await come(tab, 1)
  await tabs.open('about:blank')
  await readers(0)
  await send('two')
  await assertPaused(tab, 'hidden')
  await tab.toFront()
  assert.deepEqual(await come(tab, 2), ['one', 'two'])
})

test(`with whenHidden 'pause' a tab that is opened hidden waits to be seen`, async (t) => {
  const { url, send } = await world(t)
  const tabs = await startTabs(t)
  const tab = await tabs.open(url)
  await tabs.open('about:blank')
  await tab.get(`until(() => document.visibilityState === 'hidden')`)
  await start(tab, { after: 'start', whenHidden: 'pause', limits: { hiddenMs: 0 } })
  await tab.get(`until(() => updates.state.phase === 'paused')`)
  await send('one')
  await tab.toFront()
  assert.deepEqual(await come(tab, 1), ['one'])
})

test('a page that is online again does not wait any longer', async (t) => {
  const { url, send } = await world(t)
  const proxy = await hostileProxy(url)
  t.after(() => proxy.close())
  const tab = await (await startTabs(t)).open(proxy.url)
  await start(tab, { limits: SLOW })
  await open(tab)
  await send('one')
  await come(tab, 1)

  await offline(tab, true)
  proxy.cut()
  await tab.get(`until(() => updates.state.phase === 'waiting')`)
  await send('two')
  await offline(tab, false)
  assert.deepEqual(await come(tab, 2), ['one', 'two'])
})

function offline(tab: Tab, is: boolean): Promise<unknown> {
  return tab.send('Network.emulateNetworkConditions', {
    offline: is,
    latency: 0,
    downloadThroughput: -1,
    uploadThroughput: -1,
  })
}

test(`resume 'reload': a page that is loaded again goes on after what it has handled`, async (t) => {
  const { url, send } = await world(t)
  const tab = await (await startTabs(t)).open(url)
  await send('one', 'two')
  await start(tab, { after: 'start', resume: 'reload' })
  await come(tab, 2)
  // At once: what it has handled just now is written when it is left.
  await tab.reload()
  await send('three')
  await start(tab, { after: 'start', resume: 'reload' })
  assert.deepEqual(await come(tab, 1), ['three'])
})

test('an event whose handler had not finished when the page was loaded again comes again', async (t) => {
  const { url, send } = await world(t)
  const tab = await (await startTabs(t)).open(url)
  await send('one', 'endless', 'three')
  await start(tab, { after: 'start', resume: 'reload' })
  assert.deepEqual(await come(tab, 2), ['one', 'endless'])
  await tab.reload()
  await start(tab, { after: 'start', resume: 'reload' })
  assert.deepEqual(await come(tab, 1), ['endless'])
})

/** Resolves when the storage holds the cursor. */
const stored = (tab: Tab, where: string): Promise<unknown> =>
  tab.get(`until(() => ${where}['downlink:cursor:' + updates.url] === updates.cursor)`)

test(`resume 'reload' is for one tab: another begins where it is told to`, async (t) => {
  const { url, send } = await world(t)
  const tabs = await startTabs(t)
  const tab = await tabs.open(url)
  await send('one')
  await start(tab, { after: 'start', resume: 'reload' })
  await come(tab, 1)
  await stored(tab, 'sessionStorage')
  const other = await tabs.open(url)
  await start(other, { after: 'start', resume: 'reload' })
  assert.deepEqual(await come(other, 1), ['one'])
})

test(`resume 'restart': when the browser has been closed and started again, it goes on`, async (t) => {
  const { url, send } = await world(t)
  const folder = profile(t)
  const before = await startTabs(t, folder)
  const tab = await before.open(url)
  await send('one', 'two')
  await start(tab, { after: 'start', resume: 'restart' })
  await come(tab, 2)
  await stored(tab, 'localStorage')
  await before.close()

  await send('three')
  const again = await (await startTabs(t, folder)).open(url)
  await start(again, { after: 'start', resume: 'restart' })
  assert.deepEqual(await come(again, 1), ['three'])
})
