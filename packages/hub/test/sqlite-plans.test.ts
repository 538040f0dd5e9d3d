import assert from 'node:assert/strict'
import { join } from 'node:path'
import type { DatabaseSync, StatementSync } from 'node:sqlite'
import { describe, test, type TestContext } from 'node:test'
import type { LogPage } from '../src/log/log.ts'
import { RetentionRules } from '../src/log/retention.ts'
import { openForReading, openForWriting } from '../src/log/sqlite/open.ts'
import { QUERIES } from '../src/log/sqlite/queries.ts'
import { ReaderStore, type Steps } from '../src/log/sqlite/reader-store.ts'
import { migrate } from '../src/log/sqlite/schema.ts'
import { Sweeper } from '../src/log/sqlite/sweeper.ts'
import { WriterStore } from '../src/log/sqlite/writer-store.ts'
import { folderOf } from './cli/folder.ts'

const RULES = new RetentionRules([{ channels: '**', age: 1e9 }])
const EPOCH = 'abcdefgh'

function emptyLog(t: TestContext): DatabaseSync {
  const path = join(folderOf(t), 'log.db')
  const db = openForWriting(path, 'os')
  t.after(() => db.close())
  migrate(db, path)
  return db
}

/** Appends one event to each of these channels, in one transaction. */
function append(store: WriterStore, channels: readonly string[], end: readonly string[] = []): void {
  const types = channels.map(() => undefined)
  store.write([{ kind: 'append', channels, types, data: channels.map(() => 'x'), end }], 1)
}

const names = (prefix: string, count: number): string[] =>
  Array.from({ length: count }, (_, index) => `${prefix}.${String(index).padStart(6, '0')}`)

/** Channels with many events and with few, ended, erased, trimmed and empty ones, and keys. */
function filledLog(t: TestContext): DatabaseSync {
  const db = emptyLog(t)
  const store = new WriterStore(db, RULES, EPOCH)
  for (let round = 0; round < 20; round++) append(store, names('many', 100))
  append(store, names('one', 5_000))
  append(store, [], names('many', 50))
  store.write(
    names('many', 20).map((channel) => ({ kind: 'drop', channel })),
    2,
  )
  for (const key of names('key', 500)) {
    const idempotency = { key, fingerprint: '' }
    store.write(
      [{ kind: 'append', channels: ['keyed'], types: [undefined], data: [''], end: [], idempotency }],
      3,
    )
  }
  return db
}

function planOf(db: DatabaseSync, sql: string): readonly string[] {
  return db
    .prepare(`EXPLAIN QUERY PLAN ${sql}`)
    .all()
    .map((row) => String(row['detail']))
}

/** Everything that the engine prepares on a connection. */
function preparedBy(db: DatabaseSync, use: (db: DatabaseSync) => unknown): readonly string[] {
  const statements = new Set<string>()
  const prepare = db.prepare.bind(db)
  db.prepare = (sql: string): StatementSync => {
    statements.add(sql)
    return prepare(sql)
  }
  use(db)
  db.prepare = prepare
  return [...statements]
}

