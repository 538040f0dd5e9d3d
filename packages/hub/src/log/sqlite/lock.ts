/** One hub a log: a lock that the kernel lets go of when its holder dies, however it dies. */
import { readFileSync, writeFileSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { LogError } from '../log.ts'

export interface Lock {
  release(): void
}

/** SQLite's own locking of files is all that this database of nothing is for: Node has no other. @throws {LogError} `log-unavailable` */
export function lock(path: string): Lock {
  const db = new DatabaseSync(`${path}-lock`)
  try {
    db.exec('PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE')
  } catch (cause) {
    db.close()
    throw new LogError(
      'log-unavailable',
      `${path} is in use by another hub${holderOf(path)}: stop it, or choose another \`--log\``,
      {
        cause,
      },
    )
  }
  // For people only.
  writeFileSync(`${path}-pid`, `${process.pid}\n`)
  return { release: () => db.close() }
}

function holderOf(path: string): string {
  try {
    return ` (process ${readFileSync(`${path}-pid`, 'utf8').trim()})`
  } catch {
    return ''
  }
}
