/** `/metrics` has what the console shows, by the same figures. */
import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { plainVariant } from '../src/delivery/variant.ts'
import { createHub, type Hub } from '../src/hub.ts'
import { CountedTimes } from '../src/ops/counted-times.ts'
import { Lookout, type Machine } from '../src/ops/lookout.ts'
import { Metrics } from '../src/ops/metrics.ts'
import { VITALS } from '../src/ops/own-channels.ts'
import type { Vitals } from '../src/ops/vitals.ts'
import { WorstMinute } from '../src/ops/worst-minute.ts'
import { settled, SimulatedClock } from './simulation/clock.ts'

/** Is slow in its first second, and uses CPU after it. */
class FakeMachine implements Machine {
  #looks = 0
  memory() {
    return { rss: 300, heap: 200 }
  }
  cpu() {
    return this.#looks > 0 ? 250 : 0
  }
  loopDelay() {
    this.#looks++
    return this.#looks === 1 ? { p50: 8, p99: 90, max: 95 } : { p50: 1, p99: 2, max: 3 }
  }
}

interface World {
  readonly hub: Hub
  readonly lookout: Lookout
  readonly second: () => Promise<void>
  readonly vitals: () => Promise<readonly Vitals[]>
  /** A series of `/metrics` by its name and labels. */
  readonly metrics: () => Promise<ReadonlyMap<string, number>>
}

function world(t: TestContext): World {
  const clock = new SimulatedClock()
  const hub = createHub({ clock, retention: [{ channels: 'short', count: 1 }] })
  const lookout = new Lookout(hub, new FakeMachine())
  const metrics = new Metrics(hub, lookout)
  t.after(async () => {
    await lookout.close()
    await hub.close()
  })
  return {
    hub,
    lookout,
    async second() {
      await clock.run(1_000)
      await settled()
    },
    async vitals() {
      const { events } = await lookout.own.read(VITALS, { last: 100 })
      return events.map(({ data }) => JSON.parse(data) as Vitals)
    },
    async metrics() {
      const { text } = await metrics.exposition()
      const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'))
      return new Map(
        lines.map((line) => {
          const at = line.lastIndexOf(' ')
          return [line.slice(0, at), Number(line.slice(at + 1))]
        }),
      )
    },
  }
}

/** Of each vital sign, what it is in `/metrics`: since the start, where it is a rate. */
const SAME: { readonly [Name in keyof Vitals]-?: (metrics: (series: string) => number) => unknown } = {
  streams: (of) => of('downlink_readers{transport="sse"}') + of('downlink_readers{transport="websocket"}'),
  webSockets: (of) => of('downlink_readers{transport="websocket"}'),
  longPolls: (of) => of('downlink_readers{transport="long-poll"}'),
  slow: (of) => of('downlink_slow_streams'),
  frontier: (of) => of('downlink_log_frontier'),
  rss: (of) => of('process_resident_memory_bytes'),
  heap: (of) => of('nodejs_heap_size_used_bytes'),
  loopDelay: (of) => {
    const quantile = (of_: string): number =>
      of(`downlink_event_loop_delay_seconds{quantile="${of_}"}`) * 1000
    return { p50: quantile('0.5'), p99: quantile('0.99'), max: quantile('1') }
  },
  publishTime: (of) => [
    of('downlink_publish_seconds_bucket{le="0.0025"}'),
    of('downlink_publish_seconds_bucket{le="0.005"}'),
    of('downlink_publish_seconds_sum'),
  ],
  log: (of) => ({ ok: of('downlink_log_ok') === 1 }),
  publishes: (of) => of('downlink_publish_seconds_count'),
  events: (of) => of('downlink_events_total'),
  deliveries: (of) => of('downlink_deliveries_total'),
  writes: (of) => of('downlink_write_events_count'),
  filled: (of) => of('downlink_streams_filled_total'),
  gaps: (of) => of('downlink_gaps_total'),
  sizes: (of) => [
    of('downlink_write_events_bucket{le="1"}'),
    of('downlink_write_events_bucket{le="3"}') - of('downlink_write_events_bucket{le="1"}'),
  ],
  cpu: (of) => of('process_cpu_seconds_total'),
}

