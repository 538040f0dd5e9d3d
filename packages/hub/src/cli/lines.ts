/** Bytes to lines, split anywhere. Pure. */

export interface Line {
  /** From 1. */
  readonly number: number
  /** Without its line end (LF or CRLF). */
  readonly bytes: Uint8Array
}

/** Much longer than any hub takes: what has no line ends at all must not fill the memory. */
export const LONGEST_LINE = 16 * 1024 * 1024

const LF = 10
const CR = 13

/** The line with this number is longer than `LONGEST_LINE`. */
export class LineTooLong extends Error {
  readonly line: number
  override readonly name = 'LineTooLong'

  constructor(line: number) {
    super(`Line ${line} is longer than ${LONGEST_LINE} bytes`)
    this.line = line
  }
}

export class LineSplitter {
  readonly #longest: number
  /** The unfinished line. */
  #parts: Uint8Array[] = []
  #size = 0
  #count = 0

  constructor(longest = LONGEST_LINE) {
    this.#longest = longest
  }

  /** The lines that end in this chunk; the chunk is kept. @throws {LineTooLong} */
  feed(chunk: Uint8Array): readonly Line[] {
    const lines: Line[] = []
    let from = 0
    for (let end = chunk.indexOf(LF); end >= 0; end = chunk.indexOf(LF, from)) {
      this.#keep(chunk.subarray(from, end))
      lines.push(this.#take())
      from = end + 1
    }
    this.#keep(chunk.subarray(from))
    return lines
  }

  /** The last line, when it has no line end. */
  end(): readonly Line[] {
    return this.#size > 0 ? [this.#take()] : []
  }

  #keep(part: Uint8Array): void {
    if (part.length === 0) return
    this.#parts.push(part)
    this.#size += part.length
    if (this.#size > this.#longest) throw new LineTooLong(this.#count + 1)
  }

  #take(): Line {
    const [only, ...more] = this.#parts
    let bytes = only === undefined ? new Uint8Array() : more.length === 0 ? only : Buffer.concat(this.#parts)
    if (bytes.at(-1) === CR) bytes = bytes.subarray(0, -1)
    this.#parts = []
    this.#size = 0
    return { number: ++this.#count, bytes }
  }
}
