/**
 * The caught-up readers of one channel set and variant: what goes to one of them goes to all, byte for byte. Frames wait here
 * until the end of the turn; then they are joined once and go out as one write per reader.
 */
import type { ChannelSet } from '../log/channel-set.ts'
import type { Position } from '../log/log.ts'
import type { Coder, Run } from './coding/coding.ts'
import { add, EMPTY, type Sum } from './coding/crc32.ts'
import { AUDIENCE, codedParts, type Part } from './coding/parts.ts'
import { type Frame, marksOf } from './frame.ts'
import type { Reader } from './reader.ts'
import type { Variant } from './variant.ts'
import { writeFrames } from './written.ts'

export class Audience {
  readonly set: ChannelSet
  readonly variant: Variant
  readonly members = new Set<Reader>()
  readonly #coder: Coder | undefined
  #pending: Frame[] = []
  /** Of all that was flushed so far. */
  #sum: Sum = EMPTY

  constructor(set: ChannelSet, variant: Variant, coder: Coder | undefined) {
    this.set = set
    this.variant = variant
    this.#coder = coder
  }

  push(frame: Frame): void {
    if (this.members.size > 0) this.#pending.push(frame)
  }

  /** Everything told by the tail up to `frontier` has been pushed. */
  flush(frontier: Position): void {
    const frames = this.#pending
    if (frames.length === 0) return
    this.#pending = []
    const { bytes, run } = this.#made(frames, frontier)
    const marks = marksOf(frames)
    const first = (frames[0] as Frame).record.position
    for (const reader of this.members) {
      if (reader.position < first) reader.deliver(bytes, frames.length, marks, frontier, run)
      else this.#flushLate(reader, frames, frontier)
    }
  }

  /** Continuity is lost: what waits here may not be what follows. The members read the log again. */
  reset(): void {
    this.#pending = []
    for (const reader of this.members) reader.recover()
  }

  /** The bytes for all, and what they are to those who count: coded once, when there is a coding. */
  #made(frames: readonly Frame[], frontier: Position): { readonly bytes: Uint8Array; readonly run?: Run } {
    const plain = writeFrames(frames, this.variant, frontier)
    if (this.#coder === undefined) return { bytes: plain }
    const run = { before: this.#sum, after: add(this.#sum, plain) }
    this.#sum = run.after
    const many = this.members.size >= AUDIENCE
    return { bytes: codedParts(this.#coder, this.#parts(frames, plain), many), run }
  }

  #parts(frames: readonly Frame[], plain: Uint8Array): readonly Part[] {
    const { set, variant } = this
    if (set.parts.length === 1) return [{ grant: set.key, bytes: plain }]
    return frames.map((frame) => {
      return { grant: set.partOf(frame.record.channel) ?? '', bytes: Buffer.from(frame.text(variant)) }
    })
  }

  /** A reader that joined while frames were waiting has had some of them. */
  #flushLate(reader: Reader, frames: readonly Frame[], frontier: Position): void {
    const missing = frames.filter((frame) => frame.record.position > reader.position)
    if (missing.length === 0) return
    const bytes = writeFrames(missing, this.variant, frontier)
    reader.deliver(bytes, missing.length, marksOf(missing), frontier)
  }
}
