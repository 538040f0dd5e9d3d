/** One hub a log: a lock that the kernel lets go of when its holder dies, however it dies. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { LogError } from '../log.ts'
import { isBusy, toLogError } from './sqlite-error.ts'

export interface Lock {
  release(): void
}

/** SQLite's own locking of files is all that this database of nothing is for: Node has no other. @throws {LogError} `log-unavailable` */
export function lock(path: string): Lock {
  makeFolder(path)
  // Who only looks whether it is held (`lockHolder`) holds it for a moment, too.
  let db: DatabaseSync | undefined
  try {
    db = new DatabaseSync(`${path}-lock`, { timeout: 250 })
    db.exec('PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE')
  } catch (cause) {
    db?.close()
    if (!isBusy(cause)) throw toLogError(cause, path)
    throw new LogError(
      'log-unavailable',
      `${path} is in use by another hub${holderOf(path)}: stop it, or choose another path`,
      {
        cause,
      },
    )
  }
  const held = db
  try {
    writeFileSync(`${path}-pid`, `${process.pid}\n`)
  } catch {
    // It is for people only.
  }
  return { release: () => held.close() }
}

/** Who holds the lock of a log, in words; undefined when nobody does. */
export function lockHolder(path: string): string | undefined {
  if (!existsSync(`${path}-lock`)) return undefined
  const db = new DatabaseSync(`${path}-lock`, { readOnly: true })
  try {
    db.prepare('SELECT count(*) FROM sqlite_schema').get()
    return undefined
  } catch {
    return `another hub${holderOf(path)}`
  } finally {
    db.close()
  }
}

function makeFolder(path: string): void {
  try {
    mkdirSync(dirname(path), { recursive: true })
  } catch (cause) {
    throw new LogError(
      'log-unavailable',
      `The folder of ${path} can't be made (${(cause as Error).message}): choose another path`,
      { cause },
    )
  }
}

function holderOf(path: string): string {
  try {
    return ` (process ${readFileSync(`${path}-pid`, 'utf8').trim()})`
  } catch {
    return ''
  }
}
