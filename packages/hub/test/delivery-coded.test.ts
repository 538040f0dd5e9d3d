/** Readers whose streams are coded are told the same as others, in fewer bytes. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { inflateRawSync } from 'node:zlib'
import fc from 'fast-check'
import { coderOf } from '../src/delivery/coding/coding.ts'
import { NOBODY } from '../src/delivery/holder.ts'
import { startOf } from '../src/delivery/start.ts'
import { plainVariant } from '../src/delivery/variant.ts'
import { ChannelSet } from '../src/log/channel-set.ts'
import { settled } from './simulation/clock.ts'
import { type Opened, RecordingSink, Stage } from './simulation/stage.ts'

const coding = 'gzip'
const large = (name: string): string => `${name} ${'the same again and again '.repeat(60)}`

async function crowd(stage: Stage, parts: readonly string[], count = 8): Promise<readonly Opened[]> {
  return Promise.all(Array.from({ length: count }, () => stage.open(parts, { after: 'now' }, { coding })))
}

/** By the kind of the deflate block that these bytes begin with. */
function isPacked(piece: Uint8Array): boolean {
  return (piece[0]! & 0b110) !== 0
}

test('what goes to eight is packed once, and all are given the very same bytes', async () => {
  const stage = new Stage()
  const readers = await crowd(stage, ['a'])
  await stage.publish(['a', large('one')], ['a', large('two')])
  const pieces = readers.map(({ sink }) => sink.writes.at(-1)!)
  assert.equal(new Set(pieces).size, 1)
  assert.ok(isPacked(pieces[0]!) && pieces[0]!.length < 500)
  for (const { sink } of readers) assert.deepEqual(sink.data, [large('one'), large('two')])
})

test('what goes to seven is stored, in the same bytes for all', async () => {
  const stage = new Stage()
  const readers = await crowd(stage, ['a'], 7)
  await stage.publish(['a', large('one')])
  const pieces = readers.map(({ sink }) => sink.writes.at(-1)!)
  assert.equal(new Set(pieces).size, 1)
  assert.ok(!isPacked(pieces[0]!) && pieces[0]!.length > large('one').length)
})

test('less than 512 bytes are stored, whoever gets them', async () => {
  const stage = new Stage()
  const [first] = await crowd(stage, ['a'])
  await stage.publish(['a', 'x'.repeat(400)])
  assert.ok(!isPacked(first!.sink.writes.at(-1)!))
  assert.deepEqual(first!.sink.data, ['x'.repeat(400)])
})

test('channels that are named one by one never share a packed block', async () => {
  const stage = new Stage()
  const [first] = await crowd(stage, ['open', 'secret'])
  await stage.publish(['open', large('guess')], ['secret', large('guess')], ['open', large('guess')])
  const piece = first!.sink.writes.at(-1)!
  // Of the second and third, nothing is told by the first: each takes as much as it does alone.
  const alone = new Stage()
  const [other] = await crowd(alone, ['open'])
  await alone.publish(['open', large('guess')])
  const once = other!.sink.writes.at(-1)!.length
  assert.ok(Math.abs(piece.length - 3 * once) < 30, `${piece.length} bytes, once ${once}`)
  const text = inflateRawSync(Buffer.concat([piece, Buffer.from([3, 0])])).toString()
  assert.equal(text.split('guess').length, 4)
})

test('channels of one pattern share a block: who may read the one may read the other', async () => {
  const stage = new Stage()
  const [first] = await crowd(stage, ['n.*'])
  await stage.publish(['n.a', large('guess')], ['n.b', large('guess')])
  const shared = first!.sink.writes.at(-1)!.length
  const alone = new Stage()
  const [other] = await crowd(alone, ['n.*'])
  await alone.publish(['n.a', large('guess')])
  assert.ok(shared < 1.5 * other!.sink.writes.at(-1)!.length)
})

test('readers of gzip and of none are in different audiences, and are told the same', async () => {
  const stage = new Stage()
  const [coded] = await crowd(stage, ['a'])
  const plain = await stage.open(['a'])
  await stage.publish(['a', large('one')])
  assert.ok(plain.sink.writes.at(-1)!.length > coded!.sink.writes.at(-1)!.length)
  assert.deepEqual(plain.sink.data, coded!.sink.data)
})

