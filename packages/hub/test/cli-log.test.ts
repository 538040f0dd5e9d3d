import assert from 'node:assert/strict'
import { copyFileSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { describe, test, type TestContext } from 'node:test'
import fc from 'fast-check'
import { createHub, type Hub } from '../src/index.ts'
import { LineError, parseImportLine } from '../src/cli/import-line.ts'
import { seldom, sizeText } from '../src/cli/log-care.ts'
import { SqliteLog } from '../src/sqlite.ts'
import { result, run, serving } from './cli/command.ts'
import { folderOf } from './cli/folder.ts'

interface Line {
  readonly id: string
  readonly channel: string
  readonly type?: string
  readonly data?: string
  readonly time?: string
  readonly end?: true
}

/** A hub in the test's own process on `log.db` of the folder. */
async function hubIn(folder: string, now: () => number = Date.now): Promise<Hub> {
  return createHub({ log: await SqliteLog.open({ path: join(folder, 'log.db'), now }) })
}

async function filled(t: TestContext): Promise<string> {
  const folder = folderOf(t)
  let now = Date.UTC(2026, 0, 1)
  await using hub = await hubIn(folder, () => (now += 1000))
  await hub.publish('a', ['one', { type: 'paid', data: 'two' }, { data: { three: 3 } }])
  await hub.publish(['b.1', 'b.2'], { data: 'line\nline' })
  await hub.publish('b.1', { data: 'last' }, { end: true })
  await hub.end('c')
  await hub.publish('gone', 'x')
  await hub.drop('gone')
  return folder
}

const log = (
  t: TestContext,
  cwd: string,
  args: readonly string[],
  input?: string,
): ReturnType<typeof result> => result(t, ['log', ...args, '--log', 'sqlite:log.db'], input, { cwd })

const linesOf = (text: string): Line[] =>
  text
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line) as Line)

/** Without what an import makes anew. */
const contents = (lines: readonly Line[]): object[] => lines.map((line) => ({ ...line, id: undefined }))

describe('downlink log info', () => {
  test('tells what a log holds, also as JSON', async (t) => {
    const cwd = await filled(t)
    const { code, stdout, stderr } = await log(t, cwd, ['info'])
    assert.deepEqual([code, stderr], [0, ''])
    assert.match(stdout, /^state +no hub uses it, and the last one closed it$/m)
    assert.match(stdout, /^channels +5$/m)
    assert.match(stdout, /^events +6$/m)
    assert.match(stdout, /^oldest +2026-01-01T00:00:\d\d\.000Z$/m)
    const facts = JSON.parse((await log(t, cwd, ['info', '--json'])).stdout) as Record<string, unknown>
    assert.deepEqual(
      [facts['channels'], facts['events'], facts['format'], facts['epochs'], facts['standing']],
      [5, 6, 1, 1, 'clean'],
    )
    assert.equal(facts['cursor'], `${String(facts['epoch'])}-${String(facts['frontier'])}`)
  })

  test('tells of a hub that uses it, and of one that died', async (t) => {
    const cwd = folderOf(t)
    const { command } = await serving(t, ['--port', '0', '--log', 'sqlite:log.db'], { cwd })
    assert.match((await log(t, cwd, ['info'])).stdout, /^state +a hub uses it$/m)
    command.child.kill('SIGKILL')
    await command.ended
    assert.match(
      (await log(t, cwd, ['info'])).stdout,
      /^state +no hub uses it, and the last one was not stopped/m,
    )
  })
})

