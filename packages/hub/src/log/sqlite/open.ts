/** Opens the database of a log as its threads need it. */
import { DatabaseSync } from 'node:sqlite'

export type Durability = 'fsync' | 'os'

/** Pages of 4 KiB of WAL before they are moved into the database: at 1,000 an append now and then waited 22 ms (docs/performance.md). */
const CHECKPOINT_PAGES = 400
const CACHE_KIB = 32 * 1024
/** How long a statement waits for another process's lock, e.g. `downlink log compact`. */
const BUSY_MS = 5_000

/** @param look At the file before anything is changed in it: it may be somebody else's. */
export function openForWriting(
  path: string,
  durability: Durability,
  look: (db: DatabaseSync) => void = () => {},
): DatabaseSync {
  const db = new DatabaseSync(path, { timeout: BUSY_MS })
  try {
    look(db)
    // Only a new file takes the first: free pages can then be given back a few at a time. Synced like everything else: a header
    // that the loss of power had torn would be no database.
    db.exec('PRAGMA auto_vacuum = INCREMENTAL; PRAGMA journal_mode = WAL')
    // FULL: a commit is on the disk before it is acknowledged. NORMAL: the kernel has it, and syncs at checkpoints only.
    db.exec(`PRAGMA synchronous = ${durability === 'fsync' ? 'FULL' : 'NORMAL'}`)
    db.exec(
      `PRAGMA wal_autocheckpoint = ${CHECKPOINT_PAGES}; PRAGMA cache_size = -${CACHE_KIB}; PRAGMA temp_store = MEMORY`,
    )
    return db
  } catch (error) {
    db.close()
    throw error
  }
}

export function openForReading(path: string): DatabaseSync {
  const db = new DatabaseSync(path, { readOnly: true, timeout: BUSY_MS })
  db.exec(`PRAGMA cache_size = -${CACHE_KIB}; PRAGMA temp_store = MEMORY`)
  return db
}
