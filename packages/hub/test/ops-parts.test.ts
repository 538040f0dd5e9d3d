import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import type { ReaderInfo } from '../src/delivery/reader-info.ts'
import type { LogRecord } from '../src/log/log.ts'
import { ChannelActivity, MOST_CHANGED } from '../src/ops/channel-activity.ts'
import { MOST_READERS, ReaderList } from '../src/ops/reader-changes.ts'
import { RecentTimes } from '../src/ops/recent-times.ts'
import { type Counters, type Gauges, vitalsOf } from '../src/ops/vitals.ts'

const event = (channel: string, position: number, data = 'x'): LogRecord => ({
  kind: 'event',
  channel,
  position,
  previous: 0,
  time: position * 10,
  data,
})

describe('what happened in which channel', () => {
  test('events, their bytes, the newest, and ends are told once', () => {
    const activity = new ChannelActivity()
    activity.take([event('a', 1), event('b', 2, 'long'), event('a', 3, '')])
    activity.take([{ kind: 'end', channel: 'b', position: 2 }])
    assert.deepEqual(activity.changes(), {
      changes: [
        { name: 'a', events: 2, bytes: 1, head: 3, time: 30 },
        { name: 'b', events: 1, bytes: 4, head: 2, time: 20, ended: true },
      ],
      beyond: 0,
    })
    assert.deepEqual(activity.changes(), { changes: [], beyond: 0 })
  })

  test('an erased channel begins anew, in the same moment', () => {
    const activity = new ChannelActivity()
    activity.take([event('a', 1), { kind: 'drop', channel: 'a', position: 2 }, event('a', 3)])
    assert.deepEqual(activity.changes().changes, [
      { name: 'a', events: 1, bytes: 1, head: 3, time: 30, erased: true },
    ])
  })

  test('too many channels are not held on to, but counted', () => {
    const activity = new ChannelActivity()
    for (let at = 0; at < MOST_CHANGED + 5; at++) activity.take([event(`c${at}`, at + 1)])
    activity.take([event('c0', 1_000_000)])
    const { changes, beyond } = activity.changes()
    assert.deepEqual([changes.length, beyond, changes[0]?.events], [MOST_CHANGED, 5, 2])
  })
})

const reader = (id: number, lag = 0, position = 'e-1'): ReaderInfo => ({
  id,
  subject: '',
  transport: 'sse',
  channels: ['a'],
  position,
  lag,
})

describe('who reads', () => {
  test('who came, who is behind, and who left', () => {
    const list = new ReaderList()
    assert.deepEqual(list.look([reader(1), reader(2)]), {
      came: [reader(1), reader(2)],
      changed: [],
      left: [],
      untold: 0,
    })
    assert.deepEqual(list.look([reader(1, 5, 'e-7'), reader(3)]), {
      came: [reader(3)],
      changed: [{ id: 1, position: 'e-7', lag: 5 }],
      left: [2],
      untold: 0,
    })
    assert.deepEqual(
      list.all.map(({ id }) => id).sort((a, b) => a - b),
      [1, 3],
    )
  })

  test('a live reader that moves with the hub has not changed', () => {
    const list = new ReaderList()
    list.look([reader(1)])
    assert.deepEqual(list.look([reader(1, 0, 'e-2')]).changed, [])
  })

  test('beyond the most that are told the rest are counted, and told when there is room', () => {
    const list = new ReaderList()
    const all = Array.from({ length: MOST_READERS + 3 }, (_, id) => reader(id))
    const { came, untold } = list.look(all)
    assert.deepEqual([came.length, untold], [MOST_READERS, 3])
    const next = list.look(all.slice(1))
    assert.deepEqual([next.came.map(({ id }) => id), next.left, next.untold], [[MOST_READERS], [0], 2])
  })

  test('whoever follows the changes has the list', () => {
    const looks = fc.array(fc.uniqueArray(fc.tuple(fc.nat(20), fc.nat(3)), { selector: ([id]) => id }))
    fc.assert(
      fc.property(looks, (all) => {
        const list = new ReaderList()
        const followed = new Map<number, number>()
        for (const readers of all) {
          const { came, changed, left } = list.look(readers.map(([id, lag]) => reader(id, lag)))
          for (const { id, lag } of [...came, ...changed]) followed.set(id, lag)
          for (const id of left) followed.delete(id)
          assert.deepEqual(
            new Map([...followed].sort(([a], [b]) => a - b)),
            new Map([...readers].sort(([a], [b]) => a - b)),
          )
        }
      }),
    )
  })
})

test('times are told by their middle, their slow end, and their worst', () => {
  const times = new RecentTimes(() => 0.5)
  assert.equal(times.take(), undefined)
  for (let ms = 1; ms <= 100; ms++) times.add(ms)
  assert.deepEqual(times.take(), { p50: 50, p99: 99, max: 100 })
  for (let ms = 0; ms < 5_000; ms++) times.add(ms % 10)
  times.add(777)
  assert.equal(times.take()?.max, 777)
  assert.equal(times.take(), undefined)
})

test('rates are per second, whatever the time between two readings', () => {
  const none: Counters = {
    time: 1_000,
    publishes: 10,
    events: 20,
    deliveries: 100,
    writes: 10,
    sizes: [1, 2],
    filled: 0,
    gaps: 1,
    cpu: 500,
  }
  const gauges: Gauges = {
    streams: 3,
    webSockets: 0,
    longPolls: 1,
    slow: 0,
    frontier: 20,
    rss: 1,
    heap: 1,
    loopDelay: { p50: 1, p99: 2, max: 3 },
    log: { ok: true },
  }
  const after = { ...none, time: 3_000, publishes: 14, deliveries: 1_100, sizes: [4, 2], cpu: 1_500 }
  const { publishes, events, deliveries, gaps, sizes, cpu, streams } = vitalsOf(none, after, gauges)
  assert.deepEqual([publishes, events, deliveries, gaps, sizes, cpu, streams], [2, 0, 500, 0, [3, 0], 0.5, 3])
})