test('heartbeats, cursors, gaps and ends are in the stream, and its trailer is right', async () => {
  const stage = new Stage({ heartbeatMs: 15_000, cursorMs: 60_000 })
  const { sink } = await stage.open(['a', 'b'], { lastEventId: 'other-7' }, { coding })
  await stage.publish(['a', large('one')])
  await stage.clock.run(61_000)
  await stage.log.drop('b')
  await stage.log.append([], { end: ['a', 'b'] })
  await stage.clock.turn()
  assert.equal(sink.state, 'ended')
  assert.match(sink.text, /\n:\n/)
  assert.deepEqual(sink.data, [large('one')])
  assert.equal(sink.control('gap').length, 1)
  assert.ok(sink.control('cursor').length > 0)
  assert.deepEqual(sink.control('end'), [{ channel: 'a' }, { channel: 'b' }])
})

test('a stream that drains before its first page was read is an empty one, and whole', async () => {
  const stage = new Stage()
  await stage.append(['a', '1'])
  const release = stage.log.hold()
  const { sink } = stage.openNow(['a'], { last: 1 }, undefined, undefined, coding)
  stage.delivery.endAll()
  release()
  await settled()
  assert.deepEqual([sink.state, sink.text], ['ended', ''])
})

test('eight who catch up are given one page, packed once', async () => {
  const stage = new Stage({ recent: { records: 0, bytes: 0 } })
  for (let count = 0; count < 5; count++) await stage.publish(['a', large(`${count}`)])
  const readers = Array.from({ length: 9 }, () =>
    stage.openNow(['a'], { after: 'start' }, undefined, undefined, coding),
  )
  await stage.clock.turn()
  await stage.clock.run(100)
  const pages = readers.map(({ sink }) => sink.writes.find((piece) => piece.length > 100))
  assert.ok(isPacked(pages[0]!))
  assert.equal(new Set(pages).size, 1)
  for (const { sink } of readers) assert.equal(sink.data.length, 5)
})

test('one who catches up alone is given a page that is stored', async () => {
  const stage = new Stage({ recent: { records: 0, bytes: 0 } })
  await stage.publish(['a', large('one')])
  const { sink } = stage.openNow(['a'], { after: 'start' }, undefined, undefined, coding)
  await stage.clock.run(100)
  assert.deepEqual(sink.data, [large('one')])
  assert.equal(isPacked(sink.writes[1]!), false)
})

test('who stands in the middle of a page gets the rest of it, and takes nothing from those who want all', async () => {
  const stage = new Stage({ recent: { records: 0, bytes: 0 } })
  const positions: number[] = []
  for (let count = 0; count < 5; count++) positions.push(...(await stage.publish(['a', large(`${count}`)])))
  const from = (position: number): Opened => {
    const after = { epoch: stage.epoch, position }
    return stage.openNow(['a'], { after }, undefined, undefined, coding)
  }
  const all = Array.from({ length: 4 }, () => from(0))
  const some = Array.from({ length: 4 }, () => from(positions[2]!))
  const more = Array.from({ length: 4 }, () => from(0))
  await stage.clock.run(100)
  for (const { sink } of [...all, ...more]) assert.equal(sink.data.length, 5)
  for (const { sink } of some) assert.deepEqual(sink.data, [large('3'), large('4')])
})

test('readers of two variants are given two pages', async () => {
  const stage = new Stage({ recent: { records: 0, bytes: 0 } })
  await stage.publish(['a', large('one')])
  const readers = [false, true].map((channel) =>
    Array.from({ length: 8 }, () =>
      stage.openNow(['a'], { after: 'start' }, { ...plainVariant, channel }, undefined, coding),
    ),
  )
  await stage.clock.run(100)
  for (const { sink } of readers[0]!) assert.equal(sink.events.at(-1)?.channel, undefined)
  for (const { sink } of readers[1]!) assert.equal(sink.events.at(-1)?.channel, 'a')
})

test('channels that are named one by one share no packed block of a page either', async () => {
  const lengthOf = async (...channels: readonly string[]): Promise<number> => {
    const stage = new Stage({ recent: { records: 0, bytes: 0 } })
    await stage.publish(...channels.map((channel) => [channel, large('guess')] as const))
    const readers = Array.from({ length: 8 }, () =>
      stage.openNow(['open', 'secret'], { after: 'start' }, undefined, undefined, coding),
    )
    await stage.clock.run(100)
    const { sink } = readers[0]!
    assert.equal(sink.data.length, channels.length)
    assert.ok(isPacked(sink.writes[1]!))
    return sink.writes[1]!.length
  }
  const once = await lengthOf('open')
  assert.ok((await lengthOf('open', 'secret')) > 1.8 * once)
  assert.ok((await lengthOf('open', 'open')) < 1.5 * once)
})

