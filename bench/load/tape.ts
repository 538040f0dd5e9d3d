/**
 * What all readers of the same channels must see, byte for byte. The reader that is furthest ahead writes the tape, and each
 * block is parsed and checked then, once; all others are compared with it. So a million deliveries a second are compared in
 * full by a small part of one core.
 *
 * Comments may come to each reader at another time, so the tape has none.
 */
import { type Filling, parsePayload } from './payload.ts'

export const COLON = 0x3a
export const LINE_FEED = 0x0a

export class Tape {
  bytes = Buffer.allocUnsafe(64 * 1024)
  length = 0
  /** Of each event, where it ends on the tape, when it was published, and its id. */
  readonly ends: number[] = []
  readonly times: number[] = []
  readonly ids: string[] = []
  /** Up to here these are whole blocks. */
  #whole = 0
  readonly #filling: Filling
  readonly #next = new Map<number, number>()

  constructor(channels: readonly number[], filling: Filling = 'text') {
    for (const channel of channels) this.#next.set(channel, 0)
    this.#filling = filling
  }

  get channels(): Iterable<number> {
    return this.#next.keys()
  }

  /** Whether a comment may stand here. */
  isBoundary(offset: number): boolean {
    if (offset === this.length) return this.#whole === offset
    return offset === 0 || (this.bytes[offset - 1] === LINE_FEED && this.bytes[offset - 2] === LINE_FEED)
  }

  /**
   * Takes bytes at the end, up to the next end of a block, and says how many.
   *
   * @throws {Error} when the block is not the event that is next in its channel
   */
  append(chunk: Buffer, start: number, end: number): number {
    const stop = this.#blockEnd(chunk, start, end)
    const taken = (stop ?? end) - start
    this.#reserve(taken)
    chunk.copy(this.bytes, this.length, start, start + taken)
    this.length += taken
    if (stop !== undefined) {
      this.#take(this.#whole, this.length)
      this.#whole = this.length
    }
    return taken
  }

  #blockEnd(chunk: Buffer, start: number, end: number): number | undefined {
    // The two line feeds may have come apart.
    const split = this.length > this.#whole && this.bytes[this.length - 1] === LINE_FEED
    if (split && chunk[start] === LINE_FEED) return start + 1
    const found = chunk.indexOf('\n\n', start, 'latin1')
    return found === -1 || found + 2 > end ? undefined : found + 2
  }

  #reserve(more: number): void {
    if (this.length + more <= this.bytes.length) return
    const larger = Buffer.allocUnsafe((this.length + more) * 2)
    this.bytes.copy(larger, 0, 0, this.length)
    this.bytes = larger
  }

  #take(start: number, end: number): void {
    let id = ''
    let data: { start: number; end: number } | undefined
    for (let line = start; line < end - 1;) {
      const feed = this.bytes.indexOf(LINE_FEED, line)
      const colon = this.bytes.indexOf(COLON, line)
      const name = this.bytes.toString('latin1', line, Math.min(colon, feed))
      const value = this.bytes[colon + 1] === 0x20 ? colon + 2 : colon + 1
      if (name === 'id') id = this.bytes.toString('latin1', value, feed)
      else if (name === 'data' && data === undefined) data = { start: value, end: feed }
      else if (name !== 'event') throw new Error(`a line that is no part of an event: ${name.slice(0, 80)}`)
      line = feed + 1
    }
    if (data === undefined) throw new Error(`a block without data: ${this.excerpt(start)}`)
    const { channel, number, published } = parsePayload(this.bytes, data.start, data.end, this.#filling)
    const expected = this.#next.get(channel)
    if (number !== expected) {
      throw new Error(`channel ${channel}: event ${number} came, and ${expected ?? 'none'} was due`)
    }
    this.#next.set(channel, number + 1)
    this.ends.push(end)
    this.times.push(published)
    this.ids.push(id)
  }

  excerpt(offset: number): string {
    return JSON.stringify(this.bytes.toString('latin1', offset, Math.min(this.length, offset + 60)))
  }
}
