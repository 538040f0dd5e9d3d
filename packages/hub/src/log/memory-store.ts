/** What the memory log holds, and how it grows and is trimmed. Synchronous; time comes in. */
import { ChannelIndex } from './channel-index.ts'
import type { ChannelSet } from './channel-set.ts'
import type { Horizon } from './gap.ts'
import {
  LogError,
  logFull,
  type DropMark,
  type EndMark,
  type LogEvent,
  type LogRecord,
  type NewEvent,
  type Position,
} from './log.ts'
import { MemoryChannel, type Lane } from './memory-channel.ts'
import { PositionQueue } from './position-queue.ts'
import type { Retention, RetentionRules } from './retention.ts'

export interface StoreLimits {
  readonly rules: RetentionRules
  /** Milliseconds. */
  readonly forget: number
  /** UTF-16 units of data, with `EVENT_OVERHEAD` for each event, over all channels. */
  readonly maxBytes: number
  /** The same: an append that would bring it beyond is refused. */
  readonly fullBytes: number
  /** Channels remembered, empty ones included. */
  readonly maxChannels: number
}

/** What an event costs besides its data, so that a flood of empty ones is bounded too: measured, about 160 bytes of heap. */
export const EVENT_OVERHEAD = 160

/** Queues with fewer dead items than this are not worth cleaning. */
const FEW = 1024

export class MemoryStore {
  readonly channels = new ChannelIndex<MemoryChannel>()
  readonly lanes: Lane[] = []
  /** The ends of all channels in order; also has those of channels dropped or forgotten since. */
  readonly ends = new PositionQueue<EndMark>()
  frontier: Position = 0
  horizon: Horizon = { position: 0, loss: 0 }
  /** Everything that any channel ever lost lies at or below this. */
  lostTo: Position = 0
  readonly #limits: StoreLimits
  readonly #lanes = new Map<Retention, Lane>()
  /** The channels that keep no event, the longest quiet first. */
  readonly #quiet = new Set<MemoryChannel>()
  /** How often something was lost so far. */
  losses = 0
  #goneEnds = 0
  #count = 0
  #bytes = 0
  #time = 0

  constructor(limits: StoreLimits) {
    this.#limits = limits
  }

  /**
   * Stores the batch and ends the channels, all or nothing.
   *
   * @returns what was stored, in order
   * @throws {LogError} `channel-ended`, `log-full`
   */
  append(batch: readonly NewEvent[], end: readonly string[], now: number): LogRecord[] {
    this.#refuseEnded(batch)
    this.#refuseTooMany(batch, end)
    this.#refuseFull(batch)
    this.#time = Math.max(this.#time, now)
    const events = batch.map((event) => this.#store(event, now))
    const records = this.#end(events, end, now)
    this.#trimToSize(now)
    return records
  }

  /** Erases a channel. No mark when there is nothing to erase since the last time. False when nobody knows it. */
  drop(name: string, now: number): DropMark | boolean {
    const channel = this.channels.get(name)
    if (channel === undefined) return false
    if (channel.events.length === 0 && !channel.end && channel.deletedTo > channel.trimmedTo) return true
    while (channel.events.length > 0) this.#remove(channel, now)
    this.#forgetEnd(channel)
    const mark: DropMark = { kind: 'drop', channel: name, position: ++this.frontier }
    channel.newest = mark.position
    channel.deletedTo = mark.position
    channel.loss = ++this.losses
    this.lostTo = mark.position
    this.#rest(channel, now)
    return mark
  }

  /** Trims what is too old, and forgets the channels that have been quiet for too long. Costs only what it removes. */
  expire(now: number): void {
    for (const lane of this.lanes) {
      for (let event = this.#oldest(lane); event; event = this.#oldest(lane)) {
        if (now - event.time <= lane.retention.age) break
        this.#remove(this.channels.get(event.channel) as MemoryChannel, now)
      }
    }
    if (this.#quiet.size > 0) this.#forgetQuiet(now)
    if (this.#goneEnds > 0) this.#compactEnds()
  }

  #forgetQuiet(now: number): void {
    for (const channel of this.#quiet) {
      if (now - channel.quietSince < this.#limits.forget) break
      this.#forget(channel)
    }
  }

  /** As `maxBytes` counts. */
  get bytes(): number {
    return this.#bytes
  }

  keeps(event: LogEvent): boolean {
    return this.channels.get(event.channel)?.keeps(event) ?? false
  }

  /** The ends after `after` up to `upTo` of channels that a pattern of the set matches, but no name. */
  *endsByPattern(set: ChannelSet, after: Position, upTo: Position): Generator<EndMark, void, undefined> {
    if (set.patterns.length === 0) return
    for (let at = this.ends.indexAfter(after); ; at++) {
      const mark = this.ends.at(at)
      if (mark === undefined || mark.position > upTo) return
      if (this.#stands(mark) && set.has(mark.channel) && !set.hasName(mark.channel)) yield mark
    }
  }

  #refuseEnded(batch: readonly NewEvent[]): void {
    const ended = batch.find((event) => this.channels.get(event.channel)?.end)?.channel
    if (ended === undefined) return
    throw new LogError(
      'channel-ended',
      `Channel ${ended} has ended: publish to another, or erase it to begin anew`,
      {
        channel: ended,
      },
    )
  }

  #refuseTooMany(batch: readonly NewEvent[], end: readonly string[]): void {
    const room = this.#limits.maxChannels - this.channels.size
    // Names can be counted twice here: only a batch that might not fit is worth counting with care.
    if (batch.length + end.length <= room) return
    const names = new Set([...batch.map((event) => event.channel), ...end])
    const fresh = [...names].filter((name) => !this.channels.get(name)).length
    const wanted = [...names].filter((name) => this.channels.get(name)?.events.length === 0).length
    if (fresh <= room + this.#quiet.size - wanted) return
    throw new LogError(
      'log-full',
      `The log remembers ${this.channels.size} channels, and at most ${this.#limits.maxChannels} fit: use fewer names, or raise \`maxChannels\``,
    )
  }

  #refuseFull(batch: readonly NewEvent[]): void {
    const { fullBytes } = this.#limits
    if (fullBytes === Infinity || batch.length === 0) return
    let bytes = this.#bytes
    for (const { data } of batch) bytes += data.length + EVENT_OVERHEAD
    if (bytes > fullBytes) throw logFull(fullBytes)
  }

  #store({ channel: name, type, data }: NewEvent, now: number): LogEvent {
    const channel = this.#channel(name)
    const at = {
      kind: 'event',
      channel: name,
      position: ++this.frontier,
      previous: channel.head,
      time: this.#time,
    } as const
    const event: LogEvent = type === undefined ? { ...at, data } : { ...at, type, data }
    channel.head = event.position
    channel.newest = event.position
    channel.events.push(event)
    channel.bytes += data.length
    channel.lane.events.push(event)
    this.#count++
    this.#bytes += data.length + EVENT_OVERHEAD
    this.#quiet.delete(channel)
    while (channel.overflows) this.#remove(channel, now)
    return event
  }

  /** Each end behind its channel's last event of the batch, or at a position of its own behind the batch. */
  #end(events: LogEvent[], end: readonly string[], now: number): LogRecord[] {
    if (end.length === 0) return events
    const last = new Map<string, LogEvent>()
    for (const event of events) last.set(event.channel, event)
    const ending = new Set(end)
    const records: LogRecord[] = []
    for (const event of events) {
      records.push(event)
      if (last.get(event.channel) === event && ending.delete(event.channel)) {
        records.push(this.#markEnd(this.#channel(event.channel), event.position))
      }
    }
    for (const name of ending) {
      const channel = this.#channel(name)
      if (channel.end) continue
      records.push(this.#markEnd(channel, ++this.frontier))
      if (channel.events.length === 0) this.#rest(channel, now)
    }
    return records
  }

  #markEnd(channel: MemoryChannel, position: Position): EndMark {
    const mark: EndMark = { kind: 'end', channel: channel.name, position }
    channel.end = mark
    channel.newest = position
    this.ends.push(mark)
    return mark
  }

  #channel(name: string): MemoryChannel {
    const known = this.channels.get(name)
    if (known) return known
    if (this.channels.size >= this.#limits.maxChannels) {
      for (const quiet of this.#quiet) {
        this.#forget(quiet)
        break
      }
    }
    const channel = new MemoryChannel(name, this.#lane(this.#limits.rules.for(name)), this.horizon)
    this.channels.add(channel)
    return channel
  }

  #lane(retention: Retention): Lane {
    const known = this.#lanes.get(retention)
    if (known) return known
    const lane: Lane = { retention, events: new PositionQueue(), gone: 0 }
    this.#lanes.set(retention, lane)
    this.lanes.push(lane)
    return lane
  }

