/** Runs of a stage, as a table. */
import type { Table } from '../delivery/bench.ts'
import type { Run } from '../load/stage.ts'
import { bytes, count, figure } from './words.ts'

export function runTable(caption: string, runs: readonly Run[], labels?: readonly string[]): Table {
  return {
    caption,
    head: [
      '',
      'events/s taken',
      'deliveries/s',
      'CPU µs a delivery',
      'against ours',
      'core',
      'p50 ms',
      'p99 ms',
      'max ms',
      'deliveries a read',
      'bytes read',
      'RSS',
    ],
    rows: runs.map((run, index) => [
      (labels?.[index] ?? run.server) + (run.saturated === undefined ? '' : ' *'),
      count(run.taken / run.seconds),
      count(run.perSecond),
      figure(run.cpuPerDelivery),
      `× ${figure(run.cpuPerDelivery / (runs[0] as Run).cpuPerDelivery)}`,
      `${Math.round(run.cpuShare * 100)} %`,
      figure(run.p50),
      figure(run.p99),
      figure(run.max),
      figure(run.deliveries / run.reads),
      bytes(run.bytes),
      bytes(run.rss),
    ]),
  }
}

export function saturationNotes(runs: readonly Run[]): string[] {
  return runs
    .filter(({ saturated }) => saturated !== undefined)
    .map(({ server, saturated }) => `* ${server}: ${saturated}, so rate and latency are not its own.`)
}
