/** A run as comma-separated values, a figure a line: what was asked for, what came out, and each second. Pure. */
import { TECHNIQUES, type Technique } from '../lab/shared.ts'
import type { Finished, Sample } from './lab-result.ts'

type Cell = string | number | boolean

const HEAD = ['part', 'technique', 'second', 'figure', 'value', 'unit'] as const

export function csvOf({ report, page, late }: Finished, samples: readonly Sample[]): string {
  const { settings } = report
  const rows: (readonly Cell[])[] = [HEAD]
  const setting = (figure: string, value: Cell, unit = ''): unknown =>
    rows.push(['settings', '', '', figure, value, unit])
  setting('run', report.id)
  setting('state', report.state)
  setting('started', new Date(report.started).toISOString())
  setting('techniques', settings.techniques.join(' '))
  setting('events.rate', settings.events.rate, '1/s')
  setting('events.shape', settings.events.shape)
  setting('events.size', settings.events.size, 'B')
  setting('clients', settings.clients)
  setting('pollEvery', settings.pollEvery, 'ms')
  setting('network.delay', settings.network.delay, 'ms')
  setting('network.buffering', settings.network.buffering)
  setting('network.cutAfter', settings.network.cutAfter, 'ms')
  setting('seconds', settings.seconds, 's')
  setting('late', late, 'ms')
  rows.push(
    ['total', '', '', 'elapsed', report.elapsed, 'ms'],
    ['total', '', '', 'published', report.published, ''],
  )
  for (const technique of TECHNIQUES) {
    for (const [figure, value, unit] of figuresOf(technique, { report, page, second: 0 }))
      rows.push(['total', technique, '', figure, value, unit])
    const cpu = report.techniques[technique]?.cpu
    if (cpu) {
      rows.push(['total', technique, '', 'cpu.perDelivery', cpu.perDelivery, 'us'])
      rows.push(['total', technique, '', 'cpu.plusMinus', cpu.plusMinus, 'us'])
      rows.push(['total', technique, '', 'cpu.perSecond', cpu.perSecond, 'ms/s'])
    }
  }
  for (const sample of samples)
    for (const technique of TECHNIQUES)
      for (const [figure, value, unit] of figuresOf(technique, sample))
        rows.push(['second', technique, sample.second, figure, value, unit])
  return rows.map((row) => `${row.map(cell).join(',')}\r\n`).join('')
}

function figuresOf(
  technique: Technique,
  { report, page }: Sample,
): readonly (readonly [string, number, string])[] {
  const its = report.techniques[technique]
  if (!its) return []
  const { crowd } = its
  const own = page[technique]
  return [
    ['requests', its.requests, ''],
    ['empty', its.empty, ''],
    ['refused', its.refused, ''],
    ['connections', its.connections, ''],
    ['mostConnections', its.mostConnections, ''],
    ['bytesIn.head', its.bytesIn.head, 'B'],
    ['bytesIn.body', its.bytesIn.body, 'B'],
    ['bytesOut.head', its.bytesOut.head, 'B'],
    ['bytesOut.body', its.bytesOut.body, 'B'],
    ['crowd.clients', crowd.clients, ''],
    ['crowd.received', crowd.received, ''],
    ['crowd.missed', crowd.missed, ''],
    ['crowd.twice', crowd.twice, ''],
    ['crowd.p50', crowd.delays.p50, 'ms'],
    ['crowd.p99', crowd.delays.p99, 'ms'],
    ['crowd.max', crowd.delays.max, 'ms'],
    ...(own
      ? ([
          ['page.received', own.received, ''],
          ['page.missed', own.missed, ''],
          ['page.p50', own.delays.p50, 'ms'],
          ['page.p99', own.delays.p99, 'ms'],
          ['page.max', own.delays.max, 'ms'],
        ] as const)
      : []),
  ]
}

/** RFC 4180. */
function cell(value: Cell): string {
  const text = String(value)
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}
