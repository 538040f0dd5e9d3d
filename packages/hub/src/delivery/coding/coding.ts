/**
 * How the bytes of a stream are coded on their way (RFC 9110 8.4). What goes to many is coded once: each piece is made so that it can
 * stand behind any other, since readers come and go in between.
 */
import { gzip } from './gzip.ts'
import type { Sum } from './crc32.ts'
import { zstd } from './zstd.ts'

export const CODINGS = ['identity', 'gzip', 'zstd'] as const
export type Coding = (typeof CODINGS)[number]

export interface Coder {
  readonly coding: Exclude<Coding, 'identity'>
  /** Smaller, and dear to make. */
  packed(bytes: Uint8Array): Uint8Array
  /** As they are, in the coding's form. */
  stored(bytes: Uint8Array): Uint8Array
  /** The content of one reader's stream. */
  begin(): CodedBody
}

/** What a coding needs at the beginning and the end of each stream, and must remember meanwhile. */
export interface CodedBody {
  readonly coder: Coder
  /** Before anything else. */
  readonly opening: Uint8Array
  /** Counts bytes that only this reader is given. */
  took(content: Sum): void
  /** Counts what the whole audience is given. */
  shared(run: Run): void
  /** After everything. */
  ending(): Uint8Array
}

/** A piece of what an audience has been given so far: all that before it, and all that after it. */
export interface Run {
  readonly before: Sum
  readonly after: Sum
}

/** Undefined for `identity`, and where this runtime's compression does not do what is needed: nothing is coded then. */
export function coderOf(coding: Coding): Coder | undefined {
  if (coding === 'identity') return undefined
  const coder = coding === 'gzip' ? gzip : zstd
  return coder.works ? coder : undefined
}
