/** Readers by messages: what goes to many is made once, and what is slow is no buffer. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Page } from '@downlink/wire'
import { plainVariant, type Variant } from '../src/delivery/variant.ts'
import { PING, textFrame } from '../src/http/websocket/frames.ts'
import { FrameReader } from './simulation/messages.ts'
import { type Opened, type RecordingSink, Stage } from './simulation/stage.ts'

/** What a page was made into bytes from: so that it can be counted. */
function counted(): { readonly variant: Variant; readonly made: string[] } {
  const made: string[] = []
  const message = (page: string): Uint8Array => {
    made.push(page)
    return textFrame(page)
  }
  return { variant: { ...plainVariant, message }, made }
}

function pagesIn(sink: RecordingSink): readonly Page[] {
  const pages: Page[] = []
  const reader = new FrameReader(({ opcode, payload }) => {
    if (opcode === 1) pages.push(JSON.parse(payload.toString()) as Page)
  })
  for (const bytes of sink.writes) reader.feed(bytes)
  return pages
}

const dataOf = (sink: RecordingSink): readonly string[] =>
  pagesIn(sink).flatMap(({ events }) => events.map(({ data }) => data))

test('a flush is made into one page, and into bytes once, for all readers of a set', async () => {
  const stage = new Stage()
  const { variant, made } = counted()
  const readers: Opened[] = []
  for (let n = 0; n < 100; n++) readers.push(await stage.open(['a', 'b'], { after: 'now' }, { variant }))
  made.length = 0
  await stage.publish(['a', 'one'], ['b', 'two'], ['a', 'three'])
  assert.equal(made.length, 1)
  assert.equal(new Set(readers.map(({ sink }) => sink.writes.at(-1))).size, 1)
  for (const { sink } of readers) assert.deepEqual(dataOf(sink), ['one', 'two', 'three'])
})

test('what many catch up on from one cursor is read once, and made into bytes once', async () => {
  const stage = new Stage({ recent: { records: 1, bytes: 1 } })
  const { variant, made } = counted()
  await stage.publish(...Array.from({ length: 40 }, (_, n) => ['a', String(n)] as const))
  const before = stage.log.reads
  const readers = Array.from({ length: 50 }, () => stage.openNow(['a'], { after: 'start' }, variant))
  await stage.clock.turn()
  const events = made.filter((page) => JSON.parse(page).events.length > 0)
  assert.equal(events.length, 1)
  assert.ok(stage.log.reads - before <= 2)
  for (const { sink } of readers) assert.equal(dataOf(sink).length, 40)
})

test('from within a page that others read, it is what comes after the cursor', async () => {
  const stage = new Stage({ recent: { records: 1, bytes: 1 } })
  const { variant } = counted()
  const positions = await stage.publish(...Array.from({ length: 10 }, (_, n) => ['a', String(n)] as const))
  const first = stage.openNow(['a'], { after: 'start' }, variant)
  const later = [3, 6, 3].map((n) => {
    const cursor = { epoch: stage.epoch, position: positions[n]! }
    return stage.openNow(['a'], { after: cursor }, variant)
  })
  await stage.clock.turn()
  assert.equal(dataOf(first.sink).length, 10)
  assert.deepEqual(
    later.map(({ sink }) => dataOf(sink)[0]),
    ['4', '7', '4'],
  )
})

test('a page has at most 1 MiB of data, or one event; what shares a position stays together', async () => {
  const stage = new Stage()
  const { variant } = counted()
  const { sink } = await stage.open(['a', 'b'], { after: 'now' }, { variant })
  const half = 'x'.repeat(600_000)
  await stage.log.append(
    [half, half, '1', 'x'.repeat(1_048_577), '2'].map((data) => ({ channel: 'a', data })),
  )
  await stage.log.append([{ channel: 'b', data: '3' }], { end: ['b'] })
  await stage.clock.turn()
  const pages = pagesIn(sink).slice(1)
  assert.deepEqual(
    pages.map(({ events, more, ended }) => [events.map(({ data }) => data.length), more, ended]),
    [
      [[600_000], true, undefined],
      [[600_000, 1], true, undefined],
      [[1_048_577], true, undefined],
      [[1, 1], false, ['b']],
    ],
  )
  for (const { events, cursor, more } of pages) if (more) assert.equal(cursor, events.at(-1)?.id)
})

test('a reader whose connection is full is written nothing, and later has all of it', async () => {
  const stage = new Stage()
  const { variant } = counted()
  const { reader, sink } = await stage.open(['a'], { after: 'now' }, { variant, room: 2 })
  const writes = sink.writes.length
  await stage.publish(['a', '1'])
  await stage.publish(['a', '2'])
  await stage.publish(['a', '3'])
  assert.equal(sink.writes.length, writes + 1)
  assert.equal(reader.info.slowSince !== undefined, true)
  sink.room = Infinity
  reader.drained()
  await stage.clock.turn()
  assert.deepEqual(dataOf(sink), ['1', '2', '3'])
})

test('readers of blocks and of messages are told the same', async () => {
  const stage = new Stage()
  const { variant } = counted()
  const blocks = await stage.open(['a'])
  const messages = await stage.open(['a'], { after: 'now' }, { variant })
  await stage.publish(['a', 'one'], ['a', 'two'])
  assert.deepEqual(dataOf(messages.sink), blocks.sink.data)
  assert.deepEqual(
    [...stage.delivery.list()].map(({ transport }) => transport),
    ['sse', 'websocket'],
  )
  assert.equal(stage.delivery.webSockets, 1)
})

test('a frame is of the shortest form that holds its text', () => {
  for (const [length, header] of [
    [0, 2],
    [125, 2],
    [126, 4],
    [65_535, 4],
    [65_536, 10],
    [3_000_000, 10],
  ] as const) {
    const frame = textFrame('x'.repeat(length))
    assert.equal(frame.length, header + length)
    const seen: number[] = []
    new FrameReader(({ opcode, payload }) => seen.push(opcode, payload.length)).feed(frame)
    assert.deepEqual(seen, [1, length])
  }
  const frames: string[] = []
  const reader = new FrameReader(({ opcode, payload }) => frames.push(`${opcode} ${payload.toString()}`))
  reader.feed(Buffer.concat([textFrame('é🎉'), PING, textFrame('')]))
  assert.deepEqual(frames, ['1 é🎉', '9 ', '1 '])
})
