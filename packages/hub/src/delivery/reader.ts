/**
 * One open stream: some channels and a position. It catches up from the log, joins its audience, leaves it when its
 * connection is full, and comes back from where it was. So a slow reader costs a cursor, and never an event.
 */
import { encodeComment, formatCursor, type Gap } from '@downlink/wire'
import { jitter } from '../clock.ts'
import type { ChannelSet } from '../log/channel-set.ts'
import { resolve } from '../log/epoch.ts'
import type { EndMark, LogGap, LogPage, Position } from '../log/log.ts'
import type { Due } from './agenda.ts'
import type { Audience } from './audience.ts'
import type { Live } from './delivery.ts'
import { CodedSink } from './coded-sink.ts'
import type { Coder, Run } from './coding/coding.ts'
import { AUDIENCE } from './coding/parts.ts'
import { type Frame, type Mark, marksOf, wireGap } from './frame.ts'
import type { Holder } from './holder.ts'
import { type Notice, noticeBytes, type Opening } from './notice.ts'
import { PAGE_COSTS } from './pace.ts'
import { CATCH_UP } from './page-reads.ts'
import type { Beating } from './pulse.ts'
import { type CodedPage, SharedPage } from './shared-page.ts'
import type { ReaderInfo } from './reader-info.ts'
import type { Ending, Sink } from './sink.ts'
import { type ForeignCursor, foreignGap, type Start } from './start.ts'
import { endOfStream, noticeOf } from './term.ts'
import type { Topic } from './topic.ts'
import type { Variant } from './variant.ts'

const HEARTBEAT = Buffer.from(encodeComment(''))
const NOTHING = new Uint8Array(0)
/** A stream that takes nothing just now is told of its end a little later. */
const NOTICE_AGAIN_MS = 1_000

type State = 'opening' | 'catching-up' | 'live' | 'full' | 'closed'

export class Reader implements Beating, Due {
  /** Every event of its channels up to here has been written. */
  position: Position
  readonly id: number
  readonly holder: Holder
  readonly variant: Variant
  readonly #live: Live
  readonly #topic: Topic
  readonly #sink: Sink
  /** The sink, when its bytes are coded. */
  readonly #coded: CodedSink | undefined
  readonly #expires: number
  /** Why it ends then. */
  readonly #expiry: Ending
  /** When it is to be told of its end, and then its end; 0 when nothing ends it but its age. */
  dueAt = 0
  /** When the right to read ends, for this stream, until it has been told. */
  #untold = 0
  #audience: Audience | undefined
  #state: State = 'opening'
  /** Whether the opening has been written. */
  #opened = false
  #epoch: string
  /** A cursor that does not belong to this log: told as a gap before anything else. */
  #foreign: ForeignCursor | undefined
  #last: number | undefined
  /** The newest loss of the gaps that have been told, see `LogGap`. */
  #toldLoss = 0
  /** The ends that have been told, of channels read by name. */
  #ended: Map<string, Position> | undefined
  /** Whether the log has been asked since the position came from outside: gaps are its to tell. */
  #checked = false
  #catchingUp = false
  /** Kept by its audience's flushes. */
  slow = false
  readonly #since: number
  #fullSince = 0
  #cursorSentAt: number
  readonly #stopPulse: () => void

