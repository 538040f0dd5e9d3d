/**
 * Claim: the SQLite log acknowledges durable events about as fast as one disk can be shared, because all appends that arrive
 * while a commit runs go into the next.
 *
 *   node --conditions=@downlink/source bench/log-append.ts [seconds]
 *
 * The peer is the same SQLite on the same disk without sharing: one transaction with its fsync for each event, as a program
 * would write it. Each run counts acknowledgements, and reads everything back to see that all of it is there, in order.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { ChannelSet } from '../packages/hub/src/log/channel-set.ts'
import type { Log } from '../packages/hub/src/log/log.ts'
import { MemoryLog } from '../packages/hub/src/log/memory.ts'
import { SqliteLog } from '../packages/hub/src/log/sqlite/sqlite-log.ts'
import { check, Latencies, rate } from './measure.ts'

const SECONDS = Number(process.argv[2] ?? 5)
const CHANNELS = Array.from({ length: 100 }, (_, index) => `orders.${index}`)
const DATA = 'x'.repeat(200)
const KEEP = { retention: [{ channels: '**', count: Infinity, age: Infinity, bytes: Infinity }] }

const folder = mkdtempSync(join(tmpdir(), 'downlink-bench-'))
try {
  const alone = unshared(join(folder, 'unshared.db'))
  console.log(`one transaction an event           ${rate(alone, SECONDS * 1000)}`)
  for (const [publishers, batch] of [
    [1, 1],
    [8, 1],
    [64, 1],
    [256, 1],
    [8, 100],
  ] as const) {
    for (const durability of ['fsync', 'os'] as const) {
      const path = join(folder, `${publishers}-${batch}-${durability}.db`)
      await run(
        `sqlite, ${durability}`,
        await SqliteLog.open({ path, durability, ...KEEP }),
        publishers,
        batch,
        alone,
      )
    }
    await run('memory', new MemoryLog({ ...KEEP, maxBytes: Infinity }), publishers, batch, alone)
  }
} finally {
  rmSync(folder, { recursive: true })
}

/** Acknowledgements of one program that commits each event by itself. */
function unshared(path: string): number {
  const db = new DatabaseSync(path)
  db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL')
  db.exec(
    'CREATE TABLE events (position INTEGER PRIMARY KEY, channel TEXT, data TEXT); CREATE INDEX i ON events (channel, position)',
  )
  const insert = db.prepare('INSERT INTO events (channel, data) VALUES (?, ?)')
  let count = 0
  for (const end = performance.now() + SECONDS * 1000; performance.now() < end; count++) {
    insert.run(CHANNELS[count % CHANNELS.length] as string, DATA)
  }
  db.close()
  return count
}

async function run(name: string, log: Log, publishers: number, batch: number, peer: number): Promise<void> {
  const latencies = new Latencies()
  let count = 0
  const begun = performance.now()
  const end = begun + SECONDS * 1000
  const cpu = process.cpuUsage()
  await Promise.all(
    Array.from({ length: publishers }, async (_, publisher) => {
      for (let turn = publisher; performance.now() < end; turn++) {
        const channel = CHANNELS[turn % CHANNELS.length] as string
        const sent = performance.now()
        await log.append(Array.from({ length: batch }, () => ({ channel, data: DATA })))
        latencies.add(performance.now() - sent)
        count += batch
      }
    }),
  )
  const elapsed = performance.now() - begun
  const { user, system } = process.cpuUsage(cpu)
  await readBack(log, count)
  await log.close()
  const ratio = (count / elapsed / (peer / (SECONDS * 1000))).toFixed(1)
  const cost = ((user + system) / count).toFixed(1)
  console.log(
    `${name.padEnd(14)} ${publishers} × ${batch}`.padEnd(34),
    `${rate(count, elapsed)}, × ${ratio}, ${cost} µs CPU an event, ${String(latencies)}`,
  )
}

async function readBack(log: Log, count: number): Promise<void> {
  const all = new ChannelSet(['**'])
  let seen = 0
  let last = 0
  for (;;) {
    const page = await log.read(all, { after: last }, { events: 5_000, bytes: Infinity })
    check(page.gap === undefined, 'there is a gap')
    for (const event of page.events)
      check(event.position > last && (last = event.position) > 0, 'the order is wrong')
    seen += page.events.length
    if (!page.more) break
  }
  check(seen === count, `${count} were acknowledged, and ${seen} are there`)
}
