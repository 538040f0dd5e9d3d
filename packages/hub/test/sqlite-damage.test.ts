/** What stands in the way of a log when it is opened: each told in words that say what to do, and nothing of it made worse. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync, rmdirSync, truncateSync, writeFileSync } from 'node:fs'
import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { describe, test, type TestContext } from 'node:test'
import { createHub } from '../src/hub.ts'
import { SqliteLog } from '../src/log/sqlite/sqlite-log.ts'
import { overwrite, tempFolder } from './sqlite/files.ts'
import { HubProcess } from './sqlite/hub-process.ts'
import { ask, askPage, openStream, post, problemOf } from './wire-contract/client.ts'

const GARBAGE = Buffer.from('neither a page nor a frame '.repeat(400))

/** A log with a few hundred events, closed. */
async function filled(t: TestContext): Promise<string> {
  const path = join(await tempFolder(t), 'log.db')
  const log = await SqliteLog.open({ path })
  try {
    const events = Array.from({ length: 300 }, (_, index) => ({ data: `${index}:${'x'.repeat(1_000)}` }))
    await createHub({ log }).publish('a', events)
  } finally {
    await log.close()
  }
  return path
}

async function assertRefused(path: string, ...words: readonly RegExp[]): Promise<void> {
  await assert.rejects(
    async () => {
      const log = await SqliteLog.open({ path })
      await log.close()
    },
    (error: Error & { code?: unknown }) => {
      assert.deepEqual([error.name, error.code], ['LogError', 'log-unavailable'])
      for (const word of words) assert.match(error.message, word)
      assert.ok(error.message.includes(path), 'which log')
      return true
    },
  )
}

