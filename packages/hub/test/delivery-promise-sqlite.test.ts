/**
 * The promise again, in random worlds whose log is in an SQLite file, which is closed and opened now and then. Threads have
 * their own pace: the same seed gives the same world, but not always the same order of what happens at one instant.
 *
 *   DOWNLINK_SIM_SEED=123   runs that one world again
 *   DOWNLINK_SIM_RUNS=1000  runs so many, not the default 5
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SqliteDisk } from './simulation/disk.ts'
import { runScenario, type Tally } from './simulation/scenario.ts'

const given = process.env['DOWNLINK_SIM_SEED']
const runs = given === undefined ? Number(process.env['DOWNLINK_SIM_RUNS'] ?? 5) : 1
const first = given === undefined ? Math.floor(Math.random() * 2 ** 31) : Number(given)

test(
  'every event once and in order, or a gap that covers it, from an SQLite log in random worlds',
  { timeout: 3_600_000 },
  async (t) => {
    t.diagnostic(`seeds ${first} to ${first + runs - 1}`)
    const sum: Tally = { events: 0, gaps: 0, epochs: 0, restarts: 0, done: 0, published: 0 }
    for (let seed = first; seed < first + runs; seed++) {
      const disk = await SqliteDisk.create()
      try {
        const tally = await runScenario(seed, disk)
        for (const key of Object.keys(sum) as (keyof Tally)[]) sum[key] += tally[key]
      } catch (cause) {
        throw new Error(`The promise was broken: run again with DOWNLINK_SIM_SEED=${seed}`, { cause })
      } finally {
        await disk.remove()
      }
    }
    t.diagnostic(JSON.stringify(sum))
    if (runs < 20) return
    const { events, gaps, restarts, published } = sum
    for (const [what, count] of Object.entries({ events, gaps, restarts, published }))
      assert.ok(count > 0, `worlds without ${what} prove little`)
  },
)
