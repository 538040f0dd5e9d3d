/** Bodies as they were before they were compressed. */
import type { Transform } from 'node:stream'
import * as zlib from 'node:zlib'

/** Of a page, compressed or not. */
export const LARGEST_PAGE = 16 * 1024 * 1024

/** `Accept-Encoding` of a browser, less what this runtime can't read. */
export function readable(accepted: string): string {
  if (typeof zlib.zstdDecompressSync === 'function') return accepted
  return accepted
    .split(',')
    .map((coding) => coding.trim())
    .filter((coding) => !coding.startsWith('zstd'))
    .join(', ')
}

/** @throws when it is broken, or in a coding that nobody asked for */
export function decoded(body: Buffer, coding: string | undefined): Buffer {
  const options = { maxOutputLength: LARGEST_PAGE }
  switch (coding) {
    case undefined:
    case 'identity':
      return body
    case 'gzip':
    case 'deflate':
      return zlib.unzipSync(body, options)
    case 'br':
      return zlib.brotliDecompressSync(body, options)
    case 'zstd':
      return zlib.zstdDecompressSync(body, options)
    default:
      throw new Error(`No such coding: ${coding}`)
  }
}

/** For a stream; undefined when it is as it was. @throws as `decoded` */
export function decoder(coding: string | undefined): Transform | undefined {
  switch (coding) {
    case undefined:
    case 'identity':
      return undefined
    case 'gzip':
    case 'deflate':
      return zlib.createUnzip()
    case 'br':
      return zlib.createBrotliDecompress()
    case 'zstd':
      return zlib.createZstdDecompress()
    default:
      throw new Error(`No such coding: ${coding}`)
  }
}
