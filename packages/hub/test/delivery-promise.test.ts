/**
 * The promise, in random worlds: every event once and in order, or a gap that says so; no id beyond the frontier; and
 * whoever lives long enough catches up.
 *
 *   DOWNLINK_SIM_SEED=123   runs that one world again
 *   DOWNLINK_SIM_RUNS=5000  runs so many, not the default 100
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { inThread } from '../../../e2e/helpers/thread.ts'
import type { Tally } from './simulation/scenario.ts'

const given = process.env['DOWNLINK_SIM_SEED']
const runs = given === undefined ? Number(process.env['DOWNLINK_SIM_RUNS'] ?? 100) : 1
const first = given === undefined ? Math.floor(Math.random() * 2 ** 31) : Number(given)

test(
  'every event once and in order, or a gap that covers it, in random worlds',
  { timeout: 3_600_000 },
  async (t) => {
    t.diagnostic(`seeds ${first} to ${first + runs - 1}`)
    const sum = await inThread<Tally>(new URL('simulation/worlds.ts', import.meta.url), { first, runs })
    t.diagnostic(JSON.stringify(sum))
    if (runs < 100) return
    for (const [what, count] of Object.entries(sum).filter(([key]) => key !== 'restarts'))
      assert.ok(count > 10, `worlds with few ${what} prove little`)
  },
)
