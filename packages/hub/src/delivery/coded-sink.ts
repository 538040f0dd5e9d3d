/** A reader's connection whose bytes are coded: what is its own goes out as it is, in the coding's form. */
import type { CodedBody, Coder, Run } from './coding/coding.ts'
import { join, type Sum, sumOf } from './coding/crc32.ts'
import type { Ending, Sink } from './sink.ts'

const NOTHING = new Uint8Array(0)

export class CodedSink implements Sink {
  readonly #sink: Sink
  readonly #body: CodedBody
  #begun = false

  constructor(sink: Sink, coder: Coder) {
    this.#sink = sink
    this.#body = coder.begin()
  }

  get coder(): Coder {
    return this.#body.coder
  }

  get bytesWaiting(): number | undefined {
    return this.#sink.bytesWaiting
  }

  write(bytes: Uint8Array): boolean {
    return this.writePiece(NOTHING, this.#body.coder.stored(bytes), sumOf(bytes))
  }

  /** What is this reader's own, if anything, and behind it what is coded already, with the sum of its content: in one write. */
  writePiece(own: Uint8Array, coded: Uint8Array, content: Sum): boolean {
    if (own.length === 0) {
      this.#body.took(content)
      return this.#write(coded)
    }
    this.#body.took(join(sumOf(own), content))
    return this.#write(Buffer.concat([this.#body.coder.stored(own), coded]))
  }

  /** What the whole audience is given, coded already. */
  writeShared(coded: Uint8Array, run: Run): boolean {
    this.#body.shared(run)
    return this.#write(coded)
  }

  end(why?: Ending): void {
    const ending = this.#body.ending()
    if (ending.length > 0) this.#write(ending)
    this.#sink.end(why)
  }

  abort(): void {
    this.#sink.abort()
  }

  #write(coded: Uint8Array): boolean {
    if (this.#begun) return this.#sink.write(coded)
    this.#begun = true
    const { opening } = this.#body
    return this.#sink.write(opening.length === 0 ? coded : Buffer.concat([opening, coded]))
  }
}
