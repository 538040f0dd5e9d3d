/** One channel of the memory log: what it keeps, and what it remembers of what it lost. */
import type { Horizon, Losses } from './gap.ts'
import type { ChannelInfo, EndMark, LogEvent, Position } from './log.ts'
import { PositionQueue } from './position-queue.ts'
import type { Retention } from './retention.ts'

/** All channels under one retention rule, their events in one order: so the oldest of them is found without a search. */
export interface Lane {
  readonly retention: Retention
  /** Also has events that were trimmed or deleted since. */
  readonly events: PositionQueue<LogEvent>
  /** How many of `events` are gone. */
  gone: number
}

export class MemoryChannel implements Losses {
  readonly name: string
  readonly lane: Lane
  readonly events = new PositionQueue<LogEvent>()
  /** UTF-16 units of the data kept. */
  bytes = 0
  /** The newest event, kept or not. */
  head: Position = 0
  /** The newest record of any kind. */
  newest: Position = 0
  end: EndMark | undefined
  trimmedTo: Position = 0
  deletedTo: Position = 0
  readonly unknownTo: Position
  loss: number
  /** Since when it has been empty and idle, in milliseconds since 1970; means nothing while it keeps an event. */
  quietSince = 0

  constructor(name: string, lane: Lane, horizon: Horizon) {
    this.name = name
    this.lane = lane
    this.unknownTo = horizon.position
    this.loss = horizon.loss
  }

  keeps(event: LogEvent): boolean {
    const oldest = this.events.first
    return oldest !== undefined && oldest.position <= event.position
  }

  /** Whether count or bytes call for the oldest event to go. */
  get overflows(): boolean {
    const { count, bytes } = this.lane.retention
    return this.events.length > count || (this.bytes > bytes && this.events.length > 1)
  }

  info(): ChannelInfo {
    const { first, last } = this.events
    return {
      name: this.name,
      head: this.head,
      ...(first && { oldest: first.position, oldestTime: first.time }),
      ...(last && { newestTime: last.time }),
      events: this.events.length,
      bytes: this.bytes,
      ended: this.end !== undefined,
    }
  }
}
