/** Our EventSource in Node: the conformance cases, and that a process ends when its sources are closed. */
import { test } from 'node:test'
import { tools } from '../../../scripts/tools.mjs'
import { processesEnd } from './conformance/exit.ts'
import { type Runtime, runInProcess } from './conformance/process.ts'

for (const version of ['node20', 'node22', 'node24'] as const) {
  const runtime: Runtime = {
    name: version,
    tags: ['node', version],
    binary: tools[version],
    flags: ['--expose-gc'],
  }
  test(`EventSource in ${version}`, (t) => runInProcess(t, runtime))
  test(`processes of ${version} end`, (t) => processesEnd(t, runtime))
}
