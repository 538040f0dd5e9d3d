/** A tail that loses its continuity, a log that fails, an epoch that changes while streams are open. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Frame } from '../src/delivery/frame.ts'
import { Recent } from '../src/delivery/recent.ts'
import type { TailBatch } from '../src/log/log.ts'
import { ChannelSet } from '../src/log/channel-set.ts'
import { Stage } from './simulation/stage.ts'

/** The tail tells nothing of its own until the function returned hands over what it had to tell. */
function intercept(stage: Stage): () => TailBatch[] {
  const { listener } = stage.log
  assert.ok(listener)
  const kept: TailBatch[] = []
  const own = listener.batch.bind(listener)
  listener.batch = (batch) => void kept.push(batch)
  return () => {
    listener.batch = own
    return kept
  }
}

test('after "lost" readers get what the tail never told', async () => {
  const stage = new Stage()
  const { sink } = await stage.open(['a'])
  const restore = intercept(stage)
  await stage.publish(['a', '1'], ['a', '2'])
  restore()
  assert.deepEqual(sink.data, [])
  stage.log.listener?.lost()
  await stage.clock.turn()
  await stage.publish(['a', '3'])
  assert.deepEqual(sink.data, ['1', '2', '3'])
})

test('frames that wait when the tail says "lost" are told once', async () => {
  const stage = new Stage()
  const { sink } = await stage.open(['a'])
  await stage.append(['a', '1'])
  stage.log.listener?.lost()
  await stage.append(['a', '2'])
  await stage.clock.turn()
  assert.deepEqual(sink.data, ['1', '2'])
})

test('records told late, after "lost", do not come twice, and do not stretch what is recent', async () => {
  const stage = new Stage({ recent: { records: 1, bytes: 1e6 } })
  const { sink, reader } = await stage.open(['a'], { after: 'now' }, { room: 2 })
  await stage.publish(['a', '1'])
  const restore = intercept(stage)
  await stage.publish(['a', '2'], ['a', '3'], ['a', '4'])
  const late = restore()
  stage.log.listener?.lost()
  // The first of them never comes.
  for (const batch of late.slice(1)) stage.log.listener?.batch(batch)
  await stage.clock.turn()
  sink.room = Infinity
  reader.drained()
  await stage.clock.turn()
  assert.deepEqual(sink.data, ['1', '2', '3', '4'])
})

test('a reader that waits for its connection when the tail is lost reads the log when it drains', async () => {
  const stage = new Stage()
  const { sink, reader } = await stage.open(['a'], { after: 'now' }, { room: 2 })
  await stage.publish(['a', '1'])
  const restore = intercept(stage)
  await stage.publish(['a', '2'])
  restore()
  stage.log.listener?.lost()
  sink.room = Infinity
  reader.drained()
  await stage.clock.turn()
  assert.deepEqual(sink.data, ['1', '2'])
})

test('records that the tail left out, before anybody followed their channel, come from the log', async () => {
  const stage = new Stage()
  const restore = intercept(stage)
  // More than a page, so that joining from the recent records is tempting.
  for (let n = 0; n < 1_000; n++) await stage.append(['a', `${n}`])
  restore()
  stage.log.listener?.batch({ epoch: stage.epoch, records: [], frontier: 1_000 })
  const { sink } = await stage.open(['a'], { after: 'start' })
  assert.equal(sink.data.length, 1_000)
})

test('P8.3.2 live readers go on in a new epoch when their cursor is good, and are told a gap when not', async () => {
  const stage = new Stage()
  const behind = await stage.open(['b'])
  const ahead = await stage.open(['a'])
  await stage.publish(['b', '1'])
  await stage.publish(['a', '2'])
  const old = stage.epoch
  stage.log.epochs = [{ name: 'B', parent: { name: old, upTo: 1 } }, { name: old }]
  await stage.append(['b', '3'])
  stage.log.listener?.batch({ epoch: 'B', records: [], frontier: 3 })
  await stage.clock.turn()
  assert.deepEqual(behind.sink.control('gap'), [])
  assert.deepEqual(behind.sink.data, ['1', '3'])
  assert.equal(behind.sink.events.at(-1)?.lastEventId, 'B-3')
  assert.deepEqual(ahead.sink.control('gap'), [
    { reason: 'epoch', channels: ['a'], from: `${old}-2`, to: 'B-0' },
  ])
})

test('what an epoch that is over tells late is not told on', async () => {
  const stage = new Stage()
  const { sink } = await stage.open(['a'])
  const { epoch } = stage
  stage.log.epochs = [{ name: 'B', parent: { name: epoch, upTo: 0 } }, { name: epoch }]
  const record = { kind: 'event', channel: 'a', data: 'old', position: 1, previous: 0, time: 0 } as const
  stage.log.listener?.batch({ epoch, records: [record], frontier: 1 })
  await stage.clock.turn()
  assert.deepEqual(sink.data, [])
  await stage.log.append([{ channel: 'a', data: 'new' }])
  const page = await stage.log.read(new ChannelSet(['a']), { after: 0 }, { events: 1, bytes: 1 })
  stage.log.listener?.batch({ epoch: 'B', records: page.events, frontier: 1 })
  await stage.clock.turn()
  assert.deepEqual(sink.data, ['new'])
})

