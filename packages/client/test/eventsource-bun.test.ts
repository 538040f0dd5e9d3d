/** Our EventSource in Bun: the conformance cases, and that a process ends when its sources are closed. */
import { test } from 'node:test'
import { tools } from '../../../scripts/tools.mjs'
import { runInProcess } from './conformance/process.ts'

test('EventSource in Bun', async (t) => {
  await runInProcess(t, { name: 'Bun', tags: ['bun'], binary: tools.bun, flags: ['run'] })
})
