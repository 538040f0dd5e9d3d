/** The same tests with React 18. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { text } from 'node:stream/consumers'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { tools } from '../../../../scripts/tools.mjs'

const path = (name: string): string => fileURLToPath(new URL(name, import.meta.url))

test('the hooks pass their tests in React 18, too', async (t) => {
  const hook = ['--import', path('react-18-hook.mjs')]
  const files = [path('hooks.test.ts'), path('rendering.test.ts')]
  const args = ['--conditions=@downlink/source', ...hook, '--test', '--test-reporter=tap', ...files]
  // A test that is started by a test would report to it, not to its own output.
  const { NODE_TEST_CONTEXT: _, ...env } = process.env
  const run = spawn(tools.node24, args, { env: { ...env, REACT: '18' } })
  t.after(() => run.kill('SIGKILL'))
  const said = Promise.all([text(run.stdout), text(run.stderr)])
  const status = await new Promise((resolve) => run.once('close', resolve))
  const output = (await said).join('')
  assert.equal(status, 0, output)
  assert.match(output, /# fail 0/)
  assert.match(output, /ok \d+ - this is React 18/)
})
