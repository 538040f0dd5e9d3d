/** What happens to a log's files before its threads open them: lock, migrate, check, and the question whether anything was forgotten. */
import { randomUUID } from 'node:crypto'
import { existsSync, statSync } from 'node:fs'
import type { DatabaseSync } from 'node:sqlite'
import { newEpochName } from '../epoch.ts'
import { type Epoch, LogError, type LogState } from '../log.ts'
import { whatBroke } from './continuity.ts'
import { bootId, readGuard, writeGuard } from './guard-file.ts'
import { type Durability, openForWriting } from './open.ts'
import { formatOf, migrate } from './schema.ts'
import { toLogError } from './sqlite-error.ts'

export interface Prepared {
  readonly state: LogState
  /** Why the epoch changed, in a few words; absent when it did not, and for a new log. */
  readonly broke?: string
  /** The retention rules are not those of the last time. */
  readonly recheck: boolean
}

/** Ancestors remembered; a cursor of an older one is `unknown`. */
const MOST_EPOCHS = 1_000

/** @throws {LogError} `log-unavailable` */
export function prepare(path: string, durability: Durability, rules: string, random: () => number): Prepared {
  let db: DatabaseSync | undefined
  try {
    const found = existsSync(path)
    if (found && statSync(path).isDirectory()) {
      throw new LogError('log-unavailable', `${path} is a folder: name a file in it, such as ${path}/log.db`)
    }
    db = openForWriting(path, durability, (before) => void formatOf(before, path))
    // One commit for everything: each of its own would be another wait for the disk.
    db.exec('BEGIN IMMEDIATE')
    migrate(db, path)
    const log = ownName(db)
    const frontier = numberOf(db, 'frontier')
    const broke =
      found && epochsOf(db).length > 0
        ? whatBroke({ log, frontier, guard: readGuard(path), boot: bootId() })
        : 'it is new'
    if (broke !== undefined) addEpoch(db, newEpochName(random), frontier)
    const lastRules = swapMeta(db, 'rules', rules)
    const recheck = lastRules !== undefined && lastRules !== rules
    const epochs = epochsOf(db) as [Epoch, ...Epoch[]]
    db.exec('COMMIT')
    writeGuard(path, { log, position: frontier, time: Date.now(), clean: false, durability, boot: bootId() })
    return {
      state: { epochs, frontier },
      recheck,
      ...(broke === undefined || epochs.length === 1 ? {} : { broke }),
    }
  } catch (error) {
    throw toLogError(error, path)
  } finally {
    db?.close()
  }
}

/** Newest first. */
export function epochsOf(db: DatabaseSync): Epoch[] {
  const rows = db.prepare('SELECT name, parent_up_to FROM epochs ORDER BY ordinal').all()
  return rows
    .map((row, index): Epoch => {
      const parent = rows[index - 1]
      const name = String(row.name)
      return parent && row.parent_up_to !== null
        ? { name, parent: { name: String(parent.name), upTo: Number(row.parent_up_to) } }
        : { name }
    })
    .reverse()
}

function addEpoch(db: DatabaseSync, name: string, upTo: number): void {
  db.prepare(
    'INSERT INTO epochs (name, parent_up_to) VALUES (?, (SELECT ? WHERE EXISTS (SELECT 1 FROM epochs)))',
  ).run(name, upTo)
  db.prepare('DELETE FROM epochs WHERE ordinal <= (SELECT max(ordinal) FROM epochs) - ?').run(MOST_EPOCHS)
}

/** A name that the database and its guard share, given once. */
function ownName(db: DatabaseSync): string {
  db.prepare("INSERT OR IGNORE INTO meta VALUES ('log', ?)").run(randomUUID())
  return String(db.prepare("SELECT value FROM meta WHERE name = 'log'").get()?.value)
}

function numberOf(db: DatabaseSync, name: string): number {
  return Number(db.prepare('SELECT value FROM meta WHERE name = ?').get(name)?.value)
}

function swapMeta(db: DatabaseSync, name: string, value: string): unknown {
  const before = db.prepare('SELECT value FROM meta WHERE name = ?').get(name)?.value
  db.prepare('INSERT OR REPLACE INTO meta VALUES (?, ?)').run(name, value)
  return before
}
