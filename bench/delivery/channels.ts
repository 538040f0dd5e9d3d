/**
 * Claim: what nobody shares is cheap, too: 5,000 readers, each of a channel of its own, and 5,000 events a second.
 *
 * There is nothing to join here but what comes in one batch. A batch is of one channel, since that is all that a publish of
 * the hub can say; the order of events is the same for every peer.
 */
import { onStage, type Run, unsaturated } from '../load/stage.ts'
import { betterSse } from '../peers/better-sse.ts'
import { hub } from '../peers/hub.ts'
import { nchan } from '../peers/nchan.ts'
import type { Peer } from '../peers/server.ts'
import { barChart } from '../report/svg.ts'
import { runTable, saturationNotes } from '../report/runs.ts'
import { type Bench, type BenchContext, ratio } from './bench.ts'

const ours = hub()
const PEERS: readonly Peer[] = [ours, nchan, betterSse]

export const channels: Bench = {
  name: 'channels',
  claim: '5,000 readers of 5,000 channels, 5,000 events a second: one publish an event, and batches of 100.',
  async run(context) {
    const single: Run[] = []
    const batches: Run[] = []
    const peers = PEERS.filter((peer) => !context.ours || peer === ours)
    for (const peer of peers) {
      single.push(await runOf(context, peer, 1))
      batches.push(await runOf(context, peer, 100))
    }
    const [hub1, nchan1, better1] = single as [Run, Run?, Run?]
    const [hub100, nchan100, better100] = batches as [Run, Run?, Run?]
    return {
      tables: [runTable('One publish an event', single), runTable('Batches of 100', batches)],
      targets: [
        {
          what: 'one publish an event: CPU of an event against Nchan',
          wanted: { atMost: 2 },
          got: ratio(hub1, nchan1, 'cpuPerEvent'),
        },
        {
          what: 'batches of 100: CPU of an event against Nchan',
          wanted: { atMost: 1 },
          got: ratio(hub100, nchan100, 'cpuPerEvent'),
        },
        {
          what: 'one publish an event: CPU of an event against better-sse',
          wanted: { atMost: 1 },
          got: ratio(hub1, better1, 'cpuPerEvent'),
        },
        {
          what: 'batches of 100: CPU of an event against better-sse',
          wanted: { atMost: 1 },
          got: ratio(hub100, better100, 'cpuPerEvent'),
        },
      ],
      charts: [
        barChart({
          name: 'channels-cpu',
          title: 'CPU time of an event, µs: 5,000 channels of one reader (less is better)',
          groups: ['one publish an event', 'batches of 100'],
          bars: peers.map(({ name }, index) => ({
            name,
            values: [(single[index] as Run).cpuPerEvent, (batches[index] as Run).cpuPerEvent],
          })),
        }),
      ],
      notes: saturationNotes([...single, ...batches]),
    }
  },
}

async function runOf({ quick, say }: BenchContext, peer: Peer, batch: number): Promise<Run> {
  const count = quick ? 200 : 5_000
  const rate = quick ? 1_000 : 5_000
  const run = await unsaturated(() =>
    onStage(peer, quick ? 8 : 50, async (stage) => {
      await stage.open(Array.from({ length: count }, (_, channel) => ({ channels: [channel], count: 1 })))
      const plan = { rate, seconds: quick ? 2 : 10, channels: count, burst: batch, batch, size: 200 }
      await stage.warmUp({ ...plan, seconds: quick ? 0.5 : 2 })
      return stage.measure(plan)
    }),
  )
  say(
    `${peer.name}, ${batch} a publish: ${run.cpuPerEvent.toFixed(1)} µs an event, p99 ${run.p99.toFixed(1)} ms`,
  )
  return run
}