test('whatever the console shows, /metrics has, and it is the same', async (t) => {
  const { hub, lookout, second, vitals, metrics } = world(t)
  const takes = { write: () => true, end() {}, abort() {} }
  const full = { write: () => false, end() {}, abort() {} }
  hub.open(hub.channelSet('a'), { after: 'now' }, takes)
  hub.open(hub.channelSet('a'), { after: 'now' }, full)
  const message = (page: string): Uint8Array => Buffer.from(page)
  hub.open(hub.channelSet('a'), { after: 'now' }, takes, { ...plainVariant, message })
  const waits = hub.read('nothing', { waitMs: 60_000, after: 'now' })
  waits.catch(() => {})
  await settled()
  await hub.publish('a', [{ data: '1' }, { data: '2' }])
  lookout.published(3)
  await hub.publish('short', [{ data: '1' }, { data: '2' }])
  lookout.published(40)
  hub.open(hub.channelSet('short'), { after: 'start' }, takes)
  await second()
  await hub.publish('a', { data: '3' })
  lookout.published(2)
  await second()

  const samples = await vitals()
  const last = samples.at(-1) as Vitals
  const sum = (name: 'publishes' | 'events' | 'deliveries' | 'writes' | 'filled' | 'gaps' | 'cpu'): number =>
    samples.reduce((all, sample) => all + sample[name], 0)
  const known = await metrics()
  const of = (series: string): number => {
    const value = known.get(series)
    assert.ok(value !== undefined, `${series} is not in /metrics`)
    return value
  }
  const got = Object.fromEntries(Object.entries(SAME).map(([name, read]) => [name, read(of)]))
  assert.deepEqual(got, {
    ...last,
    loopDelay: { p50: 8, p99: 90, max: 95 },
    publishTime: [1, 2, 0.045],
    publishes: sum('publishes'),
    events: sum('events'),
    deliveries: sum('deliveries'),
    writes: sum('writes'),
    filled: sum('filled'),
    gaps: sum('gaps'),
    sizes: [0, 1].map((at) => samples.reduce((all, { sizes }) => all + (sizes[at] as number), 0)),
    cpu: sum('cpu'),
  })
  assert.deepEqual([got['publishes'], got['events'], got['gaps'], got['slow']], [3, 5, 1, 1])
})

test('what went wrong and what was refused is counted, also beyond what is told', async (t) => {
  const { lookout, metrics } = world(t)
  for (let at = 0; at < 50; at++) lookout.trouble({ kind: 'refused', message: 'no' })
  lookout.trouble({ kind: 'error', message: 'broken' })
  const known = await metrics()
  assert.equal(known.get('downlink_troubles_total{kind="refused"}'), 50)
  assert.equal(known.get('downlink_troubles_total{kind="error"}'), 1)
})

test('a log that fails is told', async (t) => {
  const { hub, metrics } = world(t)
  assert.equal((await metrics()).get('downlink_log_ok'), 1)
  hub.drain()
  assert.equal((await metrics()).get('downlink_log_ok'), 0)
})

test('a hub without a lookout has none of it', async () => {
  await using hub = createHub()
  const { text } = await new Metrics(hub).exposition()
  assert.doesNotMatch(text, /process_|downlink_publish_seconds/)
})

test('times are counted by the most that they took, whatever that is', () => {
  const times = new CountedTimes()
  for (const ms of [0, 0.1, 0.11, 2_500, 1e9]) times.add(ms)
  const { buckets, sum } = times.seconds
  assert.deepEqual(
    buckets.filter(({ count }) => count > 0),
    [
      { atMost: 0.0001, count: 2 },
      { atMost: 0.00025, count: 1 },
      { atMost: 2.5, count: 1 },
      { atMost: Infinity, count: 1 },
    ],
  )
  assert.ok(Math.abs(sum - 1_000_002.50021) < 1e-6)
})

test('a peak is told for a minute', () => {
  const minute = new WorstMinute()
  assert.deepEqual(minute.worst, { p50: 0, p99: 0, max: 0 })
  minute.add({ p50: 1, p99: 50, max: 60 })
  for (let second = 1; second < 60; second++) minute.add({ p50: 2, p99: 3, max: 4 })
  assert.deepEqual(minute.worst, { p50: 2, p99: 50, max: 60 })
  minute.add({ p50: 2, p99: 3, max: 4 })
  assert.deepEqual(minute.worst, { p50: 2, p99: 3, max: 4 })
})
