/** A flush takes its part of each turn, and less of it for those whose writes take long. Nobody misses anything. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { Pace } from '../src/delivery/pace.ts'
import { Patience } from '../src/delivery/patience.ts'
import type { Coding } from '../src/delivery/coding/coding.ts'
import { ChannelSet } from '../src/log/channel-set.ts'
import { SimulatedClock } from './simulation/clock.ts'
import { type Opened, Stage } from './simulation/stage.ts'

describe('patience', () => {
  /** How many of `count` writes of `ms` each, but for what `pauses` adds, are made before it is lost. */
  function writesOf(count: number, ms: number, bytes = 200, pauses?: (written: number) => number): number {
    let now = 1_000
    const patience = new Patience(() => Math.floor(now))
    for (let written = 0; written < count; written++) {
      if (patience.lost) return written
      now += ms + (pauses?.(written) ?? 0)
      patience.wrote({ slow: false }, bytes)
    }
    return count
  }

  test('lasts for any number of quick writes', () => {
    for (const ms of [0.002, 0.01, 0.03]) assert.equal(writesOf(100_000, ms), 100_000, `${ms} ms each`)
  })

  test('lasts for large writes that take the time that their bytes do', () => {
    assert.equal(writesOf(20_000, 0.2, 200_000), 20_000)
  })

  test('is lost after some 20 ms of writes that take long', () => {
    for (const ms of [0.075, 0.1, 0.2, 1]) {
      const time = writesOf(100_000, ms) * ms
      assert.ok(time > 5 && time < 70, `${time} ms of ${ms} ms each`)
    }
  })

  test('lasts where the process stands still now and then, or has a third of a core', () => {
    const hiccup = (written: number): number => (written === 500 ? 900 : 0)
    assert.equal(writesOf(10_000, 0.01, 200, hiccup), 10_000)
    const shared = (written: number): number => (written % 300 === 0 ? 6 : 0)
    assert.equal(writesOf(10_000, 0.01, 200, shared), 10_000)
  })

  test('knows whose writes take long', () => {
    let now = 0
    const patience = new Patience(() => now)
    const quick = Array.from({ length: 64 }, () => ({ slow: true }))
    const slow = Array.from({ length: 64 }, () => ({ slow: false }))
    for (const reader of quick) patience.wrote(reader, 200)
    for (const reader of slow) {
      now += 0.1
      patience.wrote(reader, 200)
    }
    assert.ok(quick.every((reader) => !reader.slow))
    assert.ok(slow.every((reader) => reader.slow))
  })
})

describe('those who wait for their turn', () => {
  /** How many went on in each turn, where each takes so many milliseconds. */
  async function turnsOf(count: number, ms: number): Promise<number[]> {
    const clock = new SimulatedClock()
    let now = 0
    clock.now = () => Math.floor(now)
    const pace = new Pace(clock)
    const seen = { gone: 0 }
    const go = async (): Promise<void> => {
      await pace.turn(1)
      seen.gone++
      now += ms
    }
    for (let index = 0; index < count; index++) void go()
    assert.equal(seen.gone, 0)
    const turns: number[] = []
    for (let before = 0; before < count; before = seen.gone) {
      await clock.turn()
      turns.push(seen.gone - before)
    }
    return turns
  }

  test('go on 64 a turn', async () => {
    assert.deepEqual(await turnsOf(150, 0.01), [64, 64, 22])
  })

  test('go on for 4 ms a turn where each takes long, and at least one does', async () => {
    assert.deepEqual(await turnsOf(14, 1), [4, 4, 4, 2])
    assert.deepEqual(await turnsOf(3, 50), [1, 1, 1])
  })
})

/** So many readers of `a`, and how long a write to each takes. */
async function readers(count: number, ms: (index: number) => number, coding: Coding = 'identity') {
  const stage = new Stage({ heartbeatMs: 1e9, cursorMs: 0 })
  const opened: Opened[] = []
  for (let index = 0; index < count; index++) {
    opened.push(stage.openNow(['a'], { after: 'now' }, undefined, Infinity, coding))
  }
  for (let turns = 0; turns < count / 8; turns++) await stage.clock.turn()
  const time = { spent: 0 }
  const now = stage.clock.now.bind(stage.clock)
  stage.clock.now = () => now() + Math.floor(time.spent)
  const order: number[] = []
  for (const [index, { sink }] of opened.entries()) {
    const write = sink.write.bind(sink)
    sink.write = (bytes) => {
      time.spent += ms(index)
      order.push(index)
      return write(bytes)
    }
  }
  return { stage, opened, time, order }
}

