/**
 * Wildcard abuse: the costliest patterns there can be, as many as a read may have, over many channels. What is asserted is how often
 * something is done, where that can be counted, and else a time far above what it takes and far below what a mistake would take.
 */
import assert from 'node:assert/strict'
import { describe, test, type TestContext } from 'node:test'
import { checkPattern, coversPart, matchesPattern } from '@downlink/wire'
import { ChannelSet } from '../src/log/channel-set.ts'
import { createHub, type Hub } from '../src/hub.ts'
import { type HubServer, type HubServerOptions, serveHub } from '../src/http/server.ts'
import { ask, askPage, openStream, problemOf } from './wire-contract/client.ts'

/** The longest name has this many levels. */
const LEVELS = 128
const DEEP = Array<string>(LEVELS).fill('a').join('.')
/** 64 patterns, all different, each of as many stars as fit, that match all of the name but its end. */
const COSTLY = Array.from({ length: 64 }, (_, n) => {
  return [...Array.from({ length: 100 }, (_, level) => (level === n ? 'a' : '*')), 'b'].join('.')
})
const SOON_MS = 5_000

async function running(
  t: TestContext,
  options: HubServerOptions = {},
): Promise<{ hub: Hub; server: HubServer }> {
  const hub = createHub()
  t.after(() => hub.close())
  const server = await serveHub(hub, { host: '127.0.0.1', graceMs: 100, ...options })
  t.after(() => server.stop())
  return { hub, server }
}

function within(ms: number, work: () => void): void {
  const begun = performance.now()
  work()
  const took = performance.now() - begun
  assert.ok(took < ms, `${took} ms`)
}

describe('patterns', () => {
  test('match in one pass over both texts, however many stars there are', () => {
    const pattern = checkPattern(COSTLY[0] as string)
    within(SOON_MS, () => {
      for (let n = 0; n < 100_000; n++) assert.equal(matchesPattern(pattern, DEEP), false)
    })
  })

  test('are compared with rules in one pass too', () => {
    const rule = `${Array<string>(60).fill('*').join('.')}.**`
    within(SOON_MS, () => {
      for (let n = 0; n < 50_000; n++) coversPart(rule, COSTLY[n % COSTLY.length] as string)
    })
  })

  test('are 64 in a read at most, names included, and a longer list is refused before it is looked at', async (t) => {
    const { server } = await running(t)
    const names = (count: number): string => Array.from({ length: count }, (_, n) => `p${n}.*`).join(',')
    assert.equal((await ask(`${server.url}/channels/${names(64)}`)).status, 200)
    problemOf(await ask(`${server.url}/channels/${names(65)}`), 400, 'too-many-channels')
    problemOf(await ask(`${server.url}/channels/${names(1_500)}`), 400, 'too-many-channels')
    problemOf(await ask(`${server.url}/channels?match=${names(65)}`), 400, 'too-many-channels')
  })

  test('that are the same in another order are one set, and are matched once for all who read it', async (t) => {
    const { hub, server } = await running(t)
    const streams = []
    for (let n = 0; n < 50; n++) {
      const stream = await openStream(`${server.url}/channels/${n % 2 ? 'x.*,y.*' : 'y.*,x.*'}`)
      t.after(() => stream.close())
      await stream.next()
      streams.push(stream)
    }
    const has = t.mock.method(ChannelSet.prototype, 'has')
    await hub.publish('x.1', 'x')
    for (const stream of streams) assert.equal((await stream.next())?.data, 'x')
    // By the tail of the log and by the router.
    assert.ok(has.mock.callCount() <= 2, `${has.mock.callCount()} matches for 50 readers`)
  })
})

describe('64 costly patterns over 500 channels', () => {
  test('are read, listed and followed soon', async (t) => {
    const { hub, server } = await running(t)
    const names = Array.from({ length: 500 }, (_, n) => `${'a.'.repeat(100)}${n}`)
    for (let at = 0; at < names.length; at += 64) await hub.publish(names.slice(at, at + 64), 'x')
    // A request line has 16 KiB, and would take no more of the longest patterns.
    const patterns = COSTLY.join(',')
    assert.ok(patterns.length > 12_000)
    assert.equal(new Set(COSTLY).size, 64)
    const begun = performance.now()
    const page = await askPage(`${server.url}/channels/${patterns}?after=start`)
    assert.deepEqual(page.events, [])
    const listed = await ask(`${server.url}/channels?match=${patterns}`)
    assert.deepEqual((JSON.parse(listed.text) as { channels: unknown[] }).channels, [])
    using stream = await openStream(`${server.url}/channels/${patterns}?after=start`)
    await stream.next()
    for (let n = 0; n < 100; n++) await hub.publish(names[n] as string, 'x')
    const took = performance.now() - begun
    assert.ok(took < SOON_MS, `${took} ms`)
    t.diagnostic(`${Math.round(took)} ms`)
  })
})
