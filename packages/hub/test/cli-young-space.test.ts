/** Whether V8 still asks how fast the space for young objects may grow: it is not documented. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import test from 'node:test'
import { tools } from '../../../scripts/tools.mjs'

const SOURCE = new URL('../src/cli/young-space.ts', import.meta.url).href

/** Bytes of the space after many objects have come and gone, with turns of the event loop in between. */
function youngSpaceOf(node: string, kept: boolean): number {
  const script = `
    import { getHeapSpaceStatistics } from 'node:v8'
    ${kept ? `import { keepYoungSpaceSmall } from '${SOURCE}'; keepYoungSpaceSmall()` : ''}
    let kept = []
    for (let turn = 0; turn < 2_000; turn++) {
      for (let i = 0; i < 1_000; i++) kept.push({ i, list: [i] })
      if (kept.length > 20_000) kept = []
      await new Promise((resolve) => setImmediate(resolve))
    }
    console.log(getHeapSpaceStatistics().find((space) => space.space_name === 'new_space').space_size)`
  const options = { encoding: 'utf8', timeout: 60_000 } as const
  return Number(execFileSync(node, ['--no-warnings', '--input-type=module', '-e', script], options))
}

for (const [version, node] of [
  ['22', tools.node22],
  ['24', process.execPath],
] as const) {
  test(`in Node ${version} the space for young objects stays below 17 MiB, and would not by itself`, () => {
    assert.ok(youngSpaceOf(node, false) > 17 * 2 ** 20)
    assert.ok(youngSpaceOf(node, true) < 17 * 2 ** 20)
  })
}
