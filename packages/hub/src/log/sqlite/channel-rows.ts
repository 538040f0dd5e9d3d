/** The rows of `channels` as the writer sees them: kept in memory when they were used lately, written back once a transaction. */
import type { DatabaseSync, SQLOutputValue, StatementSync } from 'node:sqlite'
import type { Position } from '../log.ts'
import type { Retention, RetentionRules } from '../retention.ts'

export interface ChannelRow {
  readonly id: number
  readonly name: string
  readonly retention: Retention
  /** The newest event, kept or not. */
  head: Position
  /** The newest record of any kind. */
  newest: Position
  /** Events kept. */
  events: number
  /** UTF-16 units of their data. */
  size: number
  endAt: Position | null
  trimmedTo: Position
  deletedTo: Position
  unknownTo: Position
  /** The value of the log's count of losses when this channel last lost something. */
  loss: number
  /** Not before this time, in milliseconds since 1970, is there an event too old; null when there never will be. */
  expires: number | null
  /** Since when it has been empty and idle; null while it keeps an event. */
  quietSince: number | null
}

/** Rows kept in memory: some 200 bytes each. */
const MOST = 100_000

const COLUMNS =
  'id, name, head, newest, events, size, end_at, trimmed_to, deleted_to, unknown_to, loss, expires, quiet_since'

export class ChannelRows {
  readonly #rules: RetentionRules
  readonly #byName: StatementSync
  readonly #insert: StatementSync
  readonly #update: StatementSync
  readonly #delete: StatementSync
  readonly #cache = new Map<string, ChannelRow>()
  readonly #dirty = new Set<ChannelRow>()

  constructor(db: DatabaseSync, rules: RetentionRules) {
    this.#rules = rules
    this.#byName = db.prepare(`SELECT ${COLUMNS} FROM channels WHERE name = ?`)
    this.#insert = db.prepare('INSERT INTO channels (name, unknown_to, lost_to, loss) VALUES (?, ?, ?, ?)')
    this.#update = db.prepare(
      `UPDATE channels SET head = ?, newest = ?, events = ?, size = ?, end_at = ?, trimmed_to = ?, deleted_to = ?,
        lost_to = ?, loss = ?, expires = ?, quiet_since = ? WHERE id = ?`,
    )
    this.#delete = db.prepare('DELETE FROM channels WHERE id = ?')
  }

  find(name: string): ChannelRow | undefined {
    const cached = this.#cache.get(name)
    if (cached) return cached
    const found = this.#byName.get(name)
    return found && this.adopt(found)
  }

  /** A row as `SELECT *` gives it, or the one in memory that is newer. */
  adopt(found: Record<string, SQLOutputValue>): ChannelRow {
    const name = String(found.name)
    const cached = this.#cache.get(name)
    if (cached) return cached
    return this.#remember({
      id: Number(found.id),
      name,
      retention: this.#rules.for(name),
      head: Number(found.head),
      newest: Number(found.newest),
      events: Number(found.events),
      size: Number(found.size),
      endAt: numberOrNull(found.end_at),
      trimmedTo: Number(found.trimmed_to),
      deletedTo: Number(found.deleted_to),
      unknownTo: Number(found.unknown_to),
      loss: Number(found.loss),
      expires: numberOrNull(found.expires),
      quietSince: numberOrNull(found.quiet_since),
    })
  }

  /** @param horizon What was forgotten before this channel began: it may have been one of those. */
  create(name: string, horizon: Position, horizonLoss: number): ChannelRow {
    const id = Number(this.#insert.run(name, horizon, horizon, horizonLoss).lastInsertRowid)
    return this.#remember({
      id,
      name,
      retention: this.#rules.for(name),
      head: 0,
      newest: 0,
      events: 0,
      size: 0,
      endAt: null,
      trimmedTo: 0,
      deletedTo: 0,
      unknownTo: horizon,
      loss: horizonLoss,
      expires: null,
      quietSince: null,
    })
  }

  /** The row has changed, and is to be written with the transaction. */
  touch(row: ChannelRow): void {
    this.#dirty.add(row)
  }

  get touched(): Iterable<ChannelRow> {
    return this.#dirty
  }

  remove(row: ChannelRow): void {
    this.#delete.run(row.id)
    this.#cache.delete(row.name)
    this.#dirty.delete(row)
  }

  /** Writes what has changed; before the commit. */
  write(): void {
    for (const row of this.#dirty) {
      this.#update.run(
        row.head,
        row.newest,
        row.events,
        row.size,
        row.endAt,
        row.trimmedTo,
        row.deletedTo,
        Math.max(row.trimmedTo, row.deletedTo, row.unknownTo),
        row.loss,
        row.expires,
        row.quietSince,
        row.id,
      )
    }
    this.#dirty.clear()
    // The oldest in, not the longest unused: that would cost a move at each use, and the busy come back at once.
    for (const name of this.#cache.keys()) {
      if (this.#cache.size <= MOST) break
      this.#cache.delete(name)
    }
  }

  /** After a roll-back nothing in memory can be trusted. */
  forget(): void {
    this.#cache.clear()
    this.#dirty.clear()
  }

  #remember(row: ChannelRow): ChannelRow {
    this.#cache.set(row.name, row)
    return row
  }
}

/** Everything of the channel at or below is gone for readers, even where the events have not been swept yet. */
export function floorOf(row: { readonly trimmedTo: Position; readonly deletedTo: Position }): Position {
  return Math.max(row.trimmedTo, row.deletedTo)
}

function numberOrNull(value: SQLOutputValue | undefined): number | null {
  return value === null || value === undefined ? null : Number(value)
}
