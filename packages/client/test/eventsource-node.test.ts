/** Our EventSource in Node: the conformance cases, and that a process ends when its sources are closed. */
import { test } from 'node:test'
import { tools } from '../../../scripts/tools.mjs'
import type { Tag } from './conformance/case.ts'
import { runInProcess } from './conformance/process.ts'

for (const version of ['node20', 'node22', 'node24'] as const) {
  test(`EventSource in ${version}`, async (t) => {
    const tags: Tag[] = ['node', version]
    await runInProcess(t, { name: version, tags, binary: tools[version], flags: ['--expose-gc'] })
  })
}
