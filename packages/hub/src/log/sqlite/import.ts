/** Brings events into a log that no hub uses, in the order in which they come: all of them, or none. */
import type { DatabaseSync, StatementSync } from 'node:sqlite'
import { RetentionRules } from '../retention.ts'
import { GuardFile } from './guard-file.ts'
import { type Lock, lock } from './lock.ts'
import { openForWriting } from './open.ts'
import { prepare } from './prepare.ts'
import { toLogError } from './sqlite-error.ts'
import { WriterStore } from './writer-store.ts'

export interface ImportedEvent {
  readonly channel: string
  readonly type?: string
  readonly data: string
  /** Milliseconds since 1970. Default: now. */
  readonly time?: number
}

/** What the rules of a hub don't allow goes when a hub is started: which rules these are is not known here. */
const KEEP_ALL = new RetentionRules([{ channels: '**', count: Infinity, age: Infinity, bytes: Infinity }])

export class LogImport {
  readonly #path: string
  readonly #lock: Lock
  readonly #db: DatabaseSync
  readonly #guard: GuardFile
  readonly #store: WriterStore
  readonly #timeOf: StatementSync
  /** The time of each channel's last event. */
  readonly #times = new Map<string, number>()
  readonly #now: number
  /** Of the newest event there is. */
  #newest: number
  /** Nothing is acknowledged before the end. */
  readonly #frontier: number

  /**
   * Makes the log when there is none.
   *
   * @throws {LogError} `log-unavailable`, also when a hub uses it
   */
  constructor(path: string, now: number = Date.now()) {
    this.#path = path
    this.#now = now
    this.#lock = lock(path)
    try {
      // These rules are nobody's: so the next hub holds everything against its own.
      const { state } = prepare(path, 'fsync', 'imported', Math.random)
      this.#guard = new GuardFile(path)
      this.#db = openForWriting(path, 'fsync')
      this.#store = new WriterStore(this.#db, KEEP_ALL, state.epochs[0].name)
      this.#timeOf = this.#db.prepare('SELECT time FROM events WHERE position = ?')
      this.#newest = this.#store.meta.time
      this.#frontier = state.frontier
      this.#db.exec('BEGIN IMMEDIATE')
    } catch (error) {
      this.#lock.release()
      throw toLogError(error, path)
    }
  }

  /**
   * Times are kept, as far as they can be: none lies in the future, nor before the event before it in its channel.
   *
   * @throws {LogError} `channel-ended`, `log-full`, `log-unavailable`
   */
  add({ channel, type, data, time = this.#now }: ImportedEvent): void {
    const at = Math.max(Math.min(time, this.#now), this.#timeBefore(channel))
    this.#append({ channels: [channel], types: [type], data: [data], end: [] }, at)
    this.#times.set(channel, at)
    this.#newest = Math.max(this.#newest, at)
  }

  /** Ends a channel. @throws {LogError} `log-full`, `log-unavailable` */
  end(channel: string): void {
    this.#append({ channels: [], types: [], data: [], end: [channel] }, this.#newest)
  }

  /** All of it is in the log, and on the disk. @throws {LogError} `log-full`, `log-unavailable` */
  commit(): void {
    const { meta, rows } = this.#store
    try {
      meta.time = this.#newest
      rows.write()
      meta.write()
      this.#db.exec('COMMIT')
    } catch (error) {
      throw toLogError(error, this.#path)
    }
    this.#release(meta.frontier)
  }

  /** Nothing of it is in the log. */
  cancel(): void {
    if (this.#db.isTransaction) this.#db.exec('ROLLBACK')
    this.#release(this.#frontier)
  }

  #append(request: Omit<Parameters<WriterStore['append']>[0], 'kind'>, time: number): void {
    this.#store.meta.time = time
    try {
      this.#store.append({ kind: 'append', ...request }, this.#now)
    } catch (error) {
      throw toLogError(error, this.#path)
    }
  }

  #timeBefore(channel: string): number {
    const known = this.#times.get(channel)
    if (known !== undefined) return known
    const head = this.#store.rows.find(channel)?.head ?? 0
    if (head === 0) return 0
    return Number(this.#timeOf.get(head)?.time ?? this.#newest)
  }

  #release(frontier: number): void {
    this.#db.close()
    this.#guard.close(frontier)
    this.#lock.release()
  }
}
