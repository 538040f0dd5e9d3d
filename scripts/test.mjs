/**
 * `npm test`: gets what the tests need, then runs them all from source under node:test.
 *
 *   npm test                                      everything
 *   npm test -- packages/wire cursor              files whose path contains one of these
 *   npm test -- --test-name-pattern='^reads'      options of `node --test` pass through
 */
import { spawn } from 'node:child_process'
import { globSync } from 'node:fs'
import { relative, resolve } from 'node:path'
import { buildConsole } from './console.mjs'
import { ensureToolsOrExit } from './ensure-tools.mjs'
import { root, tools } from './tools.mjs'

const options = process.argv.slice(2).filter((argument) => argument.startsWith('-') && argument !== '--')
const wanted = process.argv
  .slice(2)
  .filter((argument) => !argument.startsWith('-'))
  .map((argument) => relative(root, resolve(argument)).replace(/^(?:\.\.\/)+/, '') || '.')

const all = globSync(
  ['packages/*/test/**/*.test.ts', 'apps/*/test/**/*.test.ts', 'e2e/**/*.test.ts', 'fuzz/*.test.ts'],
  {
    cwd: root,
    exclude: (path) => path.endsWith('node_modules'),
  },
).toSorted()
const files = all.filter(
  (file) => wanted.length === 0 || wanted.some((part) => part === '.' || file.includes(part)),
)
if (files.length === 0) {
  console.error(`No test file's path contains ${wanted.join(' or ')}. There are:\n  ${all.join('\n  ')}`)
  process.exit(1)
}

ensureToolsOrExit()
buildConsole()

const run = spawn(
  tools.node24,
  [
    '--conditions=@downlink/source',
    '--test',
    // Beyond the two cores of a small machine: half of the time tests wait for something that takes its time.
    '--test-concurrency=3',
    // Of one test. One that needs longer says so itself.
    '--test-timeout=120000',
    '--test-reporter=spec',
    ...options,
    ...files,
  ],
  { cwd: root, stdio: 'inherit' },
)
// Whoever ends this script means the tests, too. Ctrl-C reaches both by itself, and the run then says what it was at.
process.on('SIGTERM', () => run.kill('SIGTERM'))
process.on('SIGINT', () => {})
run.on('exit', (status, signal) => {
  if (signal !== null) console.error(`The test run was ended by ${signal}.`)
  process.exitCode = status ?? 1
})
