import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { ChannelSet } from '../src/log/channel-set.ts'
import type { LogRecord } from '../src/log/log.ts'
import { readPage } from '../src/log/memory-read.ts'
import { EVENT_OVERHEAD, MemoryStore } from '../src/log/memory-store.ts'
import { MemoryLog, type MemoryLogOptions } from '../src/log/memory.ts'
import { RetentionRules } from '../src/log/retention.ts'
import { testLogContract, type HarnessOptions, type LogHarness } from './log-contract.ts'
import {
  plain,
  ALL,
  HOUR,
  Listener,
  publish,
  publishOne,
  refusal,
  set,
  texts,
} from './log-contract/harness.ts'

/** A clock and a timer that only the test moves. */
class Harness implements LogHarness {
  readonly log: MemoryLog
  now = Date.UTC(2026, 0, 1)
  /** Those that run now and then, and have not been stopped. */
  readonly timers = new Set<() => void>()

  constructor(options: MemoryLogOptions) {
    this.log = new MemoryLog({
      now: () => this.now,
      every: (_ms, run) => {
        this.timers.add(run)
        return () => this.timers.delete(run)
      },
      ...options,
    })
  }

  pass(ms: number): void {
    this.now += ms
  }

  async advance(ms: number): Promise<void> {
    this.pass(ms)
    for (const run of this.timers) run()
  }

  async close(): Promise<void> {
    await this.log.close()
  }
}

testLogContract('memory', async (options: HarnessOptions) => new Harness(options), {
  reopen: 'what is in memory goes with the process: a new memory log is another, with another epoch',
})

