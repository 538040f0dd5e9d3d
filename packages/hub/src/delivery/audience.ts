/**
 * The caught-up readers of one channel set and variant: what goes to one of them goes to all, byte for byte. Frames wait here
 * until the end of the turn; then they are joined once and go out as one write per reader.
 */
import type { ChannelSet } from '../log/channel-set.ts'
import type { Position } from '../log/log.ts'
import { type Frame, joinFrames, marksOf } from './frame.ts'
import type { Reader } from './reader.ts'
import type { Variant } from './variant.ts'

export class Audience {
  readonly set: ChannelSet
  readonly variant: Variant
  readonly members = new Set<Reader>()
  #pending: Frame[] = []

  constructor(set: ChannelSet, variant: Variant) {
    this.set = set
    this.variant = variant
  }

  push(frame: Frame): void {
    if (this.members.size > 0) this.#pending.push(frame)
  }

  /** Everything told by the tail up to `frontier` has been pushed. */
  flush(frontier: Position): void {
    const frames = this.#pending
    if (frames.length === 0) return
    this.#pending = []
    const bytes = joinFrames(frames, this.variant)
    const marks = marksOf(frames)
    const first = (frames[0] as Frame).record.position
    for (const reader of this.members) {
      if (reader.position < first) reader.deliver(bytes, frames.length, marks, frontier)
      else this.#flushLate(reader, frames, frontier)
    }
  }

  /** Continuity is lost: what waits here may not be what follows. The members read the log again. */
  reset(): void {
    this.#pending = []
    for (const reader of this.members) reader.recover()
  }

  /** A reader that joined while frames were waiting has had some of them. */
  #flushLate(reader: Reader, frames: readonly Frame[], frontier: Position): void {
    const missing = frames.filter((frame) => frame.record.position > reader.position)
    if (missing.length === 0) return
    reader.deliver(joinFrames(missing, this.variant), missing.length, marksOf(missing), frontier)
  }
}
