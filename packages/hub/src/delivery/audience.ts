/**
 * The caught-up readers of one channel set and variant: what goes to one of them goes to all, byte for byte. Frames wait here
 * until the end of the turn; then they are joined once and go out as one write per reader.
 */
import type { ChannelSet } from '../log/channel-set.ts'
import type { Position } from '../log/log.ts'
import type { Coder, Run } from './coding/coding.ts'
import { add, EMPTY, type Sum } from './coding/crc32.ts'
import { AUDIENCE, codedParts, type Part } from './coding/parts.ts'
import type { Steps } from './flight.ts'
import { type Frame, marksOf } from './frame.ts'
import type { Patience } from './patience.ts'
import type { Reader } from './reader.ts'
import type { Variant } from './variant.ts'
import { writeFrames } from './written.ts'

export class Audience {
  readonly set: ChannelSet
  readonly variant: Variant
  readonly #members = new Set<Reader>()
  /** Members whose last writes took long: they are told when all others have been. */
  readonly #slow = new Set<Reader>()
  readonly #coder: Coder | undefined
  #pending: Frame[] = []
  /** Of all that was flushed so far. */
  #sum: Sum = EMPTY

  constructor(set: ChannelSet, variant: Variant, coder: Coder | undefined) {
    this.set = set
    this.variant = variant
    this.#coder = coder
  }

  get size(): number {
    return this.#members.size + this.#slow.size
  }

  join(reader: Reader): void {
    if (reader.slow) this.#slow.add(reader)
    else this.#members.add(reader)
  }

  leave(reader: Reader): void {
    if (!this.#members.delete(reader)) this.#slow.delete(reader)
  }

  push(frame: Frame): void {
    if (this.size > 0) this.#pending.push(frame)
  }

  /**
   * Everything told by the tail up to its frontier has been pushed. Goes on in another turn where it yields, with the same bytes: who
   * has joined meanwhile has had them.
   *
   * @param patience Whom the flush has not reached when it is lost is told when there is time.
   */
  *flush(told: { readonly frontier: Position }, patience: Patience): Steps {
    const frames = this.#pending
    if (frames.length === 0) return
    this.#pending = []
    const { frontier } = told
    const { bytes, run } = this.#made(frames, frontier)
    const marks = marksOf(frames)
    const first = (frames[0] as Frame).record.position
    for (const reader of this.#inTurn()) {
      if (patience.lost) {
        reader.postpone()
        continue
      }
      if (reader.position < first) reader.deliver(bytes, frames.length, marks, frontier, run)
      else this.#flushLate(reader, frames, frontier)
      patience.wrote(reader, bytes.length)
      if (patience.over) yield
    }
  }

  /** Every member once: those who have become slow after all others, and those who no longer are with them from the next time on. */
  *#inTurn(): Generator<Reader, void, void> {
    for (const reader of this.#members) {
      if (!reader.slow) yield reader
      else {
        this.#members.delete(reader)
        this.#slow.add(reader)
      }
    }
    for (const reader of this.#slow) {
      if (!reader.slow) {
        this.#slow.delete(reader)
        this.#members.add(reader)
      }
      yield reader
    }
  }

  /** Continuity is lost: what waits here may not be what follows. The members read the log again. */
  reset(): void {
    this.#pending = []
    for (const reader of [...this.#members, ...this.#slow]) reader.recover()
  }

  /** The bytes for all, and what they are to those who count: coded once, when there is a coding. */
  #made(frames: readonly Frame[], frontier: Position): { readonly bytes: Uint8Array; readonly run?: Run } {
    const plain = writeFrames(frames, this.variant, frontier)
    if (this.#coder === undefined) return { bytes: plain }
    const run = { before: this.#sum, after: add(this.#sum, plain) }
    this.#sum = run.after
    const many = this.size >= AUDIENCE
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
