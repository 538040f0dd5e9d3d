/** Pages that readers share: who takes one is told what the log would have told, and what is no longer true is not passed on. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { PAGE_MS, PAGES_BYTES } from '../src/delivery/page-reads.ts'
import { plainVariant } from '../src/delivery/variant.ts'
import { createHub } from '../src/hub.ts'
import { ChannelSet } from '../src/log/channel-set.ts'
import type { Position } from '../src/log/log.ts'
import { settled } from './simulation/clock.ts'
import { type Opened, Stage } from './simulation/stage.ts'

/** So few recent records that whoever is behind takes pages; somebody has stayed, so that there are others to share with. */
async function stageOf(parts: readonly string[] = ['a'], options = {}): Promise<Stage> {
  const stage = new Stage({ recent: { records: 1, bytes: 1 } }, options)
  await stage.open(parts)
  return stage
}

/** Who comes back with the cursor of this position. */
function back(stage: Stage, position: Position, parts: readonly string[] = ['a']): Promise<Opened> {
  return stage.open(parts, { after: { epoch: stage.epoch, position } })
}

/** What was read of the log meanwhile. */
async function reads<T>(stage: Stage, act: () => Promise<T>): Promise<[T, number]> {
  const before = stage.log.reads
  const result = await act()
  return [result, stage.log.reads - before]
}

const numbers = (first: number, last: number): string[] =>
  Array.from({ length: last - first + 1 }, (_, n) => `${first + n}`)

async function publish(stage: Stage, first: number, last: number, channel = 'a'): Promise<void> {
  await stage.publish(...numbers(first, last).map((n) => [channel, n] as const))
}

test('who comes later, from the same place or further on, takes the page that was read, in the same bytes', async () => {
  const stage = await stageOf()
  await publish(stage, 1, 50)
  const first = await back(stage, 10)
  const [same, sameReads] = await reads(stage, () => back(stage, 10))
  const [further, furtherReads] = await reads(stage, () => back(stage, 30))
  assert.deepEqual(
    [first.sink.data, same.sink.data, further.sink.data],
    [numbers(11, 50), numbers(11, 50), numbers(31, 50)],
  )
  assert.deepEqual([sameReads, furtherReads], [0, 0])
  assert.equal(same.sink.writes.at(-1), first.sink.writes.at(-1))
  assert.equal(further.sink.writes.at(-1)?.buffer, first.sink.writes.at(-1)?.buffer)
})

test('bytes are those of the variant, wherever a reader begins, and however many bytes a character has', async () => {
  const stage = await stageOf()
  for (const data of ['zü', '日本', 'plain', '👍', 'end']) await stage.append(['a', data])
  await stage.clock.turn()
  for (const channel of [false, true]) {
    for (const position of [0, 1, 2, 3, 4]) {
      const variant = { ...plainVariant, channel }
      const { sink } = await stage.open(['a'], { after: { epoch: stage.epoch, position } }, { variant })
      assert.deepEqual(sink.data, ['zü', '日本', 'plain', '👍', 'end'].slice(position))
      assert.equal(sink.text.includes('channel: a'), channel)
      assert.match(Buffer.from(sink.writes.at(-1) as Uint8Array).toString(), /^id: /)
    }
  }
})

test('who comes from further back reads the log', async () => {
  const stage = await stageOf()
  await publish(stage, 1, 20)
  await back(stage, 10)
  const [{ sink }, count] = await reads(stage, () => back(stage, 9))
  assert.deepEqual([sink.data, count], [numbers(10, 20), 1])
})

test('readers of one long history read it once, though they come at different times', async () => {
  const stage = await stageOf()
  await publish(stage, 1, 2_000)
  const [one, alone] = await reads(stage, () => back(stage, 0))
  const [other, together] = await reads(stage, () => back(stage, 700))
  assert.deepEqual([one.sink.data, other.sink.data], [numbers(1, 2_000), numbers(701, 2_000)])
  assert.ok(alone >= 4 && together === 0, `${alone} reads, then ${together}`)
})

test('who comes while the log is read waits for that read, also from a little further on', async () => {
  const stage = await stageOf()
  await publish(stage, 1, 20)
  const release = stage.log.hold()
  const [opened, count] = await reads(stage, async () => {
    const all = [10, 10, 12, 15].map((position) =>
      stage.openNow(['a'], { after: { epoch: stage.epoch, position } }),
    )
    await stage.clock.turn()
    release()
    await stage.clock.turn()
    return all
  })
  assert.deepEqual(
    opened.map(({ sink }) => sink.data),
    [11, 11, 13, 16].map((first) => numbers(first, 20)),
  )
  assert.equal(count, 1)
})

