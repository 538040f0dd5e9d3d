/** Where the body of an HTTP/1.1 message ends (RFC 9112 6), and its bytes without the transfer coding. */
import { type Head, statusOf, valueOf } from './head.ts'

export type Framing =
  | { readonly kind: 'none' | 'chunked' | 'close' }
  | { readonly kind: 'length'; readonly length: number }

export function framingOfRequest(head: Head): Framing | 'bad' {
  const framing = declaredFraming(head)
  if (framing === 'other') return 'bad'
  return framing ?? { kind: 'none' }
}

/** @param method of the request that it answers */
export function framingOfResponse(head: Head, method: string): Framing | 'bad' {
  const status = statusOf(head)
  if (method === 'HEAD' || status < 200 || status === 204 || status === 304) return { kind: 'none' }
  const framing = declaredFraming(head)
  if (framing === 'other' || framing === undefined) return { kind: 'close' }
  return framing
}

/** `other`: a transfer coding that is not ours, whose end is the end of the connection. */
function declaredFraming(head: Head): Framing | 'bad' | 'other' | undefined {
  const coding = valueOf(head, 'transfer-encoding')
  const length = valueOf(head, 'content-length')
  // Both of them is how requests are smuggled past one of two readers.
  if (coding !== undefined && length !== undefined) return 'bad'
  if (coding !== undefined) return coding.toLowerCase() === 'chunked' ? { kind: 'chunked' } : 'other'
  if (length === undefined) return undefined
  return /^\d{1,15}$/.test(length) ? { kind: 'length', length: Number(length) } : 'bad'
}

export interface Followed {
  /** What came of the body, without the transfer coding. */
  readonly payload: readonly Buffer[]
  /** What came after the body. */
  readonly rest: Buffer
}

const NOTHING = Buffer.alloc(0)
/** Bytes of a line that says the size of a chunk, and of a trailer field. */
const LINE_LIMIT = 1024
const TRAILER_LINES_LIMIT = 64

type State = 'data' | 'size' | 'after-data' | 'trailer' | 'ended'

/** Follows one body, however its bytes are cut. */
export class Body {
  readonly framing: Framing
  #state: State
  /** Bytes of the body, or of the chunk, that are still to come. */
  #left: number
  #line = ''
  #trailers = 0

  constructor(framing: Framing) {
    this.framing = framing
    this.#left = framing.kind === 'length' ? framing.length : Infinity
    this.#state = framing.kind === 'chunked' ? 'size' : 'data'
    if (framing.kind === 'none' || this.#left === 0) this.#state = 'ended'
  }

  /** Never, when the connection's end is the body's: its reader says when that was. */
  get ended(): boolean {
    return this.#state === 'ended'
  }

  /** `bad`: not what the framing promised; nothing can be said about later bytes. */
  push(bytes: Buffer): Followed | 'bad' {
    const payload: Buffer[] = []
    let at = 0
    while (at < bytes.length && this.#state !== 'ended') {
      if (this.#state === 'data') {
        const part = bytes.subarray(at, at + this.#left)
        payload.push(part)
        at += part.length
        this.#left -= part.length
        if (this.#left === 0) this.#state = this.framing.kind === 'chunked' ? 'after-data' : 'ended'
        continue
      }
      const feed = bytes.indexOf(10, at)
      const end = feed < 0 ? bytes.length : feed + 1
      this.#line += bytes.toString('latin1', at, end)
      at = end
      if (this.#line.length > LINE_LIMIT) return 'bad'
      if (feed >= 0 && !this.#takeLine()) return 'bad'
    }
    return { payload, rest: at === bytes.length ? NOTHING : bytes.subarray(at) }
  }

  /** A whole line between the data of two chunks; false when it makes no sense there. */
  #takeLine(): boolean {
    const line = this.#line.replace(/\r?\n$/, '')
    this.#line = ''
    if (this.#state === 'after-data') {
      this.#state = 'size'
      return line === ''
    }
    if (this.#state === 'trailer') {
      if (line === '') this.#state = 'ended'
      return ++this.#trailers <= TRAILER_LINES_LIMIT
    }
    const [, size] = /^([0-9a-f]{1,8})[ \t]*(?:;.*)?$/i.exec(line) ?? []
    if (size === undefined) return false
    this.#left = Number.parseInt(size, 16)
    this.#state = this.#left === 0 ? 'trailer' : 'data'
    return true
  }
}

/** Bytes of a body as they go over the wire. An empty piece is no chunk: that would end the body. */
export function frame(framing: Framing, payload: Buffer): Buffer {
  if (framing.kind !== 'chunked' || payload.length === 0) return payload
  return Buffer.concat([
    Buffer.from(`${payload.length.toString(16)}\r\n`, 'latin1'),
    payload,
    Buffer.from('\r\n', 'latin1'),
  ])
}

/** What goes over the wire after the last byte of a body. */
export function frameEnd(framing: Framing): Buffer {
  return framing.kind === 'chunked' ? Buffer.from('0\r\n\r\n', 'latin1') : NOTHING
}
