/** Ends and erased channels, live and in the past. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Stage } from './simulation/stage.ts'

test('P8.4.1 the end comes after the last event, once', async () => {
  const stage = new Stage()
  const { sink } = await stage.open(['a', 'b'])
  await stage.log.append([{ channel: 'a', data: '1' }], { end: ['a'] })
  await stage.clock.turn()
  await stage.publish(['b', '2'])
  assert.deepEqual(
    sink.events.map(({ type, data }) => (type === 'message' ? data : type)),
    ['downlink:open', '1', 'downlink:end', '2'],
  )
})

test('P6.6.2 a stream ends when all its channels have, and not before', async () => {
  const stage = new Stage()
  const { sink } = await stage.open(['a', 'b'])
  await stage.log.append([], { end: ['a'] })
  await stage.clock.turn()
  assert.equal(sink.state, 'open')
  await stage.log.append([], { end: ['b'] })
  await stage.clock.turn()
  assert.equal(sink.state, 'ended')
  assert.equal(stage.delivery.readers, 0)
})

test('P8.4.3 a pattern never ends, though it tells the ends of what it matches', async () => {
  const stage = new Stage()
  const { sink } = await stage.open(['a', 'n.*'])
  await stage.log.append([{ channel: 'n.x', data: '1' }], { end: ['n.x', 'a'] })
  await stage.clock.turn()
  assert.deepEqual(sink.control('end'), [{ channel: 'n.x' }, { channel: 'a' }])
  assert.equal(sink.state, 'open')
})

test('P6.2.4 a channel that ended before the start is told of at once, with an id of the start', async () => {
  const stage = new Stage()
  await stage.log.append([{ channel: 'a', data: '1' }], { end: ['a'] })
  await stage.publish(['b', '2'])
  const { sink } = await stage.open(['a', 'b'])
  assert.deepEqual(sink.control('end'), [{ channel: 'a' }])
  assert.equal(sink.events.at(-1)?.lastEventId, stage.cursor(2))
  assert.equal(sink.state, 'open')
})

test('the id of an end never lies before a gap that was told before it', async () => {
  const stage = new Stage({}, { retention: [{ channels: 'b', count: 1 }] })
  await stage.log.append([{ channel: 'a', data: '1' }], { end: ['a'] })
  await stage.publish(['b', '2'], ['b', '3'], ['b', '4'])
  const { sink } = await stage.open(['a', 'b'], { after: { epoch: stage.epoch, position: 1 } })
  const ids = sink.events.map(({ lastEventId }) => Number(lastEventId.split('-')[1]))
  assert.deepEqual(ids, [1, 3, 3, 4])
})

test('an end that a full reader missed is told once when it comes back', async () => {
  const stage = new Stage({ recent: { records: 1, bytes: 1 } })
  const { sink, reader } = await stage.open(['a', 'b'], { after: 'now' }, { room: 2 })
  await stage.publish(['a', '1'])
  await stage.log.append([{ channel: 'a', data: '2' }], { end: ['a'] })
  await stage.publish(['b', '3'], ['b', '4'])
  sink.room = Infinity
  reader.drained()
  await stage.clock.turn()
  stage.log.listener?.lost()
  await stage.clock.turn()
  assert.deepEqual(sink.data, ['1', '2', '3', '4'])
  assert.deepEqual(sink.control('end'), [{ channel: 'a' }])
})

test('P8.2.2 erasing a channel tells its live readers a gap', async () => {
  const stage = new Stage()
  const { sink } = await stage.open(['a', 'b'])
  const other = await stage.open(['b'])
  await stage.publish(['a', '1'])
  await stage.log.drop('a')
  await stage.clock.turn()
  const gap = { reason: 'deleted', channels: ['a'], from: stage.cursor(1), to: stage.cursor(2) }
  assert.deepEqual(sink.control('gap'), [gap])
  assert.equal(sink.events.at(-1)?.lastEventId, stage.cursor(2))
  assert.deepEqual(other.sink.control('gap'), [])
})

test('a channel that was erased after its end can end again, and the stream waits for it', async () => {
  const stage = new Stage()
  const { sink } = await stage.open(['a', 'b'])
  await stage.log.append([], { end: ['a'] })
  await stage.clock.turn()
  await stage.log.drop('a')
  await stage.log.append([{ channel: 'b', data: '1' }], { end: ['b'] })
  await stage.clock.turn()
  assert.equal(sink.state, 'open')
  await stage.log.append([{ channel: 'a', data: '2' }], { end: ['a'] })
  await stage.clock.turn()
  assert.deepEqual(sink.data, ['1', '2'])
  assert.equal(sink.state, 'ended')
})

test('events of an erased channel are not told from the recent records, its gap is', async () => {
  const stage = new Stage()
  const { sink, reader } = await stage.open(['a', 'b'], { after: 'now' }, { room: 2 })
  await stage.publish(['b', '1'])
  await stage.publish(['a', '2'], ['b', '3'])
  await stage.log.drop('a')
  sink.room = Infinity
  reader.drained()
  await stage.clock.turn()
  assert.deepEqual(sink.data, ['1', '3'])
  assert.equal(sink.control('gap').length, 1)
})
