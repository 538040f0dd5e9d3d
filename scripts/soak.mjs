/**
 * `npm run soak`: a hub under steady load for 20 minutes, with readers coming and going. Fails when its memory grows, or when a
 * descriptor, a timer or a handle is left.
 *
 *   npm run soak -- --minutes 2     a short one
 *   npm run soak -- --report        what it found, into docs/performance.md
 */
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { root, tools } from './tools.mjs'

const run = spawn(
  tools.node24,
  ['--conditions=@downlink/source', join(root, 'bench', 'soak', 'main.ts'), ...process.argv.slice(2)],
  { cwd: root, stdio: 'inherit' },
)
process.on('SIGTERM', () => run.kill('SIGTERM'))
process.on('SIGINT', () => {})
run.on('exit', (status) => {
  process.exitCode = status ?? 1
})
