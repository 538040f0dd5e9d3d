/** What the sweeper of an SQLite log takes away, step by step. */
import assert from 'node:assert/strict'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { RetentionRules } from '../src/log/retention.ts'
import type { AppendRequest } from '../src/log/sqlite/messages.ts'
import { migrate } from '../src/log/sqlite/schema.ts'
import { KEYS_BETWEEN_COUNTS, Sweeper } from '../src/log/sqlite/sweeper.ts'
import { WriterStore } from '../src/log/sqlite/writer-store.ts'

test('beyond the most keys that are remembered, the oldest are forgotten', (t) => {
  const db = new DatabaseSync(':memory:')
  t.after(() => db.close())
  migrate(db, 'log.db')
  const store = new WriterStore(db, new RetentionRules(), 'E1')
  const most = 9_000
  const sweeper = new Sweeper(db, store, 1e9, false, most)
  const keyed = (key: string): AppendRequest => ({
    kind: 'append',
    channels: ['a'],
    types: [undefined],
    data: ['x'],
    end: [],
    idempotency: { key, fingerprint: '' },
  })
  for (let now = 1; now <= KEYS_BETWEEN_COUNTS; now++) store.write([keyed(`key ${now}`)], now)
  assert.equal(sweeper.due(), 0)
  while (sweeper.step(KEYS_BETWEEN_COUNTS).more);
  assert.equal(db.prepare('SELECT count(*) AS count FROM keys').get()?.['count'], most)
  const repeated = (key: number): unknown => {
    const [result] = store.write([keyed(`key ${key}`)], KEYS_BETWEEN_COUNTS)
    return result?.kind === 'append' && result.repeated
  }
  const gone = KEYS_BETWEEN_COUNTS - most
  assert.deepEqual([repeated(gone), repeated(gone + 1), repeated(KEYS_BETWEEN_COUNTS)], [false, true, true])
})
