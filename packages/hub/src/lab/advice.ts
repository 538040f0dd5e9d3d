/**
 * Which way of reading fits a task, and why: from what was asked and what was measured. Pure: a browser can import it. What it
 * says is data (`advice-data.ts`), and `advice-words.ts` makes English sentences of it.
 *
 * 1. Out is what did not work here: nothing came, events were missed, or they came later than the task allows.
 * 2. Of the rest the simplest way wins (poll, SSE, long poll, WebSocket, in this order), unless with another one asking costs a client
 *    clearly fewer bytes: more than 2 kB a minute (about two requests), or 30 kB where a WebSocket would save them, which needs a
 *    second protocol, with reconnecting of your own.
 *
 * What asking costs is requests × bytes of a request, as `costs.ts` makes it of what was measured. What the events themselves cost is
 * told and does not decide: it is a matter of compression, which any way can have. So a higher event rate never moves the choice from a
 * stream to polling, nor does a task that allows less delay. (Where streams are held back and long polls are what is left, it may:
 * these ask once for each event, polls do not.)
 */
import { bytesPerMinute, requestsPerMinute, type UnitCosts, unitCosts } from './costs.ts'
import type {
  Advice,
  AdviceOptions,
  Caveat,
  Fault,
  PageFigures,
  Reason,
  Standing,
  Unknown,
} from './advice-data.ts'
import { cpuCrossing, type Crossing, crossingsOf } from './crossings.ts'
import type { Preset } from './presets.ts'
import { type Delays, type LabReport, TECHNIQUES, type Technique, type TechniqueReport } from './report.ts'

/** How late a task may show an event when nobody has said: what people put up with. */
export const DEFAULT_LATE_MS = 2_000

/** The same for each preset. */
export const PRESET_LATE_MS: Readonly<Record<Preset, number>> = {
  notifications: 30_000,
  chat: 300,
  dashboard: 2_000,
  orders: 5_000,
  ticks: 500,
}

/** The simplest first: what it takes to run and to keep running. */
const BY_SIMPLICITY: readonly Technique[] = ['poll', 'sse', 'long-poll', 'websocket']
/** Bytes a minute that a simpler way may cost more. */
const WORTH_LITTLE = 2_000
const WORTH_A_PROTOCOL = 30_000
const TIE = 1.1
/** Of fewer events 99 % says nothing: one that was late would decide. */
const ENOUGH_FOR_P99 = 100
const FEW_EVENTS = 20
const HELD_BACK_MS = 1_000
/** Events or crowd that were so far behind make the delays those of a machine with too much to do. */
const TOO_SLOW_MS = 50

interface Measured extends Standing {
  readonly report: TechniqueReport
  readonly costs: UnitCosts
  readonly missed: number
  /** Bytes a minute that go into requests. */
  readonly asking: number
}

export function advise(report: LabReport, { late = DEFAULT_LATE_MS, page = {} }: AdviceOptions = {}): Advice {
  const all = TECHNIQUES.flatMap((technique) => measure(technique, report, page[technique]))
  const standings = all.map((one) => ({ ...one, ...faultOf(one, all, report, late) }))
  const choice = choose(standings)
  return {
    ...(choice && { choice: choice.technique }),
    ties: choice ? tiesOf(choice, standings) : [],
    standings: standings.map(standingOf),
    reasons: choice ? reasonsFor(choice, standings, report, late) : faultReasons(standings, report, late),
    against: choice ? caveatsOf(choice, standings, report) : [],
    crossings: [
      ...crossingsOf(
        Object.fromEntries(all.map(({ technique, costs }) => [technique, costs])),
        report.settings,
      ),
      ...cpuCrossings(report),
    ],
    unknowns: unknownsOf(all, report),
  }
}

function measure(
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

function faultOf(
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

function choose(all: readonly Measured[]): Measured | undefined {
  const fit = all.filter(({ fault }) => fault === undefined)
  if (fit.length === 0) return leastLate(all)
  return BY_SIMPLICITY.flatMap((technique) => fit.filter((one) => one.technique === technique)).find((one) =>
    fit.every((other) => one.asking <= other.asking + worthOf(other.technique)),
  )
}

function worthOf(technique: Technique): number {
  return technique === 'websocket' ? WORTH_A_PROTOCOL : WORTH_LITTLE
}

function leastLate(all: readonly Measured[]): Measured | undefined {
  const late = all.filter(({ fault, delays }) => fault === 'too-late' && delays)
  return late.sort((one, other) => p50(one) - p50(other))[0]
}

function p50({ delays }: Measured): number {
  return delays?.p50 ?? Infinity
}

function tiesOf(choice: Measured, all: readonly Measured[]): readonly Technique[] {
  return all
    .filter(
      (one) =>
        one !== choice &&
        one.fault === choice.fault &&
        one.bytesPerMinute <= choice.bytesPerMinute * TIE &&
        choice.bytesPerMinute <= one.bytesPerMinute * TIE,
    )
    .map(({ technique }) => technique)
}

function standingOf({ technique, fault, bytesPerMinute, requestsPerMinute, delays }: Measured): Standing {
  return { technique, bytesPerMinute, requestsPerMinute, ...(fault && { fault }), ...(delays && { delays }) }
}

function reasonsFor(
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
  const polls = all.find((one) => one.technique === 'poll')?.report
  if (polls && technique !== 'poll' && polls.empty * 2 > polls.requests)
    reasons.push({ code: 'empty-polls', empty: polls.empty, requests: polls.requests })
  return reasons
}

function meanLate({ settings }: LabReport): number {
  return settings.pollEvery / 2 + settings.network.delay
}

function faultReasons(all: readonly Measured[], report: LabReport, late: number): readonly Reason[] {
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

function caveatsOf(choice: Measured, all: readonly Measured[], report: LabReport): readonly Caveat[] {
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

/** `Infinity` when it is not known, or too small to be told from what it may be off by. */
function cpuOf({ report: { cpu } }: { readonly report: TechniqueReport }): number {
  return cpu && cpu.perDelivery > cpu.plusMinus ? cpu.perDelivery : Infinity
}

function cpuCrossings({ techniques }: LabReport): readonly Crossing[] {
  const { poll, sse } = techniques
  if (!poll?.cpu || !sse?.cpu || poll.crowd.clients === 0) return []
  if (cpuOf({ report: poll }) === Infinity || cpuOf({ report: sse }) === Infinity) return []
  return cpuCrossing('sse', (poll.cpu.perSecond * 1000) / poll.crowd.clients, sse.cpu.perDelivery)
}

function unknownsOf(
  all: readonly Measured[],
  { late, published, settings, techniques }: LabReport,
): readonly Unknown[] {
  const unknowns: Unknown[] = []
  for (const technique of TECHNIQUES)
    if (!all.some((one) => one.technique === technique)) unknowns.push({ code: 'not-run', technique })
  if (published < FEW_EVENTS) unknowns.push({ code: 'few-events', events: published })
  if (techniques.poll && settings.seconds * 1000 < 2 * settings.pollEvery)
    unknowns.push({ code: 'short', seconds: settings.seconds, every: settings.pollEvery })
  if (settings.clients === 0) unknowns.push({ code: 'no-crowd' })
  const behind = Math.max(late.events, late.crowd)
  if (behind > TOO_SLOW_MS) unknowns.push({ code: 'slow-machine', behind })
  if (all.every(({ report }) => report.cpu === undefined)) unknowns.push({ code: 'no-cpu' })
  return unknowns
}
