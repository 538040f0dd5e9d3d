import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { isAbsolute, join } from 'node:path'
import { test } from 'node:test'
import { root, runtimes, systemTools, tools } from '../scripts/tools.mjs'
import { exec } from './packed.ts'

const run = (script: string, args: readonly string[], env: NodeJS.ProcessEnv) =>
  spawnSync(tools.node24, [join(root, 'scripts', script), ...args], { env, encoding: 'utf8' })

test('where nothing can be installed, the run fails and says the line to type', () => {
  const { status, stderr } = run('ensure-tools.mjs', [], { PATH: '/nonexistent' })
  assert.equal(status, 1)
  // Without a PATH only those are found whose place is known.
  const missing = systemTools.filter(
    ({ commands }) => !commands.some((file) => isAbsolute(file) && existsSync(file)),
  )
  const packages = missing.map((tool) => tool.package).join(' ')
  assert.ok(
    stderr.includes(`apt-get update && apt-get install -y --no-install-recommends ${packages}`),
    stderr,
  )
  assert.doesNotMatch(stderr, /^\s+at /m)
})

test('where everything is there, nothing is installed and nothing is said', () => {
  const { status, stdout, stderr } = run('ensure-tools.mjs', [], process.env)
  assert.deepEqual({ status, stdout, stderr }, { status: 0, stdout: '', stderr: '' })
})

test('a name that no test file has is an error, not an empty run', () => {
  const { status, stderr } = run('test.mjs', ['no-such-test'], process.env)
  assert.equal(status, 1)
  assert.match(stderr, /No test file's path contains no-such-test/)
})

test('the runtimes that the tests start have the versions of the table', async () => {
  const versions = { node20: ['-v'], node22: ['-v'], bun: ['--version'], deno: ['--version'] } as const
  for (const [name, args] of Object.entries(versions)) {
    const { stdout } = await exec(tools[name as keyof typeof versions], [...args])
    const wanted = runtimes.find((runtime) => runtime.name === name)?.version
    assert.ok(wanted !== undefined && stdout.includes(wanted), `${name}: ${stdout}`)
  }
  assert.match((await exec(tools.node24, ['-v'])).stdout, /^v24\./)
})
