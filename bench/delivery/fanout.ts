/**
 * Claim: telling 1,000 readers of one channel something costs a fraction of what it costs others when much is told, and no
 * more than the best of them when little is.
 *
 * 200 bytes an event. At 50 events a second each is published by itself. Above that, what has come due while the last publish
 * was answered goes into the next, as each peer takes it best: the hub a batch, Nchan several requests in one piece, the
 * servers on `node:http` several lines. Each is tried in several ways, and its best is what counts.
 */
import { onStage, type Run, unsaturated } from '../load/stage.ts'
import { betterSse } from '../peers/better-sse.ts'
import { hub } from '../peers/hub.ts'
import { nchan } from '../peers/nchan.ts'
import { plain } from '../peers/plain.ts'
import type { Peer } from '../peers/server.ts'
import { barChart } from '../report/svg.ts'
import { runTable, saturationNotes } from '../report/runs.ts'
import { type Bench, type BenchContext, type Findings, ratio } from './bench.ts'

const SIZE = 200
const ours = hub()
const durable = hub({ log: 'fsync' })
const PEERS: readonly Peer[] = [ours, durable, nchan, betterSse, plain]
/** Most events of one publish: ways to try. One by one is a way for Nchan only, which has no batches. */
const BATCHES = [10, 1_000]
const BATCHES_OF_NCHAN = [1, ...BATCHES]

export const fanout: Bench = {
  name: 'fanout',
  claim:
    'Telling 1,000 readers of one channel something: deliveries, their CPU time and their latency at 50, 500 and 2,000 events a second.',
  async run(context) {
    const rates = context.quick ? [50, 2_000] : [50, 500, 2_000]
    const peers = PEERS.filter((peer) => !context.ours || peer === ours || peer === durable)
    const runs: { rate: number; run: Run }[] = []
    for (const rate of rates) {
      for (const peer of peers) runs.push({ rate, run: await best(context, peer, rate) })
    }
    return findings(rates, peers, runs)
  },
}

async function best(context: BenchContext, peer: Peer, rate: number): Promise<Run> {
  const { quick } = context
  const batches = rate <= 50 ? [1] : quick ? [1_000] : peer === nchan ? BATCHES_OF_NCHAN : BATCHES
  const runs: Run[] = []
  for (const batch of batches) {
    const run = await unsaturated(() =>
      onStage(peer, 1, async (stage) => {
        await stage.open([{ channels: [0], count: quick ? 100 : 1_000 }])
        const plan = { rate, seconds: quick ? 2 : 8, channels: 1, batch, size: SIZE }
        await stage.warmUp({ ...plan, seconds: quick ? 0.5 : 2 })
        return stage.measure(plan)
      }),
    )
    context.say(
      `${peer.name}, ${rate}/s, up to ${batch} a publish: ${Math.round(run.perSecond)} deliveries/s, ` +
        `${run.cpuPerDelivery.toFixed(2)} µs each, p99 ${run.p99.toFixed(1)} ms`,
    )
    runs.push(run)
  }
  // Where readers are slow, a server writes more at a time and looks cheap.
  const fair = runs.filter(({ saturated }) => saturated === undefined)
  return (fair.length > 0 ? fair : runs).reduce((one, other) =>
    other.perCpuSecond > one.perCpuSecond ? other : one,
  )
}

function findings(
  rates: readonly number[],
  peers: readonly Peer[],
  runs: readonly { rate: number; run: Run }[],
): Findings {
  const of = (peer: Peer, rate: number): Run | undefined =>
    runs.find(({ rate: at, run }) => at === rate && run.server === peer.name)?.run
  const light = rates[0] as number
  const full = rates.at(-1) as number
  return {
    tables: rates.map((rate) =>
      runTable(
        `${rate.toLocaleString('en')} events a second`,
        runs.filter((run) => run.rate === rate).map(({ run }) => run),
      ),
    ),
    targets: [
      {
        what: 'saturated: deliveries per CPU second against Nchan',
        wanted: { atLeast: 10 },
        got: ratio(of(ours, full), of(nchan, full), 'perCpuSecond'),
      },
      {
        what: 'saturated: deliveries per CPU second against better-sse',
        wanted: { atLeast: 20 },
        got: ratio(of(ours, full), of(betterSse, full), 'perCpuSecond'),
      },
      {
        what: 'saturated: SQLite with fsync against memory, deliveries per CPU second',
        wanted: { atLeast: 0.5 },
        got: ratio(of(durable, full), of(ours, full), 'perCpuSecond'),
      },
      {
        what: 'light: CPU of a delivery against Nchan',
        wanted: { atMost: 1 },
        got: ratio(of(ours, light), of(nchan, light), 'cpuPerDelivery'),
      },
      {
        what: 'light: p99 against Nchan',
        wanted: { atMost: 1.5 },
        got: ratio(of(ours, light), of(nchan, light), 'p99'),
      },
    ],
    charts: [
      barChart({
        name: 'fanout-cpu',
        title: 'CPU time of a delivery, µs (less is better)',
        groups: rates.map((rate) => `${rate.toLocaleString('en')} events/s`),
        bars: peers.map((peer) => ({
          name: peer.name,
          values: rates.map((rate) => of(peer, rate)?.cpuPerDelivery ?? Number.NaN),
        })),
      }),
    ],
    notes: saturationNotes(runs.map(({ run }) => run)),
  }
}
