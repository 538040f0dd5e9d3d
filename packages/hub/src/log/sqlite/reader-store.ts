/** Pages and listings of an SQLite log. Reads only; runs in the reading worker. A long read stops at every window and goes on later. */
import type { DatabaseSync, SQLOutputValue, StatementSync } from 'node:sqlite'
import { matchesPattern } from '@downlink/wire'
import { ChannelSet } from '../channel-set.ts'
import { GapFinder, type Horizon } from '../gap.ts'
import type { ChannelInfo, EndMark, Limit, LogEvent, LogGap, LogPage, Position } from '../log.ts'
import { floorOf } from './channel-rows.ts'
import { type Fetch, type LaneEvent, mergeLanes } from './lanes.ts'
import type { ListRequest, ReadRequest } from './messages.ts'
import { QUERIES } from './queries.ts'
import {
  type Columns,
  columns,
  type Found,
  laneEvent,
  logEvent,
  lossesOf,
  PageBuilder,
  type Row,
} from './reader-rows.ts'

/** So many channels are merged one by one; when there are more, all events are looked through in their order. */
const FEW = 2_000
/** Events looked through first, before the channels are looked at. */
const GLANCE = 256
/** Rows looked through at a time. */
const WINDOW = 2_000

/** Runs to its end in steps; between two of them others may have a turn. */
export type Steps<T> = Generator<void, T, void>

interface Taken extends Found {
  /** The channels of the set, when they are few. */
  readonly few?: readonly Row[]
}

/** A channel that may have lost something, or word that there are too many to tell. */
type Lost = Row | 'too many'

export class ReaderStore {
  readonly #db: DatabaseSync
  readonly #statements: Readonly<Record<keyof typeof QUERIES, StatementSync>>
  readonly #meta: StatementSync

  constructor(db: DatabaseSync) {
    this.#db = db
    const prepared = Object.entries(QUERIES).map(([name, sql]) => [name, db.prepare(sql)])
    this.#statements = Object.fromEntries(prepared) as Record<keyof typeof QUERIES, StatementSync>
    // Of these there are many rows to a page, and a row by names costs twice a row by columns (measured: 2.0 µs an event, not 1.2).
    const { forward, backward, events } = this.#statements
    for (const statement of [forward, backward, events]) statement.setReturnArrays(true)
    this.#meta = db.prepare('SELECT value FROM meta WHERE name = ?')
  }

  *read({ set: parts, from, limit }: ReadRequest): Steps<LogPage> {
    const set = new ChannelSet([...parts.names, ...parts.patterns])
    if ('after' in from) return yield* this.#readAfter(set, from.after, limit)
    if ('before' in from) return yield* this.#readBefore(set, from.before, limit)
    return yield* this.#readLast(set, { ...limit, events: Math.min(limit.events, from.last) })
  }

  /** Reads what is always there. */
  probe(): void {
    this.#meta.get('frontier')
  }

  *list({ set: parts, after, limit }: ListRequest): Steps<readonly ChannelInfo[]> {
    const set = new ChannelSet([...parts.names, ...parts.patterns])
    const infos: ChannelInfo[] = []
    if (set.patterns.length === 0) {
      for (const name of set.names) {
        const row = name > after && infos.length < limit ? this.#statements.byName.get(name) : undefined
        if (row) infos.push(this.#info(row))
      }
      return infos
    }
    for (let from = `${after}\0`; infos.length < limit; yield) {
      const rows = this.#statements.fromName.all(from, LAST, WINDOW)
      for (const row of rows) {
        if (infos.length < limit && set.has(String(row.name))) infos.push(this.#info(row))
      }
      if (rows.length < WINDOW) break
      from = `${String(rows.at(-1)?.name)}\0`
    }
    return infos
  }

  *#readAfter(set: ChannelSet, after: Position, limit: Limit): Steps<LogPage> {
    const { found, more, few } = yield* this.#take(set, after, 1, limit)
    // Still within the transaction in which the last of them was found.
    const { frontier } = this.#numbers()
    const cursor = more ? (found.at(-1)?.position ?? after) : frontier
    const ends = yield* this.#endsOf(set, few, after, cursor)
    const lost = few ? few.filter((row) => Number(row.lost_to) > after) : yield* this.#lostOf(set, after)
    const { events, gone } = this.#events(found)
    const first = found[0]
    const gap = this.#gap(set, after, [...lost, ...gone], first ? first.position - 1 : frontier)
    return this.#close({ events, cursor, more, ...(gap && { gap }), ends: this.#confirmed(ends) })
  }

  *#readBefore(set: ChannelSet, before: Position, limit: Limit): Steps<LogPage> {
    const { found, more, few } = yield* this.#take(set, before, -1, limit)
    const first = found.at(-1)?.position ?? before
    const ends = yield* this.#endsOf(set, few, first - 1, before - 1)
    const { events } = this.#events(found.toReversed())
    return this.#close({ events, cursor: first, more, ends: this.#confirmed(ends) })
  }