test('a page that was read while the epoch changed is read again', async () => {
  const stage = new Stage()
  stage.log.epochs = [{ name: 'A' }]
  stage.log.listener?.lost()
  await stage.publish(['a', '1'])
  const release = stage.log.hold()
  const { sink } = await stage.open(['a'], { after: 'start' })
  stage.log.epochs = [{ name: 'B', parent: { name: 'A', upTo: 0 } }, { name: 'A' }]
  release()
  await stage.clock.turn()
  assert.deepEqual(
    sink.events.map(({ type, lastEventId }) => [type, lastEventId]),
    [
      ['downlink:open', 'A-0'],
      ['message', 'B-1'],
    ],
  )
})

test('an epoch that changes without a word from the tail is no reason to read the log for ever', async () => {
  const stage = new Stage()
  stage.log.epochs = [{ name: 'A' }]
  stage.log.listener?.lost()
  stage.log.epochs = [{ name: 'B', parent: { name: 'A', upTo: 0 } }, { name: 'A' }]
  stage.log.read = ((read) => (set, from, limit) => {
    assert.ok(stage.log.reads < 10, 'reads the log again and again')
    return read(set, from, limit)
  })(stage.log.read.bind(stage.log))
  const { sink } = await stage.open(['a'])
  await stage.publish(['a', '1'])
  await stage.clock.turn()
  assert.deepEqual(stage.errors, [])
  assert.equal(sink.state, 'open')
})

test('a log that fails ends the stream, with everything released', async () => {
  const stage = new Stage({ recent: { records: 1, bytes: 1 } })
  const { sink, reader } = await stage.open(['a'], { after: 'now' }, { room: 2 })
  await stage.publish(['a', '1'])
  await stage.publish(['a', '2'], ['a', '3'])
  const failure = new Error('away')
  stage.log.failure = failure
  sink.room = Infinity
  reader.drained()
  await stage.clock.turn()
  assert.equal(sink.state, 'ended')
  assert.deepEqual(stage.errors, [failure])
  assert.equal(stage.delivery.readers, 0)
  assert.deepEqual(stage.log.followed, [])
  assert.equal(stage.clock.timers, 0)
})

test('a tail that can not follow ends the stream, and the next one tries again', async () => {
  const stage = new Stage()
  const failure = new Error('away')
  stage.log.followFailure = failure
  const { sink } = await stage.open(['a'])
  assert.equal(sink.state, 'ended')
  assert.deepEqual(stage.errors, [failure])
  stage.log.followFailure = undefined
  const next = await stage.open(['a'])
  await stage.publish(['a', '1'])
  assert.deepEqual(next.sink.data, ['1'])
})

test("a read that fails after its connection closed is nobody's error", async () => {
  const stage = new Stage()
  const release = stage.log.hold()
  const { reader } = await stage.open(['a'], { after: 'start' })
  reader.closed()
  stage.log.failure = new Error('away')
  release()
  await stage.clock.turn()
  assert.deepEqual(stage.errors, [])
})

test('frames of an epoch that is over, which wait when it changes, are never written', async () => {
  const stage = new Stage()
  const { sink } = await stage.open(['a'])
  const old = stage.epoch
  const record = { kind: 'event', channel: 'a', data: 'old', position: 5, previous: 0, time: 0 } as const
  stage.log.listener?.batch({ epoch: old, records: [record], frontier: 5 })
  stage.log.epochs = [{ name: 'B', parent: { name: old, upTo: 0 } }, { name: old }]
  stage.log.listener?.lost()
  await stage.clock.turn()
  stage.log.listener?.batch({
    epoch: 'B',
    records: [{ ...record, data: 'new', position: 1 }],
    frontier: 1,
  })
  await stage.clock.turn()
  assert.deepEqual(sink.data, ['new'])
})

test('recent records reach back no further than the last loss of continuity, whatever is told again', () => {
  const recent = new Recent(20, { records: 1, bytes: 1e6 })
  for (const position of [15, 16, 17]) {
    recent.push(new Frame({ kind: 'event', channel: 'a', data: '', position, previous: 0, time: 0 }, 'A'))
  }
  const set = new ChannelSet(['a'])
  assert.equal(recent.covers(19, set), false)
  assert.equal(recent.covers(20, set), true)
})

test('losses of a new epoch are told, though their numbers begin anew', async () => {
  const stage = new Stage({ recent: { records: 1, bytes: 1 } })
  const old = stage.epoch
  let loss = 7
  stage.log.read = async (set, from) => {
    const after = 'after' in from ? from.after : 0
    const gap = { reason: 'trimmed', channels: set.parts, from: after, to: after, upTo: 9, loss } as const
    return { events: [], cursor: 0, more: false, ends: [], gap }
  }
  const { sink } = await stage.open(['a'], { after: 'start' })
  assert.equal(sink.control('gap').length, 1)
  stage.log.listener?.lost()
  await stage.clock.turn()
  assert.equal(sink.control('gap').length, 1, 'nothing new')
  loss = 1
  stage.log.epochs = [{ name: 'B', parent: { name: old, upTo: 0 } }, { name: old }]
  stage.log.listener?.lost()
  await stage.clock.turn()
  assert.equal(sink.control('gap').length, 2)
})
