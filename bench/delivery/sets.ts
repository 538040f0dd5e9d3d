/**
 * Claim: a reader of several channels costs what a reader of one costs: one write for each flush, whatever sets of channels
 * there are.
 *
 * Ten channels, of which each reader follows five: all readers the same five, or a tenth of them each of ten overlapping sets.
 * Every reader has the same number of deliveries in both.
 */
import { onStage, type Run } from '../load/stage.ts'
import { hub } from '../peers/hub.ts'
import { runTable, saturationNotes } from '../report/runs.ts'
import type { Bench, BenchContext } from './bench.ts'

const CHANNELS = 10
const FOLLOWED = 5
/** As many events come due together, one in each channel: what one flush may join. */
const RATE = 500

export const sets: Bench = {
  name: 'sets',
  claim: '1,000 readers of ten overlapping sets of channels cost little more than 1,000 readers of one set.',
  async run(context) {
    const one = await runOf(context, 1)
    const ten = await runOf(context, CHANNELS)
    return {
      tables: [
        runTable(
          `${RATE} events a second over ten channels`,
          [one, ten],
          ['one set', 'ten overlapping sets'],
        ),
      ],
      targets: [
        {
          what: 'CPU of a delivery, ten sets against one',
          wanted: { atMost: 1.5 },
          got: ten.cpuPerDelivery / one.cpuPerDelivery,
        },
      ],
      notes: saturationNotes([one, ten]),
    }
  },
}

async function runOf({ quick, say }: BenchContext, count: number): Promise<Run> {
  const readers = quick ? 100 : 1_000
  const run = await onStage(hub(), 10, async (stage) => {
    await stage.open(
      Array.from({ length: count }, (_, set) => ({
        channels: Array.from({ length: FOLLOWED }, (_, index) => (set + index) % CHANNELS),
        count: readers / count,
      })),
    )
    const plan = { rate: RATE, seconds: quick ? 2 : 10, channels: CHANNELS, batch: 100, size: 200 }
    await stage.warmUp({ ...plan, seconds: quick ? 0.5 : 2 })
    return stage.measure(plan)
  })
  say(`${count} sets: ${run.cpuPerDelivery.toFixed(2)} µs a delivery`)
  return run
}
