/** What one client was told, judged against what truly happened: every event once, in order, or a gap that covers it. */
import assert from 'node:assert/strict'
import { type Cursor, type Gap, matchesPattern, parseCursor } from '@downlink/wire'
import type { ChannelSet } from '../../src/log/channel-set.ts'
import type { LogEvent } from '../../src/log/log.ts'
import type { SimulatedClock } from './clock.ts'
import type { FaultyLog } from './faulty-log.ts'
import type { Known } from './history.ts'

/** An event as a client sees it, on a stream or in a page. */
export interface Seen {
  readonly id: string
  readonly type: string
  readonly data: string
  readonly channel?: string
  readonly time?: string
}

export class Witness {
  readonly set: ChannelSet
  readonly #log: FaultyLog
  readonly #clock: SimulatedClock
  /** Up to here this client has been told everything; undefined until it was told where it begins. */
  #at: Cursor | undefined
  /** When each channel or pattern was last told to have a gap. */
  readonly #told = new Map<string, number>()
  /** What was lost by then is not asked for. */
  #forgives = 0
  events = 0
  gaps = 0

  constructor(set: ChannelSet, log: FaultyLog, clock: SimulatedClock) {
    this.set = set
    this.#log = log
    this.#clock = clock
  }

  /**
   * This client has never had a cursor, and its first one is this. `asItIs`: it asked for the newest events that there are,
   * so what is missing among them by now is no gap.
   */
  begin(id: string, asItIs: boolean): void {
    assert.equal(this.#at, undefined)
    this.#at = this.#cursor(id)
    if (asItIs) this.#forgives = this.#clock.now()
  }

  get begun(): boolean {
    return this.#at !== undefined
  }

  event(seen: Seen, untyped = (_event: LogEvent): string => 'message'): void {
    const id = this.#cursor(seen.id)
    const event = this.#log.history.of(id.epoch)?.at.get(id.position)?.event
    assert.ok(event, `no event has the id ${seen.id}`)
    assert.ok(this.set.has(event.channel), `${event.channel} was not asked for`)
    assert.ok(this.#reach(id.epoch) < id.position, `${seen.id} came again or too late`)
    this.#move({ ...id, position: id.position - 1 })
    this.#at = id
    this.events++
    assert.equal(seen.data, event.data)
    assert.equal(seen.type, event.type ?? untyped(event))
    if (seen.channel !== undefined) assert.equal(seen.channel, event.channel)
    if (seen.time !== undefined) assert.equal(seen.time, new Date(event.time).toISOString())
  }

  gap(gap: Gap): void {
    this.gaps++
    const to = this.#cursor(gap.to)
    const from = gap.from === null ? undefined : parseCursor(gap.from)
    for (const part of gap.channels) {
      assert.ok(
        this.set.parts.includes(part) || this.set.has(part),
        `a gap of ${part}, which was not asked for`,
      )
    }
    const foreign = from === undefined || from.epoch !== to.epoch
    if (foreign) this.#checkForeign(gap, from)
    else this.#checkLoss(gap, from, to)
    const found = from && this.#log.gapFoundAt(gap.reason, gap.channels, from.position, to.position)
    const now = found ?? this.#clock.now()
    for (const part of gap.channels) this.#told.set(part, Math.max(now, this.#told.get(part) ?? 0))
    // Reading goes on from the oldest event kept: anything may come again.
    if (foreign) this.#at = { epoch: to.epoch, position: 0 }
    this.#move(to)
  }

  /** The end of a channel: everything up to it was told before. Returns the position of its mark in the log. */
  end(channel: string, id: string): number {
    assert.ok(this.set.has(channel), `the end of ${channel}, which was not asked for`)
    const at = this.#cursor(id)
    this.#move(at)
    const marks = this.#log.history.of(at.epoch)?.marks ?? []
    const ended = marks.findLast(
      (mark) => mark.kind === 'end' && mark.channel === channel && mark.position <= at.position,
    )
    assert.ok(ended, `${channel} had not ended at ${id}`)
    return ended.position
  }

  /** Any other id: nothing lies between it and what was told before. */
  cursor(id: string): void {
    this.#move(this.#cursor(id))
  }

  /** The log is quiet, and the client has had time to catch up. */
  finish(): void {
    assert.ok(this.#at, 'the client was never told where it begins')
    const { epoch, frontier } = this.#log.history.now
    this.#move({ epoch: epoch.name, position: Math.max(frontier, this.#reach(epoch.name)) })
  }

  #cursor(id: string): Cursor {
    const cursor = parseCursor(id)
    const history = this.#log.history.of(cursor.epoch)
    assert.ok(history, `${id} is of no epoch`)
    assert.ok(cursor.position <= history.frontier, `${id} lies beyond the frontier ${history.frontier}`)
    return cursor
  }

  /** Where this client stands in an epoch. */
  #reach(epoch: string): number {
    const at = this.#at as Cursor
    const position = this.#log.history.translate(at, epoch)
    assert.ok(position !== undefined, `from ${at.epoch}-${at.position} to ${epoch} without a gap`)
    return position
  }

  #move(to: Cursor): void {
    const from = this.#reach(to.epoch)
    assert.ok(from <= to.position, `an id goes back, from ${from} to ${to.position}`)
    for (const known of this.#log.history.of(to.epoch)?.between(this.set, from, to.position) ?? []) {
      this.#miss(known)
    }
    this.#at = to
  }

