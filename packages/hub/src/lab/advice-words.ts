/** The recommendation in English sentences, for the terminal and the console. Pure. */
import type { Caveat, Reason, Unknown } from './advice-data.ts'
import type { Crossing } from './crossings.ts'
import { ENGLISH_UNITS, figures } from './figures.ts'
import type { Technique } from './report.ts'

export interface AdviceWords {
  /** As it stands within a sentence. */
  readonly techniques: Readonly<Record<Technique, string>>
  /** The recommendation itself, in one sentence. @param ties Others that do as well */
  choice(technique: Technique, ties: readonly Technique[]): string
  readonly noChoice: string
  reason(reason: Reason): string
  caveat(caveat: Caveat): string
  crossing(crossing: Crossing): string
  unknown(unknown: Unknown): string
}

const { bytes, count, time } = figures('en', ENGLISH_UNITS)

const NAMES = {
  poll: 'polling',
  'long-poll': 'long polling',
  sse: 'Server-Sent Events',
  websocket: 'WebSocket',
} as const
const first = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1)
const plural = (technique: Technique): boolean => technique === 'sse'
const s = (technique: Technique, verb: string): string => (plural(technique) ? verb : `${verb}s`)
const shortRate = (rate: number): string =>
  rate >= 1 ? `${count(rate)} a second` : `one in ${time(1000 / rate)}`
const rateOf = (rate: number): string =>
  rate >= 1 ? `${count(rate)} events a second` : `one event in ${time(1000 / rate)}`
const list = (parts: readonly string[]): string =>
  parts.length < 2 ? parts.join('') : `${parts.slice(0, -1).join(', ')} and ${parts.at(-1) ?? ''}`