describe('the memory log itself', () => {
  test('tells its tails before the append resolves, and before it returns', async () => {
    const { log } = new Harness({})
    const listener = new Listener(log)
    const append = log.append([{ channel: 'a', data: '' }], { end: ['a'] })
    assert.deepEqual(
      listener.records.map((record) => record.kind),
      ['event', 'end'],
    )
    const drop = log.drop('a')
    assert.equal(listener.records.length, 3)
    await Promise.all([append, drop])
  })

  test('tells all tails in order, even when one of them appends', async () => {
    const { log } = new Harness({})
    const nested: Promise<unknown>[] = []
    log.tail({
      batch: ({ records }) => {
        if (records[0]?.channel === 'a') nested.push(log.append([{ channel: 'b', data: '' }]))
      },
      lost: () => {},
    })
    const listener = new Listener(log)
    await publish(log, 'a', '')
    await Promise.all(nested)
    assert.deepEqual(
      listener.records.map((record: LogRecord) => record.channel),
      ['a', 'b'],
    )
  })

  test('throws what a listener throws on its own when nobody asked for it', async (t) => {
    const thrown = new Error('from a listener')
    const microtasks = t.mock.method(globalThis, 'queueMicrotask', () => {})
    const { log } = new Harness({})
    log.tail({
      batch: () => {
        throw thrown
      },
      lost: () => {},
    })
    await publish(log, 'a', '')
    const run = microtasks.mock.calls[0]?.arguments[0]
    assert.ok(run)
    assert.throws(run, thrown)
  })

  test('trims the oldest events of all channels beyond `maxBytes`, and tells the gap', async () => {
    const { log } = new Harness({
      maxBytes: 3 * (EVENT_OVERHEAD + 10),
      retention: [{ channels: 'b', age: HOUR }],
    })
    const data = 'x'.repeat(10)
    const [first, second] = [await publishOne(log, 'a', data), await publishOne(log, 'b', data)]
    await publish(log, 'a', data)
    assert.equal((await log.read(set('**'), { after: 0 }, ALL)).gap, undefined)
    await publish(log, 'c', data)
    const page = await log.read(set('**'), { after: 0 }, ALL)
    assert.deepEqual(plain(page.gap), {
      reason: 'trimmed',
      channels: ['a'],
      from: 0,
      to: second - 1,
      upTo: first,
    })
    assert.equal(page.events.length, 3)
    await publish(log, 'c', 'y'.repeat(20))
    assert.deepEqual((await log.read(set('**'), { after: 0 }, ALL)).gap?.channels, ['a', 'b'])
  })

  test('counts an empty event against `maxBytes` too', async () => {
    const { log } = new Harness({ maxBytes: 10 * EVENT_OVERHEAD })
    for (let index = 0; index < 50; index++) await publish(log, `p.${index}`, '')
    assert.equal((await log.read(set('**'), { last: 100 }, ALL)).events.length, 10)
  })

  test('keeps the newest event even when it alone exceeds `maxBytes`', async () => {
    const { log } = new Harness({ maxBytes: 100 })
    await publish(log, 'a', 'old', 'x'.repeat(1000))
    assert.deepEqual(
      texts(await log.read(set('**'), { last: 9 }, ALL)).map((text) => text.length),
      [1000],
    )
  })

  test('forgets the longest quiet channel when there are `maxChannels`, and its readers are told a gap', async () => {
    const { log } = new Harness({ maxChannels: 3 })
    const names = async (): Promise<string[]> =>
      (await log.channels(set('**'), '', 10)).map((info) => info.name)
    const old = await publishOne(log, 'a')
    await publish(log, 'b', '')
    await log.drop('a')
    const mark = log.state().frontier
    await log.drop('b')
    await publish(log, 'c', '')
    assert.deepEqual(await names(), ['a', 'b', 'c'])
    await log.append(['b', 'd'].map((channel) => ({ channel, data: '' })))
    assert.deepEqual(await names(), ['b', 'c', 'd'])
    const gap = { reason: 'unknown', channels: ['a'], from: old, to: log.state().frontier, upTo: mark }
    assert.deepEqual(plain((await log.read(set('a'), { after: old }, ALL)).gap), gap)
  })

  test('refuses a new channel when there are `maxChannels` and none is empty, and stores nothing', async () => {
    const { log } = new Harness({ maxChannels: 2 })
    await publish(log, 'a', '')
    const before = log.state().frontier
    const batch = ['a', 'b', 'c'].map((channel) => ({ channel, data: '' }))
    await assert.rejects(log.append(batch), refusal('log-full'))
    await assert.rejects(log.append([], { end: ['b', 'c'] }), refusal('log-full'))
    assert.equal(log.state().frontier, before)
    await log.append([...batch.slice(0, 2), ...batch.slice(0, 2)], { end: ['b'] })
  })

  test('counts an empty channel that the batch itself uses as no room', async () => {
    const { log } = new Harness({ maxChannels: 2 })
    await publish(log, 'a', '')
    await publish(log, 'b', '')
    await log.drop('a')
    const batch = ['a', 'c'].map((channel) => ({ channel, data: '' }))
    await assert.rejects(log.append(batch), refusal('log-full'))
    await log.append(batch.slice(1))
    assert.deepEqual(
      (await log.channels(set('**'), '', 10)).map((info) => info.name),
      ['b', 'c'],
    )
  })

  test('lets go of ends that were dropped, and still tells those that stand', async () => {
    const { log } = new Harness({})
    const names = Array.from({ length: 3000 }, (_, index) => `p.${index}`)
    await log.append([], { end: names })
    for (const name of names.slice(0, 2900)) await log.drop(name)
    await publish(log, 'p.0', '')
    const { ends } = await log.read(set('p.*'), { after: 0 }, ALL)
    assert.deepEqual(
      ends.map((end) => end.channel),
      names.slice(2900),
    )
  })

  test('stops its timer when it is closed, and its own timer keeps no process alive', async (t) => {
    const harness = new Harness({})
    assert.equal(harness.timers.size, 1)
    await harness.close()
    assert.equal(harness.timers.size, 0)
    const started = t.mock.method(globalThis, 'setInterval')
    const stopped = t.mock.method(globalThis, 'clearInterval')
    const log = new MemoryLog()
    const timer = started.mock.calls[0]?.result
    assert.equal(timer?.hasRef(), false)
    await log.close()
    assert.equal(stopped.mock.calls[0]?.arguments[0], timer)
  })

  test('lets go of what is too old by its timer, also when nobody uses it', async () => {
    const harness = new Harness({ retention: [{ channels: '**', age: 1000 }] })
    const ref = await (async () => {
      const { log } = harness
      await publish(log, 'a', 'x')
      const { events } = await log.read(set('a'), { last: 1 }, ALL)
      return new WeakRef(events[0] as object)
    })()
    await harness.advance(1001)
    // A WeakRef holds on to its target until the turn of the event loop ends.
    await setImmediate()
    setFlagsFromString('--expose-gc')
    runInNewContext('gc')()
    assert.equal(ref.deref(), undefined)
  })

  test('refuses options that can not be kept', () => {
    assert.throws(
      () => new MemoryLog({ retention: [{ channels: 'a', count: 0 }] }),
      refusal('retention-invalid'),
    )
    assert.throws(() => new MemoryLog({ forget: -1 }), refusal('retention-invalid'))
  })
})

