/** What the hub knows of its readers, and what it has counted. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Metrics } from '../src/ops/metrics.ts'
import { createHub } from '../src/hub.ts'
import { settled } from './simulation/clock.ts'
import { RecordingSink, Stage } from './simulation/stage.ts'

test('a live reader is known with its channels, its place, no lag, and since when it reads', async () => {
  const stage = new Stage()
  const since = stage.clock.now()
  await stage.open(['b', 'a'])
  await stage.clock.run(1_000)
  await stage.publish(['a', '1'], ['c', 'of others'])
  assert.deepEqual(
    [...stage.delivery.list()],
    [
      {
        id: 1,
        subject: '',
        transport: 'sse',
        channels: ['a', 'b'],
        position: stage.cursor(2),
        lag: 0,
        since,
      },
    ],
  )
  assert.equal(stage.delivery.slow, 0)
})

test('a slow reader is known with its lag, the bytes that wait, and since when it is slow', async () => {
  const stage = new Stage({ heartbeatMs: 1e9 })
  const { sink, reader } = await stage.open(['a'], { after: 'now' }, { room: 2 })
  Object.defineProperty(sink, 'bytesWaiting', { value: 77 })
  await stage.clock.run(1_000)
  const slowSince = stage.clock.now()
  await stage.publish(['a', '1'])
  await stage.publish(['a', '2'], ['b', '3'])
  const [info] = [...stage.delivery.list()]
  const { lag, bytesWaiting } = info ?? {}
  assert.deepEqual([lag, bytesWaiting, info?.slowSince], [2, 77, slowSince])
  assert.deepEqual([stage.delivery.slow, stage.delivery.tally.filled], [1, 1])
  sink.room = Infinity
  reader.drained()
  await stage.clock.turn()
  assert.deepEqual([stage.delivery.slow, stage.delivery.tally.filled], [0, 1])
  const [{ slowSince: slow, lag: none } = {}] = [...stage.delivery.list()]
  assert.deepEqual([slow, none], [undefined, 0])
})

test('a reader that leaves, or reads again after "lost", was not slow', async () => {
  const stage = new Stage()
  const { reader } = await stage.open(['a'])
  stage.log.listener?.lost()
  await stage.clock.turn()
  reader.closed()
  assert.equal(stage.delivery.tally.filled, 0)
  assert.deepEqual([...stage.delivery.list()], [])
})

test('a long poll that waits is listed', async () => {
  const stage = new Stage()
  const hub = createHub({ log: stage.log, clock: stage.clock })
  await hub.publish('a', { data: '1' })
  const page = hub.read('a', { after: 'now', waitMs: 1_000 })
  await settled()
  assert.deepEqual(
    [...hub.delivery.list()],
    [{ id: 1, subject: '', transport: 'long-poll', channels: ['a'], position: stage.cursor(1), lag: 0 }],
  )
  await hub.publish('a', { data: '2' })
  await stage.clock.turn()
  await page
  assert.deepEqual([...hub.delivery.list()], [])
})

test('deliveries are counted for each reader, writes by how many events they have, whether live or caught up', async () => {
  const stage = new Stage({ recent: { records: 1, bytes: 1 } })
  await stage.open(['a'])
  await stage.open(['a'])
  await stage.publish(['a', '1'])
  await stage.publish(['a', '2'], ['a', '3'], ['a', '4'])
  const { tally } = stage.delivery
  assert.deepEqual([tally.deliveries, tally.sizes.slice(0, 3)], [8, [2, 2, 0]])
  const before = tally.catchUps
  await stage.open(['a'], { after: 'start' })
  assert.deepEqual([tally.deliveries, tally.sizes.slice(0, 3)], [12, [2, 2, 1]])
  assert.equal(tally.catchUps - before, 1)
})

test('marks are no deliveries, and a write of thousands counts with the largest', async () => {
  const stage = new Stage({ recent: { records: 1, bytes: 1 } })
  await stage.open(['a', 'b'])
  await stage.log.append([{ channel: 'b', data: '1' }], { end: ['b'] })
  await stage.clock.turn()
  const { tally } = stage.delivery
  assert.equal(tally.deliveries, 1)
  await stage.open(['a', 'b'], { after: 'start' })
  assert.equal(tally.deliveries, 2)
  await stage.publish(...Array.from({ length: 5_000 }, () => ['a', ''] as const))
  assert.equal(tally.deliveries, 10_002)
  assert.equal(tally.sizes.at(-1), 2)
})

test('/metrics has what was counted', async () => {
  await using hub = createHub()
  const metrics = new Metrics(hub)
  const sink = new RecordingSink()
  hub.open(hub.channelSet('a'), { after: 'now' }, sink)
  await settled()
  await hub.publish('a', [{ data: '1' }, { data: '2' }, { data: '3' }])
  await settled()
  await settled()
  const { text } = await metrics.exposition()
  for (const line of [
    'downlink_deliveries_total 3',
    'downlink_write_events_bucket{le="1"} 0',
    'downlink_write_events_bucket{le="3"} 1',
    'downlink_write_events_bucket{le="2047"} 1',
    'downlink_write_events_bucket{le="+Inf"} 1',
    'downlink_write_events_sum 3',
    'downlink_write_events_count 1',
    'downlink_catch_ups_total 1',
    'downlink_catch_up_pages_total 1',
    'downlink_catch_up_reads_total 1',
    'downlink_slow_streams 0',
    'downlink_streams_filled_total 0',
    '# TYPE downlink_write_events histogram',
    '# TYPE downlink_deliveries_total counter',
  ]) {
    assert.ok(text.split('\n').includes(line), `${line} in\n${text}`)
  }
})