async function turnsUntil(stage: Stage, done: () => boolean): Promise<void> {
  for (let turns = 0; !done(); turns++) {
    assert.ok(turns < 100, 'not in 100 turns')
    await stage.clock.turn()
  }
}

describe('a flush whose writes take long', () => {
  /** So many readers of `a`. Writes to them take 0.2 ms each, but for those in `quick`. */
  function slowly(count: number, quick: (index: number) => boolean, coding?: Coding) {
    return readers(count, (index) => (quick(index) ? 0.005 : 0.2), coding)
  }

  for (const coding of ['identity', 'gzip'] as const) {
    test(`tells some of them in turns of their own: nobody misses anything (${coding})`, async () => {
      const { stage, opened, time, order } = await slowly(600, () => false, coding)
      let most = 0
      await stage.append(['a', '1'])
      for (let turns = 0; order.length < opened.length; turns++) {
        assert.ok(turns < 100, `${order.length} of ${opened.length} were told after ${turns} turns`)
        const before = time.spent
        await stage.clock.turn()
        most = Math.max(most, time.spent - before)
        if (turns === 1) await stage.append(['a', '2'])
      }
      assert.ok(most > 10 && most < 50, `a turn of ${most} ms, where all together take 120`)
      for (let turns = 0; turns < 100; turns++) await stage.clock.turn()
      for (const { sink } of opened) assert.deepEqual(sink.data, ['1', '2'])
      assert.equal(stage.delivery.slow, 0)
    })
  }

  test('tells those whose writes are quick first, also when they came last', async () => {
    const { stage, opened, order } = await slowly(600, (index) => index >= 500)
    for (let event = 0; event < 20; event++) {
      await stage.publish(['a', `${event}`])
      for (let turns = 0; turns < 100; turns++) await stage.clock.turn()
    }
    order.length = 0
    await stage.publish(['a', 'last'])
    const first = order.slice(0, 64).filter((index) => index >= 500).length
    assert.ok(first > 50, `${first} of the first 64 were quick`)
    await stage.append(['a', 'next'])
    for (let turns = 0; turns < 4; turns++) await stage.clock.turn()
    const next = opened.slice(500).filter(({ sink }) => sink.data.includes('next')).length
    assert.ok(
      next > 50,
      `${next} of 100 quick ones were told the next event, which does not wait for the slow`,
    )
    for (let turns = 0; turns < 100; turns++) await stage.clock.turn()
    for (const { sink } of opened) assert.equal(sink.data.length, 22)
  })

  test('is one turn all the same when the streams end: all are told what there was', async () => {
    const { stage, opened } = await slowly(600, () => false)
    await stage.append(['a', '1'])
    await stage.clock.turn()
    await stage.append(['a', '2'])
    stage.delivery.endAll()
    const told = opened.filter(({ sink }) => sink.data.length === 2).length
    // Those that were put off in the first turn come back with their cursors.
    assert.ok(told > 100, `${told} were told`)
    for (const { sink } of opened) assert.equal(sink.state, 'ended')
  })
})

