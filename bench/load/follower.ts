/** One reader's place on its tape. Every byte it is given is compared, but for comments. */
import type { Histogram } from './histogram.ts'
import { COLON, LINE_FEED, type Tape } from './tape.ts'

export class Follower {
  readonly tape: Tape
  /** How many events it has had. */
  seen = 0
  #offset = 0
  #inComment = false

  constructor(tape: Tape) {
    this.tape = tape
  }

  /** Goes on after so many events, on a new connection. */
  goTo(seen: number): void {
    this.seen = seen
    this.#offset = seen === 0 ? 0 : (this.tape.ends[seen - 1] as number)
    this.#inComment = false
  }

  /** @throws {Error} at the first byte that is wrong */
  feed(chunk: Buffer, start: number, end: number): void {
    let at = start
    while (at < end) {
      if (this.#inComment) {
        const feed = chunk.indexOf(LINE_FEED, at)
        if (feed === -1 || feed >= end) return
        this.#inComment = false
        at = feed + 1
        continue
      }
      const same = this.#same(chunk, at, end)
      at += same
      this.#offset += same
      if (at === end) return
      if (this.tape.isBoundary(this.#offset)) {
        const byte = chunk[at]
        if (byte === COLON) {
          this.#inComment = true
          continue
        }
        // What is left of a comment that is a block.
        if (byte === LINE_FEED) {
          at++
          continue
        }
      }
      if (this.#offset < this.tape.length) throw this.#wrong(chunk, at, end)
      const taken = this.tape.append(chunk, at, end)
      at += taken
      this.#offset += taken
    }
  }

  /** Notes the latency of what has become whole, and says how many events that were. */
  note(now: number, latencies: Histogram): number {
    const { ends, times } = this.tape
    const before = this.seen
    while (this.seen < ends.length && (ends[this.seen] as number) <= this.#offset) {
      latencies.add(now - (times[this.seen++] as number))
    }
    return this.seen - before
  }

  /** How many of these bytes are those of the tape. */
  #same(chunk: Buffer, at: number, end: number): number {
    const { bytes, length } = this.tape
    const size = Math.min(end - at, length - this.#offset)
    if (size === 0) return 0
    if (bytes.compare(chunk, at, at + size, this.#offset, this.#offset + size) === 0) return size
    let same = 0
    while (chunk[at + same] === bytes[this.#offset + same]) same++
    return same
  }

  #wrong(chunk: Buffer, at: number, end: number): Error {
    const got = JSON.stringify(chunk.toString('latin1', at, Math.min(end, at + 60)))
    return new Error(
      `after ${this.seen} events, ${got} came where ${this.tape.excerpt(this.#offset)} was due`,
    )
  }
}
