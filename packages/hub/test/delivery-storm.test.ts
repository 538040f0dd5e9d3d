/** Many readers that come at once: the log is read a few times and not once for each, and those that stayed are served meanwhile. */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { createHub } from '../src/hub.ts'
import type { Log, Position } from '../src/log/log.ts'
import { MemoryLog } from '../src/log/memory.ts'
import { SqliteLog } from '../src/log/sqlite/sqlite-log.ts'
import { settled } from './simulation/clock.ts'
import { RecordingSink, Stage } from './simulation/stage.ts'
import { tempFolder } from './sqlite/files.ts'

const READERS = 5_000
const BEHIND = 200

/** Counts the reads of a log from now on. */
function counted(log: Log): () => number {
  let reads = 0
  const read = log.read.bind(log)
  log.read = (...args) => {
    reads++
    return read(...args)
  }
  return () => reads
}

/** Its data as it comes in, and nothing else kept: there are thousands of them. */
class CountingSink extends RecordingSink {
  readonly seen: string[] = []
  override write(bytes: Uint8Array): boolean {
    const text = Buffer.from(bytes).toString()
    for (const [, data] of text.matchAll(/^id: .*\ndata: (\d+)$/gm)) this.seen.push(data as string)
    return true
  }
}

/** As many come back at once, ask as the HTTP face does, and then get everything up to the last event. */
async function storm(log: Log, spread: number): Promise<number> {
  const hub = createHub({ log, limits: { readers: 2 * READERS } })
  await using _ = hub
  const set = hub.channelSet(['a'])
  const publish = async (first: number, count: number): Promise<Position> => {
    const events = Array.from({ length: count }, (_, n) => ({ data: `${first + n}` }))
    await hub.publish('a', events)
    return log.state().frontier
  }
  const origin = { after: { epoch: log.state().epochs[0].name, position: await publish(1, 50) } }
  await publish(51, BEHIND)
  const reads = counted(log)
  const sinks = await Promise.all(
    Array.from({ length: READERS }, async (_, n) => {
      const { epoch, position } = origin.after
      const from = { after: { epoch, position: position - ((n * 7) % spread) } }
      assert.equal(await hub.isOver(set, from), false)
      const sink = new CountingSink()
      hub.open(set, from, sink)
      return { sink, first: 51 - ((n * 7) % spread) }
    }),
  )
  await publish(51 + BEHIND, 1)
  const last = `${51 + BEHIND}`
  const { promise: all, resolve } = Promise.withResolvers<void>()
  const look = (): unknown =>
    sinks.every(({ sink }) => sink.seen.at(-1) === last) ? resolve() : setImmediate(look)
  look()
  await all
  for (const { sink, first } of sinks) {
    const expected = Array.from({ length: 52 + BEHIND - first }, (_, n) => `${first + n}`)
    assert.deepEqual(sink.seen, expected)
  }
  return reads()
}

const engines = {
  memory: async () => new MemoryLog(),
  sqlite: async (folder: () => Promise<string>) => SqliteLog.open({ path: join(await folder(), 'log.db') }),
}

for (const [name, open] of Object.entries(engines)) {
  test(`${READERS} readers that come back at once from one place cost a few reads (${name})`, async (t) => {
    const reads = await storm(await open(() => tempFolder(t)), 1)
    t.diagnostic(`${reads} reads`)
    assert.ok(reads <= 10, `${reads} reads`)
  })

  test(`${READERS} readers that come back from twenty places cost at most a read a place (${name})`, async (t) => {
    const reads = await storm(await open(() => tempFolder(t)), 20)
    t.diagnostic(`${reads} reads`)
    assert.ok(reads <= 45, `${reads} reads`)
  })
}

test('of thousands who waited for one read a few are served in a turn, and whoever is live comes between', async () => {
  const stage = new Stage()
  const live = await stage.open(['a'])
  await stage.publish(...Array.from({ length: BEHIND }, (_, n) => ['a', `${n}`] as const))
  const release = stage.log.hold()
  const origin = { after: { epoch: stage.epoch, position: 0 } }
  const waiting = Array.from({ length: 1_000 }, () => stage.openNow(['a'], origin))
  await settled()
  release()
  await settled()
  const served = (): number => waiting.filter(({ sink }) => sink.writes.length > 1).length
  const perTurn = [served()]
  await stage.append(['a', 'live'])
  for (let turn = 0; served() < waiting.length; turn++) {
    assert.ok(turn < 50, `${served()} were served in ${turn} turns`)
    await stage.clock.turn()
    if (turn === 0) assert.equal(live.sink.data.at(-1), 'live')
    perTurn.push(served() - perTurn.reduce((sum, one) => sum + one, 0))
  }
  assert.ok(Math.max(...perTurn) <= 64, perTurn.join(' '))
  for (const { sink } of waiting) assert.equal(sink.data.at(-1), 'live')
})

test('a long replay on a connection that takes everything at once leaves the others their turns', async () => {
  const stage = new Stage()
  const live = await stage.open(['live'])
  for (let n = 0; n < 9; n++) await stage.append(...Array.from({ length: 1_000 }, () => ['a', '.'] as const))
  await stage.clock.turn()
  const { sink } = stage.openNow(['a'], { after: 'start' })
  await stage.append(['live', '1'])
  await stage.clock.turn()
  assert.deepEqual(live.sink.data, ['1'])
  // Eight pages before the turn ends and eight after it.
  assert.equal(sink.data.length, 16 * 512)
  for (let turn = 0; sink.data.length < 9_000; turn++) {
    assert.ok(turn < 5, `${sink.data.length} after ${turn} turns`)
    await stage.clock.turn()
  }
})
