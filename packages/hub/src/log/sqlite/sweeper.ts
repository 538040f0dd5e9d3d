/** Gives back what nobody can read any more, a little at a time, between the appends. Runs in the writing worker. */
import type { DatabaseSync, StatementSync } from 'node:sqlite'
import { KEY_LIFETIME, MAX_KEYS } from '../idempotency.ts'
import type { Position } from '../log.ts'
import type { SweepResult } from './messages.ts'
import type { WriterStore } from './writer-store.ts'

/** Rows of one step: a few milliseconds of a transaction. */
const STEP = 100
/** Keys that come before they are counted again. */
export const KEYS_BETWEEN_COUNTS = 10_000
/** Free pages below this are left for the next events. */
const FREE_PAGES = 1_000

export class Sweeper {
  readonly #store: WriterStore
  readonly #forgetMs: number
  readonly #nextGarbage: StatementSync
  readonly #deleteGarbage: StatementSync
  readonly #doneGarbage: StatementSync
  readonly #expired: StatementSync
  readonly #timeOf: StatementSync
  readonly #oldestOf: StatementSync
  readonly #quiet: StatementSync
  readonly #deleteKeys: StatementSync
  readonly #deleteOldestKeys: StatementSync
  readonly #countKeys: StatementSync
  readonly #nextExpiry: StatementSync
  readonly #nextQuiet: StatementSync
  readonly #nextKey: StatementSync
  readonly #recheck: StatementSync
  readonly #freePages: StatementSync
  readonly #db: DatabaseSync
  /** Channels up to this id have been held against the present rules; undefined when all have. */
  #recheckedTo: number | undefined

  readonly #maxKeys: number
  #keysOver = 0

