/** When to flush: sparse events at once, dense ones several together and a little later. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { readPage } from '../src/delivery/page.ts'
import { Rhythm } from '../src/delivery/rhythm.ts'
import { ChannelSet } from '../src/log/channel-set.ts'
import { Stage } from './simulation/stage.ts'

/** A hub whose flushes take `cost` milliseconds each, for events that come one a `gap` milliseconds. */
function flushes(gap: number, cost: number, count: number): { waits: number[]; perWrite: number[] } {
  const rhythm = new Rhythm()
  const waits: number[] = []
  const perWrite: number[] = []
  let now = 1_000_000
  let told = now
  for (let flush = 0; flush < count; flush++) {
    const wait = rhythm.wait(now)
    waits.push(wait)
    const begun = now + wait
    const events = Math.max(1, Math.floor((begun - told) / gap))
    told = Math.max(told + events * gap, now)
    perWrite.push(events)
    rhythm.flushed(begun, begun + cost, events)
    now = Math.max(begun + cost, told + gap)
  }
  return { waits, perWrite }
}

describe('the rhythm', () => {
  test('sparse events never wait, however dear a flush is', () => {
    for (const gap of [20, 100, 5_000]) {
      for (const cost of [0, 1, gap - 1]) {
        const { waits } = flushes(gap, cost, 200)
        assert.deepEqual(new Set(waits), new Set([0]), `one each ${gap} ms, ${cost} ms a flush`)
      }
    }
  })

  test('events one a write never wait, however dense', () => {
    const rhythm = new Rhythm()
    for (let now = 0; now < 1_000; now++) {
      assert.equal(rhythm.wait(now), 0)
      rhythm.flushed(now, now + 0.9, 1)
    }
  })

  test('dense events wait until a flush takes an eighth of the time, and at most 64 ms', () => {
    for (const [cost, wanted] of [
      [2, 16],
      [5, 40],
      [30, 64],
    ] as const) {
      const rhythm = new Rhythm()
      let now = 0
      let wait = 0
      for (let flush = 0; flush < 50; flush++) {
        wait = rhythm.wait(now)
        const begun = now + wait
        rhythm.flushed(begun, begun + cost, 10)
        now = begun + cost
      }
      // From the beginning of one to that of the next.
      assert.ok(Math.abs(wait + cost - Math.max(wanted, cost)) < 1, `${wait} ms after ${cost}`)
    }
  })

  test('dense events don’t wait when a flush costs nothing', () => {
    const { waits } = flushes(0.1, 0, 300)
    assert.deepEqual(new Set(waits), new Set([0]))
  })

  test('after a pause the first event does not wait', () => {
    const rhythm = new Rhythm()
    let now = 0
    for (let flush = 0; flush < 50; flush++) {
      now += rhythm.wait(now)
      rhythm.flushed(now, now + 10, 10)
      now += 10
    }
    assert.ok(rhythm.wait(now) > 0)
    assert.equal(rhythm.wait(now + 100), 0)
  })

  test('whatever the clock does, a wait is from 0 to 64 ms', () => {
    const step = fc.tuple(
      fc.integer({ min: -1e9, max: 1e9 }),
      fc.integer({ min: -1e6, max: 1e6 }),
      fc.nat(1e6),
    )
    fc.assert(
      fc.property(fc.array(step), (steps) => {
        const rhythm = new Rhythm()
        let now = 1e12
        for (const [move, cost, perWrite] of steps) {
          now += move
          const wait = rhythm.wait(now)
          assert.ok(wait >= 0 && wait <= 64, `${wait}`)
          rhythm.flushed(now, now + cost, perWrite)
          now += cost
        }
      }),
    )
  })

  test('a clock that was set back an hour holds nothing up, and the rhythm is found again', () => {
    const rhythm = new Rhythm()
    let now = 1e12
    const run = (count: number): number[] =>
      Array.from({ length: count }, () => {
        const wait = rhythm.wait(now)
        now += wait
        rhythm.flushed(now, now + 4, 10)
        now += 4
        return wait
      })
    run(20)
    now -= 3_600_000
    assert.ok(run(100).every((wait) => wait <= 64))
    assert.ok(Math.abs(run(1)[0]! - 28) < 1)
  })
})

describe('a delivery that waits to flush', () => {
  /** Time passes with each write, as it does where there are many readers; then what comes next waits. */
  async function busy(): Promise<Stage> {
    const stage = new Stage()
    const { sink } = await stage.open(['busy'])
    const { clock } = stage
    const [now, write] = [clock.now.bind(clock), sink.write.bind(sink)]
    let spent = 0
    clock.now = () => now() + spent
    sink.write = (bytes) => {
      spent += 5
      return write(bytes)
    }
    for (let round = 0; round < 30; round++) {
      await stage.publish(...Array.from({ length: 10 }, (_, index) => ['busy', `${index}`] as const))
      await clock.run(64)
    }
    await stage.publish(...Array.from({ length: 10 }, () => ['busy', 'x'] as const))
    return stage
  }

  test('tells within 64 ms what came meanwhile, in one write', async () => {
    const stage = await busy()
    const { sink } = await stage.open(['a'])
    const writes = sink.writes.length
    await stage.publish(['a', '1'])
    assert.deepEqual(sink.data, [], 'it waits')
    await stage.publish(['a', '2'])
    await stage.clock.run(64)
    assert.deepEqual(sink.data, ['1', '2'])
    assert.equal(sink.writes.length, writes + 1)
  })

  test('a reader that joins meanwhile gets each event once', async () => {
    const stage = await busy()
    const early = await stage.open(['a'])
    await stage.publish(['a', '1'])
    const late = await stage.open(['a'], { after: 'start' })
    await stage.publish(['a', '2'])
    await stage.clock.run(64)
    assert.deepEqual(
      [early.sink.data, late.sink.data],
      [
        ['1', '2'],
        ['1', '2'],
      ],
    )
  })

  test('a hub that drains meanwhile tells streams first, and no long poll passes over what waits', async () => {
    const stage = await busy()
    const { sink } = await stage.open(['a'])
    const after = stage.log.state().frontier
    const origin = { after: { epoch: stage.epoch, position: after } }
    const page = readPage(stage.delivery, new ChannelSet(['a']), origin, { events: 9, bytes: 99 }, 1, {
      ms: 60_000,
    })
    await stage.clock.turn()
    await stage.publish(['a', '1'])
    assert.deepEqual(sink.data, [])
    stage.delivery.endAll()
    assert.deepEqual([sink.data, sink.state], [['1'], 'ended'])
    await stage.clock.turn()
    // With the page it has (protocol 5.1.6): what is told later lies behind its cursor.
    assert.equal((await page).cursor, stage.cursor(after))
    // The flush that was to come finds nothing left.
    await stage.clock.run(64)
    assert.deepEqual(sink.data, ['1'])
  })

  test('a log that lost its continuity meanwhile is read again, and nothing is told twice', async () => {
    const stage = await busy()
    const { sink } = await stage.open(['a'])
    await stage.publish(['a', '1'])
    stage.log.listener?.lost()
    await stage.publish(['a', '2'])
    await stage.clock.run(100)
    assert.deepEqual(sink.data, ['1', '2'])
  })
})
