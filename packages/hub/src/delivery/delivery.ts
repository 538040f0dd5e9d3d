/** From the log's tail to many readers: routes each record, keeps the recent ones, and flushes once at the end of a turn. */
import { formatCursor } from '@downlink/wire'
import type { Clock } from '../clock.ts'
import type { ChannelSet } from '../log/channel-set.ts'
import type { Log, LogState, Position, Tail, TailBatch } from '../log/log.ts'
import { Agenda } from './agenda.ts'
import type { Coder } from './coding/coding.ts'
import { Flight, type Steps } from './flight.ts'
import { Frame } from './frame.ts'
import { type Holder, NOBODY } from './holder.ts'
import { Joins } from './joins.ts'
import { Pace } from './pace.ts'
import { PageReads } from './page-reads.ts'
import type { Patience } from './patience.ts'
import { Pulse } from './pulse.ts'
import { Reader } from './reader.ts'
import type { ReaderInfo } from './reader-info.ts'
import { DEFAULT_RECENT, Recent, type RecentLimit } from './recent.ts'
import { Rhythm } from './rhythm.ts'
import { Router } from './router.ts'
import { Seats } from './seats.ts'
import type { Sink } from './sink.ts'
import type { Start } from './start.ts'
import { Tally } from './tally.ts'
import { TicketUse } from './ticket-use.ts'
import { Topic } from './topic.ts'
import type { Variant } from './variant.ts'
import { type Wait, Watch } from './watch.ts'

export interface DeliverySettings {
  /** Between heartbeats of a stream. Default 15,000 ms. */
  readonly heartbeatMs: number
  /** The longest life of a stream; each ends after 80–100 % of it. Default 1,800,000 ms. */
  readonly maxAgeMs: number
  /** The reconnection time streams are opened with, each with its own within ± a third. Default 3,000 ms. */
  readonly retryMs: number
  /** A quiet reader is sent a fresh cursor this often. Default 600,000 ms. */
  readonly cursorMs: number
  /** Default 4,096 records and 16 MiB. */
  readonly recent: RecentLimit
}

export const DEFAULT_DELIVERY: DeliverySettings = {
  heartbeatMs: 15_000,
  maxAgeMs: 30 * 60_000,
  retryMs: 3_000,
  cursorMs: 10 * 60_000,
  recent: DEFAULT_RECENT,
}

/** Beyond its reconnection time a client may need so long to be back. */
const RETURN_MS = 4_000

/** What a reader sees of the delivery it belongs to. */
export interface Live {
  readonly log: Log
  readonly clock: Clock
  readonly settings: DeliverySettings
  readonly pulse: Pulse
  readonly agenda: Agenda
  readonly recent: Recent
  readonly joins: Joins
  readonly pages: PageReads
  readonly pace: Pace
  readonly tally: Tally
  readonly epoch: string
  /** The tail has told everything up to here. */
  readonly frontier: Position
  /** The audiences have written everything up to here. */
  readonly flushed: Position
  /** The state of the log as of now. When its epoch has changed, everyone reads the log again. */
  state(): LogState
  /** Whether every record of the topic after `position` is among the recent ones, or will come. */
  covers(topic: Topic, position: Position): boolean
  report(error: unknown): void
  /** For a reader: its own among all. */
  nextId(): number
  release(reader: Reader, topic: Topic): void
}

export class Delivery implements Live {
  readonly log: Log
  readonly clock: Clock
  readonly settings: DeliverySettings
  readonly pulse: Pulse
  readonly agenda: Agenda
  readonly recent: Recent
  readonly joins = new Joins()
  readonly pages: PageReads
  readonly pace: Pace
  readonly tally = new Tally()
  readonly tickets: TicketUse
  /** Of the streams and the waiting long polls. */
  readonly seats = new Seats()
  readonly report: (error: unknown) => void
  readonly #router = new Router()
  readonly #readers = new Set<Reader>()
  readonly #tail: Tail
  #epoch: string
  #frontier: Position
  #flushed: Position
  readonly #watches = new Set<Watch>()
  #lastId = 0
  #ended = false
  #dirty = new Set<Topic>()
  #flushScheduled = false
  #flight: Flight | undefined
  readonly #rhythm = new Rhythm()

