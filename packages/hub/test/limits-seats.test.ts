/** However a reader ends, its seat is free again: random lives of streams and long polls, on a clock of the test's own. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { Holder } from '../src/delivery/holder.ts'
import { HubError } from '../src/errors.ts'
import { createHub, type Hub } from '../src/hub.ts'
import { SimulatedClock } from './simulation/clock.ts'
import { type Opened, OpenLog, RecordingSink } from './simulation/stage.ts'

const LIMITS = { readers: 8, streamsPerSubject: 3, streamsPerAddress: 4, waitMs: 5_000 }
const HOLDERS: readonly Holder[] = [
  { subject: '' },
  { subject: '', address: '192.0.2.1' },
  { subject: 'ann', address: '192.0.2.1' },
  { subject: 'ann', address: '192.0.2.2' },
  { subject: 'bob', address: '192.0.2.1' },
  { subject: 'bob' },
  { subject: 'cay', address: '192.0.2.1', limits: { streams: 5 } },
  { subject: 'dan', limits: { streams: 0 } },
]

class World {
  readonly clock = new SimulatedClock()
  readonly log = new OpenLog({ now: () => this.clock.now(), every: () => () => {} })
  readonly hub: Hub
  readonly streams: Opened[] = []
  readonly polls: AbortController[] = []

  constructor() {
    const { clock, log } = this
    const delivery = { maxAgeMs: 60_000 }
    this.hub = createHub({ clock, log, limits: LIMITS, delivery, onError: () => {} })
  }

  open(holder: Holder, channel: string, room: number, last: boolean): void {
    const sink = new RecordingSink('identity')
    sink.room = room
    const origin = last ? ({ last: 2 } as const) : ({ after: 'now' } as const)
    const variant = { channel: false, time: false, eventByChannel: false }
    unlessFull(() => {
      const set = this.hub.channelSet(channel)
      const reader = this.hub.open(set, origin, sink, variant, 'identity', holder)
      this.streams.push({ reader, sink })
    })
  }

  poll(holder: Holder, channel: string): void {
    const quit = new AbortController()
    unlessFull(() => {
      const wait = { ms: 3_000, signal: quit.signal, holder }
      const page = this.hub.readPage(this.hub.channelSet(channel), { after: 'now' }, 10, wait)
      page.catch(isFull)
      this.polls.push(quit)
    })
  }

  /** Against what there is: every open stream and every waiting poll has one seat, of its holder. */
  check(): void {
    const { delivery } = this.hub
    const { seats } = delivery
    assert.equal(seats.taken, delivery.readers + delivery.waiting)
    assert.ok(seats.taken <= LIMITS.readers)
    const subjects = new Map<string, number>()
    const addresses = new Map<string, number>()
    let listed = 0
    for (const { subject, address } of delivery.list()) {
      listed++
      if (subject !== '') subjects.set(subject, (subjects.get(subject) ?? 0) + 1)
      if (address !== undefined) addresses.set(address, (addresses.get(address) ?? 0) + 1)
    }
    assert.equal(seats.taken, listed)
    for (const [subject, count] of subjects) {
      assert.equal(seats.ofSubject(subject), count)
      assert.ok(count <= (subject === 'cay' ? 5 : LIMITS.streamsPerSubject))
    }
    for (const [address, count] of addresses) assert.equal(seats.ofAddress(address), count)
    assert.deepEqual(seats.holders, { subjects: subjects.size, addresses: addresses.size })
  }
}

function isFull(error: unknown): void {
  if (
    error instanceof HubError &&
    ['overload', 'too-many-streams', 'draining', 'forbidden'].includes(error.code)
  )
    return
  // What the log of the test itself was made to do.
  if (error instanceof Error && error.message === 'The disk is gone') return
  throw error
}

function unlessFull(act: () => void): void {
  try {
    act()
  } catch (error) {
    isFull(error)
  }
}