  /**
   * @param recheck The rules are not those of the last time: hold all channels against them.
   * @param maxKeys Idempotency keys remembered. Default `MAX_KEYS`.
   */
  constructor(db: DatabaseSync, store: WriterStore, forgetMs: number, recheck: boolean, maxKeys = MAX_KEYS) {
    this.#maxKeys = maxKeys
    this.#db = db
    this.#store = store
    this.#forgetMs = forgetMs
    this.#recheckedTo = recheck ? 0 : undefined
    this.#nextGarbage = db.prepare('SELECT channel, up_to FROM sweep LIMIT 1')
    this.#deleteGarbage = db.prepare(
      `DELETE FROM events WHERE position IN
        (SELECT position FROM events WHERE channel = ? AND position <= ? ORDER BY position LIMIT ${STEP})`,
    )
    this.#doneGarbage = db.prepare('DELETE FROM sweep WHERE channel = ?')
    this.#expired = db.prepare(`SELECT * FROM channels WHERE expires <= ? ORDER BY expires LIMIT ${STEP}`)
    this.#timeOf = db.prepare('SELECT time FROM events WHERE position = ?')
    this.#oldestOf = db.prepare(
      'SELECT position FROM events WHERE channel = ? AND position > ? ORDER BY position LIMIT 1',
    )
    this.#quiet = db.prepare(
      `SELECT * FROM channels WHERE quiet_since <= ? AND id NOT IN (SELECT channel FROM sweep)
        ORDER BY quiet_since LIMIT ${STEP}`,
    )
    this.#deleteKeys = db.prepare(
      `DELETE FROM keys WHERE key IN (SELECT key FROM keys WHERE time < ? ORDER BY time LIMIT ${STEP})`,
    )
    this.#deleteOldestKeys = db.prepare(
      'DELETE FROM keys WHERE key IN (SELECT key FROM keys ORDER BY time LIMIT ?)',
    )
    this.#countKeys = db.prepare('SELECT count(*) AS count FROM keys')
    this.#nextExpiry = db.prepare('SELECT min(expires) AS due FROM channels WHERE expires IS NOT NULL')
    this.#nextQuiet = db.prepare('SELECT min(quiet_since) AS due FROM channels WHERE quiet_since IS NOT NULL')
    this.#nextKey = db.prepare('SELECT min(time) AS due FROM keys')
    this.#recheck = db.prepare(`SELECT * FROM channels WHERE id > ? ORDER BY id LIMIT ${STEP}`)
    this.#freePages = db.prepare('PRAGMA freelist_count')
  }

  /** One step. */
  step(now: number): SweepResult {
    const more =
      this.#sweepGarbage() ||
      this.#sweepOld(now) ||
      this.#holdAgainstRules(now) ||
      this.#forgetQuiet(now) ||
      this.#forgetKeys(now) ||
      this.#limitKeys()
    return { more: more || this.#giveBack(), due: this.due(), losses: this.#store.meta.losses }
  }

  /** Nothing is too old, no channel to be forgotten, and nothing erased to be given back, before this time. */
  due(): number {
    if (this.#store.keysAdded >= KEYS_BETWEEN_COUNTS || this.#nextGarbage.get() !== undefined) return 0
    // An event may be as old as its rule says, and a key as old as its lifetime.
    const expiry = numberOr(this.#nextExpiry.get()?.due) + 1
    const quiet = numberOr(this.#nextQuiet.get()?.due) + this.#forgetMs
    const key = numberOr(this.#nextKey.get()?.due) + KEY_LIFETIME + 1
    return Math.min(expiry, quiet, key)
  }

  /** The events of erased channels. */
  #sweepGarbage(): boolean {
    const next = this.#nextGarbage.get()
    if (next === undefined) return false
    this.#store.transact(() => {
      const { changes } = this.#deleteGarbage.run(Number(next.channel), Number(next.up_to))
      if (Number(changes) < STEP) this.#doneGarbage.run(Number(next.channel))
    })
    return true
  }

  #sweepOld(now: number): boolean {
    const due = this.#expired.all(now - 1)
    if (due.length === 0) return false
    this.#store.transact(() => {
      let most = STEP
      for (const found of due) {
        const row = this.#store.rows.adopt(found)
        const before = row.events
        this.#store.trim(row, most, now, (position) => now - this.#time(position) > row.retention.age)
        most -= before - row.events
        if (most <= 0) return
        row.expires = this.#expiryOf(row.id, Math.max(row.trimmedTo, row.deletedTo), row.retention.age)
        this.#store.rows.touch(row)
      }
    })
    return due.length === STEP
  }

  #holdAgainstRules(now: number): boolean {
    if (this.#recheckedTo === undefined) return false
    const found = this.#recheck.all(this.#recheckedTo)
    this.#store.transact(() => {
      for (const one of found) {
        const row = this.#store.rows.adopt(one)
        if (this.#store.trimStep(row, now)) return
        row.expires = this.#expiryOf(row.id, Math.max(row.trimmedTo, row.deletedTo), row.retention.age)
        this.#store.rows.touch(row)
        this.#recheckedTo = row.id
      }
      if (found.length < STEP) this.#recheckedTo = undefined
    })
    return true
  }

  #forgetQuiet(now: number): boolean {
    const quiet = this.#quiet.all(now - this.#forgetMs)
    if (quiet.length === 0) return false
    this.#store.transact(() => {
      const { meta, rows } = this.#store
      meta.losses++
      for (const found of quiet) {
        const row = rows.adopt(found)
        meta.horizon = Math.max(meta.horizon, row.newest)
        rows.remove(row)
      }
      meta.horizonLoss = meta.losses
    })
    return quiet.length === STEP
  }

  #forgetKeys(now: number): boolean {
    if (numberOr(this.#nextKey.get()?.due) + KEY_LIFETIME < now) {
      this.#store.transact(() => this.#deleteKeys.run(now - KEY_LIFETIME))
      return true
    }
    return false
  }

  /** Beyond the most that are kept, the oldest go. Counting them is a walk over all, and so is done now and then only. */
  #limitKeys(): boolean {
    if (this.#keysOver <= 0) {
      if (this.#store.keysAdded < KEYS_BETWEEN_COUNTS) return false
      this.#store.keysAdded = 0
      this.#keysOver = Number(this.#countKeys.get()?.count) - this.#maxKeys
      if (this.#keysOver <= 0) return false
    }
    this.#store.transact(() => this.#deleteOldestKeys.run(Math.min(this.#keysOver, STEP)))
    this.#keysOver -= STEP
    return true
  }

  /** Pages that have become free go back to the file system. */
  #giveBack(): boolean {
    if (Number(this.#freePages.get()?.freelist_count) < FREE_PAGES + STEP) return false
    this.#db.exec(`PRAGMA incremental_vacuum(${STEP})`)
    return true
  }

  #expiryOf(channel: number, floor: Position, age: number): number | null {
    const oldest = this.#oldestOf.get(channel, floor)
    return oldest === undefined || age === Infinity ? null : this.#time(Number(oldest.position)) + age
  }

  #time(position: Position): number {
    return Number(this.#timeOf.get(position)?.time)
  }
}

function numberOr(value: unknown): number {
  return typeof value === 'number' ? value : Infinity
}
