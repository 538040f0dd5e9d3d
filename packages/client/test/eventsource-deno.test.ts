/** Our EventSource in Deno: the conformance cases, and that a process ends when its sources are closed. */
import { test } from 'node:test'
import { tools } from '../../../scripts/tools.mjs'
import { processesEnd } from './conformance/exit.ts'
import { type Runtime, runInProcess } from './conformance/process.ts'

const runtime: Runtime = {
  name: 'Deno',
  tags: ['deno'],
  binary: tools.deno,
  flags: ['run', '--no-config', '--no-lock', '--allow-all', '--v8-flags=--expose-gc'],
}

test('EventSource in Deno', (t) => runInProcess(t, runtime))
test('processes of Deno end', (t) => processesEnd(t, runtime))
