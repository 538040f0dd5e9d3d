import assert from 'node:assert/strict'
import { copyFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { describe, test, type TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
import { ChannelSet } from '../src/log/channel-set.ts'
import { resolve } from '../src/log/epoch.ts'
import { APPLICATION_ID, migrate, SCHEMA_VERSION } from '../src/log/sqlite/schema.ts'
import { verify } from '../src/log/sqlite/verify.ts'
import { SqliteLog } from '../src/sqlite.ts'
import { folderOf } from './cli/folder.ts'

const ALL = new ChannelSet(['**'])
const LIMIT = { events: 100, bytes: 1e6 }

/** A copy of the file that the first format was written with (`fixtures/make-format-1.ts`). */
function fixture(t: TestContext): string {
  const path = join(folderOf(t), 'log.db')
  copyFileSync(fileURLToPath(new URL('fixtures/format-1.db', import.meta.url)), path)
  return path
}

describe('a file of format 1', () => {
  test('is opened by this version, with all that it holds', async (t) => {
    const path = fixture(t)
    const day = Date.UTC(2026, 10, 22)
    let now = day + 60_000
    const retention = [{ channels: 'short', count: 2 }]
    const log = await SqliteLog.open({ path, retention, now: () => now++ })
    t.after(() => log.close())
    const page = await log.read(ALL, { after: 0 }, LIMIT)
    assert.deepEqual(
      page.events.map(({ channel, type, data, position, previous }) => [
        channel,
        type,
        data,
        position,
        previous,
      ]),
      [
        ['a', undefined, 'one', 1, 0],
        ['a', 'paid', 'two\nlines', 2, 1],
        ['b.c', undefined, 'ключ', 3, 0],
        ['short', undefined, '2', 5, 4],
        ['short', undefined, '3', 6, 5],
        ['done', undefined, 'last', 7, 0],
      ],
    )
    assert.ok(page.events.every(({ time }) => time > day && time < day + 60_000))
    assert.deepEqual(page.ends, [{ kind: 'end', channel: 'done', position: 7 }])
    assert.deepEqual(
      [page.gap?.reason, page.gap?.channels, page.gap?.upTo],
      ['deleted', ['erased', 'short'], 9],
    )
    // The file came without its guard: a new epoch, which goes on from the old one.
    const [, parent] = log.state().epochs
    assert.equal(parent?.name, 'ffffffff')
    assert.deepEqual(resolve(log.state(), { epoch: 'ffffffff', position: 9 }), { position: 9 })
    const idempotency = { key: 'key', fingerprint: 'print' }
    assert.deepEqual(await log.append([{ channel: 'b.c', data: 'ключ' }], { idempotency }), {
      epoch: 'ffffffff',
      positions: [3],
      repeated: true,
    })
    await assert.rejects(log.append([{ channel: 'done', data: '' }]), { code: 'channel-ended' })
    assert.deepEqual((await log.append([{ channel: 'a', data: 'three' }])).positions, [10])
  })

  test('is whole', async (t) => {
    const path = fixture(t)
    await (await SqliteLog.open({ path, now: () => Date.UTC(2026, 10, 23) })).close()
    assert.deepEqual(verify(path).problems, [])
  })
})

/** Formats of an imaginary log: the second adds a column, and fills it. */
const FIRST = "CREATE TABLE things (name TEXT); INSERT INTO things VALUES ('a')"
const SECOND = 'ALTER TABLE things ADD COLUMN size INTEGER; UPDATE things SET size = length(name)'

describe('a migration', () => {
  const fresh = (t: TestContext): DatabaseSync => {
    const db = new DatabaseSync(join(folderOf(t), 'log.db'))
    t.after(() => db.close())
    return db
  }
  const version = (db: DatabaseSync): unknown => db.prepare('PRAGMA user_version').get()?.['user_version']
  const things = (db: DatabaseSync): unknown =>
    db
      .prepare('SELECT * FROM things')
      .all()
      .map((row) => ({ ...row }))

  test('brings an empty file through all steps', (t) => {
    const db = fresh(t)
    migrate(db, 'log.db', [FIRST, SECOND])
    assert.deepEqual([version(db), things(db)], [2, [{ name: 'a', size: 1 }]])
    assert.equal(db.prepare('PRAGMA application_id').get()?.['application_id'], APPLICATION_ID)
  })

  test('brings an older file through the steps that it lacks, once', (t) => {
    const db = fresh(t)
    migrate(db, 'log.db', [FIRST])
    db.exec("INSERT INTO things VALUES ('bc')")
    migrate(db, 'log.db', [FIRST, SECOND])
    migrate(db, 'log.db', [FIRST, SECOND])
    assert.deepEqual(
      [version(db), things(db)],
      [
        2,
        [
          { name: 'a', size: 1 },
          { name: 'bc', size: 2 },
        ],
      ],
    )
  })

  test('that fails in the middle leaves the file as it was', (t) => {
    const db = fresh(t)
    migrate(db, 'log.db', [FIRST])
    assert.throws(
      () => migrate(db, 'log.db', [FIRST, SECOND, 'DROP TABLE things; SELECT no_such_function()']),
      /no such function/,
    )
    assert.deepEqual([version(db), things(db)], [1, [{ name: 'a' }]])
    migrate(db, 'log.db', [FIRST, SECOND])
    assert.equal(version(db), 2)
  })

  test('leaves a newer file alone, and says what to do', (t) => {
    const db = fresh(t)
    migrate(db, 'log.db', [FIRST, SECOND])
    assert.throws(() => migrate(db, 'log.db', [FIRST]), {
      code: 'log-unavailable',
      message:
        'log.db was written by a newer Downlink (format 2, this one knows 1): update Downlink, or choose another path',
    })
    assert.equal(version(db), 2)
  })

  test('leaves the database of another program alone', (t) => {
    const db = fresh(t)
    db.exec('CREATE TABLE mine (x)')
    assert.throws(() => migrate(db, 'log.db'), {
      message: 'log.db is a database, but not a log of Downlink: choose another path',
    })
    assert.equal(version(db), 0)
  })
})

test('a hub does not start on a log of a newer format', async (t) => {
  const path = join(folderOf(t), 'log.db')
  await (await SqliteLog.open({ path })).close()
  const db = new DatabaseSync(path)
  db.exec(`PRAGMA user_version = ${SCHEMA_VERSION + 1}`)
  db.close()
  await assert.rejects(SqliteLog.open({ path }), { code: 'log-unavailable', message: /newer Downlink/ })
  assert.throws(() => verify(path), { code: 'log-unavailable', message: /newer Downlink/ })
})
