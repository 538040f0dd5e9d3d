/** When a log may have forgotten something it is in a new epoch, and readers are told; when it has not, it is in the old one. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { cpSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { createHub, type Hub } from '../src/hub.ts'
import { SqliteLog, type SqliteLogOptions } from '../src/log/sqlite/sqlite-log.ts'
import { changeGuard, shorten, tempFolder } from './sqlite/files.ts'
import { HubProcess, type Opened } from './sqlite/hub-process.ts'
import { askPage, post } from './wire-contract/client.ts'

const HOUR = 3_600_000

async function withHub<T>(
  path: string,
  work: (hub: Hub, log: SqliteLog) => Promise<T>,
  options: Partial<SqliteLogOptions> = {},
): Promise<T> {
  const log = await SqliteLog.open({ path, ...options })
  try {
    return await work(createHub({ log }), log)
  } finally {
    await log.close()
  }
}

async function publish(hub: Hub, ...data: string[]): Promise<string[]> {
  const { ids } = await hub.publish(
    'a',
    data.map((text) => ({ data: text })),
  )
  return [...ids]
}

/** Two events before the copy is made, and two after. */
interface History {
  readonly folder: string
  readonly path: string
  readonly copy: string
  readonly kept: readonly string[]
  readonly lost: readonly string[]
}

/** @param hot The copy is made while the log is in use. */
async function history(folder: string, hot: boolean): Promise<History> {
  const [path, copy] = [join(folder, 'data', 'log.db'), join(folder, 'copy')]
  const copyAll = (): void =>
    cpSync(join(folder, 'data'), copy, { recursive: true, preserveTimestamps: true })
  const kept = await withHub(path, async (hub) => {
    const ids = await publish(hub, '1', '2')
    if (hot) copyAll()
    return ids
  })
  if (!hot) copyAll()
  const lost = await withHub(path, (hub) => publish(hub, '3', '4'))
  return { folder, path, copy, kept, lost }
}

/** The log is noticed to be older than it was: cursors up to the copy stay good, those after it are a gap. */
async function assertForgotten({ path, kept, lost }: History, why: RegExp): Promise<void> {
  await withHub(path, async (hub, log) => {
    assert.match(log.broke ?? 'nothing', why)
    const [anew] = await publish(hub, 'anew')
    const texts = async (after: string | undefined): Promise<unknown[]> => {
      const { events, gap } = await hub.read('a', { after: after ?? '' })
      return [gap?.reason, ...events.map(({ data }) => data)]
    }
    assert.deepEqual(await texts(kept[0]), [undefined, '2', 'anew'])
    assert.deepEqual(await texts(kept[1]), [undefined, 'anew'])
    // The position of the third is that of the new one: it must not pass for it.
    for (const id of lost) assert.deepEqual(await texts(id), ['epoch', '1', '2', 'anew'], id)
    assert.deepEqual(await texts(anew), [undefined])
  })
  await withHub(path, async (_hub, log) => assert.equal(log.broke, undefined, 'told once'))
}

const shell = (command: string, { folder }: History): unknown =>
  execFileSync('sh', ['-ec', command], { cwd: folder })

describe('an older copy in place of a log', () => {
  const ways: readonly (readonly [string, RegExp, (history: History) => unknown])[] = [
    ['of the database alone', /position 2, and 4/, (all) => shell('cp copy/log.db data/log.db', all)],
    [
      'of the database and its guard, over the same files, an hour later',
      /copied/,
      (all) => {
        changeGuard(join(all.copy, 'log.db'), { time: Date.now() - HOUR })
        // The number of the file that it is copied over is its own.
        shell('cp copy/log.db data/log.db && cat copy/log.db-guard > data/log.db-guard', all)
      },
    ],
    ['of the whole folder, by `cp -r`', /copied/, (all) => shell('rm -r data; cp -r copy data', all)],
    ['of the whole folder, by `cp -a`', /copied/, (all) => shell('rm -r data; cp -a copy data', all)],
    ['of the whole folder, by `mv`', /copied/, (all) => shell('rm -r data; mv copy data', all)],
    ['without its guard', /missing/, (all) => shell('rm -r data copy/*-guard; mv copy data', all)],
  ]
  for (const [name, why, restore] of ways) {
    for (const hot of [false, true]) {
      // Half of it may lie in the WAL, as a copy of the database alone would not have it.
      if (hot && name.includes('database')) continue
      test(`${name}, made ${hot ? 'while it was in use' : 'after it was closed'}, is noticed`, async (t) => {
        const all = await history(await tempFolder(t), hot)
        await restore(all)
        await assertForgotten(all, why)
      })
    }
  }

  test('is noticed even when the hub was killed, and its other files stay', async (t) => {
    const folder = await tempFolder(t)
    const all = await history(folder, false)
    const hub = new HubProcess()
    t.after(() => hub.kill())
    const { url } = await hub.open({ path: all.path })
    const [fifth] = await post(`${url}/channels/a`, '5')
    await hub.kill()
    shell('rm data/log.db-wal data/log.db-shm; cp copy/log.db data/log.db', all)
    await assertForgotten({ ...all, lost: [...all.lost, fifth ?? ''] }, /position 2, and 5/)
  })

  test("another log's guard is noticed", async (t) => {
    const all = await history(await tempFolder(t), false)
    const other = join(all.folder, 'other', 'log.db')
    await withHub(other, (hub) => publish(hub, '1'))
    renameSync(`${other}-guard`, `${all.path}-guard`)
    await withHub(all.path, async (_hub, log) => assert.match(log.broke ?? '', /another log/))
  })
})

