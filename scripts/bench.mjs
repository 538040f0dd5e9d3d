/**
 * `npm run bench -- <name>…`: gets the peers, then runs benchmarks from source. Without a name it lists them.
 *
 *   npm run bench -- fanout               one of them
 *   npm run bench -- fanout --quick       small and short: does it work?
 *   npm run bench -- fanout --ours        without the peers
 *   BENCH_CPU_PROF=<folder> npm run …     a CPU profile of each hub that is measured
 *   npm run bench -- all --report         all of delivery, into docs/performance.md
 */
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { ensureBenchTools, ensureToolsOrExit } from './ensure-tools.mjs'
import { root, tools } from './tools.mjs'

ensureToolsOrExit(ensureBenchTools)
const run = spawn(
  tools.node24,
  ['--conditions=@downlink/source', join(root, 'bench', 'main.ts'), ...process.argv.slice(2)],
  { cwd: root, stdio: 'inherit' },
)
process.on('SIGTERM', () => run.kill('SIGTERM'))
// Ctrl-C reaches both; the benchmark ends its servers first.
process.on('SIGINT', () => {})
run.on('exit', (status) => {
  process.exitCode = status ?? 1
})
