/** Rights that end: the streams and waits they let in end with them. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { Agenda, type Due } from '../src/delivery/agenda.ts'
import type { Holder } from '../src/delivery/holder.ts'
import { endOfStream, noticeOf } from '../src/delivery/term.ts'
import { createHub } from '../src/hub.ts'
import { SimulatedClock, settled } from './simulation/clock.ts'
import { RecordingSink, Stage } from './simulation/stage.ts'

const MINUTE = 60_000

test('a stream ends before its right does, at most 30 s or a tenth of the time, and is told before that', () => {
  const times = fc.record({
    left: fc.integer({ min: 1, max: 1e10 }),
    chance: fc.double({ min: 0, max: 0.999, noNaN: true }),
  })
  fc.assert(
    fc.property(times, ({ left, chance }) => {
      const end = endOfStream(1e12 + left, 1e12, chance)
      assert.ok(end <= 1e12 + left && end > 1e12)
      assert.ok(1e12 + left - end <= Math.min(30_000, left / 10) + 1e-3)
      const notice = noticeOf(end, 1e12)
      assert.ok(notice < end && notice > 1e12 && end - notice <= 30_000)
    }),
  )
})

describe('a stream whose right ends', () => {
  test('P6.6.5 P6.4.4 is told 30 s before, gets all events until its end, and ends cleanly', async () => {
    const stage = new Stage()
    const until = stage.clock.now() + 10 * MINUTE
    const { sink } = await stage.open(['a'], { after: 'now' }, { holder: { subject: 'alice', until } })
    await stage.clock.run(9 * MINUTE - 1_000)
    assert.deepEqual(sink.control('expire'), [])
    await stage.publish(['a', '1'], ['b', 'x'])
    while (sink.control('expire').length === 0) await stage.clock.run(250)
    const [told] = sink.control('expire') as { expires: number }[]
    assert.ok(told && told.expires > 29_000 && told.expires <= 30_250, JSON.stringify(told))
    assert.equal(sink.events.at(-1)?.lastEventId, stage.cursor(2))
    await stage.publish(['a', '2'])
    await stage.clock.run(told.expires - 500)
    assert.equal(sink.state, 'open')
    await stage.publish(['a', '3'])
    await stage.clock.run(500)
    assert.equal(sink.state, 'ended')
    assert.ok(stage.clock.now() <= until)
    assert.deepEqual(sink.data, ['1', '2', '3'])
    assert.deepEqual([stage.delivery.readers, stage.clock.timers], [0, 0])
  })

  test('P6.4.4 is told with half of its time left when that is less than a minute', async () => {
    const stage = new Stage()
    const until = stage.clock.now() + 20_000
    const { sink } = await stage.open(['a'], { after: 'now' }, { holder: { subject: '', until } })
    await stage.clock.run(8_500)
    assert.equal(sink.control('expire').length, 0)
    await stage.clock.run(1_750)
    const [told] = sink.control('expire') as { expires: number }[]
    assert.ok(told && told.expires > 8_500 && told.expires <= 10_250, JSON.stringify(told))
    await stage.clock.run(10_000)
    assert.equal(sink.state, 'ended')
  })

  test('is not told while its connection takes nothing, but afterwards; and is cut at its end all the same', async () => {
    const stage = new Stage()
    const until = stage.clock.now() + 40_000
    const holder = { subject: '', until }
    const slow = await stage.open(['a'], { after: 'now' }, { holder, room: 1 })
    const stuck = await stage.open(['a'], { after: 'now' }, { holder, room: 1 })
    await stage.clock.run(25_000)
    assert.ok(slow.reader.full && stuck.reader.full)
    slow.sink.room = Infinity
    slow.reader.drained()
    await stage.clock.run(2_000)
    assert.equal(slow.sink.control('expire').length, 1)
    await stage.clock.run(13_000)
    assert.deepEqual([slow.sink.state, stuck.sink.state], ['ended', 'aborted'])
    assert.equal(stuck.sink.control('expire').length, 0)
    assert.equal(stage.clock.timers, 0)
  })

  test('says no cursor of its own before it has told a gap', async () => {
    const stage = new Stage()
    await stage.publish(['a', '1'])
    const holder = { subject: '', until: stage.clock.now() + 1_000 }
    const release = stage.log.hold()
    const opened = stage.openNow(
      ['a'],
      { lastEventId: 'elsewhere-7' },
      undefined,
      undefined,
      undefined,
      holder,
    )
    await stage.clock.run(700)
    const { events } = opened.sink
    assert.deepEqual(
      events.map(({ type, lastEventId }) => [type, lastEventId]),
      [
        ['downlink:open', ''],
        ['downlink:expire', ''],
      ],
    )
    release()
    await stage.clock.run(300)
    assert.equal(opened.sink.state, 'ended')
  })

  test('leaves nothing behind when it is closed before', async () => {
    const stage = new Stage()
    const holder = { subject: '', until: stage.clock.now() + MINUTE }
    const all = await Promise.all(
      Array.from({ length: 50 }, () => stage.open(['a'], { after: 'now' }, { holder })),
    )
    assert.equal(stage.clock.timers, 2)
    for (const { reader } of all) reader.closed()
    assert.equal(stage.clock.timers, 0)
  })

  test('ends by its age all the same', async () => {
    const stage = new Stage({ maxAgeMs: MINUTE })
    const holder = { subject: '', until: stage.clock.now() + 10 * MINUTE }
    const { sink } = await stage.open(['a'], { after: 'now' }, { holder })
    await stage.clock.run(MINUTE + 15_000)
    assert.equal(sink.state, 'ended')
    assert.equal(sink.control('expire').length, 0)
  })

  test('a thousand that end with one token are spread over half a minute', async () => {
    const stage = new Stage()
    const holder = { subject: '', until: stage.clock.now() + 10 * MINUTE }
    for (let n = 0; n < 1_000; n++)
      stage.openNow(['a'], { after: 'now' }, undefined, undefined, undefined, holder)
    await stage.clock.run(9.5 * MINUTE - 250)
    let most = 0
    for (let left = stage.delivery.readers; left > 0; left = stage.delivery.readers) {
      assert.ok(stage.clock.now() <= holder.until)
      await stage.clock.run(1_000)
      most = Math.max(most, left - stage.delivery.readers)
    }
    assert.ok(most > 10 && most < 70, `${most} in a second`)
  })
})

describe('a long poll whose right ends', () => {
  test('P6.6.5 is answered by then', async (t) => {
    const clock = new SimulatedClock()
    const hub = createHub({ clock })
    t.after(() => hub.close())
    const holder = { subject: 'alice', until: clock.now() + 5_000 }
    let answered = false
    const page = hub.readPage(hub.channelSet('a'), { after: 'now' }, 10, { ms: 60_000, holder })
    void page.then(() => (answered = true))
    await clock.run(4_400)
    assert.equal(answered, false)
    await clock.run(600)
    assert.equal(answered, true)
    assert.deepEqual((await page).events, [])
  })
})

test('P13.3.4 a right that has ended opens nothing', async (t) => {
  const clock = new SimulatedClock()
  const hub = createHub({ clock })
  t.after(() => hub.close())
  const holder = { subject: 'alice', until: clock.now() }
  const set = hub.channelSet('a')
  const sink = new RecordingSink()
  assert.throws(() => hub.open(set, { after: 'now' }, sink, undefined, undefined, holder), {
    code: 'expired',
  })
  assert.throws(() => hub.readPage(set, { after: 'now' }, 10, { ms: 1, holder }), { code: 'expired' })
  await settled()
  assert.deepEqual(sink.writes, [])
})

test('P12.3.3 what was revoked while a request was under way opens nothing either', async (t) => {
  const clock = new SimulatedClock()
  const hub = createHub({ clock })
  t.after(() => hub.close())
  const set = hub.channelSet('a')
  const holder = { subject: 'alice', issued: clock.now() }
  const open = (one: Holder): unknown =>
    hub.open(set, { after: 'now' }, new RecordingSink(), undefined, undefined, one)
  open(holder)
  assert.equal(hub.disconnect({ subject: 'alice', revoke: true }), 1)
  assert.throws(() => open(holder), { code: 'revoked' })
  assert.throws(() => hub.readPage(set, { after: 'now' }, 10, { ms: 1, holder }), { code: 'revoked' })
  open({ ...holder, issued: clock.now() + 1 })
  assert.equal(hub.delivery.readers, 1)
})

test('P12.3.2 who is disconnected is given first what was published before', async () => {
  const stage = new Stage()
  const { sink } = await stage.open(['a'])
  await stage.append(['a', '1'])
  assert.deepEqual(sink.data, [])
  assert.equal(
    stage.delivery.endThose(() => true),
    1,
  )
  assert.deepEqual([sink.data, sink.state], [['1'], 'ended'])
  assert.equal(
    stage.delivery.endThose(() => true),
    0,
  )
})

test('P12.3.2 one reader is disconnected by its number, a waiting long poll too', async (t) => {
  const clock = new SimulatedClock()
  const hub = createHub({ clock })
  t.after(() => hub.close())
  const set = hub.channelSet('a')
  const sinks = [new RecordingSink(), new RecordingSink()] as const
  for (const sink of sinks) hub.open(set, { after: 'now' }, sink)
  const page = hub.readPage(set, { after: 'now' }, 10, { ms: 60_000 })
  await settled()
  const [first, , poll] = [...hub.delivery.list()]
  assert.equal(hub.disconnect({ reader: first?.id ?? 0 }), 1)
  assert.deepEqual([sinks[0].state, sinks[1].state, hub.delivery.waiting], ['ended', 'open', 1])
  assert.equal(hub.disconnect({ reader: poll?.id ?? 0 }), 1)
  assert.deepEqual((await page).events, [])
  assert.equal(hub.disconnect({ reader: poll?.id ?? 0 }), 0)
})

describe('the agenda', () => {
  test('does what is due at its time and not after, whatever is added and removed meanwhile', async () => {
    const step = fc.record({
      in: fc.integer({ min: 0, max: 5_000 }),
      remove: fc.boolean(),
      run: fc.integer({ min: 0, max: 1_000 }),
    })
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
        const clock = new SimulatedClock()
        const agenda = new Agenda(clock)
        const waiting = new Set<Due>()
        for (const { in: ms, remove, run } of steps) {
          const one: Due = {
            dueAt: clock.now() + ms,
            due() {
              assert.ok(waiting.delete(one), 'done twice, or after it was removed')
              assert.ok(clock.now() <= one.dueAt && clock.now() > one.dueAt - 250 - 1)
            },
          }
          waiting.add(one)
          agenda.add(one)
          if (remove) {
            const [first] = waiting
            if (first) {
              waiting.delete(first)
              agenda.remove(first)
            }
          }
          await clock.run(run)
          assert.ok(clock.timers <= 1)
          for (const { dueAt } of waiting) assert.ok(dueAt >= clock.now())
        }
        await clock.run(6_000)
        assert.deepEqual([waiting.size, clock.timers], [0, 0])
      }),
    )
  })

  test('waits for what is far off', async () => {
    const clock = new SimulatedClock()
    const agenda = new Agenda(clock)
    let done = 0
    agenda.add({ dueAt: clock.now() + 40 * 86_400_000, due: () => done++ })
    await clock.run(39 * 86_400_000)
    assert.equal(done, 0)
    await clock.run(86_400_000)
    assert.equal(done, 1)
  })
})
