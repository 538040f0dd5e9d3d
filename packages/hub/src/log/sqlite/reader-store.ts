/** Pages and listings of an SQLite log. Reads only; runs in the reading worker. A long read stops at every window and goes on later. */
import type { DatabaseSync, SQLOutputValue, StatementSync } from 'node:sqlite'
import { matchesPattern } from '@downlink/wire'
import { ChannelSet } from '../channel-set.ts'
import { GapFinder, type Horizon, type Losses } from '../gap.ts'
import type { ChannelInfo, EndMark, Limit, LogEvent, LogGap, LogPage, Position } from '../log.ts'
import { floorOf } from './channel-rows.ts'
import { type Fetch, type LaneEvent, mergeLanes } from './lanes.ts'
import type { ListRequest, ReadRequest } from './messages.ts'
import { QUERIES } from './queries.ts'

/** So many channels are merged one by one; when there are more, all events are looked through in their order. */
const FEW = 2_000
/** Events looked through first, before the channels are looked at. */
const GLANCE = 256
/** Rows looked through at a time. */
const WINDOW = 2_000

type Row = Readonly<Record<string, SQLOutputValue>>

/** Runs to its end in steps; between two of them others may have a turn. */
export type Steps<T> = Generator<void, T, void>

/** What was found, and whether there is more. */
interface Taken {
  readonly found: readonly LaneEvent[]
  readonly more: boolean
}

export class ReaderStore {
  readonly #db: DatabaseSync
  readonly #statements: Readonly<Record<keyof typeof QUERIES, StatementSync>>
  readonly #meta: StatementSync

  constructor(db: DatabaseSync) {
    this.#db = db
    const prepared = Object.entries(QUERIES).map(([name, sql]) => [name, db.prepare(sql)])
    this.#statements = Object.fromEntries(prepared) as Record<keyof typeof QUERIES, StatementSync>
    this.#meta = db.prepare('SELECT value FROM meta WHERE name = ?')
  }

  *read({ set: parts, from, limit }: ReadRequest): Steps<LogPage> {
    const set = new ChannelSet([...parts.names, ...parts.patterns])
    if ('after' in from) return yield* this.#readAfter(set, from.after, limit)
    if ('before' in from) return yield* this.#readBefore(set, from.before, limit)
    return yield* this.#readLast(set, { ...limit, events: Math.min(limit.events, from.last) })
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
    const { found, more } = yield* this.#take(set, after, 1, limit)
    // Still within the transaction in which the last of them was found.
    const { frontier } = this.#numbers()
    const events = this.#events(found)
    const first = found[0]
    const gap = this.#gap(set, after, first ? first.position - 1 : frontier)
    const cursor = more ? (found.at(-1)?.position ?? after) : frontier
    const ends = this.#ends(set, after, cursor)
    this.#db.exec('COMMIT')
    return { events, cursor, more, ...(gap && { gap }), ends }
  }

