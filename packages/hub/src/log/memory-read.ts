/** One page of the memory log. Reads only. */
import type { ChannelSet } from './channel-set.ts'
import { GapFinder } from './gap.ts'
import type { EndMark, From, Limit, LogEvent, LogGap, LogPage, Position } from './log.ts'
import type { MemoryStore } from './memory-store.ts'
import { merge, type Direction } from './position-queue.ts'

/** So few channels are read one by one rather than picked from the order of all events. */
const FEW_CHANNELS = 64

export function readPage(store: MemoryStore, set: ChannelSet, from: From, limit: Limit): LogPage {
  if ('after' in from) return readAfter(store, set, from.after, limit)
  if ('before' in from) return readBefore(store, set, from.before, limit)
  return readLast(store, set, { ...limit, events: Math.min(limit.events, from.last) })
}

function readAfter(store: MemoryStore, set: ChannelSet, after: Position, limit: Limit): LogPage {
  const { events, next } = take(walk(store, set, after, 'forward'), limit)
  const first = events[0] ?? next
  const gap = findGap(store, set, after, first ? first.position - 1 : store.frontier)
  const cursor = next ? (events.at(-1)?.position ?? gap?.to ?? after) : store.frontier
  const ends = endsOf(store, set, after, cursor)
  return { events, cursor, more: next !== undefined, ...(gap && { gap }), ends }
}

function readBefore(store: MemoryStore, set: ChannelSet, before: Position, limit: Limit): LogPage {
  const { events, next } = take(walk(store, set, before, 'backward'), limit)
  events.reverse()
  const cursor = events[0]?.position ?? before
  return { events, cursor, more: next !== undefined, ends: endsOf(store, set, cursor - 1, before - 1) }
}

function readLast(store: MemoryStore, set: ChannelSet, limit: Limit): LogPage {
  const { frontier } = store
  const { events } = take(walk(store, set, frontier + 1, 'backward'), limit)
  events.reverse()
  const first = events[0]?.position ?? frontier + 1
  return { events, cursor: frontier, more: false, ends: endsOf(store, set, first - 1, frontier) }
}

/** Takes what fits, and the one after it. */
function take(walk: Iterable<LogEvent>, limit: Limit): { events: LogEvent[]; next?: LogEvent } {
  const events: LogEvent[] = []
  let bytes = 0
  for (const event of walk) {
    bytes += event.data.length
    if (events.length >= limit.events || (bytes > limit.bytes && events.length > 0))
      return { events, next: event }
    events.push(event)
  }
  return { events }
}

/**
 * The events of the set in order, after `position` and up, or before it and down. Few channels are merged. For a pattern that
 * may match many, the order of all events is filtered first, since most of them will be wanted; when they turn out not to be,
 * the channels that the pattern does match are merged from there on. So a page costs at most a few steps a channel, not the log.
 */
function* walk(
  store: MemoryStore,
  set: ChannelSet,
  position: Position,
  direction: Direction,
): Generator<LogEvent, void, undefined> {
  let from = position
  const candidates = store.channels.candidates(set.patterns)
  if (candidates > FEW_CHANNELS) {
    let budget = 4 * candidates
    const lanes = store.lanes.map((lane) => lane.events)
    const all = merge(lanes, from, direction)
    for (;;) {
      const { value: event } = all.next()
      if (!event) return
      if (set.has(event.channel) && store.keeps(event)) yield event
      from = event.position
      if (budget-- === 0) break
    }
  }
  const queues = Array.from(store.channels.in(set), (channel) => channel.events)
  yield* merge(queues, from, direction)
}

function findGap(store: MemoryStore, set: ChannelSet, after: Position, next: Position): LogGap | undefined {
  // Most readers are near the frontier, where nothing is lost yet: they need not look at every channel.
  if (after >= store.lostTo) return undefined
  const finder = new GapFinder(set, after)
  for (const channel of store.channels.in(set)) finder.channel(channel.name, channel)
  for (const name of set.names) if (!store.channels.get(name)) finder.forgotten(name, store.horizon)
  if (set.patterns.length > 0) finder.forgottenByPattern(store.horizon)
  return finder.gap(next)
}

/** Of names all ends up to `upTo`, of patterns those after `after` too. */
function endsOf(store: MemoryStore, set: ChannelSet, after: Position, upTo: Position): EndMark[] {
  const ends: EndMark[] = []
  for (const name of set.names) {
    const end = store.channels.get(name)?.end
    if (end && end.position <= upTo) ends.push(end)
  }
  for (const end of store.endsByPattern(set, after, upTo)) ends.push(end)
  return ends.sort((one, other) => one.position - other.position)
}
