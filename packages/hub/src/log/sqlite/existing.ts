/** Opens the database of a log that must be there already: for the commands that look at it and mend it. */
import { statSync } from 'node:fs'
import type { DatabaseSync } from 'node:sqlite'
import { LogError } from '../log.ts'
import { openForReading } from './open.ts'
import { formatOf, SCHEMA_VERSION } from './schema.ts'
import { toLogError } from './sqlite-error.ts'

/** Runs `work` on a connection that only reads. @throws {LogError} `log-unavailable` */
export function reading<T>(path: string, work: (db: DatabaseSync) => T): T {
  checkThere(path)
  let db: DatabaseSync | undefined
  try {
    db = openForReading(path)
    checkFormat(db, path)
    return work(db)
  } catch (error) {
    throw toLogError(error, path)
  } finally {
    db?.close()
  }
}

/** @throws {LogError} when there is no file */
export function checkThere(path: string): void {
  if (statSync(path, { throwIfNoEntry: false })?.isFile()) return
  throw new LogError('log-unavailable', `There is no log at ${path}: say where it is with --log sqlite:PATH`)
}

/** @throws {LogError} for a file that is none of ours, of a newer Downlink, or of an older one */
export function checkFormat(db: DatabaseSync, path: string): void {
  const format = formatOf(db, path)
  if (format === SCHEMA_VERSION) return
  throw new LogError(
    'log-unavailable',
    format === 0
      ? `${path} is empty: no hub has used it yet`
      : `${path} was written by an older Downlink (format ${format}): start a hub on it once, which brings it up to date`,
  )
}