export const ENGLISH: AdviceWords = {
  techniques: NAMES,
  choice(technique, ties) {
    const choice = first(NAMES[technique])
    const fit = plural(technique) ? 'fit' : 'fits'
    if (ties.length === 0) return `${choice} ${fit} this task.`
    const others = list(ties.map((tie) => NAMES[tie]))
    return `${choice} ${fit} this task; ${others} would do as well.`
  },
  noChoice: 'Nothing can be recommended: no event came through.',
  reason(reason) {
    switch (reason.code) {
      case 'in-time':
        return `${first(NAMES[reason.technique])} ${s(reason.technique, 'show')} half of the events within ${time(reason.p50)}, 99 % within ${time(reason.p99)}; your task allows ${time(reason.late)}.`
      case 'poll-late': {
        const { every, mean, late } = reason
        const fits = every > late ? `more than the ${time(late)} that` : 'and'
        const allows = every > late ? 'your task allows' : `your task allows ${time(late)}`
        return `Polling every ${time(every)} shows an event ${time(mean)} late on average and ${time(every)} at worst, ${fits} ${allows}.`
      }
      case 'too-late':
        return `By ${NAMES[reason.technique]} half of the events came more than ${time(reason.p50)} late here; your task allows ${time(reason.late)}.`
      case 'held-back':
        return `${first(NAMES[reason.technique])} ${plural(reason.technique) ? 'are' : 'is'} held back by something in between: a proxy hands on nothing before an answer has ended.`
      case 'gets-through':
        return `${first(NAMES[reason.technique])} ${s(reason.technique, 'get')} through it.`
      case 'missed':
        return `By ${NAMES[reason.technique]} ${count(reason.missed)} events that should have come did not.`
      case 'nothing-came':
        return reason.refused > 0
          ? `By ${NAMES[reason.technique]} nothing came: ${count(reason.refused)} requests were refused.`
          : `By ${NAMES[reason.technique]} nothing came.`
      case 'fewer-bytes': {
        const others = reason.others.map((other) => `${NAMES[other.technique]} ${bytes(other.bytes)}`)
        return `${first(NAMES[reason.technique])} ${s(reason.technique, 'cost')} ${bytes(reason.bytes)} a minute for each client, ${list(others)}.`
      }
      case 'simpler':
        return `${first(NAMES[reason.other])} would save ${bytes(reason.saves)} a minute for each client: too little for what ${plural(reason.other) ? 'they need' : 'it needs'} beyond ${NAMES[reason.technique]}.`
      case 'packed':
        return `${first(NAMES[reason.other])} ${s(reason.other, 'cost')} ${bytes(reason.saves)} a minute less only because its answers were compressed here. The hub can compress streams, too.`
      case 'asks-once':
        return `${first(NAMES[reason.technique])} ${s(reason.technique, 'ask')} once for as long as the connection lasts, up to half an hour; polling ${count(reason.polls)} times a minute.`
      case 'empty-polls':
        return `${count(reason.empty)} of ${count(reason.requests)} polls brought nothing.`
      case 'least-late':
        return `Nothing shows events within the ${time(reason.late)} that your task allows. Least late ${plural(reason.technique) ? 'are' : 'is'} ${NAMES[reason.technique]}: half of the events within ${time(reason.p50)}.`
    }
  },
  caveat(caveat) {
    switch (caveat.code) {
      case 'holds-connection':
        return 'Each client keeps a connection open for as long as it listens; one that polls needs none between its requests.'
      case 'six-connections':
        return 'Over HTTP/1.1 a browser opens six connections to a host, in all tabs together: share one between tabs, or use HTTP/2.'
      case 'sooner':
        return `${first(NAMES[caveat.other])} would show events within ${time(caveat.p50)} instead of ${time(caveat.mean)} on average.`
      case 'more-cpu':
        return `A delivery costs the hub ${count(caveat.cpu)} µs of CPU by ${NAMES[caveat.technique]}, ${count(caveat.otherCpu)} µs by ${NAMES[caveat.other]}.`
      case 'request-per-event':
        return `It asks ${count(caveat.requests)} times a minute, nearly once for each event.`
      case 'own-protocol':
        return 'A WebSocket is no HTTP once it is open: reconnecting, resuming and signing in again are yours to write, and some proxies refuse it.'
    }
  },
  crossing(crossing) {
    switch (crossing.code) {
      case 'rate':
        return `With fewer events than ${shortRate(crossing.rate)} ${NAMES[crossing.below]} ${s(crossing.below, 'cost')} fewer bytes than ${NAMES[crossing.above]}, with more events more.`
      case 'always':
        return `${first(NAMES[crossing.technique])} ${s(crossing.technique, 'cost')} fewer bytes than ${list(crossing.others.map((other) => NAMES[other]))} at any rate, from one event a minute to 100 a second.`
      case 'no-interval':
        return `However rarely it asks, polling costs more bytes than ${NAMES[crossing.other]} at this rate: each event is larger in a page.`
      case 'interval':
        return `Polling costs fewer bytes than ${NAMES[crossing.other]} only when it asks less often than every ${time(crossing.every)}; an event is then ${time(crossing.late)} late on average.`
      case 'cpu':
        return `From ${rateOf(crossing.rate)} on polling costs the hub less CPU than ${NAMES[crossing.other]}, as one answer brings several events.`
    }
  },
  unknown(unknown) {
    switch (unknown.code) {
      case 'not-run':
        return `${first(NAMES[unknown.technique])} ${plural(unknown.technique) ? 'were' : 'was'} not measured.`
      case 'no-cpu':
        return 'CPU was not measured.'
      case 'few-events':
        return `Only ${count(unknown.events)} ${unknown.events === 1 ? 'event was' : 'events were'} published: delays and bytes of an event may be off.`
      case 'short':
        return `The run of ${time(unknown.seconds * 1000)} was short for polls every ${time(unknown.every)}.`
      case 'no-crowd':
        return 'There was no crowd: all figures are of the page’s own clients.'
      case 'slow-machine':
        return `The machine had too much to do, by ${time(unknown.behind)}: delays are longer than they need be.`
    }
  },
}
