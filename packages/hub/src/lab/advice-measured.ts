/** Each technique as it was measured, and whether it worked for the task. Pure. */
import type { Fault, PageFigures, Standing } from './advice-data.ts'
import { bytesPerMinute, requestsPerMinute, type UnitCosts, unitCosts } from './costs.ts'
import type { Delays, LabReport, Technique, TechniqueReport } from './report.ts'

/** Of fewer events 99 % says nothing: one that was late would decide. */
const ENOUGH_FOR_P99 = 100
const HELD_BACK_MS = 1_000

export interface Measured extends Standing {
  readonly report: TechniqueReport
  readonly costs: UnitCosts
  readonly missed: number
  /** Bytes a minute that go into requests. */
  readonly asking: number
}

export function measure(
  technique: Technique,
  { settings, techniques }: LabReport,
  page?: PageFigures,
): readonly Measured[] {
  const report = techniques[technique]
  if (report === undefined) return []
  const { crowd } = report
  const costs = unitCosts(report, crowd.received + (page?.received ?? 0), settings.events.size)
  if (costs === undefined) return []
  const delays = crowd.delays.count > 0 ? crowd.delays : page?.delays
  return [
    {
      technique,
      report,
      costs,
      // A page may be hidden, or asleep; a crowd is not.
      missed: crowd.clients > 0 ? crowd.missed : (page?.missed ?? 0),
      asking: requestsPerMinute(technique, settings) * costs.request,
      bytesPerMinute: bytesPerMinute(technique, costs, settings),
      requestsPerMinute: requestsPerMinute(technique, settings),
      ...(delays && delays.count > 0 && { delays }),
    },
  ]
}

export function faultOf(
  { technique, delays, missed, report: its }: Measured,
  all: readonly Measured[],
  { published, settings }: LabReport,
  late: number,
): { readonly fault?: Fault } {
  if (published === 0) return {}
  if (technique === 'sse' && isHeldBack(delays, all)) return { fault: 'held-back' }
  if (delays === undefined) return { fault: its.refused > 0 || published > 1 ? 'nothing-came' : 'too-late' }
  if (missed > 0) return { fault: 'missed' }
  if (technique === 'poll') return settings.pollEvery > late ? { fault: 'too-late' } : {}
  return worst(delays) > late ? { fault: 'too-late' } : {}
}

/** Pages that were asked for get through, and the stream does not, or long after. */
function isHeldBack(delays: Delays | undefined, all: readonly Measured[]): boolean {
  const waited = all.find(({ technique }) => technique === 'long-poll')?.delays
  if (waited === undefined) return false
  return delays === undefined || delays.p50 > Math.max(HELD_BACK_MS, 5 * waited.p50)
}

function worst({ count, p50, p99 }: Delays): number {
  return count >= ENOUGH_FOR_P99 ? p99 : p50
}

export function p50({ delays }: Measured): number {
  return delays?.p50 ?? Infinity
}

/** `Infinity` when it is not known, or too small to be told from what it may be off by. */
export function cpuOf({ report: { cpu } }: { readonly report: TechniqueReport }): number {
  return cpu && cpu.perDelivery > cpu.plusMinus ? cpu.perDelivery : Infinity
}

export function standingOf({
  technique,
  fault,
  bytesPerMinute,
  requestsPerMinute,
  delays,
}: Measured): Standing {
  return { technique, bytesPerMinute, requestsPerMinute, ...(fault && { fault }), ...(delays && { delays }) }
}