test('those who waited for a read that does not reach them share the next one', async () => {
  const stage = await stageOf()
  const large = 'x'.repeat(70_000)
  await publish(stage, 1, 2)
  await stage.publish(['a', large], ['a', large], ['a', 'last'])
  const release = stage.log.hold()
  const [opened, count] = await reads(stage, async () => {
    const all = [2, 4, 4].map((position) =>
      stage.openNow(['a'], { after: { epoch: stage.epoch, position } }, plainVariant, position === 2 ? 2 : 9),
    )
    await stage.clock.turn()
    release()
    await stage.clock.turn()
    return all
  })
  assert.deepEqual([opened[1]?.sink.data, opened[2]?.sink.data], [['last'], ['last']])
  assert.equal(count, 2)
})

test('nobody waits for a read that is far behind, or ahead', async () => {
  const stage = await stageOf()
  await publish(stage, 1, 2_000)
  const release = stage.log.hold()
  const [, count] = await reads(stage, async () => {
    for (const position of [500, 1_012, 499]) {
      stage.openNow(['a'], { after: { epoch: stage.epoch, position } })
    }
    await stage.clock.turn()
  })
  release()
  assert.equal(count, 3)
})

test('who waited for a read and stands amid what was lost is told its own gap', async () => {
  const stage = await stageOf(['a'], { retention: [{ channels: 'a', count: 10 }] })
  await publish(stage, 1, 20)
  const release = stage.log.hold()
  const both = [5, 7].map((position) => stage.openNow(['a'], { after: { epoch: stage.epoch, position } }))
  await stage.clock.turn()
  release()
  await stage.clock.turn()
  assert.deepEqual(
    both.map(({ sink }) => sink.control('gap').map((gap) => (gap as { from: string }).from)),
    [[stage.cursor(5)], [stage.cursor(7)]],
  )
})

test('a page is passed on for a moment only', async () => {
  const stage = await stageOf()
  await publish(stage, 1, 20)
  await back(stage, 10)
  await stage.clock.run(PAGE_MS)
  assert.equal((await reads(stage, () => back(stage, 10)))[1], 0)
  await stage.clock.run(1)
  assert.equal((await reads(stage, () => back(stage, 10)))[1], 1)
})

test('a reader alone keeps no pages', async () => {
  const stage = new Stage({ recent: { records: 1, bytes: 1 } })
  await publish(stage, 1, 2_000)
  const { sink } = await back(stage, 0)
  assert.equal(sink.data.length, 2_000)
  assert.equal(stage.delivery.pages.weight, 0)
})

test('pages are kept up to a limit, over all channel sets; the oldest go first', async () => {
  const stage = await stageOf(['*'])
  const large = 'x'.repeat(60_000)
  const count = Math.ceil(PAGES_BYTES / 60_000) + 1
  for (let n = 0; n < count; n++) await stage.publish([n % 2 ? 'a' : 'b', large])
  for (const parts of [['a'], ['b']]) await stage.open(parts)
  // One page each: both sets take turns.
  for (let n = 0; n < count; n++) {
    const { reader } = await back(stage, n, [n % 2 ? 'a' : 'b'])
    reader.closed()
  }
  assert.ok(stage.delivery.pages.weight <= PAGES_BYTES)
  assert.ok(stage.delivery.pages.weight > PAGES_BYTES - 3 * 60_000)
})

test('when the last of a topic is gone its pages are', async () => {
  const stage = new Stage({ recent: { records: 1, bytes: 1 } })
  await publish(stage, 1, 20)
  const opened = [await stage.open(['a']), await back(stage, 10)]
  assert.ok(stage.delivery.pages.weight > 0)
  for (const { reader } of opened) reader.closed()
  assert.equal(stage.delivery.pages.weight, 0)
  assert.equal((await reads(stage, () => back(stage, 10)))[1], 1)
})

test('events of an erased channel are not told from a page that was read before', async () => {
  const stage = await stageOf(['a', 'b'])
  await stage.publish(['a', '1'], ['b', 'secret'], ['a', '2'])
  await back(stage, 0, ['a', 'b'])
  await stage.log.drop('b')
  const { sink } = await back(stage, 0, ['a', 'b'])
  assert.deepEqual(sink.data, ['1', '2'])
  assert.deepEqual((sink.control('gap')[0] as { reason: string }).reason, 'deleted')
})