const holder = fc.constantFrom(...HOLDERS)
const channel = fc.constantFrom('a', 'b', '*')
const which = fc.nat(20)
const step = fc.oneof(
  fc.record({
    do: fc.constant('open' as const),
    holder,
    channel,
    room: fc.constantFrom(0, 200, 1e9),
    last: fc.boolean(),
  }),
  fc.record({ do: fc.constant('poll' as const), holder, channel }),
  fc.record({ do: fc.constant('publish' as const), channel: fc.constantFrom('a', 'b') }),
  fc.record({ do: fc.constant('end' as const), channel: fc.constantFrom('a', 'b') }),
  fc.record({ do: fc.constant('drop' as const), channel: fc.constantFrom('a', 'b') }),
  fc.record({ do: fc.constantFrom('close', 'close twice', 'quit', 'drained', 'cut'), which }),
  fc.record({ do: fc.constant('wait' as const), ms: fc.constantFrom(1, 2_000, 30_000, 70_000) }),
  fc.record({ do: fc.constant('fail' as const), what: fc.constantFrom('read', 'follow', 'nothing') }),
  fc.record({ do: fc.constant('hold' as const) }),
)
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never

async function take(world: World, one: Step, held: (() => void)[]): Promise<void> {
  const { hub, log, streams, polls } = world
  const stream = 'which' in one ? streams[one.which % Math.max(1, streams.length)] : undefined
  switch (one.do) {
    case 'open':
      return world.open(one.holder, one.channel, one.room, one.last)
    case 'poll':
      return world.poll(one.holder, one.channel)
    case 'publish':
      return void (await hub.publish(one.channel, 'x'.repeat(100)).catch(() => {}))
    case 'end':
      return hub.end(one.channel).catch(() => {})
    case 'drop':
      return void (await hub.drop(one.channel))
    case 'close':
      return stream?.reader.closed()
    case 'close twice':
      stream?.reader.closed()
      stream?.reader.end()
      return stream?.reader.closed()
    case 'quit':
      return polls[one.which % Math.max(1, polls.length)]?.abort()
    case 'drained':
      if (stream) stream.sink.room = 1e9
      return stream?.reader.drained()
    case 'cut':
      return stream?.reader.end()
    case 'wait':
      return world.clock.run(one.ms)
    case 'fail':
      log.failure = one.what === 'read' ? new Error('The disk is gone') : undefined
      log.followFailure = one.what === 'follow' ? new Error('The disk is gone') : undefined
      return undefined
    case 'hold':
      return void held.push(log.hold())
  }
}

test('every seat that was taken is free again, and none is free before', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { maxLength: 60 }),
      fc.constantFrom('leave', 'drain'),
      async (steps, how) => {
        const world = new World()
        const held: (() => void)[] = []
        try {
          for (const one of steps) {
            await take(world, one, held)
            // What is being read is neither waiting nor listed as such.
            if (one.do === 'hold') continue
            for (const release of held.splice(0)) release()
            await world.clock.run(0)
            world.check()
          }
          for (const release of held.splice(0)) release()
          if (how === 'drain') world.hub.drain()
          else {
            for (const { reader } of world.streams) reader.closed()
            for (const quit of world.polls) quit.abort()
          }
          await world.clock.run(0)
          const { seats } = world.hub.delivery
          assert.deepEqual([seats.taken, seats.holders], [0, { subjects: 0, addresses: 0 }])
        } finally {
          await world.hub.close()
        }
      },
    ),
    { numRuns: 300 },
  )
})

test('long polls that were let in together, while the log was read, are not more than fit when they wait', async (t) => {
  const world = new World()
  t.after(() => world.hub.close())
  const release = world.log.hold()
  const outcomes = Array.from({ length: 10 }, async () => {
    const wait = { ms: 3_000, holder: { subject: 'ann' } }
    try {
      await world.hub.readPage(world.hub.channelSet('a'), { after: 'now' }, 10, wait)
      return 'answered'
    } catch (error) {
      return (error as HubError).code
    }
  })
  await world.clock.run(0)
  release()
  await world.clock.run(0)
  assert.equal(world.hub.delivery.waiting, 3)
  await world.clock.run(3_000)
  const counted = Object.groupBy(await Promise.all(outcomes), (outcome) => outcome)
  assert.deepEqual([counted['answered']?.length, counted['too-many-streams']?.length], [3, 7])
})
