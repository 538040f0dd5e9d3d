/** What a store shows: built from what came, never changed afterwards. */
import type { SubscribeError } from '../subscribe/error.ts'
import type { ConnectionState, EventMap, GapUpdate, Transport, UpdateOf } from '../subscribe/types.ts'

/** Frozen, its lists too. Each part is the same object as before unless it changed. */
export interface EventsSnapshot<Events extends EventMap> {
  /** The newest events, at most `keep` of them, oldest first. */
  readonly events: readonly UpdateOf<Events>[]
  readonly latest: UpdateOf<Events> | undefined
  /** As `Subscription.state`; `connecting` until there is a subscription. */
  readonly connection: ConnectionState
  /** The newest gaps, at most 10, oldest first. */
  readonly gaps: readonly GapUpdate[]
  /** The last error that was told, such as data that does not fit `parse`, or why it is closed. Waits have theirs in `connection`. */
  readonly error: SubscribeError | undefined
}

/** More gaps than these say nothing new: what the page shows must be fetched again. */
const MOST_GAPS = 10

/** Takes what comes, in bounded memory, and makes a snapshot of it when asked. */
export interface Gathering<Events extends EventMap> {
  readonly event: (event: UpdateOf<Events>) => void
  readonly gap: (gap: GapUpdate) => void
  readonly connection: (connection: ConnectionState) => void
  readonly error: (error: SubscribeError | undefined) => void
  /** The same object as long as nothing came. */
  readonly snapshot: () => EventsSnapshot<Events>
}

export function createGathering<Events extends EventMap>(
  keep: number,
  first: EventsSnapshot<Events>,
): Gathering<Events> {
  let shown = first
  let changes: { -readonly [Part in keyof EventsSnapshot<Events>]?: EventsSnapshot<Events>[Part] } | undefined
  let fresh: UpdateOf<Events>[] = []
  let gaps: GapUpdate[] = []

  return {
    event(event) {
      changes = { ...changes, latest: event }
      fresh.push(event)
      // Nobody may ask for a while, as timers of hidden pages are late. Twice as many, so that not each event moves all of them.
      if (fresh.length > 2 * keep) fresh = newest(fresh, keep)
    },
    gap(gap) {
      changes = { ...changes }
      gaps = newest([...gaps, gap], MOST_GAPS)
    },
    connection(connection) {
      changes = { ...changes, connection }
    },
    error(error) {
      changes = { ...changes, error }
    },
    snapshot() {
      if (!changes) return shown
      if (fresh.length > 0) changes.events = Object.freeze(newest([...shown.events, ...fresh], keep))
      if (gaps.length > 0) changes.gaps = Object.freeze(newest([...shown.gaps, ...gaps], MOST_GAPS))
      shown = Object.freeze({ ...shown, ...changes })
      changes = undefined
      fresh = []
      gaps = []
      return shown
    },
  }
}

function newest<Item>(list: Item[], count: number): Item[] {
  return list.slice(Math.max(0, list.length - count))
}

/** Of whatever events there could be. */
interface EmptySnapshot extends Omit<EventsSnapshot<EventMap>, 'events' | 'latest'> {
  readonly events: readonly never[]
  readonly latest: undefined
}

function empty(transport: Transport, phase: 'connecting' | 'closed'): EmptySnapshot {
  return Object.freeze({
    events: Object.freeze([]),
    latest: undefined,
    connection: Object.freeze({ phase, transport, attempt: 0 }),
    gaps: Object.freeze([]),
    error: undefined,
  })
}

const IDLE = {
  sse: empty('sse', 'connecting'),
  'long-poll': empty('long-poll', 'connecting'),
  poll: empty('poll', 'connecting'),
}

/** Where nothing is asked for at all. */
export const NOTHING: EmptySnapshot = empty('sse', 'closed')

/** Before anything is asked. One object for all that begin with this transport: what a server rendered is what a page begins with. */
export function idleSnapshot(transport: 'auto' | Transport = 'auto'): EmptySnapshot {
  return IDLE[transport === 'auto' ? 'sse' : transport] ?? IDLE.sse
}