for (const [who, late] of [
  ['by who comes while it is being read', true],
  ['by who comes after it was read', false],
] as const) {
  test(`nor from one that was being read at the time, ${who}`, async () => {
    const stage = await stageOf(['a', 'b'])
    await stage.publish(['a', '1'], ['b', 'secret'])
    const release = stage.log.hold()
    const early = stage.openNow(['a', 'b'], { after: 'start' })
    await stage.clock.turn()
    await stage.log.drop('b')
    const first = late && stage.openNow(['a', 'b'], { after: 'start' })
    await stage.clock.turn()
    release()
    await stage.clock.turn()
    const { sink } = first || (await back(stage, 0, ['a', 'b']))
    assert.deepEqual(sink.data, ['1'])
    // It came before, and is told afterwards that there was a drop.
    assert.equal(early.sink.control('gap').length, 1)
  })
}

test('a gap of the page is told to those at its beginning, and not to those who stand behind what was lost', async () => {
  const stage = await stageOf(['a', 'b'], { retention: [{ channels: 'b', count: 1 }] })
  // Lost: 1 to 3. Kept: 4, and 5 to 24.
  await stage.publish(['b', 'lost'], ['b', 'lost'], ['b', 'lost'], ['b', 'kept'])
  await publish(stage, 5, 24)
  const first = await back(stage, 1, ['a', 'b'])
  const [again, againReads] = await reads(stage, () => back(stage, 1, ['a', 'b']))
  const [behind, behindReads] = await reads(stage, () => back(stage, 3, ['a', 'b']))
  const [amid, amidReads] = await reads(stage, () => back(stage, 2, ['a', 'b']))
  assert.deepEqual(
    [first, again, behind, amid].map(({ sink }) =>
      sink.control('gap').map((gap) => (gap as { from: string }).from),
    ),
    [[stage.cursor(1)], [stage.cursor(1)], [], [stage.cursor(2)]],
  )
  assert.deepEqual([againReads, behindReads, amidReads], [0, 0, 1])
})

test('what is lost after a page was read is told by what comes behind it', async () => {
  const stage = await stageOf(['a'], { retention: [{ channels: 'a', count: 600 }] })
  await publish(stage, 1, 600)
  await back(stage, 0)
  // All but the last hundred of what the page told, and nothing else.
  await publish(stage, 601, 1_100)
  await publish(stage, 1_101, 1_700)
  const { sink } = await back(stage, 0)
  assert.deepEqual(sink.data, [...numbers(1, 600), ...numbers(1_101, 1_700)])
  assert.deepEqual(sink.control('gap').length, 1)
})

test('P6.2.4 of the ends before its start a reader within a page is told those of names, and none of patterns', async () => {
  const parts = ['named', 'n.*', 'a']
  const stage = await stageOf(parts)
  await stage.publish(['a', '1'])
  await stage.log.append([{ channel: 'named', data: 'x' }], { end: ['named'] })
  await stage.log.append([{ channel: 'n.x', data: 'y' }], { end: ['n.x'] })
  await publish(stage, 4, 9)
  await stage.log.append([{ channel: 'n.y', data: 'z' }], { end: ['n.y'] })
  await stage.clock.turn()
  await back(stage, 0, parts)
  const [{ sink }, count] = await reads(stage, () => back(stage, 5, parts))
  assert.deepEqual(sink.control('end'), [{ channel: 'named' }, { channel: 'n.y' }])
  assert.deepEqual(sink.data, [...numbers(6, 9), 'z'])
  assert.deepEqual(
    sink.events.filter(({ type }) => type === 'downlink:end').map(({ lastEventId }) => lastEventId),
    [stage.cursor(5), stage.cursor(10)],
  )
  assert.equal(count, 0)
})

test('an end that came since a page was read is told to who comes after it', async () => {
  const parts = ['a', 'b']
  const stage = await stageOf(parts)
  await publish(stage, 1, 5)
  await back(stage, 5, parts)
  await stage.log.append([], { end: ['b'] })
  await stage.clock.turn()
  const { sink } = await stage.open(parts)
  assert.deepEqual(sink.control('end'), [{ channel: 'b' }])
})

test('an end beyond a page that is not the last is told to who comes behind it', async () => {
  const parts = ['a', 'b']
  const stage = await stageOf(parts)
  await publish(stage, 1, 600)
  await stage.log.append([], { end: ['b'] })
  await stage.clock.turn()
  // It takes one page, and no more.
  await stage.open(parts, { after: 'start' }, { room: 2 })
  const { sink } = await stage.open(parts)
  assert.deepEqual(sink.control('end'), [{ channel: 'b' }])
})