describe('downlink log verify', () => {
  test('says ok of a log that is, at rest and in use', async (t) => {
    const cwd = await filled(t)
    const ok = { code: 0, stdout: 'ok: 5 channels, 6 events\n', stderr: '' }
    assert.deepEqual(await log(t, cwd, ['verify']), ok)
    // The events are from January, and so is the one channel that is empty.
    const keepAll = ['--retention', '**=none', '--forget', '36500d']
    await serving(t, ['--port', '0', '--log', 'sqlite:log.db', ...keepAll], { cwd })
    assert.deepEqual(await log(t, cwd, ['verify']), ok)
  })

  for (const [sql, line] of [
    ['DELETE FROM events WHERE position = 2', /channel a: event 3 does not continue the one before it/],
    [
      'DELETE FROM events WHERE position = 3',
      /channel a: it counts 3 events, and has 2\n.*\n.*its last event should be 3, and is 2/,
    ],
    ["UPDATE channels SET events = 7 WHERE name = 'a'", /channel a: it counts 7 events, and has 3/],
    ["UPDATE channels SET size = 7 WHERE name = 'a'", /channel a: it counts 7 units of data, and has \d+/],
    ['UPDATE events SET size = 99 WHERE position = 1', /channel a: event 1 has not the size that it says/],
    ['UPDATE events SET time = 1 WHERE position = 2', /channel a: event 2 is older than the one before it/],
    ["DELETE FROM channels WHERE name = 'a'", /event 1: no channel has number 1/],
    ['DELETE FROM events WHERE position IN (4, 6)', /channel b\.1: its events are missing/],
    ["UPDATE channels SET end_at = 1 WHERE name = 'b.1'", /channel b\.1: it has events after its end/],
    ["UPDATE meta SET value = 4 WHERE name = 'frontier'", /event 5: it lies behind the frontier/],
    ['DELETE FROM epochs', /epochs: there is none/],
    ["UPDATE channels SET lost_to = 0 WHERE name = 'gone'", /channel gone: lost_to is not the most/],
    ['INSERT INTO sweep VALUES (99, 1)', /sweep: no channel has number 99/],
    [
      "INSERT INTO events SELECT 7, id, 0, 1, 1, NULL, 'x' FROM channels WHERE name = 'gone'",
      /channel gone: it has events that nobody can read/,
    ],
  ] as const) {
    test(`finds what ${sql} leaves`, async (t) => {
      const cwd = await filled(t)
      const db = new DatabaseSync(join(cwd, 'log.db'))
      db.exec(sql)
      db.close()
      const { code, stdout, stderr } = await log(t, cwd, ['verify'])
      assert.equal(code, 1)
      assert.match(stdout, line)
      assert.match(stderr, /^downlink: log\.db is damaged \([^\n]*\n$/m)
    })
  }

  test('finds pages that were written over', async (t) => {
    const cwd = await filled(t)
    const path = join(cwd, 'log.db')
    const db = new DatabaseSync(path)
    const page = Number(
      db.prepare("SELECT rootpage FROM sqlite_schema WHERE name = 'events'").get()?.['rootpage'],
    )
    db.close()
    const bytes = readFileSync(path)
    bytes.fill(0xa5, (page - 1) * 4096, page * 4096)
    writeFileSync(path, bytes)
    const { code, stdout } = await log(t, cwd, ['verify'])
    assert.equal(code, 1)
    assert.match(stdout, /^SQLite: /m)
  })

  test('tells that an older copy will begin a new epoch', async (t) => {
    const cwd = await filled(t)
    copyFileSync(join(cwd, 'log.db'), join(cwd, 'old.db'))
    const hub = await hubIn(cwd)
    await hub.publish('a', 'more')
    await hub.close()
    copyFileSync(join(cwd, 'old.db'), join(cwd, 'log.db'))
    const { code, stderr } = await log(t, cwd, ['verify'])
    assert.equal(code, 0)
    assert.match(stderr, /It ends at position \d+, and \d+ was acknowledged: the next hub begins a new epoch/)
  })
})

describe('downlink log export and import', () => {
  test('prints events and ends in order, and brings them into another log as they were', async (t) => {
    const cwd = await filled(t)
    const { code, stdout, stderr } = await log(t, cwd, ['export'])
    assert.deepEqual([code, stderr], [0, ''])
    const lines = linesOf(stdout)
    assert.deepEqual(
      lines.map((line) => [line.channel, line.type, line.data ?? line.end]),
      [
        ['a', 'message', 'one'],
        ['a', 'paid', 'two'],
        ['a', 'message', '{"three":3}'],
        ['b.1', 'message', 'line\nline'],
        ['b.2', 'message', 'line\nline'],
        ['b.1', 'message', 'last'],
        ['b.1', undefined, true],
        ['c', undefined, true],
      ],
    )
    const other = folderOf(t)
    const imported = await log(t, other, ['import'], stdout)
    assert.deepEqual(imported, { code: 0, stdout: '6 events imported into 4 channels\n', stderr: '' })
    assert.equal((await log(t, other, ['verify'])).code, 0)
    assert.deepEqual(contents(linesOf((await log(t, other, ['export'])).stdout)), contents(lines))
    // The events are from January.
    const retention = [{ channels: '**', age: Infinity }]
    await using hub = createHub({ log: await SqliteLog.open({ path: join(other, 'log.db'), retention }) })
    await assert.rejects(hub.publish('b.1', 'x'), { code: 'channel-ended' })
    await hub.publish('a', 'four')
    assert.deepEqual(
      (await hub.read('a', { after: 'start' })).events.map((event) => event.data),
      ['one', 'two', '{"three":3}', 'four'],
    )
  })

  test('--channels and --after choose', async (t) => {
    const cwd = await filled(t)
    const all = linesOf((await log(t, cwd, ['export'])).stdout)
    const some = linesOf((await log(t, cwd, ['export', '--channels', 'b.*,c'])).stdout)
    assert.deepEqual(
      some,
      all.filter((line) => line.channel !== 'a'),
    )
    const later = linesOf(
      (await log(t, cwd, ['export', '--channels', 'b.*', '--after', all[4]?.id ?? ''])).stdout,
    )
    assert.deepEqual(later, all.slice(5, 7))
    const strange = await log(t, cwd, ['export', '--after', 'other-1'])
    assert.deepEqual([strange.code, strange.stdout], [1, ''])
    assert.match(strange.stderr, /^downlink: The log does not know other-1: [^\n]*\n$/)
  })

  test('more than a page is exported while a hub publishes, each event once and in order', async (t) => {
    const cwd = folderOf(t)
    await using hub = await hubIn(cwd)
    const batch = (from: number): string[] => Array.from({ length: 500 }, (_, index) => `${from + index}`)
    for (let from = 0; from < 3_000; from += 500) await hub.publish('a', batch(from))
    const exporting = run(t, ['log', 'export', '--log', 'sqlite:log.db'], { cwd })
    for (let from = 3_000; from < 6_000; from += 500) await hub.publish('a', batch(from))
    assert.equal(await exporting.ended, 0)
    const data = linesOf(exporting.stdout).map((line) => Number(line.data))
    assert.ok(data.length >= 3_000)
    assert.deepEqual(
      data,
      Array.from(data, (_, index) => index),
    )
  })

  test('export is quiet when nobody reads on', async (t) => {
    const cwd = folderOf(t)
    const hub = await hubIn(cwd)
    await hub.publish(
      'a',
      Array.from({ length: 5_000 }, () => 'x'.repeat(200)),
    )
    await hub.close()
    const command = run(t, ['log', 'export', '--log', 'sqlite:log.db'], { cwd, reading: false })
    command.child.stdout.destroy()
    assert.equal(await command.ended, 0)
    assert.equal(command.stderr, '')
  })

  test('what is written by hand is imported too, with the present time', async (t) => {
    const cwd = folderOf(t)
    const begun = Date.now()
    const input = '{"channel":"a","data":{"n":1}}\r\n\n{"channel":"a","data":"x\\r\\ny","type":"t"}'
    assert.equal((await log(t, cwd, ['import'], input)).code, 0)
    const lines = linesOf((await log(t, cwd, ['export'])).stdout)
    assert.deepEqual(
      lines.map(({ type, data }) => [type, data]),
      [
        ['message', '{"n":1}'],
        ['t', 'x\ny'],
      ],
    )
    assert.ok(lines.every(({ time = '' }) => Date.parse(time) >= begun && Date.parse(time) <= Date.now()))
  })

  test('times never go back within a channel, nor lie in the future', async (t) => {
    const cwd = await filled(t)
    const times = [
      '2020-01-01T00:00:00Z',
      '2026-02-01T00:00:00.500+01:00',
      '2026-01-15T00:00:00Z',
      '2999-01-01T00:00:00Z',
    ]
    const input = ['a', 'new'].flatMap((channel) =>
      times.map((time) => JSON.stringify({ channel, data: '', time })),
    )
    writeFileSync(join(cwd, 'in.ndjson'), input.join('\n'))
    const begun = new Date().toISOString()
    assert.equal((await log(t, cwd, ['import', 'in.ndjson'])).code, 0)
    assert.equal((await log(t, cwd, ['verify'])).code, 0)
    const lines = linesOf((await log(t, cwd, ['export', '--channels', 'a,new'])).stdout)
    const timesOf = (channel: string): string[] =>
      lines.filter((line) => line.channel === channel).map(({ time = '' }) => time)
    const [, , head = '', ...added] = timesOf('a')
    assert.deepEqual(added.slice(0, 3), [head, '2026-01-31T23:00:00.500Z', '2026-01-31T23:00:00.500Z'])
    assert.deepEqual(timesOf('new').slice(0, 3), [
      '2020-01-01T00:00:00.000Z',
      '2026-01-31T23:00:00.500Z',
      '2026-01-31T23:00:00.500Z',
    ])
    assert.ok((added[3] ?? '') >= begun && (added[3] ?? '') <= new Date().toISOString())
  })

  test('the rules of the next hub hold for what was imported', async (t) => {
    const cwd = folderOf(t)
    const input = Array.from({ length: 50 }, (_, n) => JSON.stringify({ channel: 'a', data: `${n}` })).join(
      '\n',
    )
    assert.equal((await log(t, cwd, ['import'], input)).code, 0)
    const retention = [{ channels: '**', count: 7 }]
    await using hub = createHub({ log: await SqliteLog.open({ path: join(cwd, 'log.db'), retention }) })
    while (((await hub.channels())[0]?.events ?? 0) > 7);
    assert.equal((await hub.channels())[0]?.events, 7)
  })

  test('a line that is wrong is named, and nothing is imported', async (t) => {
    const cwd = await filled(t)
    const before = (await log(t, cwd, ['export'])).stdout
    const good = '{"channel":"x","data":"1"}\n'
    for (const [input, line] of [
      [`${good}\n{"channel":`, 'Line 3: Expected JSON. Nothing was imported'],
      [
        `${good}{"channel":"b.1","data":""}`,
        'Line 2: Channel b.1 has ended: publish to another, or erase it to begin anew. Nothing was imported',
      ],
      [`${good}\u00e9`, 'Line 2: Expected JSON. Nothing was imported'],
    ] as const) {
      const { code, stdout, stderr } = await log(t, cwd, ['import'], input)
      assert.deepEqual([code, stdout, stderr], [1, '', `downlink: ${line}\n`])
    }
    const missing = await log(t, cwd, ['import', 'no-such'])
    assert.equal(missing.stderr, "downlink: no-such can't be read: no such file. Nothing was imported\n")
    assert.equal((await log(t, cwd, ['export'])).stdout, before)
    assert.match((await log(t, cwd, ['info'])).stdout, /^state +no hub uses it, and the last one closed it$/m)
  })

  test('an import that is interrupted leaves nothing behind', async (t) => {
    const cwd = await filled(t)
    const before = (await log(t, cwd, ['export'])).stdout
    const command = run(t, ['log', 'import', '--log', 'sqlite:log.db'], { cwd })
    command.child.stdin.write('{"channel":"x","data":"1"}\n'.repeat(10_000))
    // It reads, so it has begun.
    while ((await log(t, cwd, ['info', '--json'])).stdout.includes('"clean"'));
    command.child.kill('SIGINT')
    assert.equal(await command.ended, 130)
    assert.equal(command.stderr, 'downlink: Interrupted: nothing was imported\n')
    assert.equal((await log(t, cwd, ['export'])).stdout, before)
  })

  test('--hub publishes to a hub that runs, in order, with ends; a wrong line is named', async (t) => {
    const cwd = await filled(t)
    const { stdout: exported } = await log(t, cwd, ['export'])
    const { url } = await serving(t, ['--port', '0', '--log', 'sqlite:other.db', '--retention', '**=none'], {
      cwd,
    })
    const more = '{"channel":"last","data":{"n":1},"type":"paid"}'
    const done = await result(t, ['log', 'import', '--hub', url], exported + more)
    assert.deepEqual(done, { code: 0, stdout: `7 events published to 5 channels of ${url}\n`, stderr: '' })
    const plain = (text: string): unknown[] =>
      text
        .trim()
        .split('\n')
        .map((line) => {
          const { channel, type, data, end } = JSON.parse(line) as Record<string, unknown>
          return { channel, type, data, end }
        })
    const there = (await result(t, ['log', 'export', '--log', 'sqlite:other.db'], '', { cwd })).stdout
    assert.deepEqual(plain(there), [
      ...plain(exported),
      { channel: 'last', type: 'paid', data: '{"n":1}', end: undefined },
    ])

    const input = '{"channel":"x","data":"1"}\n{"channel":"x","data":2}\n{"channel":'
    const wrong = await result(t, ['log', 'import', '--hub', url], input)
    const line = 'downlink: Line 3 of standard input: Expected JSON. The lines before it are published\n'
    assert.deepEqual([wrong.code, wrong.stderr], [1, line])
    const page = (await (await fetch(`${url}/channels/x?last=9`)).json()) as { events: { data: string }[] }
    assert.deepEqual(
      page.events.map(({ data }) => data),
      ['1', '2'],
    )
  })

  test('a log that a hub uses takes no import', async (t) => {
    const cwd = folderOf(t)
    await using hub = await hubIn(cwd)
    await hub.publish('a', 'one')
    const { code, stderr } = await log(t, cwd, ['import'], '{"channel":"a","data":""}')
    assert.equal(code, 1)
    assert.match(
      stderr,
      /^downlink: \S+log\.db is in use by another hub \(process \d+\): stop it, or [^\n]*\n$/,
    )
  })
})

describe('downlink log compact', () => {
  /** A log that holds much, and then little, with nobody to give space back while `using` it. */
  async function shrunk(cwd: string): Promise<Hub> {
    const hub = await hubIn(cwd)
    await hub.publish(
      'a',
      Array.from({ length: 3_000 }, () => 'x'.repeat(1_000)),
    )
    await hub.drop('a')
    await hub.publish('b', 'kept')
    return hub
  }

  test('gives space back and keeps what there is, at rest', async (t) => {
    const cwd = folderOf(t)
    await (await shrunk(cwd)).close()
    const path = join(cwd, 'log.db')
    const db = new DatabaseSync(path)
    db.exec('DELETE FROM events WHERE size = 1000; DELETE FROM sweep')
    db.close()
    const before = statSync(path).size
    const { code, stdout, stderr } = await log(t, cwd, ['compact'])
    assert.deepEqual([code, stderr], [0, ''])
    assert.match(stdout, /^\S+ [KM]B before, \d+ KB after\n$/)
    assert.ok(statSync(path).size < before / 10)
    assert.equal((await log(t, cwd, ['verify'])).stdout, 'ok: 2 channels, 1 event\n')
    await using hub = await hubIn(cwd)
    assert.equal((hub.log as SqliteLog).broke, undefined)
  })

  test('gives free pages back while a hub goes on publishing', async (t) => {
    const cwd = folderOf(t)
    await using hub = await shrunk(cwd)
    const compacting = new AbortController()
    const publishing = (async () => {
      while (!compacting.signal.aborted) await hub.publish('b', 'more')
    })()
    const { code, stdout } = await log(t, cwd, ['compact'])
    compacting.abort()
    await publishing
    assert.equal(code, 0)
    assert.match(stdout, /before, .* after \(a hub uses it: only free pages were given back\)\n$/)
    assert.equal((await log(t, cwd, ['verify'])).code, 0)
  })
})

describe('a line to import', () => {
  for (const [line, expected] of [
    ['1', /Expected an object/],
    ['[]', /Expected an object/],
    ['{}', /Expected a member `channel`/],
    ['{"channel":"a"}', /Expected a member `data`/],
    ['{"channel":"a.*","data":""}', /patterns are for reading only/],
    ['{"channel":"$a","data":""}', /Names that begin with \$ are the hub's own/],
    [
      '{"channel":"a","data":"","tpye":"x"}',
      /Expected no members but id, channel, type, data, time, got "tpye"/,
    ],
    ['{"channel":"a","data":"","type":"downlink:x"}', /Expected an event type that does not begin/],
    ['{"channel":"a","data":"","type":1}', /Expected `type` to be a string/],
    ['{"channel":"a","data":"","time":1}', /Expected `time` to be a time such as/],
    ['{"channel":"a","data":"","time":"2026-13-01T00:00:00Z"}', /Expected `time`/],
    ['{"channel":"a","data":"","time":"yesterday"}', /Expected `time`/],
    ['{"channel":"a","end":false}', /Expected `end` to be true/],
    ['{"channel":"a","end":true,"data":""}', /Expected no members but id, channel, end, got "data"/],
  ] as const) {
    test(`${line} is refused`, () => {
      assert.throws(
        () => parseImportLine(line),
        (error) => error instanceof LineError && expected.test(error.message),
      )
    })
  }

  test('no JSON whatever makes it fail in another way', () => {
    fc.assert(
      fc.property(fc.oneof(fc.json(), fc.string()), (text) => {
        try {
          parseImportLine(text)
        } catch (error) {
          assert.ok(error instanceof LineError, String(error))
        }
      }),
    )
  })
})

test('progress is told of what takes long, and seldom', () => {
  const told: string[] = []
  let now = 0
  const progress = seldom(
    (line) => told.push(line),
    () => now,
  )
  for (; now <= 10_000; now += 500) progress(`${now}`)
  assert.deepEqual(told, ['2000 …', '7000 …'])
})

test('sizes are told in units', () => {
  assert.deepEqual([0, 512, 1536, 1024 * 1024 * 250, 1024 ** 4].map(sizeText), [
    '0 bytes',
    '512 bytes',
    '1.5 KB',
    '250 MB',
    '1 TB',
  ])
})
