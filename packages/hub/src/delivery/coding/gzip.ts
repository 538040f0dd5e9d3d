/**
 * gzip (RFC 1952): a header, raw deflate blocks (RFC 1951), a trailer. A block that ends in a full flush refers to nothing before it and
 * ends on a byte, so it can stand behind any other. The trailer has the sum of a reader's whole content, which is told from the
 * sums of what the audience was given before it joined, and when it left: nothing is added up for each reader and flush.
 */
import * as zlib from 'node:zlib'
import type { CodedBody, Coder, Run } from './coding.ts'
import { EMPTY, join, rest, type Sum, sumOf } from './crc32.ts'

const HEADER = Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff])
/** An empty last block. */
const LAST = Buffer.from([3, 0])
const FULL_FLUSH = {
  finishFlush: zlib.constants.Z_FULL_FLUSH,
  // Small windows and chunks: what is coded here is some kilobytes.
  windowBits: 13,
  chunkSize: 16 * 1024,
}
const STORED_MOST = 0xffff

class Gzip implements Coder {
  readonly coding = 'gzip'
  #works: boolean | undefined

  /** Whether this runtime's deflate does as described above. */
  get works(): boolean {
    this.#works ??= tryOut(this)
    return this.#works
  }

  packed(bytes: Uint8Array): Uint8Array {
    return zlib.deflateRawSync(bytes, FULL_FLUSH)
  }

  stored(bytes: Uint8Array): Uint8Array {
    const count = Math.ceil(bytes.length / STORED_MOST)
    const blocks = Buffer.allocUnsafe(bytes.length + 5 * count)
    let at = 0
    for (let start = 0; start < bytes.length; start += STORED_MOST) {
      const length = Math.min(STORED_MOST, bytes.length - start)
      blocks[at] = 0
      blocks.writeUInt16LE(length, at + 1)
      blocks.writeUInt16LE(~length & 0xffff, at + 3)
      blocks.set(bytes.subarray(start, start + length), at + 5)
      at += 5 + length
    }
    return blocks
  }

  begin(): CodedBody {
    return new GzipBody(this)
  }
}

class GzipBody implements CodedBody {
  readonly coder: Coder
  readonly opening = HEADER
  /** Of the content, but for what came with the audience since `#from`. */
  #own: Sum = EMPTY
  #from: Sum = EMPTY
  #to: Sum = EMPTY

  constructor(coder: Coder) {
    this.coder = coder
  }

  took(content: Sum): void {
    this.#settle()
    this.#own = join(this.#own, content)
  }

  shared({ before, after }: Run): void {
    if (before !== this.#to) {
      this.#settle()
      this.#from = before
    }
    this.#to = after
  }

  ending(): Uint8Array {
    this.#settle()
    const { crc, length } = this.#own
    const trailer = Buffer.alloc(8)
    trailer.writeUInt32LE(crc >>> 0)
    trailer.writeUInt32LE(length % 2 ** 32, 4)
    return Buffer.concat([LAST, trailer])
  }

  #settle(): void {
    if (this.#to !== this.#from) this.#own = join(this.#own, rest(this.#to, this.#from))
    this.#from = this.#to
  }
}

function tryOut(coder: Coder): boolean {
  try {
    const [packed, stored] = [Buffer.from('packed '.repeat(20)), Buffer.from('stored')]
    const body = coder.begin()
    const pieces: Uint8Array[] = [body.opening]
    for (const [bytes, piece] of [
      [packed, coder.packed(packed)],
      [stored, coder.stored(stored)],
      [packed, coder.packed(packed)],
    ] as const) {
      body.took(sumOf(bytes))
      pieces.push(piece)
    }
    const whole = zlib.gunzipSync(Buffer.concat([...pieces, body.ending()]))
    return whole.equals(Buffer.concat([packed, stored, packed]))
  } catch {
    return false
  }
}

export const gzip = new Gzip()
