/**
 * `npm run fuzz`: random and mutated inputs for everything that reads what strangers send. See docs/fuzzing.md.
 *
 *   npm run fuzz                                   every target, its full count, a new seed
 *   npm run fuzz -- cursor ndjson --count 50000    these, so many inputs each
 *   npm run fuzz -- cursor --seed 7 --only 1234    one input again, as a failure names it
 *   npm run fuzz -- --list                         what there is
 */
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { root, tools } from './tools.mjs'

const run = spawn(
  tools.node24,
  ['--expose-gc', '--conditions=@downlink/source', join(root, 'fuzz', 'main.ts'), ...process.argv.slice(2)],
  { cwd: root, stdio: 'inherit' },
)
process.on('SIGTERM', () => run.kill('SIGTERM'))
process.on('SIGINT', () => {})
run.on('exit', (status) => {
  process.exitCode = status ?? 1
})
