/** `subscribe()` in Chromium, through each thing that can be in between: every event once, in order, and the transport it settles on. */
import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import type { ConnectionState } from '@downlink/client'
import { useChromium } from './helpers/chromium.ts'
import { startHub } from './helpers/hub.ts'
import { subscribeIn } from './helpers/subscriber.ts'
import { hostile, type Way, WAYS } from './helpers/ways.ts'

/** So often, that a stream which has gone silent is found out in less than a second. */
const HEARTBEAT_MS = 500
/** Each sign of trouble is looked into sooner than usual: the defaults are measured by `e2e/proxies-table.ts`. */
const LIMITS = { openMs: 500, graceMs: 300, minWaitMs: 20, connectMs: 5000 }
/** Beyond what any of them takes with these limits. */
const FIRST_MS = 20_000

const BEFORE = 3
/** One after the other, each told before the next is sent: so a way that keeps one back is found out. */
const ONE_BY_ONE = 12
const AT_ONCE = 5

const browser = useChromium()

const CUT_SHORT: readonly Way[] = [
  hostile('resets each stream after 600 bytes', 'long-poll', { only: 'streams', cut: { afterBytes: 600 } }),
  hostile('ends each stream after 600 bytes', 'long-poll', {
    only: 'streams',
    cut: { afterBytes: 600, by: 'end' },
  }),
  hostile('truncates each stream to 600 bytes', 'long-poll', { only: 'streams', truncate: 600 }),
  hostile('drops each stream silently after 600 bytes', 'long-poll', {
    only: 'streams',
    silence: { afterBytes: 600 },
  }),
]

for (const way of [...WAYS, ...CUT_SHORT]) {
  test(`every event once, in order, by ${way.ends} in the end: ${way.name}`, (t) => readThrough(t, way))
}

async function readThrough(t: TestContext, { before, ends }: Way): Promise<void> {
  const { hub, url } = await startHub(
    t,
    { delivery: { heartbeatMs: HEARTBEAT_MS } },
    { authorize: () => true },
  )
  const sent: string[] = []
  const send = async (): Promise<void> => {
    const data = `№ ${sent.length}: Grüße, 日本語 😀`
    sent.push(data)
    await hub.publish('orders', { data })
  }
  for (let count = 0; count < BEFORE; count++) await send()

  const page = await browser.open(t, await before(t, url))
  const reader = await subscribeIn(page, '/channels/orders', { after: 'start', limits: LIMITS })
  await reader.until(() => reader.events.length >= BEFORE)
  for (let count = 0; count < ONE_BY_ONE; count++) {
    await send()
    await reader.until(() => reader.events.length >= sent.length)
  }
  for (let count = 0; count < AT_ONCE; count++) await send()
  await reader.until(() => reader.data.at(-1) === sent.at(-1))

  assert.deepEqual(reader.data, sent)
  assert.equal(new Set(reader.events.map(({ id }) => id)).size, sent.length)
  assert.equal(reader.state?.transport, ends)
  assert.ok(reader.firstAfterMs < FIRST_MS, `${reader.firstAfterMs} ms`)
  assert.deepEqual(
    reader.told.filter(({ kind }) => kind === 'gap'),
    [],
  )
  t.diagnostic(`first event after ${reader.firstAfterMs} ms; ${reasonsOf(reader.states)}`)
  await reader.close()
}

/** `sse, long-poll (held-back)` */
function reasonsOf(states: readonly ConnectionState[]): string {
  const all = states.map(({ transport, reason }) => (reason ? `${transport} (${reason})` : transport))
  return all.filter((one, index) => one !== all[index - 1]).join(', ')
}
