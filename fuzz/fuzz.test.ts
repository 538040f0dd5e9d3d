/** The short form of `npm run fuzz`, and that a run finds what it is for. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { describe, test } from 'node:test'
import { lineOf, reportOf } from './report.ts'
import { inputOf, run } from './run.ts'
import { targets } from './targets.ts'
import { targets as planted } from './planted.ts'
import { runWatched } from './watched.ts'

const SEED = Math.floor(Math.random() * 2 ** 31)
const PLANTED = new URL('planted.ts', import.meta.url).href

describe('the short form', () => {
  for (const target of targets) {
    test(`${target.name}: ${target.claim}`, async (t) => {
      const outcome = await run(target, { seed: SEED, count: target.short })
      t.diagnostic(lineOf(target, outcome))
      if (outcome.failure !== undefined) assert.fail(reportOf(target, SEED, outcome.failure))
      assert.ok(Object.keys(outcome.tally).length > 1, 'all inputs came to the same: they test little')
    })
  }
})

describe('a run', () => {
  const wrong = planted.find(({ name }) => name === 'wrong')
  assert.ok(wrong)

  test('finds a fault, makes its input smaller, and says how to see it again', async () => {
    const { failure } = await run(wrong, { seed: 7, count: 1_000 })
    assert.ok(failure)
    assert.match(failure.reason, /b and h/)
    assert.match(String(failure.input), /b.*h|h.*b/)
    assert.match(String(failure.smallest), /^(?:bh|hb)$/)
    assert.match(
      reportOf(wrong, 7, failure),
      new RegExp(`npm run fuzz -- wrong --seed 7 --only ${failure.index}$`),
    )
    assert.equal(inputOf(wrong, 7, failure.index), failure.input)
  })

  test('fails on an input that takes too long each time', async () => {
    const slow = planted.find(({ name }) => name === 'slow')
    assert.ok(slow)
    const { failure } = await run(slow, { seed: 7, count: 1_000, slowMs: 40 })
    assert.match(failure?.reason ?? '', /takes more than 40 ms/)
    assert.equal(failure?.input, 7)
  })

  test('that hangs is ended, and the input named', { timeout: 60_000 }, async () => {
    await assert.rejects(
      runWatched('hanging', { seed: 7, count: 1_000 }, { hangSeconds: 0.3 }, PLANTED),
      /^Error: input \d+: no end after 0\.3 s of CPU$/,
    )
  })

  test('that takes all memory is ended', { timeout: 60_000 }, async () => {
    await assert.rejects(
      runWatched('hungry', { seed: 7, count: 10 }, { heapMiB: 32 }, PLANTED),
      /input 0: .*memory/i,
    )
  })

  test('that keeps its inputs fails', () => {
    const program = [
      `import { run } from ${JSON.stringify(new URL('run.ts', import.meta.url).href)}`,
      `import { targets } from ${JSON.stringify(PLANTED)}`,
      `const { failure } = await run(targets.find(({ name }) => name === 'growing'), { seed: 7, count: 20_000, growth: 1e6 })`,
      `process.exitCode = /the heap grew by/.test(failure?.reason) ? 0 : 1`,
    ].join('\n')
    const { status, stderr } = spawnSync(process.execPath, [
      '--expose-gc',
      '--input-type=module-typescript',
      '-e',
      program,
    ])
    assert.equal(status, 0, String(stderr))
  })
})

test('the command takes a target, a count and a seed, and refuses what it does not know', () => {
  const main = fileURLToPath(new URL('main.ts', import.meta.url))
  const command = (...args: string[]): ReturnType<typeof spawnSync> =>
    spawnSync(process.execPath, ['--expose-gc', '--conditions=@downlink/source', main, ...args], {
      encoding: 'utf8',
    })
  const { status, stdout, stderr } = command('prefer', '--count', '500', '--seed', '7')
  assert.equal(status, 0, String(stderr))
  assert.match(String(stdout), /^seed 7\nprefer: 500 inputs in .* heap [+-]\d+ KiB; /)
  const unknown = command('nothing')
  assert.equal(unknown.status, 2)
  assert.match(String(unknown.stderr), /There is no target nothing/)
})
