/** Where the lines cross: at which event rate, or interval, another way of reading becomes the cheaper one. Pure. */
import { atRate, bytesPerMinute, type Load, type UnitCosts } from './costs.ts'
import type { Technique } from './report.ts'

export type Crossing =
  /** Below this rate (events a second) `below` costs fewer bytes, above it `above`. */
  | { readonly code: 'rate'; readonly below: Technique; readonly above: Technique; readonly rate: number }
  /** At every rate from one a minute to 100 a second `technique` costs fewer bytes than `others`. */
  | { readonly code: 'always'; readonly technique: Technique; readonly others: readonly Technique[] }
  /** Polling costs fewer bytes than `other` when it asks less often than every `every` ms; an event then comes `late` ms late on average. */
  | { readonly code: 'interval'; readonly other: Technique; readonly every: number; readonly late: number }
  /** However rarely it asks, polling costs more bytes than `other`: the events alone do. */
  | { readonly code: 'no-interval'; readonly other: Technique }
  /** From this rate on polling costs the server less CPU than `other`: it brings several events at once. */
  | { readonly code: 'cpu'; readonly other: Technique; readonly rate: number }

/** What the Lab measures; beyond it nothing is known. */
const LEAST_RATE = 1 / 60
const MOST_RATE = 100
const STEPS = 200

type Costs = Readonly<Partial<Record<Technique, UnitCosts>>>

/** Pairs that people choose between. A WebSocket is set against SSE: it does the same work. */
const PAIRS: readonly (readonly [Technique, Technique])[] = [
  ['poll', 'sse'],
  ['poll', 'long-poll'],
  ['long-poll', 'sse'],
  ['sse', 'websocket'],
]

/** Of those that were measured. */
export function crossingsOf(costs: Costs, load: Load): readonly Crossing[] {
  const found: Crossing[] = []
  const always = new Map<Technique, Technique[]>()
  for (const [one, other] of PAIRS) {
    const [first, second] = [costs[one], costs[other]]
    if (!first || !second) continue
    const rates = byRate([one, first], [other, second], load)
    found.push(...rates.crossings)
    if (rates.cheaper === undefined) continue
    const than = rates.cheaper === one ? other : one
    always.set(rates.cheaper, [...(always.get(rates.cheaper) ?? []), than])
  }
  for (const [technique, others] of always) found.push({ code: 'always', technique, others })
  if (costs.poll && costs.sse) found.push(byInterval(costs.poll, 'sse', costs.sse, load))
  return found
}

type Priced = readonly [Technique, UnitCosts]

/** @returns `cheaper`: which one is at every rate, when there is no crossing */
function byRate(
  [one, first]: Priced,
  [other, second]: Priced,
  load: Load,
): { readonly crossings: readonly Crossing[]; readonly cheaper?: Technique } {
  // Logarithms of rates, since rates range over six orders of magnitude.
  const difference = (power: number): number => {
    const there = atRate(load, Math.exp(power))
    return bytesPerMinute(one, first, there) - bytesPerMinute(other, second, there)
  }
  const least = Math.log(LEAST_RATE)
  const step = (Math.log(MOST_RATE) - least) / STEPS
  const found: Crossing[] = []
  for (let at = 0; at < STEPS; at++) {
    const [from, to] = [least + at * step, least + (at + 1) * step]
    const before = difference(from)
    if (before < 0 === difference(to) < 0) continue
    const [below, above] = before < 0 ? [one, other] : [other, one]
    found.push({ code: 'rate', below, above, rate: Math.exp(zero(difference, from, to)) })
  }
  if (found.length > 0) return { crossings: found }
  return { crossings: [], cheaper: difference(least) < 0 ? one : other }
}

function zero(of: (x: number) => number, from: number, to: number): number {
  const negative = of(from) < 0
  let [low, high] = [from, to]
  for (let round = 0; round < 50; round++) {
    const middle = (low + high) / 2
    if (of(middle) < 0 === negative) low = middle
    else high = middle
  }
  return (low + high) / 2
}

/** requests × bytes of a request = what the other costs more than the events in pages do. */
function byInterval(poll: UnitCosts, other: Technique, its: UnitCosts, load: Load): Crossing {
  const left = bytesPerMinute(other, its, load) - 60 * load.events.rate * poll.event
  if (left <= 0) return { code: 'no-interval', other }
  const every = (60_000 * poll.request) / left
  return { code: 'interval', other, every, late: every / 2 }
}

/**
 * The CPU of polls hardly depends on the rate, as a page brings whatever has come; that of a stream grows with it.
 *
 * @param pollPerSecond Microseconds of CPU a second, for one polling client, at the rate of the run
 * @param perDelivery Microseconds for an event to reach one client
 */
export function cpuCrossing(
  other: Technique,
  pollPerSecond: number,
  perDelivery: number,
): readonly Crossing[] {
  const rate = pollPerSecond / perDelivery
  return rate >= LEAST_RATE && rate <= MOST_RATE ? [{ code: 'cpu', other, rate }] : []
}
