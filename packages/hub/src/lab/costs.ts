/**
 * What each way of reading costs a client, worked out from what was measured of it. Pure: a browser can import it.
 *
 *     bytes a minute = requests a minute × bytes of a request + events a minute × bytes of an event
 *
 * Two unit costs are measured, at the hub's sockets: a request (all that a client says, and the head of the answer) and an event
 * (what the answers' bodies hold, shared out among the events that were delivered: empty pages, openings and heartbeats are in it).
 * How many requests there are follows from the task:
 *
 *     poll             1 / pollEvery
 *     long poll        1 / ((1 − e^(−g·wait)) / g + turnaround), with g arrivals a second (a burst is one arrival)
 *     SSE, WebSocket   1 / (the life of a connection: 27 minutes, less where the network cuts; and the wait before it comes back)
 *
 * So a short run tells what an hour costs: a connection is not charged to the few seconds that happened to be looked at.
 */
import type { Bytes, LabSettings, Technique, TechniqueReport } from './report.ts'

/** What a long poll asks the hub to wait, as `subscribe()` does. */
export const LONG_POLL_WAIT_MS = 25_000
/** A stream lives 24 to 30 minutes (protocol 6.6.1). */
const CONNECTION_LIFE_MS = 27 * 60_000
/** What comes back waits so long: by what the hub says (2 to 4 s), and as the page's own WebSocket does. */
const COMES_BACK_MS = { sse: 3_000, websocket: 1_000 }
/** Between an answer and the next question, beside what the network adds. */
const TURNAROUND_MS = 2
const BURST = 10

/** Bytes. */
export interface UnitCosts {
  readonly request: number
  readonly event: number
}

/** What of the settings decides how often is asked. */
export type Load = Pick<LabSettings, 'pollEvery'> & {
  readonly events: Pick<LabSettings['events'], 'rate' | 'shape'>
  readonly network: Pick<LabSettings['network'], 'delay' | 'cutAfter'>
}

/**
 * @param deliveries Events that clients were given: each event once for each client
 * @param size Counts for an event when none was delivered
 * @returns undefined when nobody asked
 */
export function unitCosts(
  { requests, bytesIn, bytesOut }: Pick<TechniqueReport, 'requests' | 'bytesIn' | 'bytesOut'>,
  deliveries: number,
  size: number,
): UnitCosts | undefined {
  if (requests === 0) return undefined
  return {
    request: (sum(bytesIn) + bytesOut.head) / requests,
    event: deliveries === 0 ? size : bytesOut.body / deliveries,
  }
}

function sum({ head, body }: Bytes): number {
  return head + body
}

/** Of one client. */
export function requestsPerMinute(technique: Technique, { events, pollEvery, network }: Load): number {
  const life = network.cutAfter === 0 ? CONNECTION_LIFE_MS : Math.min(network.cutAfter, CONNECTION_LIFE_MS)
  switch (technique) {
    case 'poll':
      return 60_000 / pollEvery
    case 'long-poll': {
      const wait = Math.min(LONG_POLL_WAIT_MS, life) / 1000
      const arrivals = events.shape === 'bursts' ? events.rate / BURST : events.rate
      const turnaround = (TURNAROUND_MS + 2 * network.delay) / 1000
      return 60 / ((1 - Math.exp(-arrivals * wait)) / arrivals + turnaround)
    }
    case 'sse':
    case 'websocket':
      return 60_000 / (life + COMES_BACK_MS[technique])
  }
}

/** Of one client, both ways. */
export function bytesPerMinute(technique: Technique, costs: UnitCosts, load: Load): number {
  return requestsPerMinute(technique, load) * costs.request + 60 * load.events.rate * costs.event
}

export function atRate<Of extends Load>(load: Of, rate: number): Of {
  return { ...load, events: { ...load.events, rate } }
}
