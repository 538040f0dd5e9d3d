/**
 * Claim: a wrong delivery does not go unnoticed. A server makes one mistake, and the run must fail; and one without a mistake
 * must not.
 */
import { onStage } from '../load/stage.ts'
import { FAULTS, plain, plainWith } from '../peers/plain.ts'
import type { Peer } from '../peers/server.ts'
import type { Bench } from './bench.ts'

export const selfcheck: Bench = {
  name: 'selfcheck',
  claim: 'One delivery dropped, doubled, swapped with the next or altered makes a run fail.',
  async run({ say }) {
    const rows: string[][] = []
    for (const fault of FAULTS) {
      const found = await failureOf(plainWith(fault))
      say(`${fault}: ${found === undefined ? 'not noticed' : 'noticed'}`)
      if (found === undefined) throw new Error(`a server did this, and nobody noticed: ${fault}`)
      rows.push([fault, found.slice(found.indexOf('readers saw'), 200)])
    }
    const found = await failureOf(plain)
    if (found !== undefined) throw new Error(`a server without a mistake is accused: ${found}`)
    rows.push(['none', 'no failure'])
    return { tables: [{ caption: 'Mistakes', head: ['', 'found'], rows }], targets: [], notes: [] }
  },
}

/** The reason, or undefined when every delivery was right. */
async function failureOf(peer: Peer): Promise<string | undefined> {
  try {
    await onStage(peer, 1, async (stage) => {
      stage.quietMs = 1_000
      await stage.open([{ channels: [0], count: 20 }])
      await stage.measure({ rate: 200, seconds: 0.5, channels: 1, batch: 5, size: 200 })
    })
    return undefined
  } catch (error) {
    return (error as Error).message
  }
}
