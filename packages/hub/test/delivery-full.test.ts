/** A connection that takes no more costs a cursor: its reader leaves for the log and comes back. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Stage } from './simulation/stage.ts'

test('a full sink is given nothing more, however much is published', async () => {
  const stage = new Stage()
  const { sink } = await stage.open(['a'], { after: 'now' }, { room: 2 })
  await stage.publish(['a', '1'])
  const taken = sink.writes.length
  for (let n = 2; n < 100; n++) await stage.publish(['a', `${n}`])
  assert.equal(sink.writes.length, taken)
  assert.deepEqual(sink.data, ['1'])
})

test('when it drains it gets what it missed and goes on live, without a hole or a repeat', async () => {
  const stage = new Stage()
  const { sink, reader } = await stage.open(['a'], { after: 'now' }, { room: 2 })
  for (let n = 1; n < 50; n++) await stage.publish(['a', `${n}`], ['b', 'no'])
  sink.room = Infinity
  reader.drained()
  await stage.append(['a', '50'])
  await stage.clock.turn()
  await stage.publish(['a', '51'])
  assert.deepEqual(
    sink.data,
    Array.from({ length: 51 }, (_, n) => `${n + 1}`),
  )
})

test('what it missed comes from the recent records, without a read of the log', async () => {
  const stage = new Stage()
  const { sink, reader } = await stage.open(['a'], { after: 'now' }, { room: 2 })
  for (let n = 1; n < 50; n++) await stage.publish(['a', `${n}`])
  const { reads } = stage.log
  sink.room = Infinity
  reader.drained()
  await stage.clock.turn()
  assert.equal(sink.data.length, 49)
  assert.equal(stage.log.reads, reads)
})

test('what is no longer recent comes from the log', async () => {
  const stage = new Stage({ recent: { records: 5, bytes: 1e6 } })
  const { sink, reader } = await stage.open(['a'], { after: 'now' }, { room: 2 })
  for (let n = 1; n < 50; n++) await stage.publish(['a', `${n}`])
  const { reads } = stage.log
  sink.room = Infinity
  reader.drained()
  await stage.clock.turn()
  assert.deepEqual(
    sink.data,
    Array.from({ length: 49 }, (_, n) => `${n + 1}`),
  )
  assert.equal(stage.log.reads, reads + 1)
})

test('catching up is written in pieces, and stops when the sink is full again', async () => {
  const stage = new Stage()
  const { sink, reader } = await stage.open(['a'], { after: 'now' }, { room: 2 })
  const large = 'x'.repeat(40_000)
  await stage.publish(['a', '0'])
  for (let n = 1; n <= 10; n++) await stage.publish(['a', `${n}${large}`])
  for (let rounds = 1; sink.data.length < 11; rounds++) {
    assert.ok(rounds <= 11, 'each round brings something')
    const before = sink.writes.length
    sink.room = 1
    reader.drained()
    await stage.clock.turn()
    assert.equal(sink.writes.length, before + 1)
    assert.ok((sink.writes.at(-1) as Uint8Array).length < 3 * 64 * 1024)
  }
  assert.deepEqual(
    sink.data.map((data) => Number.parseInt(data)),
    [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10],
  )
})

test('a sink that fills and drains while the log is read is caught up by one loop', async () => {
  const stage = new Stage({ recent: { records: 1, bytes: 1e6 }, heartbeatMs: 15 })
  await stage.append(['a', '1'], ['a', '2'], ['a', '3'])
  const release = stage.log.hold()
  const { sink, reader } = await stage.open(['a'], { after: 'start' }, { room: 2 })
  // The heartbeat fills it.
  await stage.clock.run(30)
  reader.drained()
  reader.drained()
  sink.room = Infinity
  assert.equal(stage.log.reads, 1)
  release()
  await stage.clock.turn()
  assert.deepEqual(sink.data, ['1', '2', '3'])
})

test('a sink that fills while the log is read is given the page when it drains', async () => {
  const stage = new Stage({ heartbeatMs: 15 })
  await stage.append(['a', '1'])
  const release = stage.log.hold()
  const { sink, reader } = await stage.open(['a'], { after: 'start' }, { room: 2 })
  // The heartbeat fills it.
  await stage.clock.run(30)
  release()
  await stage.clock.turn()
  assert.deepEqual(sink.data, [])
  sink.room = Infinity
  reader.drained()
  await stage.clock.turn()
  assert.deepEqual(sink.data, ['1'])
})

test('a full sink gets no heartbeat', async () => {
  const stage = new Stage({ heartbeatMs: 1_000 })
  const { sink } = await stage.open(['a'], { after: 'now' }, { room: 1 })
  await stage.clock.run(5_000)
  assert.equal(sink.writes.length, 1)
})

test('a stream that ends while its sink is full is cut, one with room ends cleanly', async () => {
  const stage = new Stage()
  const stuck = await stage.open(['a'], { after: 'now' }, { room: 1 })
  const free = await stage.open(['a'])
  stage.delivery.endAll()
  assert.equal(stuck.sink.state, 'aborted')
  assert.equal(free.sink.state, 'ended')
  assert.equal(stage.delivery.readers, 0)
})

test('an end of all channels that just fits is a clean end', async () => {
  const stage = new Stage()
  const { sink } = await stage.open(['a'], { after: 'now' }, { room: 2 })
  await stage.log.append([{ channel: 'a', data: '1' }], { end: ['a'] })
  await stage.clock.turn()
  assert.deepEqual(sink.control('end'), [{ channel: 'a' }])
  assert.equal(sink.state, 'ended')
})
