/** Our EventSource in Bun: the conformance cases, and that a process ends when its sources are closed. */
import { test } from 'node:test'
import { tools } from '../../../scripts/tools.mjs'
import { processesEnd } from './conformance/exit.ts'
import { type Runtime, runInProcess } from './conformance/process.ts'

const runtime: Runtime = {
  name: 'Bun',
  tags: ['bun'],
  binary: tools.bun,
  flags: ['run'],
}

test('EventSource in Bun', (t) => runInProcess(t, runtime))
test('processes of Bun end', (t) => processesEnd(t, runtime))
