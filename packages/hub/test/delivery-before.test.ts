/** Pages that are read backwards, whatever the engine, and when the epoch changes. */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import type { Page } from '@downlink/wire'
import { createHub } from '../src/hub.ts'
import { serveHub } from '../src/node.ts'
import { Lookout } from '../src/ops/lookout.ts'
import type { Log, LogPage } from '../src/log/log.ts'
import { MemoryLog } from '../src/log/memory.ts'
import { finite } from '../src/log/retention.ts'
import { SqliteLog } from '../src/log/sqlite/sqlite-log.ts'
import { Stage } from './simulation/stage.ts'
import { tempFolder } from './sqlite/files.ts'
import { askPage } from './wire-contract/client.ts'

const NONE = { p50: 0, p99: 0, max: 0 }

const retention = [
  { channels: 'few', count: 3 },
  { channels: 'kept', count: Infinity, age: 1e6 },
]
const engines: Readonly<Record<string, (t: TestContext) => Promise<Log>>> = {
  memory: async () => new MemoryLog({ retention }),
  sqlite: async (t) => SqliteLog.open({ path: join(await tempFolder(t), 'log.db'), retention }),
}

for (const [engine, open] of Object.entries(engines)) {
  test(`${engine}: from page to page back one sees each event that is kept once, and is told what is not`, async (t) => {
    await using hub = createHub({ log: await open(t) })
    for (let n = 0; n < 30; n++) await hub.publish(n % 3 === 0 ? 'few' : `a.${n % 3}`, `${n}`)
    const { ids } = await hub.publish('other', 'x')
    let before: string | undefined = ids[0]
    const pages: Page[] = []
    while (before !== undefined) {
      const page: Page = await hub.read(['few', 'a.*'], { before, limit: 4 })
      pages.unshift(page)
      before = page.previous
    }
    const seen = pages.flatMap(({ events }) => events.map(({ data }) => Number(data)))
    const kept = Array.from({ length: 30 }, (_, n) => n).filter((n) => n % 3 !== 0 || n >= 21)
    assert.deepEqual(seen, kept)
    // What went is told on each page that begins before its end, and on no other.
    const told = pages.map(({ gap }) => gap?.reason)
    const whole = pages.map(({ events }) => Number(events[0]?.data) > 18)
    assert.deepEqual(
      told,
      whole.map((is) => (is ? undefined : 'trimmed')),
    )
    assert.ok(told.includes(undefined) && told.includes('trimmed'))
  })

  test(`${engine}: says what is kept of a channel at most`, async (t) => {
    await using hub = createHub({ log: await open(t) })
    assert.equal(hub.log.retention?.('few')?.count, 3)
    assert.partialDeepStrictEqual(hub.log.retention?.('kept'), { count: Infinity, age: 1e6 })
    assert.deepEqual(Object.keys(finite(hub.log.retention?.('kept') ?? assert.fail())), ['age', 'bytes'])
  })
}

test('P3.5.5 before a cursor of the parent epoch one goes back as far as both are the same, and beyond that is a gap', async () => {
  const stage = new Stage()
  stage.log.epochs = [{ name: 'B', parent: { name: 'A', upTo: 2 } }, { name: 'A' }]
  await stage.publish(['a', '1'], ['a', '2'], ['a', '3'])
  const hub = createHub({ log: stage.log, clock: stage.clock })
  const good = await hub.read('a', { before: 'A-2' })
  assert.deepEqual([good.events.map(({ id }) => id), good.gap], [['B-1'], undefined])
  const foreign = await hub.read('a', { before: 'A-3' })
  assert.deepEqual(
    foreign.events.map(({ data }) => data),
    ['1', '2', '3'],
  )
  assert.deepEqual(foreign.gap, { reason: 'epoch', channels: ['a'], from: 'A-3', to: 'B-3' })
})

test('what was read while the epoch changed is read again', async () => {
  const stage = new Stage()
  await stage.publish(['a', '1'], ['a', '2'])
  const { log } = stage
  let changes = 0
  const read = log.read.bind(log)
  log.read = async (...asked): Promise<LogPage> => {
    const page = await read(...asked)
    if (changes++ === 0) log.epochs = [{ name: 'B', parent: { name: stage.epoch, upTo: 2 } }]
    return page
  }
  const hub = createHub({ log, clock: stage.clock })
  const page = await hub.read('a', { before: `${stage.epoch}-2` })
  assert.deepEqual([page.events.map(({ id }) => id), page.cursor], [['B-1'], 'B-1'])
})

test('before goes alone', async (t) => {
  const hub = createHub()
  t.after(() => hub.close())
  for (const options of [{ after: 'start' }, { last: 1 }, { waitMs: 5 }])
    await assert.rejects(hub.read('a', { before: 'e-1', ...options }), { code: 'invalid-option' })
  await assert.rejects(hub.read('a', { before: 'e-1', limit: 1_001 }), { code: 'invalid-option' })
  await assert.rejects(hub.read('a', { before: 'now' }), { code: 'invalid-cursor' })
})

test('P3.5.1 the hub’s own channels are read backwards, too', async (t) => {
  const hub = createHub()
  const lookout = new Lookout(hub, {
    memory: () => ({ rss: 1, heap: 1 }),
    cpu: () => 0,
    loopDelay: () => NONE,
  })
  const server = await serveHub(hub, { host: '127.0.0.1', lookout })
  t.after(async () => {
    await server.stop()
    await lookout.close()
    await hub.close()
  })
  lookout.trouble({ kind: 'error', message: 'one' })
  lookout.trouble({ kind: 'error', message: 'two' })
  const at = `${server.url}/channels/$hub.trouble`
  const newest = await askPage(`${at}?last=1`)
  const page = await askPage(`${at}?before=${newest.events[0]?.id}`)
  assert.match(page.events.map(({ data }) => data).join(), /one/)
  assert.deepEqual([page.events.length, page.previous, page.gap], [1, undefined, undefined])
})
