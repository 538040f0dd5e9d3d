/** Where a stream begins, and what it says first. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Stage } from './simulation/stage.ts'

const opening = /^retry: \d+\nevent: downlink:open\nid: (\S+)\ndata: \{"heartbeat":15000\}\n\n/

test('P6.2.1 the opening comes first, at once, with the starting cursor', async () => {
  const stage = new Stage()
  await stage.publish(['a', '1'])
  const { sink } = stage.openNow(['a'], { after: 'now' })
  assert.equal(opening.exec(sink.text)?.[1], stage.cursor(1))
})

test('P6.2.2 retry is spread over 2,000 to 4,000 ms', async () => {
  const stage = new Stage()
  const all = Array.from({ length: 200 }, () => {
    const { sink } = stage.openNow(['a'], { after: 'now' })
    return Number(/^retry: (\d+)/.exec(sink.text)?.[1])
  })
  assert.ok(Math.min(...all) >= 2_000 && Math.min(...all) < 2_200, `${Math.min(...all)}`)
  assert.ok(Math.max(...all) <= 4_000 && Math.max(...all) > 3_800, `${Math.max(...all)}`)
})

test('P6.2.3 before a gap of its own cursor the opening has no id, so whoever is cut comes back as it came', async () => {
  const stage = new Stage()
  await stage.publish(['a', '1'])
  for (const lastEventId of ['garbage', 'Other-7', `${stage.epoch}-99`]) {
    const { sink } = await stage.open(['a'], { lastEventId })
    assert.deepEqual(
      sink.events.map(({ type, lastEventId: id }) => [type, id]),
      [
        ['downlink:open', ''],
        ['downlink:gap', stage.cursor(0)],
        ['message', stage.cursor(1)],
      ],
    )
    const from = lastEventId === 'garbage' ? null : lastEventId
    assert.deepEqual(sink.control('gap'), [{ reason: 'unknown', channels: ['a'], from, to: stage.cursor(0) }])
  }
})

test('P8.3.2 a cursor of the parent is good up to where the epoch continues it, and a gap after that', async () => {
  const stage = new Stage()
  stage.log.epochs = [{ name: 'B', parent: { name: 'A', upTo: 2 } }, { name: 'A' }]
  await stage.publish(['a', '1'], ['a', '2'], ['a', '3'])
  const good = await stage.open(['a'], { lastEventId: 'A-2' })
  assert.deepEqual(good.sink.control('gap'), [])
  assert.deepEqual(good.sink.data, ['3'])
  const foreign = await stage.open(['a'], { lastEventId: 'A-3' })
  assert.deepEqual(foreign.sink.control('gap'), [
    { reason: 'epoch', channels: ['a'], from: 'A-3', to: 'B-0' },
  ])
  assert.deepEqual(foreign.sink.data, ['1', '2', '3'])
})

test('last begins with the newest events over all channels, and opens just before them', async () => {
  const stage = new Stage()
  await stage.publish(['a', '1'], ['b', '2'], ['a', '3'], ['c', '4'], ['b', '5'])
  const { sink } = await stage.open(['a', 'b'], { last: 3 })
  assert.deepEqual(sink.data, ['2', '3', '5'])
  assert.equal(sink.events[0]?.lastEventId, stage.cursor(1))
  await stage.publish(['a', '6'])
  assert.deepEqual(sink.data, ['2', '3', '5', '6'])
})

test('last of nothing begins at the frontier', async () => {
  const stage = new Stage()
  await stage.publish(['b', '1'])
  const { sink } = await stage.open(['a'], { last: 3 })
  assert.equal(sink.events[0]?.lastEventId, stage.cursor(1))
  assert.deepEqual(sink.data, [])
})

test('P6.2.1 no heartbeat comes before the opening, however long the log takes', async () => {
  const stage = new Stage({ heartbeatMs: 1_000 })
  await stage.publish(['a', '1'])
  const release = stage.log.hold()
  const { sink } = await stage.open(['a'], { last: 1 })
  await stage.clock.run(10_000)
  assert.equal(sink.text, '')
  release()
  await stage.clock.turn()
  assert.match(sink.text, /^retry: /)
  await stage.clock.run(1_000)
  assert.match(sink.text, /\n:\n$/)
})

test('a channel trimmed before the start is a gap, told once', async () => {
  const stage = new Stage({}, { retention: [{ channels: 'a', count: 600 }] })
  for (let n = 1; n <= 1_300; n++) await stage.append(['a', `${n}`], ['b', `${n}`])
  const { sink } = await stage.open(['a', 'b'], { after: 'start' })
  assert.equal(sink.control('gap').length, 1)
  assert.equal(sink.data.length, 600 + 1_300)
})

test('what is lost while a reader catches up is told, though it lies before what was told to be lost', async () => {
  const stage = new Stage(
    { recent: { records: 1, bytes: 1 } },
    {
      retention: [
        { channels: 'gone', age: 1_000 },
        { channels: 'going', age: 2_000 },
      ],
    },
  )
  await stage.append(['going', 'first'])
  for (let n = 0; n < 600; n++) await stage.append(['kept', `${n}`])
  await stage.append(['going', 'last'], ['gone', 'x'])
  await stage.clock.run(1_500)
  const { sink, reader } = await stage.open(['gone', 'going', 'kept'], { after: 'start' }, { room: 2 })
  const gaps = sink.control('gap') as { channels: string[] }[]
  assert.deepEqual(
    gaps.map(({ channels }) => channels),
    [['gone']],
  )
  await stage.clock.run(1_000)
  sink.room = Infinity
  reader.drained()
  await stage.clock.turn()
  const later = sink.control('gap') as { channels: string[] }[]
  assert.ok(later.slice(1).some(({ channels }) => channels.includes('going')))
})
