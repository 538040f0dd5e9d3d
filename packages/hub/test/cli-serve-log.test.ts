import assert from 'node:assert/strict'
import { copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'node:test'
import { messagesOf, result, serving, type Command } from './cli/command.ts'
import { folderOf } from './cli/folder.ts'

async function stop(command: Command): Promise<void> {
  command.child.kill('SIGTERM')
  assert.equal(await command.ended, 0)
}

async function publish(url: string, channel: string, data: string): Promise<string> {
  const answer = await fetch(`${url}/channels/${channel}`, { method: 'POST', body: data })
  assert.equal(answer.status, 200)
  return ((await answer.json()) as { ids: [string] }).ids[0]
}

async function dataAfter(url: string, channel: string, after: string): Promise<readonly string[]> {
  const page = await fetch(`${url}/channels/${channel}?transport=poll&after=${after}`)
  const { events, gap } = (await page.json()) as { events: { data: string }[]; gap?: object }
  assert.equal(gap, undefined)
  return events.map((event) => event.data)
}

test('without flags the log is kept in ./data, and a restart forgets nothing', async (t) => {
  const cwd = folderOf(t)
  const first = await serving(t, ['--port', '0'], { cwd })
  assert.match(first.command.stdout, /^Events live in \S+\/data\/log\.db \(0 channels, 0 events\)\.$/m)
  const id = await publish(first.url, 'a', 'one')
  await publish(first.url, 'a', 'two')
  await stop(first.command)
  const second = await serving(t, ['--port', '0'], { cwd })
  assert.match(second.command.stdout, /log\.db \(1 channel, 2 events\)\.\n\n/)
  assert.deepEqual(await dataAfter(second.url, 'a', id), ['two'])
  await stop(second.command)
  for (const { command } of [first, second])
    assert.deepEqual(messagesOf(command), ['info started', 'info stopping', 'info stopped'])
})

test('a restored older copy is told at the start, with the reason', async (t) => {
  const cwd = folderOf(t)
  const first = await serving(t, ['--port', '0'], { cwd })
  await publish(first.url, 'a', 'one')
  await stop(first.command)
  const file = join(cwd, 'data/log.db')
  copyFileSync(file, join(cwd, 'backup.db'))
  const second = await serving(t, ['--port', '0'], { cwd })
  await publish(second.url, 'a', 'two')
  await stop(second.command)
  copyFileSync(join(cwd, 'backup.db'), file)
  const third = await serving(t, ['--port', '0'], { cwd })
  assert.match(
    third.command.stdout,
    /^Events may have been forgotten since it was last open: it ends at position 1, and 2 was acknowledged\. Readers who saw such events are told a gap\.$/m,
  )
})

test('--log memory makes no file', async (t) => {
  const cwd = folderOf(t)
  const { command, url } = await serving(t, ['--port', '0', '--log', 'memory'], { cwd })
  await publish(url, 'a', 'one')
  assert.match(command.stdout, /^Events live in memory: they are gone when it stops\.$/m)
  await stop(command)
  assert.ok(!existsSync(join(cwd, 'data')))
})

test('--retention and --forget say what is kept, in the order of the rules', async (t) => {
  const cwd = folderOf(t)
  const rules = ['--retention', 'a.b=count:3', '--retention', 'a.*=count:1', '--forget', '1h']
  for (const log of ['sqlite:log.db', 'memory']) {
    const { command, url } = await serving(t, ['--port', '0', '--log', log, ...rules], { cwd })
    for (const channel of ['a.b', 'a.c', 'b'])
      for (const data of ['1', '2', '3', '4']) await publish(url, channel, data)
    const kept = async (channel: string): Promise<readonly string[]> => {
      const page = await fetch(`${url}/channels/${channel}?transport=poll&last=10`)
      return ((await page.json()) as { events: { data: string }[] }).events.map((event) => event.data)
    }
    assert.deepEqual(await kept('a.b'), ['2', '3', '4'])
    assert.deepEqual(await kept('a.c'), ['4'])
    assert.deepEqual(await kept('b'), ['1', '2', '3', '4'])
    await stop(command)
  }
})

test('--config says what flags don’t, its paths are meant from its own folder, and flags win', async (t) => {
  const cwd = folderOf(t)
  mkdirSync(join(cwd, 'etc'))
  writeFileSync(join(cwd, 'etc/page.html'), '<title>mine</title>')
  const retention = [{ channels: '**', count: 1 }]
  const config = {
    log: 'sqlite:../var/log.db',
    port: 0,
    page: 'page.html',
    retention,
    origins: ['https://a.example'],
    compress: ['a'],
  }
  writeFileSync(join(cwd, 'etc/downlink.json'), JSON.stringify(config))
  const first = await serving(t, ['--config', 'etc/downlink.json'], { cwd })
  assert.ok(existsSync(join(cwd, 'var/log.db')))
  assert.equal(await (await fetch(first.url)).text(), '<title>mine</title>')
  await publish(first.url, 'a', 'one')
  await publish(first.url, 'a', 'two')
  const page = await fetch(`${first.url}/channels/a?transport=poll`, {
    headers: { origin: 'https://a.example' },
  })
  assert.equal(page.headers.get('access-control-allow-origin'), 'https://a.example')
  assert.equal(((await page.json()) as { events: object[] }).events.length, 1)
  const head = { method: 'HEAD', headers: { accept: 'text/event-stream' } }
  assert.equal((await fetch(`${first.url}/channels/a`, head)).headers.get('content-encoding'), 'gzip')
  await stop(first.command)
  const flags = ['--log', 'sqlite:other.db', '--retention', '**=count:5', '--durability', 'os']
  const second = await serving(t, ['--config', 'etc/downlink.json', ...flags], { cwd })
  assert.match(second.command.stdout, /\/other\.db \(0 channels/)
  await publish(second.url, 'a', 'one')
  const id = await publish(second.url, 'a', 'two')
  assert.deepEqual(await dataAfter(second.url, 'a', id), [])
  assert.match(readFileSync(join(cwd, 'other.db-guard'), 'utf8'), /"durability":"os"/)
})

for (const [name, make, line] of [
  [
    'a config that is wrong',
    (folder) => writeFileSync(join(folder, 'c.json'), '{"port":1,"hots":"x"}'),
    /^downlink: c\.json: hots: No such member\./,
  ],
  [
    'a config that is no JSON',
    (folder) => writeFileSync(join(folder, 'c.json'), 'port: 1'),
    /^downlink: c\.json: Expected JSON/,
  ],
  [
    'a log that is no database',
    (folder) => writeAt(folder, 'log.db', 'x'.repeat(5000)),
    /^downlink: \S+\/log\.db is damaged \(file is not a database\)/,
  ],
  [
    'a log that is a folder',
    (folder) => mkdirSync(join(folder, 'data/log.db'), { recursive: true }),
    /^downlink: .*\/log\.db/,
  ],
  [
    'a data folder that is a file',
    (folder) => writeFileSync(join(folder, 'data'), ''),
    /^downlink: The folder of \S+\/data\/log\.db can't be made/,
  ],
] as readonly (readonly [string, (folder: string) => void, RegExp])[]) {
  test(`${name}: one clear line, exit code 1`, async (t) => {
    const cwd = folderOf(t)
    make(cwd)
    const config = existsSync(join(cwd, 'c.json')) ? ['--config', 'c.json'] : []
    const { code, stdout, stderr } = await result(t, ['serve', '--port', '0', ...config], '', { cwd })
    assert.deepEqual([code, stdout], [1, ''])
    assert.match(stderr, line)
    assert.match(stderr, /^[^\n]+\n$/)
  })
}

function writeAt(folder: string, file: string, text: string): void {
  mkdirSync(join(folder, 'data'))
  writeFileSync(join(folder, 'data', file), text)
}

test('a log that another hub uses is one clear line', async (t) => {
  const cwd = folderOf(t)
  const { command } = await serving(t, ['--port', '0'], { cwd })
  const { code, stderr } = await result(t, ['serve', '--port', '0'], '', { cwd })
  assert.equal(code, 1)
  assert.match(
    stderr,
    new RegExp(
      `^downlink: \\S+/data/log\\.db is in use by another hub \\(process ${command.child.pid}\\): [^\\n]*\\n$`,
    ),
  )
})

test('a hub that was killed is started again at once, with all that was acknowledged', async (t) => {
  const cwd = folderOf(t)
  const first = await serving(t, ['--port', '0'], { cwd })
  const id = await publish(first.url, 'a', 'one')
  await publish(first.url, 'a', 'two')
  first.command.child.kill('SIGKILL')
  await first.command.ended
  const second = await serving(t, ['--port', '0'], { cwd })
  assert.doesNotMatch(second.command.stdout, /forgotten/)
  assert.deepEqual(await dataAfter(second.url, 'a', id), ['two'])
})