  *#readLast(set: ChannelSet, limit: Limit): Steps<LogPage> {
    // What is appended while a long read goes on comes after it.
    this.#db.exec('BEGIN')
    const { frontier } = this.#numbers()
    this.#db.exec('COMMIT')
    const { found, few } = yield* this.#take(set, frontier + 1, -1, limit)
    const first = found.at(-1)?.position ?? frontier + 1
    const ends = yield* this.#endsOf(set, few, first - 1, frontier)
    const { events } = this.#events(found.toReversed())
    return this.#close({ events, cursor: frontier, more: false, ends: this.#confirmed(ends) })
  }

  #close(page: LogPage): LogPage {
    this.#db.exec('COMMIT')
    return page
  }

  /** Finds the events of a page, and leaves the transaction open in which it found the last. */
  *#take(set: ChannelSet, from: Position, sign: 1 | -1, limit: Limit): Steps<Taken> {
    const page = new PageBuilder(limit)
    let beyond = from
    this.#db.exec('BEGIN')
    if (set.patterns.length > 0) {
      // By pattern, most readers are near the end, or take whatever comes: a look at the next few events is often all.
      const { events, last } = this.#window(set, beyond, sign, GLANCE)
      for (const event of events) if (!page.add(event)) return page.taken
      if (last === undefined) return page.taken
      beyond = last
      yield* this.#pause()
    }
    const few = this.#few(set)
    if (few) {
      const lanes = few.map((row) => this.#lane(row, sign))
      for (const event of mergeLanes(lanes, beyond, sign)) if (!page.add(event)) break
      return { ...page.taken, few }
    }
    for (;;) {
      const { events, last } = this.#window(set, beyond, sign, WINDOW)
      for (const event of events) if (!page.add(event)) return page.taken
      if (last === undefined) return page.taken
      beyond = last
      yield* this.#pause()
    }
  }

  /** Between two transactions, so that others have their turn and no snapshot is held for long. */
  *#pause(): Steps<void> {
    this.#db.exec('COMMIT')
    yield
    this.#db.exec('BEGIN')
  }

  /** The channels of the set, unless they are too many to be read one by one. */
  #few(set: ChannelSet): readonly Row[] | undefined {
    if (set.patterns.some((pattern) => this.#crowded(pattern))) return undefined
    const rows = new Map<string, Row>()
    for (const name of set.names) {
      const row = this.#statements.byName.get(name)
      if (row) rows.set(name, row)
    }
    for (const pattern of set.patterns) {
      const prefix = prefixOf(pattern)
      for (const row of this.#statements.fromName.all(prefix, `${prefix}${LAST}`, FEW)) {
        if (matchesPattern(pattern, String(row.name))) rows.set(String(row.name), row)
      }
    }
    return [...rows.values()]
  }

  /** Whether more channels than a few have names that begin as the pattern does. */
  #crowded(pattern: string): boolean {
    const prefix = prefixOf(pattern)
    return this.#statements.nameAt.get(prefix, `${prefix}${LAST}`, FEW) !== undefined
  }

  #lane(row: Row, sign: 1 | -1): Fetch {
    const id = Number(row.id)
    const floor = floorOf(lossesOf(row))
    const { forward, backward } = this.#statements
    return sign === 1
      ? (beyond, limit) =>
          columns(forward.all(id, Math.max(beyond, floor), limit)).map(([at, size]) =>
            laneEvent(at, size, id),
          )
      : (beyond, limit) =>
          columns(backward.all(id, floor, beyond, limit)).map(([at, size]) => laneEvent(at, size, id))
  }

  /** Looks through the next events of all channels. `last`: how far it looked, undefined when there are no more. */
  #window(
    set: ChannelSet,
    beyond: Position,
    sign: 1 | -1,
    size: number,
  ): { events: LaneEvent[]; last: Position | undefined } {
    const { allForward, allBackward } = this.#statements
    const rows = (sign === 1 ? allForward : allBackward).all(beyond, size)
    const floors = new Map<SQLOutputValue, Position>()
    const events = rows.filter(
      (row) => Number(row.position) > this.#floor(set, row.channel as SQLOutputValue, floors),
    )
    const last = rows.length < size ? undefined : Number(rows.at(-1)?.position)
    return { events: events.map(({ position, size, channel }) => laneEvent(position, size, channel)), last }
  }

  /** Below and at which a channel has nothing for this set: everything, when it is not in it. */
  #floor(set: ChannelSet, id: SQLOutputValue, floors: Map<SQLOutputValue, Position>): Position {
    let floor = floors.get(id)
    if (floor === undefined) {
      const row = this.#statements.byId.get(id)
      floor = row && set.has(String(row.name)) ? floorOf(lossesOf(row)) : Infinity
      floors.set(id, floor)
    }
    return floor
  }

  /** Those that are still there, and the channels of those that went since they were found: that is a loss, too. */
  #events(found: readonly LaneEvent[]): { events: LogEvent[]; gone: readonly Row[] } {
    const channels = new Map<SQLOutputValue, Row>()
    const gone = new Map<SQLOutputValue, Row>()
    const events: LogEvent[] = []
    const rows = this.#rows(found)
    for (const { position, channel: id } of found) {
      const own = channels.get(id) ?? this.#statements.byId.get(id)
      // Forgotten since: the horizon tells it.
      if (!own) continue
      channels.set(id, own)
      const row = position > floorOf(lossesOf(own)) ? rows.get(position) : undefined
      if (row) events.push(logEvent(String(own.name), row))
      else gone.set(id, own)
    }
    return { events, gone: [...gone.values()] }
  }

  /** By position, channel by channel: between the first and the last found of a channel lie those found and no others. */
  #rows(found: readonly LaneEvent[]): Map<Position, Columns> {
    const ranges = new Map<number, { readonly first: Position; last: Position }>()
    for (const { channel, position } of found) {
      const range = ranges.get(channel)
      if (range) range.last = position
      else ranges.set(channel, { first: position, last: position })
    }
    const rows = new Map<Position, Columns>()
    for (const [channel, { first, last }] of ranges) {
      for (const row of columns(this.#statements.events.all(channel, first, last)))
        rows.set(Number(row[0]), row)
    }
    return rows
  }

  #gap(set: ChannelSet, after: Position, lost: readonly Lost[], next: Position): LogGap | undefined {
    const numbers = this.#numbers()
    // Most readers are near the frontier, where nothing is lost yet.
    if (lost.length === 0 && numbers.horizon.position <= after) return undefined
    const finder = new GapFinder(set, after)
    const told = new Set<string>()
    for (const one of lost) {
      if (one === 'too many') {
        finder.everything(this.#most('lost_to'), this.#most('loss'))
        continue
      }
      const name = String(one.name)
      if (told.has(name)) continue
      told.add(name)
      // As it is by now; a channel that was forgotten since lies below the horizon.
      const row = this.#statements.byName.get(name)
      if (row) finder.channel(name, lossesOf(row))
    }
    for (const name of set.names) {
      if (!this.#statements.byName.get(name)) finder.forgotten(name, numbers.horizon)
    }
    if (set.patterns.length > 0) finder.forgottenByPattern(numbers.horizon)
    return finder.gap(next)
  }

  /**
   * The channels of the set that lost something after a position, in steps. What is lost after its step was looked at was either
   * found before, and is missed when the page is made (`gone`), or lies beyond the page; `lost_to` only grows, so none slips by.
   */
  *#lostOf(set: ChannelSet, after: Position): Steps<readonly Lost[]> {
    const lost: Lost[] = []
    for (let [from, id] = [after, MOST_ID]; ;) {
      const rows = this.#statements.lossesAfter.all(from, id, WINDOW)
      for (const row of rows) if (set.has(String(row.name))) lost.push(row)
      if (lost.length > MOST_LOST) return ['too many']
      if (rows.length < WINDOW) return lost
      ;[from, id] = [Number(rows.at(-1)?.lost_to), Number(rows.at(-1)?.id)]
      yield* this.#pause()
    }
  }

  #most(column: 'lost_to' | 'loss'): number {
    return Number(this.#statements[column === 'loss' ? 'mostLoss' : 'mostLost'].get()?.most)
  }

  /** Of names all ends up to `upTo`, of patterns those after `after` too; in steps. No end up to `upTo` can come later. */
  *#endsOf(set: ChannelSet, few: Taken['few'], after: Position, upTo: Position): Steps<EndMark[]> {
    const rows: Row[] = []
    const named = (row: Row): boolean => set.hasName(String(row.name))
    const within = (row: Row): boolean => row.end_at !== null && Number(row.end_at) <= upTo
    if (few) {
      rows.push(...few.filter((row) => within(row) && (named(row) || Number(row.end_at) > after)))
    } else {
      for (const name of set.names) {
        const row = this.#statements.byName.get(name)
        if (row && within(row)) rows.push(row)
      }
      for (let from = after; ;) {
        const some = this.#statements.endsBetween.all(from, upTo, WINDOW)
        rows.push(...some.filter((row) => set.has(String(row.name)) && !named(row)))
        if (some.length < WINDOW) break
        from = Number(some.at(-1)?.end_at)
        yield* this.#pause()
      }
    }
    const ends = rows.map((row): EndMark => {
      return { kind: 'end', channel: String(row.name), position: Number(row.end_at) }
    })
    return ends.sort((one, other) => one.position - other.position)
  }

  /** Those that still hold: a channel may have been erased since. */
  #confirmed(ends: readonly EndMark[]): EndMark[] {
    return ends.filter(({ channel, position }) => this.#statements.byName.get(channel)?.end_at === position)
  }

  #numbers(): { frontier: Position; horizon: Horizon } {
    const value = (name: string): number => Number(this.#meta.get(name)?.value)
    return {
      frontier: value('frontier'),
      horizon: { position: value('horizon'), loss: value('horizon_loss') },
    }
  }

  #info(row: Row): ChannelInfo {
    const oldest =
      Number(row.events) > 0
        ? this.#statements.oldest.get(row.id as SQLOutputValue, floorOf(lossesOf(row)))
        : undefined
    // Retention may take either of them between these reads.
    const oldestTime = oldest && this.#timeAt(oldest.position)
    const newestTime = oldest && this.#timeAt(row.head)
    return {
      name: String(row.name),
      head: Number(row.head),
      ...(oldest && { oldest: Number(oldest.position) }),
      ...(oldestTime !== undefined && { oldestTime }),
      ...(newestTime !== undefined && { newestTime }),
      events: Number(row.events),
      bytes: Number(row.size),
      ended: row.end_at !== null,
    }
  }

  #timeAt(position: SQLOutputValue | undefined): number | undefined {
    const row = this.#statements.timeAt.get(position as SQLOutputValue)
    return row && Number(row.time)
  }
}

/** What every name that the pattern matches begins with. */
function prefixOf(pattern: string): string {
  return pattern.slice(0, pattern.indexOf('*'))
}

/** After every name: they are ASCII. */
const LAST = '\x7f'
/** Channels of one read that have lost something: beyond it the whole read is said to have. */
const MOST_LOST = 1_000
/** After every id. */
const MOST_ID = Number.MAX_SAFE_INTEGER
