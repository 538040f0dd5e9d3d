/** Decodes zstd frames one by one: of several in one buffer Node's decoder gives the first (nodejs/node#64741). */
import { zstdDecompressSync } from 'node:zlib'

export function decodeFrames(bytes: Buffer): Buffer {
  const parts: Buffer[] = []
  for (let start = 0; start < bytes.length;) {
    const end = endOfFrame(bytes, start)
    parts.push(zstdDecompressSync(bytes.subarray(start, end)))
    start = end
  }
  return Buffer.concat(parts)
}

/** RFC 8878 3.1.1. */
function endOfFrame(bytes: Buffer, start: number): number {
  if (bytes.readUInt32LE(start) !== 0xfd2fb528) throw new Error(`no frame begins at ${start}`)
  const descriptor = bytes[start + 4] as number
  const single = (descriptor >> 5) & 1
  const sizeBytes = [single, 2, 4, 8][descriptor >> 6] as number
  let at = start + 5 + (single ? 0 : 1) + ([0, 1, 2, 4][descriptor & 3] as number) + sizeBytes
  for (let last = 0; last === 0;) {
    const header = bytes.readUIntLE(at, 3)
    last = header & 1
    // A block of one byte repeated has only that byte.
    at += 3 + (((header >> 1) & 3) === 1 ? 1 : header >> 3)
  }
  return at + ((descriptor >> 2) & 1) * 4
}