/** Fails when it is written to while it is full. */
class StrictSink extends RecordingSink {
  broken = false
  override write(bytes: Uint8Array): boolean {
    if (this.room <= 0) this.broken = true
    return super.write(bytes)
  }
}

test('a gap and the page behind it are one write: a sink that is full is left alone', async () => {
  const stage = new Stage({ recent: { records: 0, bytes: 0 } }, { retention: [{ channels: '**', count: 1 }] })
  await crowd(stage, ['a'])
  await stage.publish(['a', 'lost'], ['a', large('one')])
  const sink = new StrictSink(coding)
  // The opening, then one more.
  sink.room = 2
  const start = startOf({ after: 'start' }, stage.log.state())
  stage.delivery.open(new ChannelSet(['a']), start, plainVariant, sink, NOBODY, coderOf(coding))
  await stage.clock.turn()
  await stage.clock.run(100)
  assert.deepEqual([sink.control('gap').length, sink.data], [1, [large('one')]])
  assert.equal(sink.broken, false)
})

test('whatever comes and goes, coded readers decode what plain ones are told', async () => {
  const channel = fc.constantFrom('a', 'b', 'n.x', 'n.y')
  const act = fc.oneof(
    {
      weight: 5,
      arbitrary: fc.record({
        do: fc.constant('publish' as const),
        events: fc.array(fc.tuple(channel, fc.constantFrom(3, 80, 600, 20_000, 70_000)), {
          minLength: 1,
          maxLength: 5,
        }),
      }),
    },
    {
      weight: 3,
      arbitrary: fc.record({
        do: fc.constant('open' as const),
        start: fc.boolean(),
        room: fc.constantFrom(2, 4, Infinity),
      }),
    },
    {
      weight: 2,
      arbitrary: fc.record({ do: fc.constant('drain' as const), reader: fc.nat(30), room: fc.nat(4) }),
    },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('beat' as const) }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('drop' as const), channel }) },
  )
  await fc.assert(
    fc.asyncProperty(fc.array(act, { maxLength: 40 }), fc.constantFrom(0, 3, 4096), async (acts, records) => {
      const stage = new Stage({ recent: { records, bytes: 2 ** 24 } })
      const parts = ['a', 'b', 'n.*']
      const plain = await stage.open(parts, { after: 'start' })
      const readers = [...(await crowd(stage, parts, 7))]
      let count = 0
      for (const one of acts) {
        switch (one.do) {
          case 'publish':
            await stage.append(
              ...one.events.map(([name, size]) => [name, `${++count} ${'ab'.repeat(size / 2)}`] as const),
            )
            break
          case 'open': {
            const after = one.start ? 'start' : 'now'
            readers.push(stage.openNow(parts, { after }, undefined, one.room, coding))
            break
          }
          case 'drain': {
            const reader = readers[one.reader % readers.length]!
            if (!reader.reader.full) break
            reader.sink.room = one.room + 1
            reader.reader.drained()
            break
          }
          case 'drop':
            await stage.log.drop(one.channel)
            break
          case 'beat':
            await stage.clock.run(15_000)
        }
        await stage.clock.run(100)
      }
      for (let full = readers.filter(({ reader }) => reader.full); full.length > 0;) {
        for (const { reader, sink } of full) {
          sink.room = Infinity
          reader.drained()
        }
        await stage.clock.run(5_000)
        full = readers.filter(({ reader }) => reader.full)
      }
      stage.delivery.endAll()
      const told = plain.sink.data
      // Who was full then is not told any more what was erased.
      const dropped = acts.some((one) => one.do === 'drop')
      for (const { sink } of readers) {
        assert.equal(sink.state, 'ended')
        const { data } = sink
        if (dropped) assert.ok(isPartOf(data, told))
        else assert.deepEqual(data, data.length === 0 ? [] : told.slice(-data.length))
      }
      assert.deepEqual(stage.errors, [])
    }),
    { numRuns: 60 },
  )
})

/** Whether all of the one are in the other, in that order. */
function isPartOf(some: readonly string[], all: readonly string[]): boolean {
  let at = 0
  for (const one of all) if (one === some[at]) at++
  return at === some.length
}
