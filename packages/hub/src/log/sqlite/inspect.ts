/** What a log holds, without disturbing who uses it. */
import { statSync } from 'node:fs'
import type { DatabaseSync } from 'node:sqlite'
import { formatCursor } from '@downlink/wire'
import type { Epoch } from '../log.ts'
import { reading } from './existing.ts'
import { guardPath, readGuard } from './guard-file.ts'
import { lockHolder } from './lock.ts'
import { epochsOf } from './prepare.ts'

export interface LogFacts {
  readonly path: string
  /** Of the database, of what is on its way into it, and of the guard; bytes, 0 for a file that is not there. */
  readonly files: { readonly db: number; readonly wal: number; readonly guard: number }
  /** Bytes of the database that hold nothing at present. */
  readonly free: number
  readonly format: number
  readonly epoch: string
  /** The present epoch and those before it. */
  readonly epochs: number
  readonly frontier: number
  /** Of the frontier: what `after=` takes. */
  readonly cursor: string
  readonly channels: number
  readonly events: number
  /** UTF-16 units of data. */
  readonly bytes: number
  /** Of the oldest and the newest event, in milliseconds since 1970; undefined when there is none. */
  readonly oldest?: number
  readonly newest?: number
  /** `in use`: by a hub. `unclean`: the last hub did not close it, which the next one settles by itself. */
  readonly standing: 'clean' | 'in use' | 'unclean'
}

/** @throws {LogError} `log-unavailable` */
export function inspect(path: string): LogFacts {
  return reading(path, (db) => {
    const [{ name: epoch }, ...older] = epochsOf(db) as [Epoch, ...Epoch[]]
    const frontier = numberOf(db, "SELECT value FROM meta WHERE name = 'frontier'")
    const counts = db
      .prepare('SELECT count(*) AS channels, sum(events) AS events, sum(size) AS size FROM channels')
      .get()
    const oldest = timeOf(db, 'ASC')
    const newest = timeOf(db, 'DESC')
    return {
      path,
      files: { db: sizeOf(path), wal: sizeOf(`${path}-wal`), guard: sizeOf(guardPath(path)) },
      free: numberOf(db, 'PRAGMA freelist_count') * numberOf(db, 'PRAGMA page_size'),
      format: numberOf(db, 'PRAGMA user_version'),
      epoch,
      epochs: older.length + 1,
      frontier,
      cursor: formatCursor({ epoch, position: frontier }),
      channels: Number(counts?.channels),
      events: Number(counts?.events ?? 0),
      bytes: Number(counts?.size ?? 0),
      ...(oldest !== undefined && { oldest }),
      ...(newest !== undefined && { newest }),
      standing: standingOf(path),
    }
  })
}

function standingOf(path: string): LogFacts['standing'] {
  if (lockHolder(path) !== undefined) return 'in use'
  return readGuard(path)?.guard.clean === true ? 'clean' : 'unclean'
}

/** Of the first event in this order that is not the rest of an erased channel. */
function timeOf(db: DatabaseSync, order: 'ASC' | 'DESC'): number | undefined {
  const row = db
    .prepare(
      `SELECT e.time FROM events e JOIN channels c ON c.id = e.channel
        WHERE e.position > max(c.trimmed_to, c.deleted_to) ORDER BY e.position ${order} LIMIT 1`,
    )
    .get()
  return row && Number(row.time)
}

function numberOf(db: DatabaseSync, sql: string): number {
  return Number(Object.values(db.prepare(sql).get() ?? {})[0])
}

function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0
}
