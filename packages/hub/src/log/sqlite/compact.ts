/** Gives the space of a log that holds nothing back to the file system. */
import { statSync } from 'node:fs'
import { checkFormat, checkThere } from './existing.ts'
import { lock, lockHolder } from './lock.ts'
import { openForWriting } from './open.ts'
import { toLogError } from './sqlite-error.ts'

/** Pages of 4 KiB given back in one transaction, while a hub uses the log. */
const STEP = 500

export interface Compacted {
  /** Bytes of the database. */
  readonly before: number
  readonly after: number
  /** A hub uses the log: only what was free was given back, and nothing moved together. */
  readonly running: boolean
}

/**
 * A log that no hub uses is written anew, which takes as much space again for the time being. Of one in use the free pages are
 * given back a few at a time, between the hub's own transactions.
 *
 * @throws {LogError} `log-unavailable`, `log-full`
 */
export function compact(path: string, progress: (what: string) => void = () => {}): Compacted {
  checkThere(path)
  const running = lockHolder(path) !== undefined
  const held = running ? undefined : lock(path)
  let db: ReturnType<typeof openForWriting> | undefined
  try {
    db = openForWriting(path, 'fsync', (before) => checkFormat(before, path))
    db.exec('PRAGMA wal_checkpoint(PASSIVE)')
    const before = statSync(path).size
    if (running) {
      const free = db.prepare('PRAGMA freelist_count')
      for (let left = Infinity; ;) {
        const now = Number(free.get()?.freelist_count)
        // Who uses the log may free pages as fast.
        if (now === 0 || now >= left) break
        left = now
        progress(`${left.toLocaleString('en')} pages to give back`)
        db.exec(`PRAGMA incremental_vacuum(${STEP})`)
      }
    } else {
      progress('writing the file anew')
      db.exec('VACUUM')
    }
    db.exec(`PRAGMA wal_checkpoint(${running ? 'PASSIVE' : 'TRUNCATE'})`)
    return { before, after: statSync(path).size, running }
  } catch (error) {
    throw toLogError(error, path)
  } finally {
    db?.close()
    held?.release()
  }
}