describe('the work of the memory log', () => {
  /** Counts how often a read asks whether the set has a channel: once for each event it looks at in the order of all. */
  class Counting extends ChannelSet {
    asked = 0
    override has(channel: string): boolean {
      this.asked++
      return super.has(channel)
    }
  }

  test('a page of one pattern among many channels looks at a few steps a channel, not at the whole log', async () => {
    const { log } = new Harness({})
    await publish(log, 'q.needle', '1')
    const crowd = Array.from({ length: 100 }, (_, index) => ({ channel: `q.${index}`, data: '' }))
    for (let round = 0; round < 500; round++) await log.append(crowd)
    await publish(log, 'q.needle', '2')
    const counting = new Counting(['*.needle'])
    assert.deepEqual(texts(await log.read(counting, { after: 0 }, ALL)), ['1', '2'])
    assert.deepEqual(texts(await log.read(counting, { last: 9 }, ALL)), ['1', '2'])
    assert.ok(counting.asked < 2000, `looked at ${counting.asked} of 50,002 events`)
  })

  test('events that are gone do not gather behind old ones that stay', () => {
    const limits = { forget: Infinity, maxBytes: Infinity, fullBytes: Infinity, maxChannels: Infinity }
    const store = new MemoryStore({ ...limits, rules: new RetentionRules([{ channels: '**', count: 10 }]) })
    const quiet = Array.from({ length: 100 }, (_, index) => ({ channel: `quiet.${index}`, data: '' }))
    store.append(quiet, [], 0)
    for (let round = 0; round < 10_000; round++) store.append([{ channel: 'busy', data: '' }], [], 0)
    const [lane] = store.lanes
    assert.ok(lane && lane.events.length < 3000, `${lane?.events.length} for 110 events kept`)
    assert.equal(readPage(store, set('**'), { after: 0 }, ALL).events.length, 110)
  })

  test('a page of one channel does not take longer the more the others have', async () => {
    const { log } = new Harness({ retention: [{ channels: '**', count: Infinity }] })
    await log.append(Array.from({ length: 100 }, (_, index) => ({ channel: 'a', data: `${index}` })))
    const time = async (): Promise<number> => {
      const start = performance.now()
      for (let round = 0; round < 200; round++) await log.read(set('a'), { after: 0 }, ALL)
      return performance.now() - start
    }
    await time()
    const alone = await time()
    const others = Array.from({ length: 10_000 }, (_, index) => ({ channel: `b.${index % 100}`, data: '' }))
    for (let round = 0; round < 20; round++) await log.append(others)
    const beside = await time()
    assert.ok(beside < 20 * alone + 20, `${alone} ms alone, ${beside} ms beside 200,000 events`)
  })

  test('100,000 channels are listed page by page, while new ones come', { timeout: 60_000 }, async () => {
    const { log } = new Harness({})
    const count = 100_000
    await log.append(Array.from({ length: count }, (_, index) => ({ channel: `p.${index}`, data: '' })))
    let listed = 0
    for (let after = ''; ;) {
      const page = await log.channels(set('p.*'), after, 1000)
      const last = page.at(-1)
      if (!last) break
      listed += page.length
      after = last.name
      await publish(log, `new.${listed}`, '')
    }
    assert.equal(listed, count)
  })

  test('trimming one event in is one event out, however many are kept', { timeout: 60_000 }, async () => {
    const { log } = new Harness({ retention: [{ channels: 'a', count: 50_000 }] })
    const batch = Array.from({ length: 10_000 }, (_, index) => ({ channel: 'a', data: `${index}` }))
    for (let round = 0; round < 50; round++) await log.append(batch)
    const [info] = await log.channels(set('a'), '', 1)
    assert.equal(info?.events, 50_000)
    assert.equal(info?.oldest, 450_001)
  })
})