  *#readBefore(set: ChannelSet, before: Position, limit: Limit): Steps<LogPage> {
    const { found, more } = yield* this.#take(set, before, -1, limit)
    const events = this.#events(found.toReversed())
    const cursor = events[0]?.position ?? before
    const ends = this.#ends(set, cursor - 1, before - 1)
    this.#db.exec('COMMIT')
    return { events, cursor, more, ends }
  }

  *#readLast(set: ChannelSet, limit: Limit): Steps<LogPage> {
    // What is appended while a long read goes on comes after it.
    this.#db.exec('BEGIN')
    const { frontier } = this.#numbers()
    this.#db.exec('COMMIT')
    const { found } = yield* this.#take(set, frontier + 1, -1, limit)
    const events = this.#events(found.toReversed())
    const first = events[0]?.position ?? frontier + 1
    const ends = this.#ends(set, first - 1, frontier)
    this.#db.exec('COMMIT')
    return { events, cursor: frontier, more: false, ends }
  }

  /** Finds the events of a page, and leaves the transaction open in which it found the last. */
  *#take(set: ChannelSet, from: Position, sign: 1 | -1, limit: Limit): Steps<Taken> {
    const page = new PageBuilder(limit)
    // By pattern, most readers are near the end, or take whatever comes: a look at the next few events is often all.
    let glance = set.patterns.length > 0
    for (let beyond = from; ; yield) {
      this.#db.exec('BEGIN')
      try {
        const few = glance ? undefined : this.#few(set)
        if (few) {
          const lanes = few.map((row) => this.#lane(row, sign))
          for (const event of mergeLanes(lanes, beyond, sign)) if (!page.add(event)) break
          return page.taken
        }
        const { events, last } = this.#window(set, beyond, sign, glance ? GLANCE : WINDOW)
        glance = false
        for (const event of events) if (!page.add(event)) return page.taken
        if (last === undefined) return page.taken
        beyond = last
      } catch (error) {
        this.#db.exec('ROLLBACK')
        throw error
      }
      this.#db.exec('COMMIT')
    }
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
      ? (beyond, limit) => forward.all(id, Math.max(beyond, floor), limit).map(laneEvent)
      : (beyond, limit) => backward.all(id, floor, beyond, limit).map(laneEvent)
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
    return { events: events.map(laneEvent), last }
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

  #events(found: readonly LaneEvent[]): LogEvent[] {
    const channels = new Map<SQLOutputValue, { readonly name: string; readonly floor: Position }>()
    const events: LogEvent[] = []
    for (const { position } of found) {
      const row = this.#statements.event.get(position)
      // Gone since an earlier window: the gap, which is found last, tells it.
      if (!row) continue
      const id = row.channel as SQLOutputValue
      let channel = channels.get(id)
      if (channel === undefined) {
        const own = this.#statements.byId.get(id) as Row
        channel = { name: String(own.name), floor: floorOf(lossesOf(own)) }
        channels.set(id, channel)
      }
      if (position > channel.floor) events.push(logEvent(position, channel.name, row))
    }
    return events
  }

  #gap(set: ChannelSet, after: Position, next: Position): LogGap | undefined {
    const numbers = this.#numbers()
    // Most readers are near the frontier, where nothing is lost yet: they need not look at any channel.
    if (this.#most('lost_to') <= after && numbers.horizon.position <= after) return undefined
    const finder = new GapFinder(set, after)
    const few = this.#few(set)
    if (few) for (const row of few) finder.channel(String(row.name), lossesOf(row))
    else this.#findLosses(set, after, finder)
    for (const name of set.names) {
      if (!this.#statements.byName.get(name)) finder.forgotten(name, numbers.horizon)
    }
    if (set.patterns.length > 0) finder.forgottenByPattern(numbers.horizon)
    return finder.gap(next)
  }

  #findLosses(set: ChannelSet, after: Position, finder: GapFinder): void {
    for (let [lost, id, looks] = [after, MOST_ID, 0]; ; looks++) {
      if (looks === MOST_LOOKS) return finder.everything(this.#most('lost_to'), this.#most('loss'))
      const rows = this.#statements.lossesAfter.all(lost, id, WINDOW)
      for (const row of rows) if (set.has(String(row.name))) finder.channel(String(row.name), lossesOf(row))
      if (rows.length < WINDOW) return
      ;[lost, id] = [Number(rows.at(-1)?.lost_to), Number(rows.at(-1)?.id)]
    }
  }

  #most(column: 'lost_to' | 'loss'): number {
    return Number(this.#statements[column === 'loss' ? 'mostLoss' : 'mostLost'].get()?.most)
  }

  /** Of names all ends up to `upTo`, of patterns those after `after` too. */
  #ends(set: ChannelSet, after: Position, upTo: Position): EndMark[] {
    const ends: EndMark[] = []
    for (const name of set.names) {
      const position = this.#statements.byName.get(name)?.end_at
      if (typeof position === 'number' && position <= upTo)
        ends.push({ kind: 'end', channel: name, position })
    }
    if (set.patterns.length > 0) {
      for (const row of this.#statements.endsBetween.iterate(after, upTo)) {
        const channel = String(row.name)
        if (set.has(channel) && !set.hasName(channel))
          ends.push({ kind: 'end', channel, position: Number(row.end_at) })
      }
    }
    return ends.sort((one, other) => one.position - other.position)
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
    return {
      name: String(row.name),
      head: Number(row.head),
      ...(oldest && { oldest: Number(oldest.position) }),
      events: Number(row.events),
      bytes: Number(row.size),
      ended: row.end_at !== null,
    }
  }
}

/** Takes what fits into a page, and sees whether there is one more. */
class PageBuilder {
  readonly #limit: Limit
  readonly #found: LaneEvent[] = []
  #bytes = 0
  #more = false

  constructor(limit: Limit) {
    this.#limit = limit
  }

  /** False: this one did not fit any more. */
  add(event: LaneEvent): boolean {
    this.#bytes += event.size
    const fits =
      this.#found.length < this.#limit.events &&
      (this.#bytes <= this.#limit.bytes || this.#found.length === 0)
    if (fits) this.#found.push(event)
    else this.#more = true
    return fits
  }

  get taken(): Taken {
    return { found: this.#found, more: this.#more }
  }
}

/** What every name that the pattern matches begins with. */
function prefixOf(pattern: string): string {
  return pattern.slice(0, pattern.indexOf('*'))
}

/** After every name: they are ASCII. */
const LAST = '\x7f'
/** Windows of channels that have lost something, in one gap: beyond it the whole read is said to have lost something. */
const MOST_LOOKS = 20
/** After every id. */
const MOST_ID = Number.MAX_SAFE_INTEGER

function lossesOf(row: Row): Losses {
  return {
    trimmedTo: Number(row.trimmed_to),
    deletedTo: Number(row.deleted_to),
    unknownTo: Number(row.unknown_to),
    loss: Number(row.loss),
  }
}

function laneEvent(row: Row): LaneEvent {
  return { position: Number(row.position), size: Number(row.size) }
}

function logEvent(position: Position, channel: string, row: Row): LogEvent {
  const at = {
    kind: 'event',
    channel,
    position,
    previous: Number(row.previous),
    time: Number(row.time),
  } as const
  return row.type === null
    ? { ...at, data: String(row.data) }
    : { ...at, type: String(row.type), data: String(row.data) }
}
