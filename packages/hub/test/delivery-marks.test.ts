/** Ends and erased channels, live and in the past. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Page } from '@downlink/wire'
import { plainVariant } from '../src/delivery/variant.ts'
import { type Opened, Stage } from './simulation/stage.ts'

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

/** A reader of these channels with a full connection, who has read b 1; since then came a 2, b 3 and a drop of a. */
async function behindDrop(channels: readonly string[], variant = plainVariant): Promise<[Stage, Opened]> {
  const stage = new Stage()
  const opened = await stage.open(channels, { after: 'now' }, { room: 2, variant })
  await stage.publish(['b', '1'])
  await stage.publish(['a', '2'], ['b', '3'])
  await stage.log.drop('a')
  opened.sink.room = Infinity
  return [stage, opened]
}

// A client that is cut between the two brings a cursor behind what was erased: had it not been told of the gap, an epoch that has
// forgotten the drop, and so has those events again, would go on from there as if nothing were missing.
test('P8.2.2 of erased events one who comes back is told before what follows them, and not told them', async () => {
  const [stage, { sink, reader }] = await behindDrop(['a', 'b'])
  reader.drained()
  await stage.clock.turn()
  assert.deepEqual(
    sink.events.map(({ type, data }) => (type === 'message' ? data : type)),
    ['downlink:open', '1', 'downlink:gap', '3'],
  )
  const gap = { reason: 'deleted', channels: ['a'], from: stage.cursor(1), to: stage.cursor(2) }
  assert.deepEqual(sink.control('gap'), [gap])
})

test('and so it is in pages, for one who reads messages', async () => {
  const texts: string[] = []
  const message = (text: string): Uint8Array => {
    texts.push(text)
    return Buffer.from(text)
  }
  const [stage, { reader }] = await behindDrop(['a', 'b'], { ...plainVariant, message })
  texts.length = 0
  reader.drained()
  await stage.clock.turn()
  const pages = texts.map((text) => JSON.parse(text) as Page)
  assert.deepEqual(
    pages.map(({ gap, events }) => [gap?.reason, events.map(({ data }) => data)]),
    [
      ['deleted', []],
      [undefined, ['3']],
    ],
  )
})

test('a drop costs those of other channels, and those who stand behind what was erased, no read of the log', async () => {
  const [other, { sink: others, reader }] = await behindDrop(['b'])
  const before = other.log.reads
  reader.drained()
  await other.clock.turn()
  assert.deepEqual(others.data, ['1', '3'])
  assert.equal(other.log.reads, before)

  const stage = new Stage()
  const behind = await stage.open(['a', 'b'], { after: 'now' }, { room: 2 })
  await stage.publish(['a', '1'])
  await stage.publish(['b', '2'])
  await stage.log.drop('a')
  const { reads } = stage.log
  behind.sink.room = Infinity
  behind.reader.drained()
  await stage.clock.turn()
  assert.deepEqual(behind.sink.data, ['1', '2'])
  assert.equal(behind.sink.control('gap').length, 1)
  assert.equal(stage.log.reads, reads)
})
