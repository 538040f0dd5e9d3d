/** Heartbeats, fresh cursors, the age of a stream. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Pulse } from '../src/delivery/pulse.ts'
import { plainVariant } from '../src/delivery/variant.ts'
import { SimulatedClock } from './simulation/clock.ts'
import { Stage } from './simulation/stage.ts'

test('P6.5.1 every stream has one heartbeat an interval, the first after a random part of it', async () => {
  const stage = new Stage({ heartbeatMs: 15_000 })
  const all = await Promise.all(Array.from({ length: 300 }, () => stage.open(['a'])))
  await stage.clock.run(15_000)
  assert.ok(all.every(({ sink }) => sink.text.endsWith('\n\n:\n')))
  await stage.clock.run(15_000 * 9)
  assert.ok(all.every(({ sink }) => sink.text.endsWith(`\n\n${':\n'.repeat(10)}`)))
})

test('P6.3.6 whoever sees no comments is sent a cursor for each heartbeat', async () => {
  const stage = new Stage({ heartbeatMs: 15_000 })
  const { sink } = await stage.open(['a'], { after: 'now' }, { variant: { ...plainVariant, whole: true } })
  await stage.publish(['b', '1'])
  await stage.clock.run(15_000 * 3)
  assert.equal(sink.control('cursor').length, 3)
  assert.equal(sink.events.at(-1)?.lastEventId, stage.cursor(1))
  assert.ok(!sink.text.includes('\n:'))
})

test('heartbeats are spread over the interval', async () => {
  const clock = new SimulatedClock()
  const pulse = new Pulse(clock, 15_000)
  const at = new Map<number, number>()
  const beat = (): void => void at.set(clock.now(), (at.get(clock.now()) ?? 0) + 1)
  for (let n = 0; n < 1_500; n++) pulse.add({ beat })
  await clock.run(15_000)
  assert.equal(at.size, 15)
  for (const count of at.values()) assert.ok(count > 50 && count < 200, `${count} at once`)
})

test('one timer serves all, and none is left when nobody beats', () => {
  const clock = new SimulatedClock()
  const pulse = new Pulse(clock, 15_000)
  const stops = Array.from({ length: 10 }, () => pulse.add({ beat: () => {} }))
  assert.equal(clock.timers, 1)
  for (const stop of stops) stop()
  for (const stop of stops) stop()
  assert.equal(clock.timers, 0)
  pulse.add({ beat: () => {} })
  assert.equal(clock.timers, 1)
})

test('whoever stops in the middle of a beat leaves no timer behind', async () => {
  const clock = new SimulatedClock()
  const pulse = new Pulse(clock, 15_000)
  const stop = pulse.add({ beat: () => stop() })
  await clock.run(15_000)
  assert.equal(clock.timers, 0)
})

test('P6.4.2 a quiet reader is sent a cursor of the frontier now and then', async () => {
  const stage = new Stage({ cursorMs: 60_000 })
  const { sink } = await stage.open(['a'])
  await stage.publish(['b', '1'], ['b', '2'])
  await stage.clock.run(59_000)
  assert.deepEqual(sink.control('cursor'), [])
  await stage.clock.run(16_000)
  assert.deepEqual(sink.control('cursor'), [{}])
  assert.equal(sink.events.at(-1)?.lastEventId, stage.cursor(2))
  await stage.clock.run(60_000)
  assert.equal(sink.control('cursor').length, 2)
})

test('a cursor never overtakes events that are still to be written', async () => {
  const stage = new Stage({ cursorMs: 0, heartbeatMs: 15 })
  const { sink, reader } = await stage.open(['a'])
  await stage.append(['a', '1'])
  reader.beat()
  assert.equal(sink.events.at(-1)?.lastEventId, stage.cursor(0))
  await stage.clock.turn()
  reader.beat()
  assert.equal(sink.events.at(-1)?.lastEventId, stage.cursor(1))
  assert.deepEqual(sink.data, ['1'])
})

test('P6.6.1 a stream ends after 80 to 100 % of its greatest age', async () => {
  const stage = new Stage({ maxAgeMs: 100_000, heartbeatMs: 1_500 })
  const all = await Promise.all(Array.from({ length: 100 }, () => stage.open(['a'])))
  const left = (): number => all.filter(({ sink }) => sink.state === 'open').length
  await stage.clock.run(79_000)
  assert.equal(left(), 100)
  await stage.clock.run(11_000)
  assert.ok(left() > 20 && left() < 80, `${left()} left`)
  await stage.clock.run(12_000)
  assert.equal(left(), 0)
  assert.equal(stage.clock.timers, 0)
  assert.deepEqual(stage.log.followed, [])
})

test('a stuck stream is cut when it is too old', async () => {
  const stage = new Stage({ maxAgeMs: 100_000 })
  const { sink } = await stage.open(['a'], { after: 'now' }, { room: 1 })
  await stage.clock.run(120_000)
  assert.equal(sink.state, 'aborted')
})
