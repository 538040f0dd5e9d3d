/** docs/authorization.md: what it says to type is typed, and its examples are files that run. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { delimiter, dirname, join } from 'node:path'
import { describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { tools } from '../../../scripts/tools.mjs'
import { startExample } from '../../../e2e/helpers/example.ts'
import { PROBLEMS } from '../src/http/problem.ts'
import { RULE_ACTIONS } from '../src/auth/rules.ts'
import { parseConfig } from '../src/cli/config.ts'
import { SECRET, token } from './auth/tokens.ts'
import { BIN, run, serving } from './cli/command.ts'
import { folderOf } from './cli/folder.ts'

const root = fileURLToPath(new URL('../../../', import.meta.url))
const text = readFileSync(join(root, 'docs/authorization.md'), 'utf8')

function shell(part: string): string {
  const blocks = Array.from(text.matchAll(/^```sh\n([^]*?)^```$/gm), ([, code = '']) => code)
  const found = blocks.filter((code) => code.includes(part))
  assert.equal(found.length, 1, `${found.length} blocks contain ${part}`)
  return found[0] ?? ''
}

/** Types it as a reader of the page would, in a folder that has the package. */
function type(cwd: string, line: string, env: Record<string, string>): string {
  const bin = join(cwd, '.bin')
  mkdirSync(bin, { recursive: true })
  const npx = `#!/bin/sh\nshift\nexec '${process.execPath}' '${BIN}' "$@"\n`
  writeFileSync(join(bin, 'npx'), npx, { mode: 0o755 })
  const path = [bin, dirname(tools.curl), dirname(tools.openssl), process.env['PATH']].join(delimiter)
  const all = { ...process.env, ...env, PATH: path }
  const { status, stdout, stderr } = spawnSync('sh', ['-ec', line], { cwd, encoding: 'utf8', env: all })
  assert.equal(status, 0, stderr)
  return stdout
}

describe('docs/authorization.md', () => {
  test('its five minutes work when they are typed', async (t) => {
    const cwd = folderOf(t)
    const env = { DOWNLINK_SECRET: SECRET }
    const { url } = await serving(t, ['--port', '0'], { env })
    const [made = '', published = '', followed = ''] = shell('token make --sub').trim().split('\n')
    const given = type(cwd, `${made}; echo "$DOWNLINK_TOKEN"`, env).trim()
    type(cwd, published, { DOWNLINK_TOKEN: given, DOWNLINK_URL: url })
    const asked = shell('curl -H').replace('http://localhost:4080', url)
    const answered = type(cwd, asked, { ...env, DOWNLINK_TOKEN: given })
    assert.match(answered, /"data":"It works"[^]*The signature holds\.\nA hub with these keys takes it\.\n$/)
    const args = followed.replaceAll("'", '').split(' ').slice(2)
    const tailing = run(t, args, { env: { DOWNLINK_TOKEN: given, DOWNLINK_URL: url } })
    await tailing.until(() => tailing.stdout === 'It works\n')
  })

  test('its pair of keys is made, used and taken', async (t) => {
    const cwd = folderOf(t)
    const given = type(cwd, shell('openssl genpkey'), {}).trim()
    const [, , ...flags] = shell('--jwt-keys public.pem').trim().split(' ').slice(1)
    const { url } = await serving(t, ['--port', '0', '--log', 'memory', ...flags], { cwd })
    const read = (channel: string): Promise<Response> =>
      fetch(`${url}/channels/${channel}`, { headers: { authorization: `Bearer ${given}` } })
    assert.equal((await read('news.a')).status, 200)
    assert.equal((await read('other')).status, 403)
  })

  test('its rules are a configuration that means what the page says', async (t) => {
    const path = join(root, 'examples/rules.json')
    assert.equal(parseConfig(readFileSync(path, 'utf8'), '/').rules?.length, 4)
    const env = { DOWNLINK_SECRET: SECRET }
    const { url } = await serving(t, ['--port', '0', '--log', 'memory', '--config', path], { env })
    const status = async (path: string, sub?: string, method = 'GET'): Promise<number> => {
      const bearer = `Bearer ${token({ sub, aud: 'downlink' })}`
      const headers = sub === undefined ? {} : { authorization: bearer }
      return (await fetch(url + path, { method, headers, ...(method === 'POST' && { body: 'x' }) })).status
    }
    assert.deepEqual(
      [
        await status('/channels/news.a'),
        await status('/channels/user.alice.inbox', 'alice'),
        await status('/channels/user.alice', 'alice'),
        await status('/channels/user.bob', 'alice'),
        await status('/channels/orders.7', 'shop', 'POST'),
        await status('/channels/orders.7?end', 'till-7', 'POST'),
        await status('/channels/orders.7', 'alice', 'POST'),
        await status('/metrics', 'root'),
        await status('/metrics', 'shop'),
      ],
      [200, 200, 200, 403, 200, 200, 403, 200, 403],
    )
  })

  test('its server takes the tokens that its other example makes', async (t) => {
    const env = { DOWNLINK_SECRET: SECRET }
    const { url } = await startExample(t, 'authorizer.ts', 'node', env)
    const made = spawnSync(tools.node24, ['make-token.ts'], {
      cwd: join(root, 'examples'),
      encoding: 'utf8',
      env: { ...process.env, ...env },
    })
    const status = async (channel: string): Promise<number> =>
      (
        await fetch(`${url}/channels/${channel}`, {
          headers: { authorization: `Bearer ${made.stdout.trim()}` },
        })
      ).status
    assert.deepEqual(
      [await status('user.alice.inbox'), await status('user.bob.inbox')],
      [200, 403],
      made.stderr,
    )
  })

  test('each block that names an example is that example, to the letter', () => {
    const quoted = [...text.matchAll(/<!-- (examples\/\S+) -->\s*```\w+\n(.*?)```/gs)]
    assert.equal(quoted.length, 3)
    for (const [, path = '', block] of quoted)
      assert.equal(block, readFileSync(join(root, path), 'utf8'), path)
  })

  test('its refusals are codes that there are, and it names every action', () => {
    const named = Array.from(text.matchAll(/^\| `(\d+) ([a-z-]+)` +\|/gm), ([, status, code]) => [
      code,
      Number(status),
    ])
    assert.ok(named.length >= 6)
    for (const [code, status] of named)
      assert.equal(PROBLEMS[code as keyof typeof PROBLEMS]?.[0], status, String(code))
    for (const action of RULE_ACTIONS) assert.ok(text.includes(`\`${action}\``), action)
  })
})
