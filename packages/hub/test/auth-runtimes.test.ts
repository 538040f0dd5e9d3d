/** Tokens are the same in every runtime that the hub is embedded in. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { tools } from '../../../scripts/tools.mjs'

const program = fileURLToPath(new URL('runtimes/auth-program.ts', import.meta.url))
const source = '--conditions=@downlink/source'

for (const [name, command, ...args] of [
  ['Node', tools.node24, source],
  ['Bun', tools.bun, source, 'run'],
  ['Deno', tools.deno, 'run', '-A', '--no-check', source],
] as const) {
  test(`createAuthorizer in ${name} takes each algorithm by its key, and nothing else`, () => {
    const { stdout, stderr } = spawnSync(command, [...args, program], { encoding: 'utf8' })
    assert.equal(stderr, '')
    assert.deepEqual(JSON.parse(stdout), {
      nobody: 401,
      HS256: 200,
      anotherSecret: 401,
      another: 403,
      expired: 401,
      none: 401,
      confused: 401,
      RS256: 200,
      ES256: 200,
      EdDSA: 200,
    })
  })
}
