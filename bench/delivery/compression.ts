/**
 * Claim: compressed once, a stream for many costs the hub hardly more time and a third of the bytes.
 *
 * 1,000 readers of JSON ticks that do not repeat themselves, 2,000 events a second, with `Accept-Encoding: gzip` and with none.
 * Decoding a thousand streams would take more than the readers' core, so twenty of them are decoded and compared in full; of
 * the others the bytes are counted, and must be as many.
 */
import { onStage, type Run } from '../load/stage.ts'
import { hub } from '../peers/hub.ts'
import { saturationNotes } from '../report/runs.ts'
import { bytes, count, figure } from '../report/words.ts'
import type { Bench, BenchContext } from './bench.ts'

const DECODED = 20
/** Openings and heartbeats differ from reader to reader; a flush is larger. */
const MOST_SPREAD = 1_000

export const compression: Bench = {
  name: 'compression',
  claim: '1,000 gzip readers of JSON ticks at 2,000 events a second, against readers of none.',
  async run(context) {
    const none = await runOf(context, 'identity')
    const gzip = await runOf(context, 'gzip')
    return {
      tables: [
        {
          caption: 'JSON ticks of 200 bytes, 2,000 events a second',
          head: [
            '',
            'events/s taken',
            'CPU µs an event',
            'bytes an event, all readers',
            'core',
            'p50 ms',
            'p99 ms',
            'RSS',
          ],
          rows: [row('none', none), row('gzip', gzip)],
        },
      ],
      targets: [
        {
          what: 'CPU of gzip against none',
          wanted: { atMost: 1.5 },
          got: gzip.cpuPerEvent / none.cpuPerEvent,
        },
        {
          what: 'bytes of an event, gzip against none',
          wanted: { atMost: 1 / 3 },
          got: gzip.bytes / gzip.taken / (none.bytes / none.taken),
        },
      ],
      notes: saturationNotes([none, gzip]),
    }
  },
}

function row(coding: string, run: Run): string[] {
  return [
    coding + (run.saturated === undefined ? '' : ' *'),
    count(run.taken / run.seconds),
    figure(run.cpuPerEvent),
    figure(run.bytes / run.taken),
    `${Math.round(run.cpuShare * 100)} %`,
    figure(run.p50),
    figure(run.p99),
    bytes(run.rss),
  ]
}

async function runOf({ quick, say }: BenchContext, coding: string): Promise<Run> {
  const run = await onStage(hub({ compress: ['**'] }), 1, async (stage) => {
    const headers = { 'Accept-Encoding': coding }
    const count = (quick ? 100 : 1_000) - DECODED
    await stage.open([
      { tag: 'decoded', channels: [0], count: DECODED, filling: 'ticks', headers },
      { tag: 'counted', channels: [0], count, filling: 'ticks', headers, compared: false },
    ])
    const plan = {
      rate: 2_000,
      seconds: quick ? 2 : 8,
      channels: 1,
      batch: 1_000,
      size: 200,
      filling: 'ticks',
    } as const
    await stage.warmUp({ ...plan, seconds: quick ? 0.5 : 2 })
    const run = await stage.measure(plan, 'decoded')
    const { spread } = await stage.readers.call.result()
    if (spread > MOST_SPREAD) throw new Error(`a reader had ${spread} bytes more than another`)
    return run
  })
  say(
    `${coding}: ${run.cpuPerEvent.toFixed(1)} µs of CPU an event, ${Math.round(run.bytes / run.taken)} bytes`,
  )
  return run
}