describe('a log is not opened', () => {
  test('when its first page is zeroes', async (t) => {
    const path = await filled(t)
    overwrite(path, 0, Buffer.alloc(4096))
    await assertRefused(path, /damaged/, /restore a backup, or move it away/)
  })

  test('when it is cut short', async (t) => {
    for (const length of [1000, 5000]) {
      const path = await filled(t)
      truncateSync(path, length)
      const before = readFileSync(path)
      await assertRefused(path, /damaged/, /restore a backup/)
      assert.deepEqual(readFileSync(path), before, 'for whoever tries to rescue it')
    }
  })

  test('when it is another kind of file, which stays as it is', async (t) => {
    const path = join(await tempFolder(t), 'log.db')
    writeFileSync(path, GARBAGE)
    await assertRefused(path, /damaged \(file is not a database\)/)
    assert.deepEqual(readFileSync(path), GARBAGE)
  })

  test("when it is another program's database, which stays as it is", async (t) => {
    const path = join(await tempFolder(t), 'log.db')
    const db = new DatabaseSync(path)
    db.exec('CREATE TABLE mine (x)')
    db.close()
    const before = readFileSync(path)
    await assertRefused(path, /not a log of Downlink: choose another path/)
    assert.deepEqual(readFileSync(path), before)
  })

  test('when a newer Downlink wrote it, and it stays as it is', async (t) => {
    const path = await filled(t)
    const db = new DatabaseSync(path)
    db.exec('PRAGMA user_version = 99')
    db.close()
    const before = readFileSync(path)
    await assertRefused(path, /newer Downlink \(format 99/, /update Downlink, or choose another path/)
    assert.deepEqual(readFileSync(path), before)
  })

  test('when its path is a folder', async (t) => {
    const path = join(await tempFolder(t), 'log.db')
    mkdirSync(path)
    await assertRefused(path, /is a folder: name a file in it/)
  })

  test('when its folder can not be made', async (t) => {
    const file = join(await tempFolder(t), 'file')
    writeFileSync(file, '')
    await assertRefused(join(file, 'log.db'), /folder .* can't be made/, /choose another path/)
  })

  test('twice at a time in one process', async (t) => {
    const path = join(await tempFolder(t), 'log.db')
    const log = await SqliteLog.open({ path })
    try {
      await assertRefused(path, new RegExp(`in use by another hub \\(process ${process.pid}\\): stop it`))
    } finally {
      await log.close()
    }
    const again = await SqliteLog.open({ path })
    await again.close()
  })

  test('while another process has it, and again as soon as that is killed', async (t) => {
    const path = join(await tempFolder(t), 'log.db')
    const hub = new HubProcess()
    t.after(() => hub.kill())
    await hub.open({ path })
    await assertRefused(path, /in use by another hub \(process \d+\): stop it, or choose another path/)
    await hub.kill()
    const log = await SqliteLog.open({ path })
    await log.close()
  })

  test('when nothing can be written there', async (t) => {
    const place = await mountOrSkip(t, '8m')
    if (place === undefined) return
    const path = join(place, 'log.db')
    const log = await SqliteLog.open({ path })
    await log.close()
    execFileSync('mount', ['-o', 'remount,ro', place])
    await assertRefused(path, /can't be (written|opened): check/)
    await assertRefused(join(place, 'new.db'), /can't be (written|opened): check/)
  })

  test('when the disk is full', async (t) => {
    const place = await mountOrSkip(t, '1m')
    if (place === undefined) return
    fill(place)
    const path = join(place, 'log.db')
    await assert.rejects(SqliteLog.open({ path }), { name: 'LogError', message: /is full: make room/ })
    empty(place)
    const log = await SqliteLog.open({ path })
    await log.close()
  })
})

describe('an open log', () => {
  test('whose pages are garbage says so, to readers and to health, and the hub lives on', async (t) => {
    const path = await filled(t)
    const size = readFileSync(path).length
    // All but what is read to open it and to append: the events are the most of the file.
    for (let at = 150_000; at < size - 50_000; at += 40_000) overwrite(path, at, GARBAGE)
    const hub = new HubProcess()
    t.after(() => hub.kill())
    const { url } = await hub.open({ path })
    const problem = problemOf(await ask(`${url}/channels/a?after=start&limit=1000`), 503, 'log-unavailable')
    assert.match(String(problem['detail']), /damaged .*restore a backup, or move it away/)
    const ready = await ask(`${url}/readyz`)
    assert.equal(ready.status, 503)
    assert.match(ready.text, /damaged/)
    assert.equal((await ask(`${url}/healthz`)).status, 200)
    const [id] = await post(`${url}/channels/b`, 'elsewhere')
    const page = await askPage(`${url}/channels/b?last=1`)
    assert.deepEqual(
      page.events.map((event) => event.id),
      [id],
    )
    assert.equal((await ask(`${url}/readyz`)).status, 503, 'damage does not heal')
  })

  test('whose WAL was damaged while it was down has forgotten what was in it, and knows', async (t) => {
    const path = join(await tempFolder(t), 'log.db')
    const first = new HubProcess()
    t.after(() => first.kill())
    const opened = await first.open({ path })
    const [id] = await post(`${opened.url}/channels/a`, 'acknowledged')
    await first.kill()
    overwrite(`${path}-wal`, 0, GARBAGE.subarray(0, 32))
    const second = new HubProcess()
    t.after(() => second.kill())
    const { url, broke } = await second.open({ path })
    assert.match(broke ?? '', /position 0, and 1 was acknowledged/)
    const page = await askPage(`${url}/channels/a?after=${id}`)
    assert.equal(page.gap?.reason, 'epoch')
  })

  test('on a full disk refuses what it can not store, serves its readers, and recovers by itself', async (t) => {
    const place = await mountOrSkip(t, '4m')
    if (place === undefined) return
    const hub = new HubProcess()
    t.after(() => hub.kill())
    const { url, epoch } = await hub.open({ path: join(place, 'log.db') })
    const stored = [...(await post(`${url}/channels/a`, 'first'))]
    using stream = await openStream(`${url}/channels/a?after=start`)
    assert.deepEqual(
      (await stream.take(2)).map((event) => event.type),
      ['downlink:open', 'message'],
    )
    fill(place)
    const large = 'x'.repeat(50_000)
    let refused
    while (refused === undefined) {
      const got = await ask(`${url}/channels/a`, { method: 'POST', body: large })
      if (got.status === 200) stored.push(...(JSON.parse(got.text) as { ids: string[] }).ids)
      else refused = got
    }
    assert.match(String(problemOf(refused, 503, 'log-full')['detail']), /is full: make room/)
    const unready = await ask(`${url}/readyz`)
    assert.equal(unready.status, 503)
    assert.match(unready.text, /is full/)
    const ids = async (): Promise<string[]> =>
      (await askPage(`${url}/channels/a?after=start&limit=1000`)).events.map((event) => event.id)
    assert.deepEqual(await ids(), stored)
    empty(place)
    assert.equal((await ask(`${url}/readyz`)).status, 200, 'known without an append')
    stored.push(...(await post(`${url}/channels/a`, large)))
    assert.deepEqual(await ids(), stored)
    const seen = await stream.take(stored.length - 1)
    assert.deepEqual(
      seen.map((event) => event.lastEventId),
      stored.slice(1),
    )
    await hub.kill()
    const again = new HubProcess()
    t.after(() => again.kill())
    const reopened = await again.open({ path: join(place, 'log.db') })
    assert.deepEqual([reopened.epoch, reopened.broke], [epoch, undefined])
  })

  test('on a full disk is read even when there is something too old, which can not be trimmed', async (t) => {
    const place = await mountOrSkip(t, '4m')
    if (place === undefined) return
    let now = Date.now()
    const retention = [{ channels: '**', age: 1_000 }]
    const log = await SqliteLog.open({ path: join(place, 'log.db'), now: () => now, retention })
    try {
      const hub = createHub({ log })
      await hub.publish('a', { data: 'first' })
      fill(place)
      const large = async (): Promise<void> => {
        for (;;) await hub.publish('a', { data: 'x'.repeat(50_000) })
      }
      await assert.rejects(large(), { code: 'log-full' })
      const before = await hub.read('a', { after: 'start' })
      assert.equal(before.events[0]?.data, 'first')
      now += 5_000
      const late = await hub.read('a', { after: 'start' })
      assert.deepEqual(
        late.events.map(({ id }) => id),
        before.events.map(({ id }) => id),
      )
      empty(place)
      now += 5_000
      const after = await hub.read('a', { after: 'start' })
      assert.deepEqual([after.events, after.gap?.reason], [[], 'trimmed'])
    } finally {
      await log.close()
    }
  })
})

/** A small disk of its own; undefined, and the test skipped, where that is not allowed. */
async function mountOrSkip(t: TestContext, size: string): Promise<string | undefined> {
  const folder = await mkdtemp(join(tmpdir(), 'downlink-disk-'))
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${size}`, 'downlink-test', folder], { stdio: 'ignore' })
  } catch {
    rmdirSync(folder)
    t.skip('needs the right to mount a tmpfs: a disk that fills up can not be had otherwise')
    return undefined
  }
  t.after(() => {
    // Lazily: a process that was just killed may still be letting go.
    execFileSync('umount', ['-l', folder])
    rmdirSync(folder)
  })
  return folder
}

function fill(place: string): void {
  try {
    execFileSync('dd', ['if=/dev/zero', `of=${join(place, 'filler')}`, 'bs=4k'], { stdio: 'ignore' })
  } catch {
    // That is how it ends.
  }
}

function empty(place: string): void {
  execFileSync('rm', [join(place, 'filler')])
}