describe('a flush to many who read', () => {
  /** A write to each takes 0.02 ms: all of them three turns. */
  async function many(count: number, coding: Coding = 'identity') {
    const { stage, opened, time, order } = await readers(count, () => 0.02, coding)
    return { stage, opened, time, order, told: () => order.length }
  }

  for (const coding of ['identity', 'gzip'] as const) {
    test(`takes several turns, in which more may come, and nobody has to catch up (${coding})`, async () => {
      const { stage, opened, told } = await many(1_500, coding)
      const turns: number[] = []
      for (let turn = 1; turn <= 7; turn++) {
        const before = told()
        await stage.publish(['a', `${turn}`])
        turns.push(told() - before)
      }
      await turnsUntil(stage, () => told() >= 3 * 1_500)
      assert.ok(Math.max(...turns) < 700 && Math.min(...turns.slice(0, 3)) > 300, `told: ${turns.join(', ')}`)
      for (const { sink } of opened) assert.deepEqual(sink.data, ['1', '2', '3', '4', '5', '6', '7'])
      assert.equal(stage.delivery.tally.writes, 3 * 1_500, 'one write for what has come together')
      assert.equal(stage.log.reads, 1)
    })
  }

  test('tells one that comes meanwhile what comes then, and one that leaves nothing', async () => {
    const { stage, opened, order } = await many(1_500)
    await stage.publish(['a', '1'])
    const late = await stage.open(['a'])
    const resumed = await stage.open(['a'], { after: 'start' })
    opened[1_499]!.reader.closed()
    const written = opened[1_499]!.sink.writes.length
    await stage.append(['a', '2'])
    await turnsUntil(stage, () => order.length >= 2 * 1_499)
    await stage.clock.turn()
    assert.deepEqual([late.sink.data, resumed.sink.data], [['2'], ['1', '2']])
    assert.equal(opened[1_499]!.sink.writes.length, written)
    for (const { sink } of opened.slice(0, 1_499)) assert.deepEqual(sink.data, ['1', '2'])
  })

  test('tells those who come last what has come meanwhile, and nothing of it again', async () => {
    const { stage } = await many(1_500)
    const { reader, sink } = await stage.open(['b'], { after: 'now' }, { room: 2 })
    await stage.publish(['a', '1'], ['b', '1'])
    assert.deepEqual(sink.data, [])
    await stage.append(['b', '2'])
    for (let turns = 0; turns < 5; turns++) await stage.clock.turn()
    assert.deepEqual([reader.full, sink.data], [true, ['1', '2']])
    sink.room = Infinity
    reader.drained()
    await stage.publish(['b', '3'])
    assert.deepEqual(sink.data, ['1', '2', '3'])
  })

  test('tells the others from the log when the tail is lost meanwhile', async () => {
    const { stage, opened } = await many(1_500)
    await stage.publish(['a', '1'])
    stage.log.listener!.lost()
    for (let turns = 0; turns < 100; turns++) await stage.clock.turn()
    await stage.publish(['a', '2'])
    for (let turns = 0; turns < 10; turns++) await stage.clock.turn()
    for (const { sink } of opened) assert.deepEqual(sink.data, ['1', '2'])
  })

  test('tells nothing of a log that has lost it meanwhile', async () => {
    const { stage, opened, order } = await many(1_500)
    await stage.publish(['a', '1'])
    await turnsUntil(stage, () => order.length === 1_500)
    const { events } = await stage.log.read(new ChannelSet(['a']), { after: 0 }, { events: 1, bytes: 1 })
    const lost = { ...events[0]!, position: 10, data: 'lost' }
    const { listener } = stage.log
    listener!.batch({ epoch: stage.epoch, records: [lost], frontier: 10 })
    await stage.clock.turn()
    const told = order.length - 1_500
    assert.ok(told > 0 && told < 1_000)
    listener!.lost()
    for (let turns = 0; turns < 100; turns++) await stage.clock.turn()
    assert.equal(opened.filter(({ sink }) => sink.data.includes('lost')).length, told)
  })

  test('says no cursor beyond what a reader was told', async () => {
    const { stage, opened, order } = await many(1_500)
    await stage.publish(['a', '1'])
    await stage.append(['a', '2'])
    await turnsUntil(stage, () => order.length === 1_500)
    const [{ reader, sink }] = opened as [Opened]
    reader.beat()
    assert.equal(sink.events.at(-1)?.lastEventId, stage.cursor(1))
    await turnsUntil(stage, () => order.length > 3_000)
    assert.deepEqual(sink.data, ['1', '2'])
  })

  test('is one turn when the streams end, and when some do: all are told first', async () => {
    for (const end of ['all', 'some'] as const) {
      const { stage, opened } = await many(1_500)
      await stage.publish(['a', '1'])
      await stage.append(['a', '2'])
      if (end === 'all') stage.delivery.endAll()
      else stage.delivery.endThose(({ id }) => id === opened[0]!.reader.id)
      for (const { sink } of opened) assert.deepEqual(sink.data, ['1', '2'])
    }
  })
})

test('those who come back together share bytes, and nobody gets those of other channels', async () => {
  const stage = new Stage()
  const opened = await Promise.all(
    [
      ['a', 'b'],
      ['a', 'c'],
      ['a', 'b'],
      ['a', 'c'],
    ].map((parts) => stage.open(parts, { after: 'now' }, { room: 2 })),
  )
  await stage.publish(['a', '1'])
  assert.equal(stage.delivery.slow, 4)
  await stage.publish(['a', '2'], ['b', '3'], ['c', '3'], ['a', '4'])
  for (const { reader, sink } of opened) {
    sink.room = Infinity
    reader.drained()
  }
  await stage.clock.turn()
  const [b, c, otherB, otherC] = opened.map(({ sink }) => sink.writes.at(-1))
  assert.equal(b, otherB)
  assert.equal(c, otherC)
  assert.notEqual(b, c)
  for (const { sink } of opened) assert.deepEqual(sink.data, ['1', '2', '3', '4'])
  const ids = opened.map(({ sink }) => sink.events.at(-2)?.lastEventId)
  assert.deepEqual(ids, [3, 4, 3, 4].map(stage.cursor.bind(stage)))
})