  #miss(known: Known): void {
    assert.notEqual(known.lostAt, undefined, `${name(known)} was skipped`)
    // A client may be cut behind whatever it was told last, and the reason forgotten with an epoch: a gap comes before what follows it.
    const told = this.#covers(known) || (known.lostAt as number) <= this.#forgives
    assert.ok(told, `${name(known)} was lost, and no gap had said so`)
  }

  #covers({ event, lostAt }: Known): boolean {
    for (const [part, told] of this.#told) {
      if (told >= (lostAt as number) && (part === event.channel || matchesPattern(part, event.channel)))
        return true
    }
    return false
  }

  #checkForeign(gap: Gap, from: Cursor | undefined): void {
    assert.ok(gap.reason === 'epoch' || gap.reason === 'unknown', `${gap.reason} is no matter of cursors`)
    assert.deepEqual(gap.channels, this.set.parts)
    const related = from && this.#related(from.epoch, parseCursor(gap.to).epoch)
    assert.equal(gap.reason, related ? 'epoch' : 'unknown')
  }

  /** Whether the one epoch descends from the other. */
  #related(ancestor: string, epoch: string): boolean {
    return this.#log.history.translate({ epoch: ancestor, position: 0 }, epoch) !== undefined
  }

  #checkLoss({ reason, channels }: Gap, from: Cursor, to: Cursor): void {
    assert.ok(from.position <= to.position, 'a gap leads forward')
    if (reason === 'unknown') return
    const history = this.#log.history.of(to.epoch)
    assert.ok(history)
    const drops = history.marks.filter((mark) => mark.kind === 'drop' && mark.position > from.position)
    const lost = [...history.between(this.set, from.position, history.frontier)].filter(
      (known) => known.lostAt,
    )
    const dropped = (part: string): boolean =>
      drops.some(({ channel }) => part === channel || matchesPattern(part, channel))
    const trimmed = (part: string): boolean =>
      lost.some(({ event }) => part === event.channel || matchesPattern(part, event.channel))
    for (const part of channels) assert.ok(dropped(part) || trimmed(part), `${part} has lost nothing`)
    if (reason === 'deleted') assert.ok(channels.some(dropped), 'none of the channels was erased')
    else assert.ok(channels.some(trimmed), 'none of the channels has been trimmed')
  }
}

function name({ event }: Known): string {
  return `${event.channel} ${event.position}`
}
