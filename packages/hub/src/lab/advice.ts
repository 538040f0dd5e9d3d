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
import type { Advice, AdviceOptions, Unknown } from './advice-data.ts'
import { cpuOf, faultOf, measure, type Measured, p50, standingOf } from './advice-measured.ts'
import { caveatsOf, faultReasons, reasonsFor, TIE } from './advice-reasons.ts'
import { cpuCrossing, type Crossing, crossingsOf } from './crossings.ts'
import type { Preset } from './presets.ts'
import { type LabReport, TECHNIQUES, type Technique } from './report.ts'

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
/** Bytes a minute that asking may cost more in a simpler way. */
const WORTH_LITTLE = 2_000
const WORTH_A_PROTOCOL = 30_000
const FEW_EVENTS = 20
/** Events or crowd that were so far behind make the delays those of a machine with too much to do. */
const TOO_SLOW_MS = 50

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
        // What nothing came by has no costs of an event.
        Object.fromEntries(
          standings.filter(({ delays }) => delays).map(({ technique, costs }) => [technique, costs]),
        ),
        report.settings,
      ),
      ...cpuCrossings(report),
    ],
    unknowns: unknownsOf(all, report),
  }
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

function cpuCrossings({ settings, techniques }: LabReport): readonly Crossing[] {
  const { poll, sse } = techniques
  if (!poll || !sse) return []
  const [polls, stream] = [cpuOf({ report: poll }), cpuOf({ report: sse })]
  return polls === Infinity || stream === Infinity
    ? []
    : cpuCrossing('sse', polls * settings.events.rate, stream)
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
