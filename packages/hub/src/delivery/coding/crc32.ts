/** CRC-32 sums (RFC 1952 section 8) of bytes that are never seen together, from the sums of their parts. Pure. */

// Not by its name: a runtime that has no `crc32` must still load this.
import * as zlib from 'node:zlib'

/** What is known of some bytes: enough to tell the sum of what follows or precedes them. */
export interface Sum {
  readonly crc: number
  /** Bytes. */
  readonly length: number
}

export const EMPTY: Sum = { crc: 0, length: 0 }

export function sumOf(bytes: Uint8Array): Sum {
  return add(EMPTY, bytes)
}

/** Of what was there and the bytes behind it. */
export function add({ crc, length }: Sum, bytes: Uint8Array): Sum {
  return { crc: zlib.crc32(bytes, crc), length: length + bytes.length }
}

/** Of `first` and then `second`. */
export function join(first: Sum, second: Sum): Sum {
  return { crc: (moved(first.crc, second.length) ^ second.crc) >>> 0, length: first.length + second.length }
}

/** Of what came after `first` to make `whole`. */
export function rest(whole: Sum, first: Sum): Sum {
  const length = whole.length - first.length
  return { crc: (moved(first.crc, length) ^ whole.crc) >>> 0, length }
}

/** The polynomial, its bits reversed: the highest power is the lowest bit. */
const POLYNOMIAL = 0xedb88320

/** x to the power of 8 × 2^n, for each n: by so much a sum moves when 2^n bytes follow. */
const powers: number[] = [0x00800000]

/** The sum as a polynomial, times x to the power of 8 × length, modulo the polynomial. */
function moved(crc: number, length: number): number {
  let product = crc
  // Lengths may be beyond 32 bits.
  for (let left = length, n = 0; left > 0; left = Math.floor(left / 2), n++) {
    if (left % 2 === 1) product = multiply(powerOf(n), product)
  }
  return product
}

function powerOf(n: number): number {
  for (let known = powers.length; known <= n; known++) {
    const root = powers[known - 1] as number
    powers.push(multiply(root, root))
  }
  return powers[n] as number
}

function multiply(a: number, b: number): number {
  let product = 0
  let shifted = b
  for (let bit = 1 << 31; bit !== 0; bit >>>= 1) {
    if (a & bit) product ^= shifted
    shifted = shifted & 1 ? (shifted >>> 1) ^ POLYNOMIAL : shifted >>> 1
  }
  return product
}
