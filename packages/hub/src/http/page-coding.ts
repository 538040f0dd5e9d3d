/** Pages in the codings that clients accept. A page is whole, so anything goes; made beside the event loop. */
import { promisify } from 'node:util'
import * as zlib from 'node:zlib'

export type PageCoding = 'br' | 'zstd' | 'gzip'

/** In the order of preference: of a page of 30 kB of JSON, `br` makes the smallest. Some runtimes have no zstd. */
export const PAGE_CODINGS: readonly PageCoding[] =
  typeof zlib.zstdCompress === 'function' ? ['br', 'zstd', 'gzip'] : ['br', 'gzip']

/** Level 4: the default of 11 takes a hundred times as long for a tenth less. */
const BROTLI = { params: { [zlib.constants.BROTLI_PARAM_QUALITY]: 4 } }

export function codePageBody(body: Uint8Array, coding: PageCoding): Promise<Uint8Array> {
  if (coding === 'br') return promisify(zlib.brotliCompress)(body, BROTLI)
  return coding === 'zstd' ? promisify(zlib.zstdCompress)(body) : promisify(zlib.gzip)(body)
}
