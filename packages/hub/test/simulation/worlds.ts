/** Many worlds, one after the other. Runs in a thread. */
import { runScenario, type Tally } from './scenario.ts'

/** @returns what they went through, together */
export default async function worlds({ first, runs }: { first: number; runs: number }): Promise<Tally> {
  const sum: Tally = { events: 0, gaps: 0, epochs: 0, restarts: 0, done: 0, published: 0 }
  for (let seed = first; seed < first + runs; seed++) {
    const tally = await runScenario(seed).catch((error: unknown) => {
      throw new Error(`The promise was broken: run again with DOWNLINK_SIM_SEED=${seed}`, { cause: error })
    })
    for (const key of Object.keys(sum) as (keyof Tally)[]) sum[key] += tally[key]
  }
  return sum
}
