/** Seven tabs, one connection, in real Chromium: whatever happens to the leader while events flow, each tab has every event once. */
import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { startHub, type TestHub } from './helpers/hub.ts'
import { bundled } from './helpers/subscriber.ts'
import { startTabs, type Tab, type Tabs } from './helpers/tabs.ts'

const SCRIPT = `
import { subscribe } from '@downlink/client'
import { share } from '@downlink/client/share'
globalThis.seen = []
globalThis.life = []
globalThis.begin = (channels) => {
  globalThis.updates = subscribe('/channels/' + channels, { after: 'start', share: share('user') })
  updates.on('event', ({ data }) => void seen.push(Number(data)))
}
document.addEventListener('freeze', () => life.push('freeze'))
addEventListener('pageshow', ({ persisted }) => persisted && life.push('restored'))
/** The name of the lock says who leads. */
globalThis.leads = async () => {
  const { held } = await navigator.locks.query()
  const id = await globalThis.client
  return held.some(({ name, clientId }) => name.startsWith('downlink:') && clientId === id)
}
globalThis.client = new Promise((resolve) => {
  void navigator.locks.request('me ' + Math.random(), async ({ name }) => {
    const { held } = await navigator.locks.query()
    resolve(held.find((lock) => lock.name === name).clientId)
  })
})
`

async function page(): Promise<string> {
  const script = (await bundled(SCRIPT)).replaceAll('</script', '<\\/script')
  return `<!doctype html><meta charset="utf-8"><link rel="icon" href="data:,"><script>${script}</script>`
}

interface Running {
  readonly served: TestHub
  readonly browser: Tabs
  readonly tabs: readonly Tab[]
  readonly leader: Tab
  readonly others: readonly Tab[]
  /** How many were published so far. */
  readonly count: () => number
  /** Publishes one every 50 ms until it is stopped. */
  readonly stop: () => Promise<void>
}

async function sevenTabs(t: TestContext): Promise<Running> {
  const body = await page()
  const served = await startHub(
    t,
    {},
    { page: { headers: { 'content-type': 'text/html; charset=utf-8' }, body } },
  )
  const browser = await startTabs(t)
  let published = 0
  let stopped = false
  const flow = (async () => {
    // oxlint-disable-next-line no-unmodified-loop-condition -- stop() does
    while (!stopped) {
      await served.hub.publish('numbers', { data: String(++published) })
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
  })()
  const stop = async (): Promise<void> => {
    stopped = true
    await flow
  }
  t.after(stop)
  const tabs: Tab[] = []
  for (let i = 0; i < 7; i++) {
    const tab = await browser.open(`${served.url}/`)
    await tab.get(`begin('numbers')`)
    tabs.push(tab)
  }
  await each(tabs, (tab) => tab.until(`updates.state.phase === 'open' && seen.length > 10`))
  const leading = await Promise.all(tabs.map((tab) => tab.get<boolean>('leads()')))
  assert.equal(leading.filter(Boolean).length, 1, 'one leads')
  const leader = tabs[leading.indexOf(true)] as Tab
  const others = tabs.filter((tab) => tab !== leader)
  return { served, browser, tabs, leader, others, count: () => published, stop }
}

async function each<T>(tabs: readonly Tab[], run: (tab: Tab) => Promise<T>): Promise<T[]> {
  return Promise.all(tabs.map(run))
}

/** Stops the flow, and finds every event once and in order in each tab. */
async function assertWhole({ stop, count, served }: Running, tabs: readonly Tab[]): Promise<void> {
  await stop()
  const all = Array.from({ length: count() }, (_, index) => index + 1)
  await each(tabs, (tab) => tab.until(`seen.at(-1) === ${count()}`))
  for (const seen of await each(tabs, (tab) => tab.get<number[]>('seen'))) assert.deepEqual(seen, all)
  const leading = await each(tabs, (tab) => tab.get<boolean>('leads()'))
  assert.equal(leading.filter(Boolean).length, 1, 'one leads')
  const metrics = await (await fetch(`${served.url}/metrics`)).text()
  assert.match(metrics, /^downlink_streams 1$/m, 'one connection at the hub')
}

/** So many more events came to a tab. */
async function more(tab: Tab, events: number): Promise<void> {
  await tab.until(`seen.length >= ${await tab.get<number>('seen.length')} + ${events}`)
}

test('seven tabs over HTTP/1.1 have one connection, and six are left for others', async (t) => {
  const run = await sevenTabs(t)
  // With a stream for each tab this would wait for ever.
  assert.equal(await run.others[0]?.get(`fetch('/healthz').then(({ status }) => status)`), 200)
  await assertWhole(run, run.tabs)
})

test('the leader is closed', async (t) => {
  const run = await sevenTabs(t)
  await run.leader.close()
  await each(run.others, (tab) => more(tab, 20))
  await assertWhole(run, run.others)
})

test('the leader crashes', async (t) => {
  const run = await sevenTabs(t)
  // It never answers.
  run.leader.send('Page.crash').catch(() => {})
  await each(run.others, (tab) => more(tab, 20))
  await assertWhole(run, run.others)
})

test('the leader is frozen, and thawed', async (t) => {
  const run = await sevenTabs(t)
  await run.others[0]?.toFront()
  await run.leader.until(`document.visibilityState === 'hidden'`)
  await run.leader.send('Page.setWebLifecycleState', { state: 'frozen' })
  await each(run.others.slice(0, 1), (tab) => more(tab, 20))
  await run.leader.send('Page.setWebLifecycleState', { state: 'active' })
  await run.leader.toFront()
  assert.deepEqual(await run.leader.get('life'), ['freeze'])
  await assertWhole(run, run.tabs)
})

test('the main thread of the leader is busy for 12 s', async (t) => {
  const run = await sevenTabs(t)
  await run.others[0]?.toFront()
  const busy = run.leader.get('{ const end = Date.now() + 12_000; while (Date.now() < end); }')
  await each(run.others, (tab) => more(tab, 200))
  await busy
  await assertWhole(run, run.tabs)
})

test('the leader goes into the back/forward cache, and comes back', async (t) => {
  const run = await sevenTabs(t)
  await run.leader.toFront()
  await run.leader.go(`${run.served.url}/healthz`)
  await each(run.others, (tab) => more(tab, 20))
  await run.leader.back()
  await run.leader.until(`globalThis.life?.includes('restored')`)
  await assertWhole(run, run.tabs)
})
