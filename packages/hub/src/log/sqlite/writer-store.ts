/** What is written to an SQLite log, and how. Synchronous; runs in the writing worker. Time comes in. */
import type { DatabaseSync, StatementSync } from 'node:sqlite'
import { KEY_LIFETIME } from '../idempotency.ts'
import { LogError, logFull, type Position } from '../log.ts'
import type { RetentionRules } from '../retention.ts'
import { type ChannelRow, ChannelRows, floorOf } from './channel-rows.ts'
import type {
  AppendRequest,
  AppendResult,
  DropRequest,
  DropResult,
  WriteRequest,
  WriteResult,
} from './messages.ts'
import { Meta } from './meta.ts'

/** Events trimmed of one channel in one transaction, beyond what the transaction itself brought: more is left for the sweeper. */
const TRIM_STEP = 500

/** What an event takes on the disk besides its data, more or less: its row and its place in the index. */
const EVENT_BYTES = 60

export class WriterStore {
  readonly rows: ChannelRows
  readonly meta: Meta
  /** Idempotency keys that came since somebody counted them. */
  keysAdded = 0
  readonly #db: DatabaseSync
  readonly #epoch: string
  readonly #insertEvent: StatementSync
  readonly #oldest: StatementSync
  readonly #deleteEvents: StatementSync
  readonly #findKey: StatementSync
  readonly #putKey: StatementSync
  readonly #putSweep: StatementSync

  readonly #pages: StatementSync
  readonly #freePages: StatementSync
  readonly #pageSize: number
  readonly #fullBytes: number
  /** What may come in this transaction, in bytes of data and `EVENT_BYTES` for each event. */
  #room = Infinity