  constructor(
    live: Live,
    topic: Topic,
    variant: Variant,
    sink: Sink,
    start: Start,
    holder: Holder,
    coder?: Coder,
  ) {
    const { clock, settings } = live
    this.#live = live
    this.id = live.nextId()
    this.holder = holder
    this.#topic = topic
    this.variant = variant
    this.#coded = coder && new CodedSink(sink, coder)
    this.#sink = this.#coded ?? sink
    this.#epoch = start.epoch
    this.position = start.position
    this.#foreign = start.foreign
    this.#last = start.last
    this.#since = clock.now()
    this.#cursorSentAt = this.#since
    const age = this.#since + settings.maxAgeMs * (0.8 + 0.2 * clock.random())
    const { until } = holder
    const end = until === undefined ? Infinity : endOfStream(until, this.#since, clock.random())
    this.#expires = Math.min(age, end)
    this.#expiry = end < age ? 'expired' : 'age'
    const notice = noticeOf(end, this.#since)
    if (notice < this.#expires) {
      this.#untold = end
      this.dueAt = notice
      live.agenda.add(this)
    }
    this.#stopPulse = live.pulse.add(this)
  }

  /** Whether bytes wait for the connection to take them. */
  get full(): boolean {
    return this.#state === 'full'
  }

  get set(): ChannelSet {
    return this.#topic.set
  }

  get info(): ReaderInfo {
    const { bytesWaiting } = this.#sink
    const { subject, address, userAgent } = this.holder
    return {
      id: this.id,
      subject,
      ...(address !== undefined && { address }),
      ...(userAgent !== undefined && { userAgent }),
      transport: this.variant.message ? 'websocket' : 'sse',
      channels: this.#topic.set.parts,
      position: formatCursor({ epoch: this.#epoch, position: this.position }),
      lag: this.#state === 'live' ? 0 : Math.max(0, this.#live.frontier - this.position),
      ...(bytesWaiting !== undefined && { bytesWaiting }),
      ...(this.#coded && { coding: this.#coded.coder.coding }),
      since: this.#since,
      ...(this.#state === 'full' && { slowSince: this.#fullSince }),
    }
  }

  async run(): Promise<void> {
    try {
      if (this.#last === undefined) {
        this.#state = 'catching-up'
        // With a gap to tell first, the opening has no id: a client that is cut between the two still has its old cursor, and is told
        // again. A page always has a cursor; so the first one waits until it can tell the gap.
        if (!this.#foreign || !this.variant.message) {
          this.#tell({ opening: this.#opening(), position: this.#foreign ? undefined : this.position })
          this.#opened = true
        }
      } else await this.#openWithLast(this.#last)
      await this.#catchUp()
    } catch (error) {
      this.#fail(error)
    }
  }

  /**
   * From an audience, `count` records in the order of positions, of which the marks are no events: nothing of this reader's
   * channels lies between these bytes and `frontier`. With a run the bytes are coded already.
   */
  deliver(bytes: Uint8Array, count: number, marks: readonly Mark[], frontier: Position, run?: Run): void {
    this.position = frontier
    this.#live.tally.wrote(count - marks.length)
    const room = run && this.#coded ? this.#coded.writeShared(bytes, run) : this.#sink.write(bytes)
    for (const record of marks) {
      if (record.kind === 'end') this.#markEnded(record)
      else this.#ended?.delete(record.channel)
    }
    if (this.#allEnded()) this.end('ended')
    else if (!room) this.#fill()
  }

  /** The connection has room again. */
  drained(): void {
    if (this.#state !== 'full') return
    this.#state = 'catching-up'
    this.#resume(this.#live.pace.next(() => PAGE_COSTS.write))
  }

  /** The connection is gone. */
  closed(): void {
    if (this.#state === 'closed') return
    this.#leave()
    this.#state = 'closed'
    this.#stopPulse()
    if (this.dueAt > 0) this.#live.agenda.remove(this)
    this.#live.release(this, this.#topic)
  }

  /** Ends the stream cleanly: the client comes back with its cursor. */
  end(why?: Ending): void {
    if (this.#state === 'closed') return
    // A peer that takes nothing would never see a clean end either.
    const stuck = this.#state === 'full'
    this.closed()
    if (stuck) this.#sink.abort()
    else this.#sink.end(why)
  }

  /** The tail lost its continuity: the log decides where this reader stands. */
  recover(): void {
    if (this.#state !== 'live') return
    this.#leave()
    this.#state = 'catching-up'
    this.#resume()
  }

  /** A flush has lost patience before it came to this reader, which is told in a turn to come. */
  postpone(): void {
    if (this.#state !== 'live') return
    this.#leave()
    this.#state = 'catching-up'
    this.#resume(this.#live.pace.turn(PAGE_COSTS.write))
  }

  beat(): void {
    const { clock, settings } = this.#live
    const now = clock.now()
    if (now >= this.#expires) return this.end(this.#expiry)
    // Nothing comes before the opening.
    if (this.#state !== 'catching-up' && this.#state !== 'live') return
    // A comment is nothing to a native EventSource.
    const cursorMs = this.variant.whole ? 0 : settings.cursorMs
    if (this.#state === 'live' && now - this.#cursorSentAt >= cursorMs) {
      this.#cursorSentAt = now
      this.#tell({ position: this.#reached() })
    } else if (!(this.#sink.beat ? this.#sink.beat() : this.#sink.write(HEARTBEAT))) this.#fill()
  }

  due(): void {
    if (this.#state === 'closed') return
    // The agenda is a little early.
    if (this.#untold === 0 || this.dueAt >= this.#expires) return this.end(this.#expiry)
    const { agenda, clock } = this.#live
    const now = clock.now()
    // A page always has a cursor, and there is none to tell before a foreign one's gap.
    const canTell = this.#opened && !(this.#foreign && this.variant.message)
    if (canTell && (this.#state === 'catching-up' || this.#state === 'live')) {
      // As in the opening: with a gap to tell first, the client's own cursor is the one to come back with.
      const position = this.#foreign ? undefined : this.#reached()
      this.#tell({ expires: this.#untold - now, position })
      this.#untold = 0
    }
    this.dueAt = this.#untold === 0 ? this.#expires : Math.min(this.#expires, now + NOTICE_AGAIN_MS)
    agenda.add(this)
  }

  /** Everything up to here has been written: a live reader has what was flushed. */
  #reached(): Position {
    if (this.#state === 'live') this.position = Math.max(this.position, this.#live.flushed)
    return this.position
  }

  #resume(turn?: Promise<void>): void {
    this.#catchUp(turn).catch((error: unknown) => this.#fail(error))
  }

  #fail(error: unknown): void {
    // Nobody was waiting for what failed.
    if (this.#state === 'closed') return
    this.#live.report(error)
    this.end('failed')
  }

  /**
   * One loop at a time: a connection that fills and drains while the log is being read finds the loop still there.
   *
   * @param turn Waited for before anything is written.
   */
  async #catchUp(turn?: Promise<void>): Promise<void> {
    if (this.#catchingUp) return
    this.#catchingUp = true
    const { pages, pace, tally } = this.#live
    let caughtUp = false
    try {
      await this.#topic.followed
      await turn
      while (this.#state === 'catching-up') {
        this.#settleEpoch()
        if (this.#checked && this.#join()) return
        const page = await pages.next(this.#topic, this.position, this.#checked)
        await pace.next(() => (page.isMadeFor(this.variant) ? PAGE_COSTS.write : PAGE_COSTS.make))
        if (this.#state !== 'catching-up') return
        // What was read while the epoch changed belongs to neither.
        if (this.#live.state().epochs[0].name !== this.#epoch) continue
        this.#checked = true
        if (!caughtUp) tally.catchUps++
        caughtUp = true
        tally.pages++
        this.#takePage(page)
      }
    } finally {
      this.#catchingUp = false
    }
  }

  /** A change of epoch while the stream is open: the cursor is still good, or there is a gap. */
  #settleEpoch(): void {
    const state = this.#live.state()
    const [{ name }] = state.epochs
    if (name === this.#epoch) return
    const cursor = { epoch: this.#epoch, position: this.position }
    const resolved = resolve(state, cursor)
    if ('gap' in resolved) {
      this.#foreign = { reason: resolved.gap, from: formatCursor(cursor) }
      this.position = 0
    }
    this.#toldLoss = 0
    this.#epoch = name
    this.#checked = false
  }

  async #openWithLast(last: number): Promise<void> {
    const limit = { events: last, bytes: CATCH_UP.bytes * 16 }
    let page: LogPage
    do {
      this.#epoch = this.#live.state().epochs[0].name
      page = await this.#live.log.read(this.#topic.set, { last }, limit)
      if (this.#state === 'closed') return
    } while (this.#live.state().epochs[0].name !== this.#epoch)
    this.#state = 'catching-up'
    const first = page.events[0]
    // A client cut after the opening comes back to just before the first of these.
    this.position = first ? first.position - 1 : page.cursor
    this.#takePage(new SharedPage(page, this.position, this.#epoch, 0))
  }

  /** Writes what the page has for this reader, in the order of positions: first what is its own, then what it shares with others. */
  #takePage(page: SharedPage): void {
    // Elsewhere within the page nothing was lost, see `knowsGapAt`.
    const pageGap = this.position === page.after ? page.gap : undefined
    const floor = Math.max(this.position, pageGap?.to ?? 0)
    const opening = this.#opened ? undefined : this.#opening()
    this.#opened = true
    const gap = this.#gapToTell(pageGap)
    const ended = this.#endsUpTo(floor, page).map(({ channel }) => channel)
    // The page lists all ends of named channels: one that is missing was erased.
    this.#ended = undefined
    for (const end of page.ends) this.#markEnded(end)
    this.position = Math.max(this.position, page.cursor)
    this.#live.tally.wrote(page.eventsAfter(floor))
    const more = page.recordsAfter(floor) > 0
    const own =
      opening || gap || ended.length > 0
        ? noticeBytes({ opening, gap, ended, position: floor, more }, this.#epoch, this.variant)
        : NOTHING
    const coded = this.#codedPage(page, floor)
    const room = coded
      ? (this.#coded as CodedSink).writePiece(own, coded.bytes, coded.content)
      : this.#writeAll(own, page.bytesAfter(floor, this.variant))
    if (this.#allEnded()) this.end('ended')
    else if (!room) this.#fill()
  }

  /** The page as it goes to many, when this reader takes all of it. */
  #codedPage(page: SharedPage, floor: Position): CodedPage | undefined {
    if (this.#coded === undefined || this.#topic.users < AUDIENCE) return undefined
    return page.codedAfter(floor, this.variant, this.#coded.coder, this.#topic.set)
  }

  /** Of the ends before the page's own records those that this reader has not been told. */
  #endsUpTo(floor: Position, page: SharedPage): readonly EndMark[] {
    const told = this.#ended
    const { set } = this.#topic
    return page.ends.filter(({ channel, position }) => {
      if (position > floor) return false
      // By pattern, what ended before a reader's start is not told.
      return set.hasName(channel) ? told?.get(channel) !== position : position > this.position
    })
  }

  #gapToTell(gap: LogGap | undefined): Gap | undefined {
    const foreign = this.#foreign
    this.#foreign = undefined
    if (foreign) {
      this.#toldLoss = gap?.loss ?? 0
      this.#live.tally.gaps++
      return foreignGap(foreign, this.#topic.set, this.#epoch, gap?.to ?? 0)
    }
    if (gap === undefined || gap.loss <= this.#toldLoss) return undefined
    this.#toldLoss = gap.loss
    this.#live.tally.gaps++
    return wireGap(gap, this.#epoch)
  }

  /** Joins the audience if the recent records reach back to this position. False: read the log first. */
  #join(): boolean {
    if (!this.#live.covers(this.#topic, this.position)) return false
    const frames = this.#live.recent.after(this.position, this.#topic.set)
    let next = 0
    while (next < frames.length) {
      const end = chunkEnd(frames, next)
      const chunk = frames.slice(next, end)
      next = end
      const last = (chunk.at(-1) as Frame).record.position
      const bytes = this.#live.joins.bytes(chunk, this.variant, next < frames.length)
      this.deliver(bytes, chunk.length, marksOf(chunk), last)
      if (this.#state !== 'catching-up') return true
    }
    this.position = Math.max(this.position, this.#live.frontier)
    this.#audience = this.#topic.audience(this.variant, this.#coded?.coder)
    this.#audience.join(this)
    this.#state = 'live'
    return true
  }

  /** Its connection takes no more: out of the audience, until there is room. */
  #fill(): void {
    if (this.#state === 'closed') return
    this.#leave()
    this.#state = 'full'
    this.#fullSince = this.#live.clock.now()
    this.#live.tally.filled++
  }

  #leave(): void {
    this.#audience?.leave(this)
    this.#audience = undefined
  }

  #opening(): Opening {
    const { clock, settings } = this.#live
    return { retry: jitter(clock, settings.retryMs, 1 / 3), heartbeat: settings.heartbeatMs }
  }

  #tell(notice: Notice): void {
    if (!this.#sink.write(noticeBytes(notice, this.#epoch, this.variant))) this.#fill()
  }

  #writeAll(own: Uint8Array, shared: Uint8Array): boolean {
    if (own.length === 0) return shared.length === 0 || this.#sink.write(shared)
    return this.#sink.write(shared.length === 0 ? own : Buffer.concat([own, shared]))
  }

  #markEnded({ channel, position }: EndMark): void {
    if (this.#topic.set.hasName(channel)) (this.#ended ??= new Map()).set(channel, position)
  }

  #allEnded(): boolean {
    const { set } = this.#topic
    return set.patterns.length === 0 && this.#ended?.size === set.names.length
  }
}

/** Where a chunk of about `CATCH_UP.bytes` ends that begins at `start`; records of one position stay together. */
function chunkEnd(frames: readonly Frame[], start: number): number {
  let bytes = 0
  let end = start
  while (end < frames.length) {
    const { record } = frames[end] as Frame
    const before = frames[end - 1]?.record.position
    if (end > start && bytes >= CATCH_UP.bytes && record.position !== before) break
    bytes += record.kind === 'event' ? record.data.length : 0
    end++
  }
  return end
}
