import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { delimiter, dirname, join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { before, describe, test, type TestContext } from 'node:test'
import { tools } from '../../../scripts/tools.mjs'
import { parseConfig } from '../src/cli/config.ts'
import { migrate } from '../src/log/sqlite/schema.ts'
import { BIN, serving, type Command } from './cli/command.ts'
import { folderOf } from './cli/folder.ts'

const text = readFileSync(new URL('../../../docs/engines.md', import.meta.url), 'utf8')
const blocks = Array.from(text.matchAll(/^```(\w+)\n([^]*?)^```$/gm), ([, language = '', code = '']) => ({
  language,
  code,
}))

/** The blocks of shell that contain this. */
function shell(part: string): string {
  const found = blocks.filter(({ language, code }) => language === 'sh' && code.includes(part))
  assert.equal(found.length, 1, `${found.length} blocks contain ${part}`)
  return found[0]?.code ?? ''
}

/** Types it as a reader of the page would, in a folder that has the package. */
function type(cwd: string, line: string): string {
  const bin = join(cwd, '.bin')
  mkdirSync(bin, { recursive: true })
  writeFileSync(join(bin, 'npx'), `#!/bin/sh\nshift\nexec '${process.execPath}' '${BIN}' "$@"\n`, {
    mode: 0o755,
  })
  const path = [bin, dirname(tools.sqlite3), process.env['PATH']].join(delimiter)
  const { status, stdout, stderr } = spawnSync('sh', ['-ec', line], {
    cwd,
    encoding: 'utf8',
    env: { ...process.env, PATH: path },
  })
  assert.deepEqual([status, stderr], [0, ''], line)
  return stdout
}

async function publish(url: string, channel: string, data: string): Promise<string> {
  const answer = await fetch(`${url}/channels/${channel}`, { method: 'POST', body: data })
  return ((await answer.json()) as { ids: [string] }).ids[0]
}

async function stop(command: Command): Promise<void> {
  command.child.kill('SIGTERM')
  assert.equal(await command.ended, 0)
}

async function running(t: TestContext, cwd: string): Promise<{ command: Command; url: string }> {
  return serving(t, ['--port', '0'], { cwd })
}

describe('docs/engines.md', () => {
  before(() => assert.ok(blocks.length > 8))

  test('its sqlite3 lines look into the log of a running hub', async (t) => {
    const cwd = folderOf(t)
    const { url } = await running(t, cwd)
    for (const data of ['one', 'two']) await publish(url, 'orders', data)
    await publish(url, 'other', 'x')
    assert.equal(type(cwd, shell('SELECT name, events')), 'orders|2|6|0\nother|1|1|0\n')
    assert.match(
      type(cwd, shell('SELECT e.position')),
      /^2\|\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\|\|two\n1\|[^|]*\|\|one\n$/,
    )
    assert.equal(type(cwd, shell('integrity_check')), 'ok\n')
  })

  test('its downlink lines look into it too, and move the events', async (t) => {
    const cwd = folderOf(t)
    const { url } = await running(t, cwd)
    await publish(url, 'orders.1', 'one')
    assert.match(type(cwd, shell('log info')), /^ok: 1 channel, 1 event$/m)
    assert.match(
      readFileSync(join(cwd, 'orders.ndjson'), 'utf8'),
      /^\{"id":"\w+-1","channel":"orders.1",.*\n$/,
    )
    assert.equal(type(cwd, shell('log import --log')), '1 event imported into 1 channel\n')
  })

  for (const [name, part, file] of [
    ['.backup', '.backup', 'backup.db'],
    ['VACUUM INTO', 'VACUUM INTO', 'compact-backup.db'],
  ] as const) {
    test(`a copy made by ${name} while the hub publishes is restored, and its readers are told what they can’t know`, async (t) => {
      const cwd = folderOf(t)
      const first = await running(t, cwd)
      const early = await publish(first.url, 'a', 'early')
      type(cwd, shell(part))
      const late = await publish(first.url, 'a', 'late')
      await stop(first.command)
      type(cwd, shell('rm -f data/log.db-wal').replace('backup.db', file))
      const second = await running(t, cwd)
      assert.match(second.command.stdout, /Events may have been forgotten since it was last open: /)
      await publish(second.url, 'a', 'new')
      const page = async (after: string): Promise<{ events: { data: string }[]; gap?: { reason: string } }> =>
        (await (await fetch(`${second.url}/channels/a?transport=poll&after=${after}`)).json()) as never
      const quiet = await page(early)
      assert.deepEqual([quiet.gap, quiet.events.map(({ data }) => data)], [undefined, ['new']])
      const told = await page(late)
      assert.deepEqual([told.gap?.reason, told.events.map(({ data }) => data)], ['epoch', ['early', 'new']])
      assert.equal(type(cwd, 'npx downlink log verify'), 'ok: 1 channel, 2 events\n')
    })
  }

  test('a restored copy is noticed without its guard, too', async (t) => {
    const cwd = folderOf(t)
    const first = await running(t, cwd)
    await publish(first.url, 'a', 'early')
    type(cwd, shell('.backup'))
    const late = await publish(first.url, 'a', 'late')
    await stop(first.command)
    type(cwd, `${shell('rm -f data/log.db-wal')}rm data/log.db-guard`)
    const { command, url } = await running(t, cwd)
    assert.match(command.stdout, /its guard file is missing/)
    const answer = await fetch(`${url}/channels/a?transport=poll&after=${late}`)
    assert.equal(((await answer.json()) as { gap: { reason: string } }).gap.reason, 'epoch')
  })

  test('its configuration is one', () => {
    const config = blocks.find(({ language, code }) => language === 'json' && code.includes('$schema'))
    const { retention, log } = parseConfig(config?.code ?? '', '/srv')
    assert.deepEqual(log, { engine: 'sqlite', path: '/srv/data/log.db' })
    assert.deepEqual(
      retention?.map(({ channels }) => channels),
      ['orders.**', '**'],
    )
  })

  test('it names every table and column that there is', () => {
    const db = new DatabaseSync(':memory:')
    migrate(db, 'log.db')
    const tables = db
      .prepare("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")
      .all()
    assert.equal(tables.length, 6)
    for (const { name } of tables) {
      const row = new RegExp(`^\\| \`${String(name)}\` .*$`, 'm').exec(text)?.[0] ?? ''
      for (const column of db.prepare(`PRAGMA table_info(${String(name)})`).all()) {
        const known =
          name === 'meta' || column['name'] === 'ordinal' || row.includes(`\`${String(column['name'])}\``)
        assert.ok(known, `${String(name)}.${String(column['name'])}`)
      }
    }
    db.close()
  })
})
