/** From an append to bytes: one write per reader and flush, bytes made once, positions in order. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { plainVariant } from '../src/delivery/variant.ts'
import { ChannelSet } from '../src/log/channel-set.ts'
import { settled } from './simulation/clock.ts'
import { Stage } from './simulation/stage.ts'

test('events of one turn go out as one write per reader', async () => {
  const stage = new Stage()
  const one = await stage.open(['a'])
  const other = await stage.open(['a'])
  const before = [one.sink.writes.length, other.sink.writes.length]
  await stage.publish(['a', '1'], ['a', '2'], ['a', '3'])
  assert.deepEqual([one.sink.writes.length, other.sink.writes.length], [before[0]! + 1, before[1]! + 1])
  assert.deepEqual(one.sink.data, ['1', '2', '3'])
  assert.equal(stage.log.reads, 2, 'one read each to begin with, none for what comes live')
})

test('nothing is written before the turn ends', async () => {
  const stage = new Stage()
  const { sink } = await stage.open(['a'])
  await stage.append(['a', '1'])
  assert.deepEqual(sink.data, [])
  await stage.clock.turn()
  assert.deepEqual(sink.data, ['1'])
})

test('all readers of an audience are given the very same bytes', async () => {
  const stage = new Stage()
  const one = await stage.open(['a', 'b'])
  const other = await stage.open(['b', 'a'])
  await stage.publish(['a', '1'], ['b', '2'])
  assert.equal(one.sink.writes.at(-1), other.sink.writes.at(-1))
})

test('a single event has the same bytes in audiences of different sets', async () => {
  const stage = new Stage()
  const one = await stage.open(['a'])
  const other = await stage.open(['*'])
  await stage.publish(['a', '1'])
  assert.deepEqual(one.sink.writes.at(-1), other.sink.writes.at(-1))
})

test('readers of different variants are in different audiences', async () => {
  const stage = new Stage()
  const plain = await stage.open(['a'])
  const named = await stage.open(['a'], { after: 'now' }, { variant: { ...plainVariant, channel: true } })
  const typed = await stage.open(
    ['a'],
    { after: 'now' },
    { variant: { ...plainVariant, eventByChannel: true } },
  )
  const timed = await stage.open(['a'], { after: 'now' }, { variant: { ...plainVariant, time: true } })
  await stage.publish(['a', '1'])
  const last = [plain, named, typed, timed].map(({ sink }) => sink.events.at(-1))
  assert.deepEqual(
    last.map((event) => event?.channel),
    [undefined, 'a', undefined, undefined],
  )
  assert.deepEqual(
    last.map((event) => event?.type),
    ['message', 'message', 'a', 'message'],
  )
  assert.deepEqual(
    last.map((event) => event?.time),
    [undefined, undefined, undefined, '2026-01-01T00:00:00.000Z'],
  )
})

test('P6.3.3 an untyped event of a channel called downlink:end stays untyped', async () => {
  const stage = new Stage()
  const variant = { ...plainVariant, eventByChannel: true }
  const { sink } = await stage.open(['downlink:end'], { after: 'now' }, { variant })
  await stage.publish(['downlink:end', '{"channel":"downlink:end"}'])
  assert.equal(sink.events.at(-1)?.type, 'message')
})

test('a reader of several channels gets them in the order of positions', async () => {
  const stage = new Stage()
  const { sink } = await stage.open(['a', 'b', 'n.*'])
  await stage.publish(['b', '1'], ['a', '2'], ['n.x', '3'], ['other', '4'], ['n.x.y', '5'], ['a', '6'])
  assert.deepEqual(sink.data, ['1', '2', '3', '6'])
  const ids = sink.events.map(({ lastEventId }) => Number(lastEventId.split('-')[1]))
  assert.deepEqual(
    ids,
    ids.toSorted((x, y) => x - y),
  )
})

test('a record that a name and two patterns match goes out once', async () => {
  const stage = new Stage()
  const { sink } = await stage.open(['n.x', 'n.*', '**'])
  await stage.publish(['n.x', '1'])
  assert.deepEqual(sink.data, ['1'])
})

test('a reader that joins while frames wait gets each of them once', async () => {
  const stage = new Stage()
  await stage.open(['a'])
  await stage.append(['a', '1'], ['a', '2'])
  const late = stage.openNow(['a'], { after: 'start' })
  await stage.append(['a', '3'])
  // It catches up and joins before the turn ends, the audience still holds all three.
  await settled()
  await stage.append(['a', '4'])
  await stage.clock.turn()
  assert.deepEqual(late.sink.data, ['1', '2', '3', '4'])
})

test('a reader whose page was read before an event and came after it gets the event', async () => {
  const stage = new Stage()
  await stage.append(['a', '1'])
  const release = stage.log.hold()
  const { sink } = await stage.open(['a'], { after: 'start' })
  await stage.publish(['a', '2'])
  release()
  await stage.clock.turn()
  await stage.publish(['a', '3'])
  assert.deepEqual(sink.data, ['1', '2', '3'])
})

test('a reader that is ahead of the tail gets nothing twice when the tail catches up', async () => {
  const stage = new Stage()
  const { listener } = stage.log
  assert.ok(listener)
  await stage.publish(['a', '1'], ['a', '2'])
  const { sink } = await stage.open(['a'], { after: 'start' })
  const { events } = await stage.log.read(new ChannelSet(['a']), { after: 0 }, { events: 9, bytes: 9 })
  listener.batch({ epoch: stage.epoch, records: events, frontier: 2 })
  await stage.clock.turn()
  assert.deepEqual(sink.data, ['1', '2'])
})
