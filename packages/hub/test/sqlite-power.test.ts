/**
 * The power goes, at any moment: what the disk could then hold is worked out from all writes and syncs of a real hub, and opened.
 *
 *   DOWNLINK_POWER_MOMENTS=1000 DOWNLINK_POWER_SEED=7   so many moments instead of 30, those of this seed
 */
import assert from 'node:assert/strict'
import { statSync, writeFileSync } from 'node:fs'
import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test, type TestContext } from 'node:test'
import { parseCursor } from '@downlink/wire'
import { ChannelSet } from '../src/log/channel-set.ts'
import { readGuard } from '../src/log/sqlite/guard-file.ts'
import { SqliteLog } from '../src/log/sqlite/sqlite-log.ts'
import { Random } from './simulation/random.ts'
import { compileJournal, Disk, type Operation, readJournal } from './sqlite/disk-journal.ts'
import { changeGuard, tempFolder } from './sqlite/files.ts'
import { HubProcess } from './sqlite/hub-process.ts'
import { post } from './wire-contract/client.ts'

const moments = Number(process.env['DOWNLINK_POWER_MOMENTS'] ?? 30)
const seed = Number(process.env['DOWNLINK_POWER_SEED'] ?? Math.floor(Math.random() * 2 ** 31))
const PUBLISHERS = 12
/** Enough for the WAL to be moved into the database a few times. */
const EVENTS = 900
/** So many operations make a new log. */
const FIRST = 100
const FILLER = 'x'.repeat(6_000)

interface Recorded {
  readonly operations: readonly Operation[]
  /** What was acknowledged, and how long the journal was by then. */
  readonly acknowledged: readonly { readonly id: string; readonly data: string; readonly by: number }[]
}

/** A hub at work, and everything it did to its disk. */
async function record(t: TestContext, durability: 'fsync' | 'os'): Promise<Recorded | undefined> {
  const folder = await tempFolder(t)
  const library = join(folder, 'journal.so')
  try {
    compileJournal(library)
  } catch {
    t.skip('needs gcc on Linux: what a process writes is seen by a library that is put before its own')
    return undefined
  }
  const [data, journal] = [join(folder, 'data'), join(folder, 'journal')]
  await mkdir(data)
  const hub = new HubProcess({ LD_PRELOAD: library, DISK_JOURNAL: journal, DISK_JOURNAL_FOLDER: data })
  t.after(() => hub.kill())
  const { url } = await hub.open({ path: join(data, 'log.db'), durability })
  const acknowledged: { id: string; data: string; by: number }[] = []
  const publisher = async (name: number): Promise<void> => {
    for (let count = name; count < EVENTS; count += PUBLISHERS) {
      const text = `${count}:${FILLER}`
      const [id] = await post(`${url}/channels/c.${count % 7}`, text)
      acknowledged.push({ id: id as string, data: text, by: statSync(journal).size })
    }
  }
  await Promise.all(Array.from({ length: PUBLISHERS }, (_, name) => publisher(name)))
  await hub.kill()
  return { operations: readJournal(journal), acknowledged }
}

/** A third of them while the log is made, and a third while the WAL is moved into the database. */
function chooseMoments(operations: readonly Operation[], random: Random, count: number): readonly number[] {
  const checkpoints = operations.flatMap(({ name }, index) =>
    name === 'log.db' && index > FIRST ? index : [],
  )
  assert.ok(checkpoints.length > 500, 'the WAL was moved into the database')
  const chosen = Array.from({ length: count }, (_, index) => {
    if (index % 3 === 0) return random.int(0, FIRST)
    return index % 3 === 1 ? random.pick(checkpoints) : random.int(FIRST, operations.length)
  })
  return chosen.toSorted((one, other) => one - other)
}

/** Events that were acknowledged and are gone. What is found is sound, whatever else it is. */
async function lostAt(
  folder: string,
  files: ReadonlyMap<string, Buffer>,
  acknowledged: Recorded['acknowledged'],
): Promise<number> {
  await mkdir(folder)
  try {
    for (const [name, content] of files) writeFileSync(join(folder, name), content)
    const path = join(folder, 'log.db')
    const found = readGuard(path)
    // As if it were the same file, on the same disk, after a reboot.
    if (found) changeGuard(path, { file: found.file, boot: 'the last one' })
    const log = await SqliteLog.open({ path })
    try {
      const stored = new Map<number, string>()
      for (let after = 0, more = true; more;) {
        const page = await log.read(new ChannelSet(['**']), { after }, { events: 1_000, bytes: 2 ** 24 })
        for (const { position, data } of page.events) stored.set(position, data)
        after = page.cursor
        more = page.more
      }
      const lost = acknowledged.filter(({ id, data }) => stored.get(parseCursor(id).position) !== data).length
      const { name } = log.state().epochs[0]
      if (lost > 0)
        assert.ok(
          acknowledged.every(({ id }) => parseCursor(id).epoch !== name),
          'lost, and told',
        )
      if (found?.guard.durability === 'fsync')
        assert.equal(log.broke, undefined, 'nothing lost, nothing told')
      return lost
    } finally {
      await log.close()
      const db = new DatabaseSync(path)
      assert.deepEqual({ ...db.prepare('PRAGMA integrity_check').get() }, { integrity_check: 'ok' })
      db.close()
    }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/** At how many of the moments something was lost. */
async function losses(
  t: TestContext,
  { operations, acknowledged }: Recorded,
  count: number,
): Promise<number> {
  const random = new Random(seed)
  const folder = await tempFolder(t)
  const disk = new Disk()
  let done = 0
  let lossy = 0
  for (const moment of chooseMoments(operations, random, count)) {
    for (; done < moment; done++) disk.apply(operations[done] as Operation)
    const length = operations[moment - 1]?.end ?? 0
    const before = acknowledged.filter(({ by }) => by <= length)
    const lost = await lostAt(join(folder, 'found'), disk.afterPowerLoss(random), before)
    if (lost > 0) lossy++
  }
  t.diagnostic(`DOWNLINK_POWER_SEED=${seed}: something was lost at ${lossy} of ${count} moments`)
  return lossy
}

const slow = { timeout: 60_000 + moments * 2_000 }

test(
  'with durability fsync nothing acknowledged is lost when the power goes, at any moment',
  slow,
  async (t) => {
    const recorded = await record(t, 'fsync')
    if (recorded) assert.equal(await losses(t, recorded, moments), 0)
  },
)

test('with durability os something is, so that these tests would see it', slow, async (t) => {
  const recorded = await record(t, 'os')
  if (recorded) assert.ok((await losses(t, recorded, 40)) > 0)
})