describe('the plans of all queries', () => {
  for (const analyzed of [false, true]) {
    test(`find their rows by an index and sort nothing, ${analyzed ? 'with' : 'without'} statistics`, (t) => {
      const db = filledLog(t)
      if (analyzed) db.exec('ANALYZE')
      const engine = preparedBy(db, () => {
        const store = new WriterStore(db, RULES, EPOCH)
        void new Sweeper(db, store, 1e9, true)
        void new ReaderStore(db)
      })
      const statements = engine.filter(
        (sql) => !/^(?:PRAGMA|INSERT INTO \w+ VALUES|INSERT OR REPLACE INTO \w+ VALUES)/.test(sql),
      )
      assert.ok(statements.length > 30, `${statements.length}`)
      for (const sql of statements) {
        for (const step of planOf(db, sql)) {
          // Looked at whole: the few channels that wait to be swept, one row of them; and all keys, to count them, seldom.
          if (/^SCAN (?:sweep|keys USING COVERING INDEX)/.test(step)) continue
          assert.doesNotMatch(step, /^SCAN|TEMP B-TREE|AUTOMATIC/, sql)
        }
      }
    })
  }

  test('one, many and wildcard channels are read by their index, forward, backward and the last', (t) => {
    const db = filledLog(t)
    const plan = (name: keyof typeof QUERIES): string => planOf(db, QUERIES[name]).join('; ')
    const byChannel = 'SEARCH events USING COVERING INDEX events_by_channel (channel=? AND position'
    assert.equal(plan('forward'), `${byChannel}>?)`)
    assert.equal(plan('backward'), `${byChannel}>? AND position<?)`)
    assert.equal(plan('oldest'), `${byChannel}>?)`)
    assert.equal(plan('allForward'), 'SEARCH events USING INTEGER PRIMARY KEY (rowid>?)')
    assert.equal(plan('allBackward'), 'SEARCH events USING INTEGER PRIMARY KEY (rowid<?)')
    assert.equal(
      plan('events'),
      'SEARCH events USING INDEX events_by_channel (channel=? AND position>? AND position<?)',
    )
    assert.match(
      plan('fromName'),
      /^SEARCH channels USING INDEX sqlite_autoindex_channels_1 \(name>\? AND name<\?\)$/,
    )
    assert.match(
      plan('endsBetween'),
      /^SEARCH channels USING INDEX channels_by_end \(end_at>\? AND end_at<\?\)$/,
    )
    assert.match(plan('lossesAfter'), /^SEARCH channels USING INDEX channels_by_loss \(/)
  })
})

/** Rows that came out of the database in each step of a read. */
function rowsOfSteps(
  db: DatabaseSync,
  read: (store: ReaderStore) => Steps<LogPage>,
): { rows: number[]; page: LogPage } {
  let rows = 0
  const prepare = db.prepare.bind(db)
  db.prepare = (sql: string): StatementSync => {
    const statement = prepare(sql)
    const all = statement.all.bind(statement)
    const get = statement.get.bind(statement)
    statement.all = (...values: never[]) => {
      const found = all(...values)
      rows += found.length
      return found
    }
    statement.get = (...values: never[]) => {
      rows++
      return get(...values)
    }
    return statement
  }
  const steps = read(new ReaderStore(db))
  db.prepare = prepare
  const counts: number[] = []
  for (;;) {
    rows = 0
    const { done, value } = steps.next()
    counts.push(rows)
    if (done) return { rows: counts, page: value }
  }
}

describe('a read that matches little in a large log', () => {
  /** Some milliseconds' worth. */
  const MOST_ROWS = 12_000

  for (const [name, from] of [
    ['forward', { after: 0 }],
    ['backward', { before: 1e9 }],
    ['the last', { last: 10 }],
  ] as const) {
    test(`stops often for others, ${name}`, (t) => {
      const db = emptyLog(t)
      const store = new WriterStore(db, RULES, EPOCH)
      append(store, ['a.b.needle'])
      for (let round = 0; round < 10; round++) append(store, names('a', 4_000))
      append(store, ['a.c.needle'])
      const set = { names: [], patterns: ['a.*.needle'] }
      const { rows, page } = rowsOfSteps(db, (reader) =>
        reader.read({ set, from, limit: { events: 10, bytes: 1e6 } }),
      )
      assert.deepEqual(
        page.events.map((event) => event.channel),
        ['a.b.needle', 'a.c.needle'],
      )
      assert.ok(rows.length >= 20, `${rows.length} steps`)
      assert.ok(Math.max(...rows) <= MOST_ROWS, `${Math.max(...rows)} rows in one step`)
    })
  }

  test('does not meet all the channels that ended in one step', (t) => {
    const db = emptyLog(t)
    const store = new WriterStore(db, RULES, EPOCH)
    for (let batch = 0; batch < 10; batch++) append(store, [], names(`job${batch}`, 4_000))
    append(store, ['a.b.needle'], ['a.b.needle'])
    const set = { names: [], patterns: ['*.*.needle'] }
    const { rows, page } = rowsOfSteps(db, (reader) =>
      reader.read({ set, from: { after: 0 }, limit: { events: 10, bytes: 1e6 } }),
    )
    assert.deepEqual(
      page.ends.map((end) => end.channel),
      ['a.b.needle'],
    )
    assert.ok(Math.max(...rows) <= MOST_ROWS, `${Math.max(...rows)} rows in one step`)
  })

  test('does not meet all the channels that lost something in one step', (t) => {
    const db = emptyLog(t)
    const store = new WriterStore(db, new RetentionRules([{ channels: '**', count: 1 }]), EPOCH)
    for (let batch = 0; batch < 15; batch++) {
      append(store, names(`job${batch}`, 4_000))
      append(store, names(`job${batch}`, 4_000))
    }
    append(store, ['a.b.needle'])
    const set = { names: [], patterns: ['*.*.needle'] }
    const { rows, page } = rowsOfSteps(db, (reader) =>
      reader.read({ set, from: { after: 0 }, limit: { events: 10, bytes: 1e6 } }),
    )
    assert.deepEqual(
      page.events.map((event) => event.channel),
      ['a.b.needle'],
    )
    // What others have lost is no gap of this read.
    assert.equal(page.gap, undefined)
    assert.ok(Math.max(...rows) <= MOST_ROWS, `${Math.max(...rows)} rows in one step`)
  })

  for (const patience of [0, 1, 2, 3, 4, 5, 6, 7, 8]) {
    test(`tells what is lost while it goes on, after ${patience} of its steps`, (t) => {
      const db = emptyLog(t)
      // The others lose something too, so that looking for losses takes several steps.
      const rules = new RetentionRules([
        { channels: 'a.b.needle', count: 3 },
        { channels: '**', count: 1 },
      ])
      const store = new WriterStore(db, rules, EPOCH)
      const needles = (): void => append(store, ['a.b.needle', 'a.b.needle', 'a.b.needle'])
      needles()
      for (let round = 0; round < 2; round++) append(store, names('a', 6_000))
      const set = { names: [], patterns: ['*.*.needle'] }
      const reader = new ReaderStore(openForReading(db.location() ?? ''))
      const steps = reader.read({ set, from: { after: 0 }, limit: { events: 10, bytes: 1e6 } })
      for (let step = 0; step < patience; step++) {
        const { done, value } = steps.next()
        // It was over before anything was lost.
        if (done) return assert.deepEqual([value.gap, value.events.length], [undefined, 3])
      }
      needles()
      for (;;) {
        const { done, value } = steps.next()
        if (!done) continue
        assert.deepEqual(
          [value.gap?.reason, value.gap?.channels, value.gap?.upTo],
          ['trimmed', ['a.b.needle'], 3],
        )
        const seen = value.events.map(({ position }) => position)
        assert.ok(seen.every((position) => position > 3))
        // What it has not brought lies beyond its cursor.
        assert.ok(
          seen.length === 3 || value.cursor <= 12_003,
          `${seen.length} events, cursor ${value.cursor}`,
        )
        return undefined
      }
    })
  }
})
