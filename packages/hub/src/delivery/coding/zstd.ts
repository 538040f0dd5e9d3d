/**
 * zstd (RFC 8878): frames, each by itself, with nothing before the first or after the last. For those who take no gzip: of frames
 * that come in one chunk Node's decoder gives the first and drops the others without a word (nodejs/node#64741), and others may, too.
 */
import * as zlib from 'node:zlib'
import type { CodedBody, Coder } from './coding.ts'

/** Of a raw block. */
const BLOCK_MOST = 128 * 1024
/** A frame is also how much a decoder must keep: RFC 8878 3.1.1.1.2 recommends that they take 8 MB. */
const FRAME_MOST = 1024 * 1024
const MAGIC = 0xfd2fb528
/** A single segment with a content size of four bytes. */
const DESCRIPTOR = 0xa0
const NOTHING = new Uint8Array(0)

class Zstd implements Coder {
  readonly coding = 'zstd'
  #works: boolean | undefined

  /** Whether this runtime has zstd at all, and takes our frames for its own. */
  get works(): boolean {
    this.#works ??= tryOut(this)
    return this.#works
  }

  packed(bytes: Uint8Array): Uint8Array {
    return zlib.zstdCompressSync(bytes)
  }

  stored(bytes: Uint8Array): Uint8Array {
    const frames: Uint8Array[] = []
    for (let start = 0; start < bytes.length; start += FRAME_MOST) {
      frames.push(rawFrame(bytes.subarray(start, start + FRAME_MOST)))
    }
    return frames.length === 1 ? (frames[0] as Uint8Array) : Buffer.concat(frames)
  }

  begin(): CodedBody {
    return new ZstdBody(this)
  }
}

class ZstdBody implements CodedBody {
  readonly coder: Coder
  readonly opening = NOTHING

  constructor(coder: Coder) {
    this.coder = coder
  }

  took(): void {}

  shared(): void {}

  ending(): Uint8Array {
    return NOTHING
  }
}

function rawFrame(bytes: Uint8Array): Uint8Array {
  const blocks = Math.ceil(bytes.length / BLOCK_MOST)
  const frame = Buffer.allocUnsafe(9 + bytes.length + 3 * blocks)
  frame.writeUInt32LE(MAGIC)
  frame[4] = DESCRIPTOR
  frame.writeUInt32LE(bytes.length, 5)
  let at = 9
  for (let start = 0; start < bytes.length; start += BLOCK_MOST) {
    const block = bytes.subarray(start, start + BLOCK_MOST)
    const last = start + BLOCK_MOST >= bytes.length ? 1 : 0
    frame.writeUIntLE(last | (block.length << 3), at, 3)
    frame.set(block, at + 3)
    at += 3 + block.length
  }
  return frame
}

function tryOut(coder: Coder): boolean {
  const bytes = Buffer.from('packed '.repeat(20))
  try {
    // One by one: see above.
    return [coder.packed(bytes), coder.stored(bytes)].every((frame) =>
      zlib.zstdDecompressSync(frame).equals(bytes),
    )
  } catch {
    return false
  }
}

export const zstd = new Zstd()
