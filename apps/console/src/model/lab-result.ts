/** What a run came to, as it is kept, compared and saved. Pure. */
import type { LabReport, PageFigures, Technique, TechniqueReport } from '../lab/shared.ts'

type ByTechnique<Value> = Readonly<Partial<Record<Technique, Value>>>

export interface Finished {
  readonly report: LabReport
  readonly page: ByTechnique<PageFigures>
  /** How late an event might be, in milliseconds. */
  readonly late: number
}

export interface Sample {
  /** Since the first event. */
  readonly second: number
  readonly report: LabReport
  readonly page: ByTechnique<PageFigures>
}

/** Runs that the page remembers. */
export const MOST_KEPT = 6

/** Of one client, so that runs with different crowds can be compared. */
export interface Cost {
  readonly technique: Technique
  /** Of the crowd, and the page's own. */
  readonly clients: number
  readonly requestsPerMinute: number
  /** Of the requests. */
  readonly emptyShare: number
  /** Bytes for each event that reached a client; absent when none did. */
  readonly up?: { readonly head: number; readonly body: number }
  readonly down?: { readonly head: number; readonly body: number }
  readonly connections: number
  /** Microseconds of the hub's CPU for an event to reach a client. */
  readonly cpu?: number
  /** It is less than this: too small to be told from what it may be off by. */
  readonly cpuBelow?: number
  readonly received: number
  readonly missed: number
  readonly twice: number
  readonly p50?: number
  readonly p99?: number
}

export function costOf(
  technique: Technique,
  { report, page }: Pick<Finished, 'report' | 'page'>,
): Cost | undefined {
  const its = report.techniques[technique]
  if (!its) return undefined
  const own = page[technique]
  const clients = its.crowd.clients + (own ? 1 : 0)
  const received = its.crowd.received + (own?.received ?? 0)
  const minutes = report.elapsed / 60_000
  const per = ({ head, body }: TechniqueReport['bytesIn']) => ({
    head: head / received,
    body: body / received,
  })
  const delays = its.crowd.delays.count > 0 ? its.crowd.delays : own?.delays
  const known = its.cpu !== undefined && its.cpu.perDelivery > its.cpu.plusMinus
  return {
    technique,
    clients,
    requestsPerMinute: clients === 0 || minutes === 0 ? 0 : its.requests / minutes / clients,
    emptyShare: its.requests === 0 ? 0 : its.empty / its.requests,
    ...(received > 0 && { up: per(its.bytesIn), down: per(its.bytesOut) }),
    connections: clients === 0 ? 0 : its.mostConnections / clients,
    ...(known && its.cpu && { cpu: its.cpu.perDelivery }),
    ...(!known && its.cpu && { cpuBelow: its.cpu.plusMinus }),
    received,
    missed: its.crowd.missed + (own?.missed ?? 0),
    twice: its.crowd.twice,
    ...(delays && delays.count > 0 && { p50: delays.p50, p99: delays.p99 }),
  }
}

export function total(
  bytes: { readonly head: number; readonly body: number } | undefined,
): number | undefined {
  return bytes && bytes.head + bytes.body
}
