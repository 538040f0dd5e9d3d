/** Our EventSource in Deno: the conformance cases, and that a process ends when its sources are closed. */
import { test } from 'node:test'
import { tools } from '../../../scripts/tools.mjs'
import { runInProcess } from './conformance/process.ts'

test('EventSource in Deno', async (t) => {
  const flags = ['run', '--no-config', '--no-lock', '--allow-all', '--v8-flags=--expose-gc']
  await runInProcess(t, { name: 'Deno', tags: ['deno'], binary: tools.deno, flags })
})
