/** Why a technique was chosen, and what speaks against it all the same. Pure. */
import type { Caveat, Reason } from './advice-data.ts'
import { cpuOf, type Measured, p50 } from './advice-measured.ts'
import type { LabReport } from './report.ts'

/** Bytes that differ by less are the same. */
export const TIE = 1.1

export function reasonsFor(
  choice: Measured,
  all: readonly Measured[],
  report: LabReport,
  late: number,
): readonly Reason[] {
  const { technique, delays, bytesPerMinute: bytes } = choice
  const reasons: Reason[] = []
  if (choice.fault) reasons.push({ code: 'least-late', technique, p50: p50(choice), late })
  else if (technique === 'poll')
    reasons.push({ code: 'poll-late', every: report.settings.pollEvery, mean: meanLate(report), late })
  else if (delays) reasons.push({ code: 'in-time', technique, p50: delays.p50, p99: delays.p99, late })
  const faults = faultReasons(
    all.filter((one) => one !== choice),
    report,
    late,
  )
  reasons.push(...faults)
  if (faults.some(({ code }) => code === 'held-back')) reasons.push({ code: 'gets-through', technique })
  // What polling at its interval costs is told even where it is too late: it is what most people would do.
  const compared = all.filter((one) => one !== choice && (!one.fault || one.technique === 'poll'))
  const others = compared
    .filter((other) => other.bytesPerMinute > bytes * TIE)
    .map((other) => ({ technique: other.technique, bytes: other.bytesPerMinute }))
    .sort((one, other) => one.bytes - other.bytes)
  if (others.length > 0) reasons.push({ code: 'fewer-bytes', technique, bytes, others })
  for (const other of compared) {
    if (other.fault || bytes <= other.bytesPerMinute * TIE) continue
    const saves = bytes - other.bytesPerMinute
    // Fewer bytes than its data has: it was compressed, and the choice less so.
    const packed = other.costs.event < Math.min(choice.costs.event, report.settings.events.size)
    reasons.push({ code: packed ? 'packed' : 'simpler', technique, other: other.technique, saves })
  }
  const poll = all.find((one) => one.technique === 'poll')
  if (poll && !poll.fault && (technique === 'sse' || technique === 'websocket'))
    reasons.push({ code: 'asks-once', technique, polls: poll.requestsPerMinute })
  const polls = poll?.report
  if (polls && technique !== 'poll' && polls.empty * 2 > polls.requests)
    reasons.push({ code: 'empty-polls', empty: polls.empty, requests: polls.requests })
  return reasons
}

function meanLate({ settings }: LabReport): number {
  return settings.pollEvery / 2 + settings.network.delay
}

export function faultReasons(all: readonly Measured[], report: LabReport, late: number): readonly Reason[] {
  return all.flatMap(({ technique, fault, missed, report: { refused }, ...one }): readonly Reason[] => {
    switch (fault) {
      case 'held-back':
        return [{ code: 'held-back', technique }]
      case 'missed':
        return [{ code: 'missed', technique, missed }]
      case 'nothing-came':
        return [{ code: 'nothing-came', technique, refused }]
      case 'too-late':
        if (technique === 'poll')
          return [{ code: 'poll-late', every: report.settings.pollEvery, mean: meanLate(report), late }]
        return one.delays ? [{ code: 'too-late', technique, p50: one.delays.p50, late }] : []
      default:
        return []
    }
  })
}

export function caveatsOf(choice: Measured, all: readonly Measured[], report: LabReport): readonly Caveat[] {
  const { technique } = choice
  const against: Caveat[] = []
  if (technique === 'poll') {
    const mean = meanLate(report)
    const sooner = all.filter((one) => !one.fault && p50(one) < mean / 2)
    const [best] = sooner.sort((one, other) => p50(one) - p50(other))
    if (best) against.push({ code: 'sooner', other: best.technique, p50: p50(best), mean })
  } else against.push({ code: 'holds-connection', technique })
  if (technique === 'long-poll')
    against.push({ code: 'request-per-event', requests: choice.requestsPerMinute })
  if (technique === 'sse' || technique === 'long-poll') against.push({ code: 'six-connections', technique })
  if (technique === 'websocket') against.push({ code: 'own-protocol' })
  const cpu = cpuOf(choice)
  const [least] = all
    .filter((one) => one !== choice && !one.fault)
    .sort((one, other) => cpuOf(one) - cpuOf(other))
  if (least && cpu < Infinity && cpu > 1.5 * cpuOf(least))
    against.push({ code: 'more-cpu', technique, other: least.technique, cpu, otherCpu: cpuOf(least) })
  return against
}