  /** @param fullBytes Of the pages in use: beyond them appends are refused with `log-full`. Default Infinity. */
  constructor(db: DatabaseSync, rules: RetentionRules, epoch: string, fullBytes = Infinity) {
    this.#fullBytes = fullBytes
    this.#pages = db.prepare('PRAGMA page_count')
    this.#freePages = db.prepare('PRAGMA freelist_count')
    this.#pageSize = Number(db.prepare('PRAGMA page_size').get()?.page_size)
    this.#db = db
    this.#epoch = epoch
    this.rows = new ChannelRows(db, rules)
    this.meta = new Meta(db)
    this.#insertEvent = db.prepare('INSERT INTO events VALUES (?, ?, ?, ?, ?, ?, ?)')
    this.#oldest = db.prepare(
      'SELECT position, size FROM events WHERE channel = ? AND position > ? ORDER BY position LIMIT ?',
    )
    this.#deleteEvents = db.prepare('DELETE FROM events WHERE channel = ? AND position > ? AND position <= ?')
    this.#findKey = db.prepare('SELECT fingerprint, epoch, first, count, time FROM keys WHERE key = ?')
    this.#putKey = db.prepare('INSERT OR REPLACE INTO keys VALUES (?, ?, ?, ?, ?, ?)')
    this.#putSweep = db.prepare('INSERT OR REPLACE INTO sweep VALUES (?, ?)')
  }

  /** Runs `work` in a transaction: all of it or, when it throws, nothing. */
  transact<T>(work: () => T): T {
    this.#db.exec('BEGIN IMMEDIATE')
    try {
      const result = work()
      this.rows.write()
      this.meta.write()
      this.#db.exec('COMMIT')
      return result
    } catch (error) {
      this.rows.forget()
      this.meta.reload(() => {
        if (this.#db.isTransaction) this.#db.exec('ROLLBACK')
      })
      throw error
    }
  }

  /** All requests in one transaction. One that is refused stores nothing; the others are none the worse. */
  write(requests: readonly WriteRequest[], now: number): WriteResult[] {
    return this.transact(() => {
      this.#room = this.#roomNow()
      this.meta.time = Math.max(this.meta.time, now)
      return requests.map((request) => this.#writeOne(request, now))
    })
  }

  /** Commits what nobody will read, and takes it back. */
  probe(bytes: number): void {
    this.#db.exec('BEGIN IMMEDIATE')
    try {
      this.#db.prepare("INSERT OR REPLACE INTO meta VALUES ('probe', zeroblob(?))").run(bytes)
      this.#db.exec('COMMIT')
    } finally {
      if (this.#db.isTransaction) this.#db.exec('ROLLBACK')
    }
    if (bytes > 0) this.#db.exec("DELETE FROM meta WHERE name = 'probe'")
  }

  #writeOne(request: WriteRequest, now: number): WriteResult {
    try {
      return request.kind === 'append' ? this.append(request, now) : this.#drop(request, now)
    } catch (error) {
      // What is refused by rule was refused before anything was written; anything else ends the transaction.
      if (!(error instanceof LogError)) throw error
      const { code, message, channel } = error
      return { kind: 'failed', code, message, ...(channel === undefined ? {} : { channel }) }
    }
  }

  /** Within a transaction. What is refused by rule is refused before anything was written. @throws {LogError} */
  append(request: AppendRequest, now: number): AppendResult {
    const { channels, end, idempotency } = request
    const known = idempotency && this.#repeated(idempotency.key, idempotency.fingerprint, now)
    if (known) return known
    for (const name of channels) this.#refuseEnded(name)
    this.#refuseFull(request)
    const first = this.meta.frontier + 1
    const touched = new Set<ChannelRow>()
    const previous = channels.map((name, index) => {
      const row = this.#channel(name)
      touched.add(row)
      return this.#store(row, request.types[index], request.data[index] as string)
    })
    const ends = this.#end(channels, first, end, now)
    for (const row of touched) this.#trimToRule(row, channels.length, now)
    if (idempotency) {
      this.#putKey.run(idempotency.key, idempotency.fingerprint, this.#epoch, first, channels.length, now)
      this.keysAdded++
    }
    return {
      kind: 'append',
      epoch: this.#epoch,
      first,
      count: channels.length,
      repeated: false,
      previous,
      ends,
    }
  }

  #repeated(key: string, fingerprint: string, now: number): AppendResult | undefined {
    const found = this.#findKey.get(key)
    if (found === undefined || now - Number(found.time) > KEY_LIFETIME) return undefined
    if (found.fingerprint !== fingerprint) {
      throw new LogError(
        'idempotency-mismatch',
        'Expected a retry with the same idempotency key to bring the same events; use a new key for new events',
      )
    }
    const [first, count] = [Number(found.first), Number(found.count)]
    return {
      kind: 'append',
      epoch: String(found.epoch),
      first,
      count,
      repeated: true,
      previous: [],
      ends: [],
    }
  }

  #refuseEnded(name: string): void {
    if ((this.rows.find(name)?.endAt ?? null) === null) return
    const message = `Channel ${name} has ended: publish to another, or erase it to begin anew`
    throw new LogError('channel-ended', message, { channel: name })
  }

  /** The pages of a file that was given back to are free, and count for nothing. */
  #roomNow(): number {
    if (this.#fullBytes === Infinity) return Infinity
    const used = Number(this.#pages.get()?.page_count) - Number(this.#freePages.get()?.freelist_count)
    return this.#fullBytes - used * this.#pageSize
  }

  #refuseFull({ channels, data }: AppendRequest): void {
    if (this.#room === Infinity || channels.length === 0) return
    let bytes = channels.length * EVENT_BYTES
    for (const text of data) bytes += Buffer.byteLength(text)
    if (bytes > this.#room) throw logFull(this.#fullBytes)
    this.#room -= bytes
  }

  #channel(name: string): ChannelRow {
    return this.rows.find(name) ?? this.rows.create(name, this.meta.horizon, this.meta.horizonLoss)
  }

  #store(row: ChannelRow, type: string | undefined, data: string): Position {
    const position = ++this.meta.frontier
    const previous = row.head
    const { time } = this.meta
    this.#insertEvent.run(position, row.id, previous, time, data.length, type ?? null, data)
    row.head = position
    row.newest = position
    row.events++
    row.size += data.length
    row.quietSince = null
    if (row.expires === null && row.retention.age < Infinity) row.expires = time + row.retention.age
    this.rows.touch(row)
    return previous
  }

  /** Each end shares the position of its channel's last event of the batch, or has one of its own behind the batch. */
  #end(
    channels: readonly string[],
    first: Position,
    end: readonly string[],
    now: number,
  ): AppendResult['ends'] {
    const ends: { channel: string; position: Position }[] = []
    for (const name of new Set(end)) {
      const row = this.#channel(name)
      if (row.endAt !== null) continue
      const at = channels.lastIndexOf(name)
      row.endAt = at < 0 ? ++this.meta.frontier : first + at
      row.newest = row.endAt
      if (row.events === 0) row.quietSince = now
      this.rows.touch(row)
      ends.push({ channel: name, position: row.endAt })
    }
    return ends
  }

  /** Trims what count and bytes don't allow. `brought` is what the transaction itself may have added. */
  #trimToRule(row: ChannelRow, brought: number, now: number): void {
    if (overflows(row)) this.trim(row, TRIM_STEP + brought, now, () => overflows(row))
  }

  /** Whether a channel has more than its rule allows, which only a change of rules can leave behind. */
  trimStep(row: ChannelRow, now: number): boolean {
    this.#trimToRule(row, 0, now)
    return overflows(row)
  }

  /** Removes the oldest events of a channel, at most `most`, as long as `wanted` says so of the one that is next. */
  trim(row: ChannelRow, most: number, now: number, wanted: (position: Position) => boolean): void {
    if (row.events === 0) return
    const floor = floorOf(row)
    let upTo = 0
    // Most of the time there is nothing to trim, or one.
    for (let step = 4; most > 0; step *= 8) {
      const batch = this.#oldest.all(row.id, Math.max(floor, upTo), Math.min(step, most))
      const before = upTo
      for (const { position, size } of batch) {
        if (!wanted(Number(position))) {
          most = 0
          break
        }
        upTo = Number(position)
        row.events--
        row.size -= Number(size)
        most--
      }
      if (batch.length < step || upTo === before) break
    }
    if (upTo === 0) return
    this.#deleteEvents.run(row.id, floor, upTo)
    row.trimmedTo = upTo
    row.loss = ++this.meta.losses
    if (row.events === 0) {
      row.expires = null
      row.quietSince = now
    }
    this.rows.touch(row)
  }

  #drop({ channel }: DropRequest, now: number): DropResult {
    const row = this.rows.find(channel)
    if (row === undefined) return { kind: 'drop', known: false }
    if (row.events === 0 && row.endAt === null && row.deletedTo > row.trimmedTo)
      return { kind: 'drop', known: true }
    const position = ++this.meta.frontier
    if (row.events > 0) this.#putSweep.run(row.id, position)
    row.events = 0
    row.size = 0
    row.endAt = null
    row.newest = position
    row.deletedTo = position
    row.loss = ++this.meta.losses
    row.expires = null
    row.quietSince = now
    this.rows.touch(row)
    return { kind: 'drop', known: true, position }
  }
}

function overflows({ events, size, retention }: ChannelRow): boolean {
  return events > retention.count || (size > retention.bytes && events > 1)
}