  constructor(log: Log, clock: Clock, settings: DeliverySettings, report: (error: unknown) => void) {
    this.log = log
    this.clock = clock
    this.settings = settings
    this.report = report
    this.pulse = new Pulse(clock, settings.heartbeatMs)
    this.agenda = new Agenda(clock)
    // A client is told to come back after 2/3 to 4/3 of the time.
    this.tickets = new TicketUse(2 * settings.retryMs + RETURN_MS)
    this.pages = new PageReads(this)
    this.pace = new Pace(clock)
    this.#tail = log.tail({ batch: (batch) => this.#take(batch), lost: () => this.#lost() })
    const { epochs, frontier } = log.state()
    this.#epoch = epochs[0].name
    this.#frontier = frontier
    this.#flushed = frontier
    this.recent = new Recent(frontier, settings.recent)
  }

  get epoch(): string {
    return this.#epoch
  }
  get frontier(): Position {
    return this.#frontier
  }
  get flushed(): Position {
    return this.#flushed
  }
  /** Open streams, WebSockets among them. */
  get readers(): number {
    return this.#readers.size
  }
  /** Of these, how many are WebSockets. Goes through all of them. */
  get webSockets(): number {
    let count = 0
    for (const { variant } of this.#readers) if (variant.message) count++
    return count
  }
  /** Long polls that wait. */
  get waiting(): number {
    return this.#watches.size
  }

  /** Open streams whose connection takes no more for now. */
  get slow(): number {
    let count = 0
    for (const reader of this.#readers) if (reader.full) count++
    return count
  }

  /** Everyone who reads: streams, then long polls that sleep. Made while it is gone through. */
  *list(): Generator<ReaderInfo, void, void> {
    for (const reader of this.#readers) yield reader.info
    for (const { set, waiters } of this.#router.topics()) {
      for (const { after, id, holder } of waiters) {
        const position = formatCursor({ epoch: this.#epoch, position: after })
        const { subject, address, userAgent } = holder
        yield {
          id,
          subject,
          ...(address !== undefined && { address }),
          ...(userAgent !== undefined && { userAgent }),
          transport: 'long-poll',
          channels: set.parts,
          position,
          lag: 0,
        }
      }
    }
  }

  /** Opens a stream on the sink. The shell calls `drained()` and `closed()` of the reader. */
  open(
    set: ChannelSet,
    start: Start,
    variant: Variant,
    sink: Sink,
    holder: Holder = NOBODY,
    coder?: Coder,
  ): Reader {
    const reader = new Reader(this, this.#use(set), variant, sink, start, holder, coder)
    this.#readers.add(reader)
    if (holder.ticket !== undefined) this.tickets.hold(holder.ticket, reader, this.clock.now())
    this.seats.take(holder)
    void reader.run()
    return reader
  }

  nextId(): number {
    return ++this.#lastId
  }

  release(reader: Reader, topic: Topic): void {
    if (!this.#readers.delete(reader)) return
    const { holder } = reader
    this.seats.leave(holder)
    if (holder.ticket !== undefined) this.tickets.release(holder.ticket, reader)
    this.#unuse(topic)
  }

  /**
   * Whether a stream of these names that starts here may have nothing more to expect: false is certain but for what happened in
   * the last moment, of which the stream will tell. What was read to find out is kept for the stream.
   */
  async mayBeOver(set: ChannelSet, position: Position): Promise<boolean> {
    const topic = this.#use(set)
    topic.looks++
    try {
      await topic.followed
      this.state()
      return (await this.pages.next(topic, position, false, true)).mayBeLastAt(position, set)
    } finally {
      this.clock.defer(() => {
        topic.looks--
        this.#unuse(topic)
      })
    }
  }

  /** To wait for records of these channels. It is to be disposed of. */
  watch(set: ChannelSet, wait: Wait): Watch {
    const topic = this.#use(set)
    const watch = new Watch(this, topic, wait, this.#unwatch)
    this.#watches.add(watch)
    this.seats.take(watch.holder)
    if (this.#ended) watch.quit()
    return watch
  }

  readonly #unwatch = (watch: Watch): void => {
    if (!this.#watches.delete(watch)) return
    this.seats.leave(watch.holder)
    this.#unuse(watch.topic)
  }

  state(): LogState {
    const state = this.log.state()
    if (state.epochs[0].name !== this.#epoch) this.#lost()
    return state
  }

  covers(topic: Topic, position: Position): boolean {
    return position >= topic.since && this.recent.covers(position, topic.set)
  }

  /** Ends all streams cleanly, and all waits, also those that were about to begin. */
  endAll(): void {
    this.#ended = true
    this.#flushAll()
    for (const reader of this.#readers) reader.end('draining')
    for (const watch of this.#watches) watch.quit()
  }

  /** Ends the streams and waits that are meant, cleanly. @returns how many */
  endThose(
    meant: (reader: { readonly id: number; readonly holder: Holder; readonly set: ChannelSet }) => boolean,
  ): number {
    const readers = [...this.#readers].filter(meant)
    const watches = [...this.#watches].filter(({ id, holder, topic: { set } }) => meant({ id, holder, set }))
    // What they were to be given by now they are given.
    if (readers.length > 0) this.#flushAll()
    for (const reader of readers) reader.end('disconnected')
    for (const watch of watches) watch.quit()
    return readers.length + watches.length
  }

  close(): void {
    this.endAll()
    this.pulse.close()
    this.agenda.close()
    this.#tail.close()
  }

  #take(batch: TailBatch): void {
    // What an epoch that is over still had to tell is in none of the positions that come after it.
    if (batch.epoch !== this.state().epochs[0].name) return
    for (const record of batch.records) {
      if (record.kind === 'drop') {
        this.recent.erase(record.channel)
        this.joins.reset()
      }
      const frame = new Frame(record, batch.epoch)
      this.recent.push(frame)
      this.#router.route(record, (topic) => {
        topic.push(frame)
        if (record.kind !== 'event') this.pages.forget(topic)
        this.#dirty.add(topic)
      })
    }
    this.#frontier = Math.max(this.#frontier, batch.frontier)
    this.#scheduleFlush()
  }

  #scheduleFlush(): void {
    if (this.#flushScheduled) return
    this.#flushScheduled = true
    const wait = this.#rhythm.wait(this.clock.now())
    if (wait > 0) this.clock.after(wait, this.#flush)
    else this.clock.defer(this.#flush)
  }

  readonly #flush = (): void => {
    const flight = (this.#flight ??= this.#takeOff())
    if (!flight.turn()) return this.clock.defer(this.#flush)
    this.#flight = undefined
    this.#flushScheduled = false
    flight.tell(this.#rhythm)
    // What came while it was under way goes with the next.
    if (this.#dirty.size > 0) this.#scheduleFlush()
  }

  /** All that there is to tell now, however long it takes. */
  #flushAll(): void {
    this.#flight?.finish()
    this.#flight = undefined
    this.#takeOff().finish()
  }

  #takeOff(): Flight {
    return new Flight(this.clock, this.tally, (patience) => this.#flushTopics(patience))
  }

  *#flushTopics(patience: Patience): Steps {
    const topics = this.#dirty
    this.#dirty = new Set()
    const flushed = this.#frontier
    for (const topic of topics) yield* topic.flush(this, patience)
    this.#flushed = flushed
  }

  #lost(): void {
    const { epochs, frontier } = this.log.state()
    this.#epoch = epochs[0].name
    this.#frontier = frontier
    this.#flushed = frontier
    this.recent.reset(frontier)
    this.#dirty.clear()
    this.joins.reset()
    // What it still had to tell, those who wait for it read in the log.
    this.#flight = undefined
    for (const topic of this.#router.topics()) {
      this.pages.forget(topic)
      topic.reset(frontier)
    }
  }

  #use(set: ChannelSet): Topic {
    let topic = this.#router.topic(set)
    if (topic === undefined) {
      topic = new Topic(set)
      this.#router.add(topic)
      topic.followed = this.#follow(topic)
      // Whoever waits for it sees the failure; nobody may be waiting any more.
      topic.followed.catch(() => {})
    }
    topic.users++
    return topic
  }

  async #follow(topic: Topic): Promise<void> {
    await this.#tail.follow(topic.set)
    topic.since = this.log.state().frontier
  }

  #unuse(topic: Topic): void {
    if (--topic.users > 0) return
    this.pages.forget(topic)
    this.#router.remove(topic)
    this.#tail.unfollow(topic.set)
  }
}