  /** The oldest event of the lane that is kept; those gone before it are let go of. */
  #oldest(lane: Lane): LogEvent | undefined {
    for (let event = lane.events.first; event; event = lane.events.first) {
      if (this.keeps(event)) return event
      lane.events.shift()
      lane.gone--
    }
    return undefined
  }

  /** Removes the oldest event of a channel that has one. */
  #remove(channel: MemoryChannel, now: number): void {
    const event = channel.events.shift() as LogEvent
    channel.bytes -= event.data.length
    this.#count--
    this.#bytes -= event.data.length + EVENT_OVERHEAD
    channel.trimmedTo = event.position
    channel.loss = ++this.losses
    this.lostTo = Math.max(this.lostTo, event.position)
    if (channel.events.length === 0) this.#rest(channel, now)
    const { lane } = channel
    lane.gone++
    if (lane.gone < FEW || lane.gone * 2 < lane.events.length) return
    lane.events.retain((other) => this.keeps(other))
    lane.gone = 0
  }

  /** The newest event of the log stays, even when it alone is larger: whoever published it was told that it is stored. */
  #trimToSize(now: number): void {
    while (this.#bytes > this.#limits.maxBytes && this.#count > 1) {
      let oldest: LogEvent | undefined
      for (const lane of this.lanes) {
        const event = this.#oldest(lane)
        if (event && (oldest === undefined || event.position < oldest.position)) oldest = event
      }
      this.#remove(this.channels.get((oldest as LogEvent).channel) as MemoryChannel, now)
    }
  }

  #rest(channel: MemoryChannel, now: number): void {
    channel.quietSince = now
    this.#quiet.delete(channel)
    this.#quiet.add(channel)
  }

  #forget(channel: MemoryChannel): void {
    this.#forgetEnd(channel)
    this.#quiet.delete(channel)
    this.channels.remove(channel.name)
    this.horizon = { position: Math.max(this.horizon.position, channel.newest), loss: ++this.losses }
    this.lostTo = Math.max(this.lostTo, this.horizon.position)
  }

  #forgetEnd(channel: MemoryChannel): void {
    if (!channel.end) return
    channel.end = undefined
    this.#goneEnds++
  }

  #stands(mark: EndMark): boolean {
    return this.channels.get(mark.channel)?.end === mark
  }

  #compactEnds(): void {
    if (this.#goneEnds < FEW || this.#goneEnds * 2 < this.ends.length) return
    this.ends.retain((mark) => this.#stands(mark))
    this.#goneEnds = 0
  }
}