describe('a log without its guard', () => {
  test('has lost nothing, and all its cursors stay good', async (t) => {
    const all = await history(await tempFolder(t), false)
    rmSync(`${all.path}-guard`)
    await withHub(all.path, async (hub, log) => {
      assert.match(log.broke ?? '', /missing/)
      const { events, gap } = await hub.read('a', { after: all.lost[0] ?? '' })
      assert.deepEqual([gap, events.map(({ data }) => data)], [undefined, ['4']])
    })
  })

  for (const content of ['', '{"half of', 'null', '{}']) {
    test(`or with one that says ${JSON.stringify(content)}, opens`, async (t) => {
      const all = await history(await tempFolder(t), false)
      execFileSync('sh', ['-c', 'printf %s "$1" > "$2"', 'sh', content, `${all.path}-guard`])
      await withHub(all.path, async (hub, log) => {
        assert.ok(log.broke)
        assert.equal((await hub.read('a', { after: all.kept[0] ?? '' })).gap, undefined)
      })
    })
  }
})

describe('the epoch stays', () => {
  const stays = async (path: string, all: History): Promise<void> =>
    withHub(path, async (hub, log) => {
      assert.deepEqual([log.broke, log.state().epochs.length], [undefined, 1])
      const { events, gap } = await hub.read('a', { after: all.lost[0] ?? '' })
      assert.deepEqual([gap, events.map(({ data }) => data)], [undefined, ['4']])
    })

  test('over a clean restart', async (t) => {
    const all = await history(await tempFolder(t), false)
    await stays(all.path, all)
  })

  test('when the folder moves within its file system', async (t) => {
    const all = await history(await tempFolder(t), false)
    shell('mv data elsewhere', all)
    await stays(join(all.folder, 'elsewhere', 'log.db'), all)
  })

  for (const durability of ['fsync', 'os'] as const) {
    test(`over kill -9, with durability ${durability}`, async (t) => {
      const path = join(await tempFolder(t), 'log.db')
      const { opened, id } = await killedHub(t, path, durability)
      const hub = new HubProcess()
      t.after(() => hub.kill())
      const again = await hub.open({ path, durability })
      assert.deepEqual([again.epoch, again.broke], [opened.epoch, undefined])
      const page = await askPage(`${again.url}/channels/a?after=${id('first')}`)
      assert.deepEqual(
        page.events.map((event) => event.data),
        ['second', 'third'],
      )
    })
  }

  test('over a reboot, with durability fsync', async (t) => {
    const path = join(await tempFolder(t), 'log.db')
    await killedHub(t, path, 'fsync')
    changeGuard(path, { boot: 'the last one' })
    await withHub(path, async (_hub, log) => assert.equal(log.broke, undefined))
  })

  test('over a clean stop and a reboot, with durability os', async (t) => {
    const path = join(await tempFolder(t), 'log.db')
    await withHub(path, (hub) => publish(hub, '1'), { durability: 'os' })
    changeGuard(path, { boot: 'the last one' })
    await withHub(path, async (_hub, log) => assert.equal(log.broke, undefined), { durability: 'os' })
    changeGuard(path, { boot: 'the last one' })
    const unused = 'opened and closed, and nothing written: clean, too'
    await withHub(path, async (_hub, log) => assert.equal(log.broke, undefined, unused))
  })
})

describe('the machine goes down with durability os', () => {
  const ways = { 'and the guard was written': 3, 'and the guard was not': 1 }
  for (const [name, position] of Object.entries(ways)) {
    test(`the end of the log was not, ${name}: a new epoch, and a gap for who had seen that`, async (t) => {
      const path = join(await tempFolder(t), 'log.db')
      const { id } = await killedHub(t, path, 'os')
      // Of the last commit a part never came to the disk.
      shorten(`${path}-wal`, 100)
      changeGuard(path, { boot: 'the last one', position })
      await withHub(path, async (hub, log) => {
        assert.match(log.broke ?? '', position === 3 ? /position 2, and 3/ : /machine went down/)
        await publish(hub, 'anew')
        const before = await hub.read('a', { after: id('second') })
        assert.deepEqual([before.gap, before.events.map(({ data }) => data)], [undefined, ['anew']])
        const after = await hub.read('a', { after: id('third') })
        assert.deepEqual(
          [after.gap?.reason, after.events.map(({ data }) => data)],
          ['epoch', ['first', 'second', 'anew']],
        )
      })
    })
  }

  test('everything was on the disk after all: all cursors stay good', async (t) => {
    const path = join(await tempFolder(t), 'log.db')
    const { id } = await killedHub(t, path, 'os')
    changeGuard(path, { boot: 'the last one' })
    await withHub(path, async (hub, log) => {
      assert.match(log.broke ?? '', /machine went down/)
      const page = await hub.read('a', { after: id('second') })
      assert.deepEqual([page.gap, page.events.map(({ data }) => data)], [undefined, ['third']])
    })
  })
})

/** A hub that was killed after three commits. */
async function killedHub(
  t: { after(run: () => Promise<void>): void },
  path: string,
  durability: 'fsync' | 'os',
): Promise<{ opened: Opened; id: (data: string) => string }> {
  const hub = new HubProcess()
  t.after(() => hub.kill())
  const opened = await hub.open({ path, durability })
  const ids = new Map<string, string>()
  for (const data of ['first', 'second', 'third']) {
    const [id] = await post(`${opened.url}/channels/a`, data)
    ids.set(data, id as string)
  }
  await hub.kill()
  return { opened, id: (data) => ids.get(data) as string }
}
