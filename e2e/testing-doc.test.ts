/** `docs/testing.md`: its example is the file that it names, and passes. */
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { root, tools } from '../scripts/tools.mjs'
import { examples } from './helpers/example.ts'
import { start } from './helpers/process.ts'

const FILE = 'hostile-proxy.test.ts'

test('the example of docs/testing.md is the file, to the letter', async () => {
  const page = await readFile(join(root, 'docs/testing.md'), 'utf8')
  const [, block] = /<!-- examples\/hostile-proxy\.test\.ts -->\s*```ts\n(.*?)```/s.exec(page) ?? []
  assert.equal(block, await readFile(join(examples, FILE), 'utf8'))
})

test('the example of docs/testing.md passes', async (t) => {
  const args = ['--conditions=@downlink/source', '--test', '--test-reporter=tap', FILE]
  // A test that is started by a test would report to it, not to its own output.
  const { NODE_TEST_CONTEXT: _, ...env } = process.env
  const run = start(t, tools.node24, args, { cwd: examples, env })
  assert.equal(await run.ended, 0, run.said)
  assert.ok(run.lines.includes('# pass 1'), run.said)
})