test('an end before the start is told once, however many pages follow', async () => {
  const parts = ['a', 'b']
  const stage = await stageOf(parts)
  await stage.log.append([], { end: ['b'] })
  await publish(stage, 2, 1_500)
  const { sink } = await back(stage, 1, parts)
  assert.deepEqual(sink.control('end'), [{ channel: 'b' }])
  assert.equal(sink.data.length, 1_499)
})

test('who comes to what is read and told already does not ask the log, while events go on', async () => {
  const stage = await stageOf()
  await publish(stage, 1, 5)
  const [{ sink }] = await reads(stage, () => stage.open(['a']))
  const [late, count] = await reads(stage, async () => {
    await publish(stage, 6, 9)
    return stage.open(['a'])
  })
  await publish(stage, 10, 11)
  assert.deepEqual([sink.data, late.sink.data, count], [numbers(6, 11), numbers(10, 11), 0])
})

test('who comes to what the tail has not told yet asks the log', async () => {
  const stage = await stageOf(['a', 'b'])
  await publish(stage, 1, 5)
  await stage.open(['a', 'b'])
  const { listener } = stage.log
  assert.ok(listener)
  const own = listener.batch.bind(listener)
  const late: Parameters<typeof own>[0][] = []
  listener.batch = (batch) => void late.push(batch)
  await stage.log.append([], { end: ['b'] })
  const { sink } = await stage.open(['a', 'b'])
  listener.batch = own
  for (const batch of late) own(batch)
  await stage.clock.turn()
  assert.deepEqual(sink.control('end'), [{ channel: 'b' }])
})

test('after "lost" the log is asked again', async () => {
  const stage = await stageOf()
  await publish(stage, 1, 20)
  await back(stage, 10)
  stage.log.listener?.lost()
  await stage.clock.turn()
  assert.ok((await reads(stage, () => back(stage, 10)))[1] > 0)
})

test('a read that fails is nobody else’s but those who waited for it', async () => {
  const stage = await stageOf()
  await publish(stage, 1, 20)
  const release = stage.log.hold()
  const both = [10, 12].map((position) => stage.openNow(['a'], { after: { epoch: stage.epoch, position } }))
  await stage.clock.turn()
  stage.log.failure = new Error('away')
  release()
  await stage.clock.turn()
  assert.deepEqual(
    both.map(({ sink }) => sink.state),
    ['ended', 'ended'],
  )
  stage.log.failure = undefined
  assert.deepEqual((await back(stage, 10)).sink.data, numbers(11, 20))
})

test('a look whether a stream is over is read for the stream, too, and leaves nothing behind', async () => {
  const stage = new Stage({ recent: { records: 1, bytes: 1 } })
  await stage.publish(...Array.from({ length: 1_000 }, () => ['a', '.'] as const))
  const set = new ChannelSet(['a'])
  const [{ sink, reader }, count] = await reads(stage, async () => {
    assert.equal(await stage.delivery.mayBeOver(set, 10), false)
    return stage.openNow(['a'], { after: { epoch: stage.epoch, position: 10 } })
  })
  await settled()
  assert.deepEqual([sink.data.length, count], [990, 1])
  // The first page, and none of those that it read for itself.
  assert.equal(stage.delivery.pages.weight, 512)
  await stage.clock.turn()
  reader.closed()
  assert.deepEqual(stage.log.followed, [])
  assert.equal(await stage.delivery.mayBeOver(set, 1_000), false)
  await stage.clock.turn()
  assert.deepEqual(stage.log.followed, [])
})

test('P1.2.5 nobody is told to go for good by a page that was read before', async () => {
  const stage = new Stage()
  const hub = createHub({ log: stage.log, clock: stage.clock })
  const set = hub.channelSet(['a'])
  await hub.publish('a', { data: 'last' }, { end: true })
  const origin = { after: { epoch: stage.epoch, position: 1 } }
  assert.equal(await hub.isOver(set, origin), true)
  const { listener } = stage.log
  assert.ok(listener)
  const own = listener.batch.bind(listener)
  // What the tail tells comes late.
  listener.batch = (batch) => void stage.clock.after(100, () => own(batch))
  await hub.drop('a')
  await hub.publish('a', { data: 'new' })
  assert.equal(await hub.isOver(set, origin), false)
})
