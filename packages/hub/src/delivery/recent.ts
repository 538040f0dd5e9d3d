/**
 * The newest records that the tail has told, kept in memory: it closes the short way between what a reader last read from
 * the log and what goes out live, without another read of the log (which, under steady publishing, would never quite catch up).
 */
import type { ChannelSet } from '../log/channel-set.ts'
import type { DropMark, Position } from '../log/log.ts'
import type { Frame } from './frame.ts'

export interface RecentLimit {
  /** Records kept. */
  readonly records: number
  /** UTF-16 units of data kept. */
  readonly bytes: number
}

export const DEFAULT_RECENT: RecentLimit = { records: 4096, bytes: 16 * 1024 * 1024 }

export class Recent {
  readonly #limit: RecentLimit
  #frames: Frame[] = []
  /** Frames before this index are gone; the array is cut when half of it is. */
  #first = 0
  #bytes = 0
  #start: Position
  /** By erased channel, the newest record that went; as long as the mark of the drop is kept, so there are no more than `records`. */
  readonly #erased = new Map<string, Position>()
  /** The newest of those, also of what has been let go of. */
  #erasedTo: Position = 0

  /** Knows every record after `start`. */
  constructor(start: Position, limit: RecentLimit = DEFAULT_RECENT) {
    this.#start = start
    this.#limit = limit
  }

  push(frame: Frame): void {
    this.#frames.push(frame)
    this.#bytes += weight(frame)
    while (this.#frames.length - this.#first > this.#limit.records || this.#bytes > this.#limit.bytes) {
      const oldest = this.#frames[this.#first] as Frame
      this.#first++
      this.#bytes -= weight(oldest)
      // An end shares the position of its event: all of a position or nothing.
      // A tail that lost its continuity may tell once more what lies before `start`.
      this.#start = Math.max(this.#start, oldest.record.position)
      if (oldest.record.kind === 'drop') this.#forget(oldest.record)
    }
    if (this.#first > 64 && this.#first * 2 > this.#frames.length) {
      this.#frames = this.#frames.slice(this.#first)
      this.#first = 0
    }
  }

  /**
   * Whether who stands here can go on with what is kept. Not when something after it was erased: the gap comes with the mark of the
   * drop, behind what followed the erased. A client that is cut between the two would have passed over it untold, and in an
   * epoch that has forgotten the drop nobody would ever tell it. The log tells the gap first.
   */
  covers(position: Position, set: ChannelSet): boolean {
    if (position < this.#start) return false
    if (position >= this.#erasedTo) return true
    for (const [channel, newest] of this.#erased) if (newest > position && set.has(channel)) return false
    return true
  }

  /** The records of these channels after `position`, in order. */
  after(position: Position, set: ChannelSet): Frame[] {
    const found: Frame[] = []
    for (let i = this.#indexAfter(position); i < this.#frames.length; i++) {
      const frame = this.#frames[i] as Frame
      if (set.has(frame.record.channel)) found.push(frame)
    }
    return found
  }

  /** Whether there is any record of these channels after `position`. */
  hasAfter(position: Position, set: ChannelSet): boolean {
    for (let i = this.#indexAfter(position); i < this.#frames.length; i++) {
      if (set.has((this.#frames[i] as Frame).record.channel)) return true
    }
    return false
  }

  /** An erased channel's events are not to be told from here either. The mark of the drop comes after. */
  erase(channel: string): void {
    const frames = this.#frames.slice(this.#first)
    const newest = frames.findLast(({ record }) => record.channel === channel)?.record.position
    if (newest !== undefined) {
      this.#erased.set(channel, newest)
      this.#erasedTo = Math.max(this.#erasedTo, newest)
    }
    this.#frames = frames.filter(({ record }) => record.channel !== channel)
    this.#first = 0
    this.#bytes = this.#frames.reduce((sum, frame) => sum + weight(frame), 0)
  }

  /** Forgets everything; from now on it knows what comes after `start`. */
  reset(start: Position): void {
    this.#frames = []
    this.#first = 0
    this.#bytes = 0
    this.#start = start
    this.#erased.clear()
    this.#erasedTo = 0
  }

  /** Nobody who stands before the mark of the drop can go on from here any more. */
  #forget({ channel, position }: DropMark): void {
    const newest = this.#erased.get(channel)
    if (newest !== undefined && newest < position) this.#erased.delete(channel)
  }

  #indexAfter(position: Position): number {
    let low = this.#first
    let high = this.#frames.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((this.#frames[middle] as Frame).record.position > position) high = middle
      else low = middle + 1
    }
    return low
  }
}

function weight({ record }: Frame): number {
  return record.kind === 'event' ? record.data.length : 0
}
