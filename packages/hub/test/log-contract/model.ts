/** A log so naive that it is plainly right: it remembers everything that ever happened, and looks through all of it for each answer. */
import { matchesPattern } from '@downlink/wire'
import type { ChannelSet } from '../../src/log/channel-set.ts'
import {
  GAP_CHANNELS,
  type ChannelInfo,
  type EndMark,
  type From,
  type Limit,
  type LogEvent,
  type LogGap,
  type LogPage,
  type LogRecord,
  type Position,
} from '../../src/log/log.ts'
import { DEFAULT_RETENTION, type Retention, type RetentionRule } from '../../src/log/retention.ts'

/** A page, but for the number of its loss, which is each engine's own. */
export type ModelPage = Omit<LogPage, 'gap'> & { readonly gap?: Omit<LogGap, 'loss'> }

export class Model {
  /** Of each channel its records, in order, as the log's tail told them. */
  readonly #history = new Map<string, LogRecord[]>()
  readonly #rules: readonly RetentionRule[]
  readonly #trimmed = new Set<Position>()

  constructor(rules: readonly RetentionRule[]) {
    this.#rules = rules
  }

  get frontier(): Position {
    return Math.max(0, ...[...this.#history.values()].map((records) => records.at(-1)?.position ?? 0))
  }

  get names(): string[] {
    return [...this.#history.keys()].sort()
  }

  /** The records that followed, and the time it is now. */
  happened(records: readonly LogRecord[], now: number): void {
    for (const record of records) {
      this.#history.set(record.channel, [...this.#of(record.channel), record])
      this.#trim(record.channel, now)
    }
    for (const name of this.names) this.#trim(name, now)
  }

  ended(channel: string): EndMark | undefined {
    const end = this.#of(channel).findLast((record) => record.kind === 'end')
    return end?.kind === 'end' && end.position > this.#droppedAt(channel) ? end : undefined
  }

  /** All events that can still be read. */
  kept(has: (channel: string) => boolean): LogEvent[] {
    return this.#events(has).filter(
      (event) => !this.#trimmed.has(event.position) && event.position > this.#droppedAt(event.channel),
    )
  }

  info(name: string): ChannelInfo {
    const kept = this.kept((channel) => channel === name)
    const newest = kept.at(-1)
    return {
      name,
      head: this.#events((channel) => channel === name).at(-1)?.position ?? 0,
      ...(kept[0] && { oldest: kept[0].position, oldestTime: kept[0].time }),
      ...(newest && { newestTime: newest.time }),
      events: kept.length,
      bytes: kept.reduce((sum, event) => sum + event.data.length, 0),
      ended: this.ended(name) !== undefined,
    }
  }

  page(set: ChannelSet, from: From, limit: Limit): ModelPage {
    const kept = this.kept((channel) => set.has(channel))
    if ('after' in from) return this.#pageAfter(set, kept, from.after, limit)
    const before = 'before' in from ? from.before : this.frontier + 1
    const ready = kept.filter((event) => event.position < before).reverse()
    const most = 'last' in from ? { ...limit, events: Math.min(limit.events, from.last) } : limit
    const events = fitting(ready, most).reverse()
    const first = events[0]?.position ?? before
    const ends = this.#ends(set, first - 1, before - 1)
    if ('last' in from) return { events, cursor: this.frontier, more: false, ends }
    return { events, cursor: first, more: events.length < ready.length, ends }
  }

  #pageAfter(set: ChannelSet, kept: readonly LogEvent[], after: Position, limit: Limit): ModelPage {
    const ready = kept.filter((event) => event.position > after)
    const events = fitting(ready, limit)
    const more = events.length < ready.length
    const cursor = more ? (events.at(-1)?.position ?? 0) : this.frontier
    const gap = this.#gap(set, after, ready[0] ? ready[0].position - 1 : this.frontier)
    return { events, cursor, more, ...(gap && { gap }), ends: this.#ends(set, after, cursor) }
  }

  #gap(set: ChannelSet, from: Position, to: Position): Omit<LogGap, 'loss'> | undefined {
    const trimmed = this.#events((channel) => set.has(channel)).filter((event) =>
      this.#trimmed.has(event.position),
    )
    const drops = this.#records((channel) => set.has(channel)).filter((record) => record.kind === 'drop')
    const lost = [...trimmed, ...drops].filter((record) => record.position > from)
    if (lost.length === 0) return undefined
    const names = [...new Set(lost.map((record) => record.channel))].sort()
    return {
      reason: lost.some((record) => record.kind === 'drop') ? 'deleted' : 'trimmed',
      channels: names.length > GAP_CHANNELS ? set.parts : names,
      from,
      to: Math.max(from, to),
      upTo: Math.max(...lost.map((record) => record.position)),
    }
  }

  #ends(set: ChannelSet, after: Position, upTo: Position): EndMark[] {
    const ends = this.names.flatMap((name) => this.ended(name) ?? [])
    const told = ends.filter(
      ({ channel, position }) =>
        set.has(channel) && position <= upTo && (set.hasName(channel) || position > after),
    )
    return told.sort((one, other) => one.position - other.position)
  }

  #trim(name: string, now: number): void {
    const { count, age, bytes } = this.#retention(name)
    const kept = this.kept((channel) => channel === name)
    for (const [index, event] of kept.entries()) {
      const newer = kept.slice(index + 1)
      const size = newer.reduce((sum, other) => sum + other.data.length, event.data.length)
      const tooMany = newer.length >= count
      const tooLarge = size > bytes && newer.length > 0
      if (tooMany || tooLarge || now - event.time > age) this.#trimmed.add(event.position)
    }
  }

  #retention(name: string): Retention {
    const rule = this.#rules.find(({ channels }) => channels === name || matchesPattern(channels, name))
    return { ...DEFAULT_RETENTION, ...rule }
  }

  #events(has: (channel: string) => boolean): LogEvent[] {
    return this.#records(has).flatMap((record) => (record.kind === 'event' ? record : []))
  }

  /** In the order of positions. */
  #records(has: (channel: string) => boolean): LogRecord[] {
    const records = this.names.filter(has).flatMap((name) => this.#of(name))
    return records.sort((one, other) => one.position - other.position)
  }

  #of(channel: string): readonly LogRecord[] {
    return this.#history.get(channel) ?? []
  }

  #droppedAt(channel: string): Position {
    return this.#of(channel).findLast((record) => record.kind === 'drop')?.position ?? 0
  }
}

function fitting(events: readonly LogEvent[], limit: Limit): LogEvent[] {
  const fit: LogEvent[] = []
  let bytes = 0
  for (const event of events) {
    bytes += event.data.length
    if (fit.length === limit.events || (bytes > limit.bytes && fit.length > 0)) break
    fit.push(event)
  }
  return fit
}
