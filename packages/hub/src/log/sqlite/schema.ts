/** The tables of an SQLite log, and how an older file becomes a newer one. `docs/engines.md` says what they hold. */
import type { DatabaseSync } from 'node:sqlite'
import { LogError } from '../log.ts'

/** `DLNK`: tells `file`, and us, whose database this is. */
export const APPLICATION_ID = 0x444c4e4b

/** One step a version; a file of version N has been through the first N. Never change one that was released: add another. */
const MIGRATIONS: readonly string[] = [
  `
  CREATE TABLE meta (name TEXT PRIMARY KEY, value) WITHOUT ROWID;
  INSERT INTO meta VALUES ('frontier', 0), ('time', 0), ('horizon', 0), ('horizon_loss', 0), ('losses', 0);

  CREATE TABLE epochs (
    ordinal INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    parent_up_to INTEGER
  );

  CREATE TABLE channels (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL UNIQUE,
    head INTEGER NOT NULL DEFAULT 0,
    newest INTEGER NOT NULL DEFAULT 0,
    events INTEGER NOT NULL DEFAULT 0,
    size INTEGER NOT NULL DEFAULT 0,
    end_at INTEGER,
    trimmed_to INTEGER NOT NULL DEFAULT 0,
    deleted_to INTEGER NOT NULL DEFAULT 0,
    unknown_to INTEGER NOT NULL DEFAULT 0,
    lost_to INTEGER NOT NULL DEFAULT 0,
    loss INTEGER NOT NULL DEFAULT 0,
    expires INTEGER,
    quiet_since INTEGER
  );
  CREATE INDEX channels_by_end ON channels (end_at) WHERE end_at IS NOT NULL;
  CREATE INDEX channels_by_loss ON channels (lost_to) WHERE lost_to > 0;
  CREATE INDEX channels_by_expiry ON channels (expires) WHERE expires IS NOT NULL;
  CREATE INDEX channels_by_quiet ON channels (quiet_since) WHERE quiet_since IS NOT NULL;

  CREATE TABLE events (
    position INTEGER PRIMARY KEY,
    channel INTEGER NOT NULL,
    previous INTEGER NOT NULL,
    time INTEGER NOT NULL,
    size INTEGER NOT NULL,
    type TEXT,
    data TEXT NOT NULL
  );
  CREATE INDEX events_by_channel ON events (channel, position, size);

  CREATE TABLE sweep (channel INTEGER PRIMARY KEY, up_to INTEGER NOT NULL);

  CREATE TABLE keys (
    key TEXT PRIMARY KEY,
    fingerprint TEXT NOT NULL,
    epoch TEXT NOT NULL,
    first INTEGER NOT NULL,
    count INTEGER NOT NULL,
    time INTEGER NOT NULL
  ) WITHOUT ROWID;
  CREATE INDEX keys_by_time ON keys (time);
  `,
]

export const SCHEMA_VERSION = MIGRATIONS.length

/**
 * Brings the file to the present version, in one transaction: all steps or none.
 *
 * @param steps For tests. Default: those of this version of Downlink.
 * @throws {LogError} `log-unavailable` for a file that is none of ours, or newer
 */
export function migrate(db: DatabaseSync, path: string, steps: readonly string[] = MIGRATIONS): void {
  const version = formatOf(db, path, steps.length)
  if (version === steps.length) return
  // Within a transaction of the caller it is a part of that.
  const own = !db.isTransaction
  if (own) db.exec('BEGIN IMMEDIATE')
  try {
    for (const step of steps.slice(version)) db.exec(step)
    db.exec(`PRAGMA application_id = ${APPLICATION_ID}; PRAGMA user_version = ${steps.length}`)
    if (own) db.exec('COMMIT')
  } catch (error) {
    if (own && db.isTransaction) db.exec('ROLLBACK')
    throw error
  }
}

/**
 * The version of the file, 0 for an empty one.
 *
 * @param newest What this Downlink knows
 * @throws {LogError} `log-unavailable` for a file that is none of ours, or newer
 */
export function formatOf(db: DatabaseSync, path: string, newest: number = SCHEMA_VERSION): number {
  const version = pragma(db, 'user_version')
  const application = pragma(db, 'application_id')
  const empty =
    version === 0 &&
    application === 0 &&
    db.prepare('SELECT count(*) FROM sqlite_schema').get()?.['count(*)'] === 0
  if (!empty && application !== APPLICATION_ID) {
    throw new LogError(
      'log-unavailable',
      `${path} is a database, but not a log of Downlink: choose another path`,
    )
  }
  if (version > newest) {
    throw new LogError(
      'log-unavailable',
      `${path} was written by a newer Downlink (format ${version}, this one knows ${newest}): update Downlink, or choose another path`,
    )
  }
  return version
}

function pragma(db: DatabaseSync, name: string): number {
  return Number(db.prepare(`PRAGMA ${name}`).get()?.[name])
}
