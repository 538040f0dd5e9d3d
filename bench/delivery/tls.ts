/**
 * Claim: TLS and HTTP/2 cost a delivery no more than a few times its CPU on a bare socket.
 *
 * 1,000 readers of one channel, 200 bytes an event: on plain sockets, through TLS, and on HTTP/2 with 100 readers a connection,
 * without and with TLS. What is published comes on a plain connection each time. The readers of HTTP/2 are Node's own client,
 * which takes more of their core than ours: a run that was theirs is marked.
 */
import type { Carrier } from '../load/dial.ts'
import { onStage, type Run, unsaturated } from '../load/stage.ts'
import { carriedHub } from '../peers/hub.ts'
import { runTable, saturationNotes } from '../report/runs.ts'
import { barChart } from '../report/svg.ts'
import { type Bench, type BenchContext, type Findings, ratio } from './bench.ts'

const SIZE = 200
const CARRIERS: Readonly<Record<Carrier, string>> = {
  tcp: 'HTTP/1.1',
  tls: 'HTTP/1.1, TLS',
  h2c: 'HTTP/2',
  h2: 'HTTP/2, TLS',
}
const NAMES = Object.keys(CARRIERS) as Carrier[]

interface Measured {
  readonly carrier: Carrier
  readonly rate: number
  readonly run: Run
}

export const carriers: Bench = {
  name: 'tls',
  claim: 'Telling 1,000 readers of one channel something through TLS and over HTTP/2, beside plain sockets.',
  async run(context) {
    const runs: Measured[] = []
    for (const rate of [50, 2_000]) {
      for (const carrier of NAMES) runs.push({ carrier, rate, run: await runOf(context, carrier, rate) })
    }
    return findings(runs)
  },
}

async function runOf({ quick, say }: BenchContext, carrier: Carrier, rate: number): Promise<Run> {
  const name = CARRIERS[carrier]
  const run = await unsaturated(() =>
    onStage(carriedHub(name), 1, async (stage) => {
      await stage.readers.call.secure(await stage.server.ask<number>('TLS'))
      await stage.open([{ channels: [0], count: quick ? 200 : 1_000, carrier }])
      const batch = rate <= 50 ? 1 : 1_000
      const plan = { rate, seconds: quick ? 2 : 8, channels: 1, batch, size: SIZE }
      await stage.warmUp({ ...plan, seconds: quick ? 0.5 : 2 })
      return stage.measure(plan)
    }),
  )
  say(
    `${name}, ${rate}/s: ${Math.round(run.perSecond)} deliveries/s, ${run.cpuPerDelivery.toFixed(2)} µs each, ` +
      `p99 ${run.p99.toFixed(1)} ms`,
  )
  return run
}

function findings(runs: readonly Measured[]): Findings {
  const rates = [...new Set(runs.map(({ rate }) => rate))]
  const of = (carrier: Carrier, rate: number): Run | undefined =>
    runs.find((run) => run.carrier === carrier && run.rate === rate)?.run
  const full = rates.at(-1) as number
  return {
    tables: rates.map((rate) =>
      runTable(
        `${rate.toLocaleString('en')} events a second`,
        runs.filter((run) => run.rate === rate).map(({ run }) => run),
      ),
    ),
    targets: (['tls', 'h2c', 'h2'] as const).map((carrier) => ({
      what: `saturated: CPU of a delivery by ${CARRIERS[carrier]} against a plain socket`,
      wanted: { atMost: 5 },
      got: ratio(of(carrier, full), of('tcp', full), 'cpuPerDelivery'),
    })),
    charts: [
      barChart({
        name: 'tls-cpu',
        title: 'CPU time of a delivery, µs (less is better)',
        groups: rates.map((rate) => `${rate.toLocaleString('en')} events/s`),
        bars: NAMES.map((carrier) => ({
          name: CARRIERS[carrier],
          values: rates.map((rate) => of(carrier, rate)?.cpuPerDelivery ?? Number.NaN),
        })),
      }),
    ],
    notes: saturationNotes(runs.map(({ run }) => run)),
  }
}
