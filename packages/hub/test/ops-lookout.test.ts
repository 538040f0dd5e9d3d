/** What a hub tells of itself, on its own channels. */
import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import type { PageEvent } from '@downlink/wire'
import { createHub, type Hub } from '../src/hub.ts'
import { CHANNELS, READERS, TROUBLE, VITALS } from '../src/ops/own-channels.ts'
import { Lookout, type Machine } from '../src/ops/lookout.ts'
import { settled, SimulatedClock } from './simulation/clock.ts'

const MACHINE: Machine = {
  memory: () => ({ rss: 100, heap: 50 }),
  cpu: () => 0,
  loopDelay: () => ({ p50: 0, p99: 1, max: 2 }),
}

/** Any of the four, as JSON. */
interface Told {
  readonly [member: string]: unknown
  readonly rows: readonly Readonly<Record<string, unknown>>[]
  readonly came: readonly Readonly<Record<string, unknown>>[]
  readonly left: readonly number[]
}
/** A test that takes the third knows that there are so many. */
type AllTold = readonly [Told, Told, ...Told[]]

interface World {
  readonly clock: SimulatedClock
  readonly hub: Hub
  readonly lookout: Lookout
  /** What has been told on one of the node's own channels. */
  readonly told: (channel: string) => Promise<AllTold>
  readonly second: () => Promise<void>
}

function world(t: TestContext): World {
  const clock = new SimulatedClock()
  const hub = createHub({ clock })
  const lookout = new Lookout(hub, MACHINE)
  t.after(async () => {
    await lookout.close()
    await hub.close()
  })
  return {
    clock,
    hub,
    lookout,
    async told(channel) {
      const { events } = await lookout.own.read(channel, { last: 100 })
      return events.map(({ data }: PageEvent) => JSON.parse(data) as Told) as unknown as AllTold
    },
    async second() {
      await clock.run(1_000)
      await settled()
    },
  }
}

/** A stream of one of the node's own channels: from then on it tells what costs something to tell. */
function watch({ lookout }: World): void {
  const { own } = lookout
  const sink = { write: () => true, end() {}, abort() {} }
  own.open(own.channelSet(CHANNELS), { after: 'now' }, sink)
}

test('its vital signs are told each second, whether somebody looks or not', async (t) => {
  const world_ = world(t)
  const { hub, lookout, second, told } = world_
  await hub.publish('a', [{ data: '1' }, { data: '2' }])
  lookout.published(4)
  await second()
  await second()
  const [first, next] = await told(VITALS)
  assert.deepEqual([first.publishes, first.events, first.publishTime], [1, 2, { p50: 4, p99: 4, max: 4 }])
  assert.deepEqual([first.streams, first.rss, first.log], [0, 100, { ok: true }])
  assert.deepEqual([next.publishes, next.events, 'publishTime' in next], [0, 0, false])
})

test('what changed in which channel is told while somebody looks', async (t) => {
  const world_ = world(t)
  const { hub, second, told } = world_
  await hub.publish('before', { data: '1' })
  await second()
  assert.deepEqual(await told(CHANNELS), [])
  watch(world_)
  await hub.publish(['a', 'b'], { data: 'four' })
  await hub.publish('a', { data: '5' }, { end: true })
  await hub.publish('c', { data: '6' })
  await hub.drop('c')
  await second()
  const [{ rows, gone, untold }] = await told(CHANNELS)
  assert.deepEqual(
    rows.map(({ name, events, bytes, ended, came }) => [name, events, bytes, ended, came]),
    [
      ['a', 2, 5, true, 2],
      ['b', 1, 4, false, 1],
      ['c', 0, 0, false, 0],
    ],
  )
  assert.deepEqual(rows[0]?.retention, { count: 10_000, age: 24 * 3_600_000, bytes: 64 * 1024 * 1024 })
  assert.deepEqual([gone, untold], [[], 0])
  await second()
  assert.equal((await told(CHANNELS)).length, 1)
})

test('who came and left is told while somebody looks', async (t) => {
  const world_ = world(t)
  const { hub, second, told } = world_
  watch(world_)
  const sink = { write: () => true, end() {}, abort() {} }
  const reader = hub.open(hub.channelSet('a'), { after: 'now' }, sink)
  await second()
  reader.closed()
  await second()
  const [came, left] = await told(READERS)
  assert.deepEqual([came.came.length, came.came[0]?.channels, left.left], [1, ['a'], [came.came[0]?.id]])
})

test('what went wrong is told', async (t) => {
  const { lookout, told } = world(t)
  lookout.trouble({ kind: 'refused', status: 429, code: 'too-fast', message: 'Slower' })
  await settled()
  assert.deepEqual(await told(TROUBLE), [
    { kind: 'refused', status: 429, code: 'too-fast', message: 'Slower' },
  ])
})

test('many channels that change at once are told in parts, and beyond the most by their count', async (t) => {
  const world_ = world(t)
  watch(world_)
  const { hub, second, told } = world_
  for (let at = 0; at < 2_003; at += 1) await hub.publish(`c.${at}`, { data: 'x' })
  await second()
  const all = await told(CHANNELS)
  assert.deepEqual([all.length, all[0].rows.length, all[0].untold], [8, 250, 3])
  assert.equal(new Set(all.flatMap(({ rows }) => rows.map(({ name }) => name))).size, 2_000)
})
