/** One SSE reader on a raw socket, or a stream of HTTP/2: the head, what a hub says when it opens, and then events, all of them compared. */
import { createGunzip, type Gunzip } from 'node:zlib'
import { micros } from './clock.ts'
import { type Carrier, dial, type Line } from './dial.ts'
import type { Follower } from './follower.ts'
import { Dechunker, parseHead } from './http-response.ts'

/** What readers of one process count together. */
export interface Counts {
  bytes: number
  reads: number
  errors: string[]
  /** When something was delivered last, in microseconds. */
  last: number
}

export interface ReaderOptions {
  readonly carrier: Carrier
  readonly port: number
  readonly host: string
  /** The whole head of the request. */
  readonly request: string
  readonly follower: Follower
  /** Of events that have become whole at this moment. */
  readonly delivered: (follower: Follower, now: number) => void
  readonly counts: Counts
  /** Where bytes are read to; shared by readers, but not by slow ones. */
  readonly buffer: Buffer
  /** One read of the buffer's size, and then a pause until `more()`. */
  readonly slow: boolean
  /** False: its bytes are counted and not looked at. */
  readonly compared: boolean
}

type Phase = 'head' | 'opening' | 'events' | 'over'

/** A head and an opening are far smaller. */
const MOST_BEFORE_EVENTS = 64 * 1024

export class Reader {
  readonly options: ReaderOptions
  slow: boolean
  bytes = 0
  #phase: Phase = 'head'
  #line: Line | undefined
  #before = ''
  #dechunker: Dechunker | undefined
  #gunzip: Gunzip | undefined
  #opened: (() => void) | undefined
  #failed: ((error: Error) => void) | undefined
  #latest = Buffer.alloc(0)

  constructor(options: ReaderOptions) {
    this.options = options
    this.slow = options.slow
  }

  /** Resolves when the head has come. */
  open(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#opened = resolve
      this.#failed = reject
      const { carrier, port, host, request, buffer } = this.options
      this.#line = dial({
        carrier,
        port,
        host,
        request,
        buffer,
        read: (bytes, size) => this.#onRead(bytes, size),
        failed: (reason) => this.#fail(reason),
      })
    })
  }

  /** For a slow one: reads once more. */
  more(): void {
    this.#line?.more()
  }

  close(): void {
    this.#phase = 'over'
    this.#line?.cut()
    this.#gunzip?.destroy()
  }

  #onRead(bytes: Buffer, size: number): boolean {
    const { counts } = this.options
    counts.bytes += size
    counts.reads++
    this.bytes += size
    try {
      this.#take(bytes, size)
    } catch (error) {
      this.#fail((error as Error).message)
    }
    return !this.slow
  }

  #take(bytes: Buffer, size: number): void {
    if (this.#phase === 'over') return
    if (this.#phase !== 'head') return this.options.compared ? this.#body(bytes, 0, size) : undefined
    this.#before += bytes.toString('latin1', 0, size)
    const end = this.#before.indexOf('\r\n\r\n')
    if (end === -1) return
    const { status, headers } = parseHead(this.#before.slice(0, end))
    const type = headers.get('content-type') ?? ''
    if (status !== 200 || !type.startsWith('text/event-stream')) {
      throw new Error(`answered ${status} ${type}: ${this.#before.slice(end + 4, end + 200)}`)
    }
    if (headers.get('transfer-encoding') === 'chunked') this.#dechunker = new Dechunker()
    if (headers.get('content-encoding') === 'gzip') this.#decode()
    this.#phase = 'opening'
    const rest = Buffer.from(this.#before.slice(end + 4), 'latin1')
    this.#before = ''
    this.#opened?.()
    if (rest.length > 0 && this.options.compared) this.#body(rest, 0, rest.length)
  }

  #decode(): void {
    const gunzip = createGunzip()
    this.#gunzip = gunzip
    gunzip.on('data', (bytes: Buffer) => this.#textOrFail(bytes))
    gunzip.on('error', (error) => this.#fail(error.message))
  }

  #body(bytes: Buffer, start: number, end: number): void {
    if (this.#dechunker === undefined) return this.#decoded(bytes, start, end)
    this.#dechunker.feed(bytes, start, end, (from, to) => this.#decoded(bytes, from, to))
  }

  #decoded(bytes: Buffer, start: number, end: number): void {
    // The decoder works later, and the buffer is everybody's.
    if (this.#gunzip) this.#gunzip.write(Buffer.from(bytes.subarray(start, end)))
    else this.#text(bytes, start, end)
  }

  #textOrFail(bytes: Buffer): void {
    try {
      this.#text(bytes, 0, bytes.length)
    } catch (error) {
      this.#fail((error as Error).message)
    }
  }

  #text(bytes: Buffer, start: number, end: number): void {
    if (this.#phase === 'opening') return this.#opening(bytes, start, end)
    if (this.#phase !== 'events') return
    const { follower, delivered } = this.options
    follower.feed(bytes, start, end)
    delivered(follower, micros())
  }

  /** What a server says to each reader by itself, before the first event. */
  #opening(bytes: Buffer, start: number, end: number): void {
    this.#latest = Buffer.concat([this.#latest, bytes.subarray(start, end)])
    for (;;) {
      const stop = this.#latest.indexOf('\n\n')
      if (stop === -1) {
        if (this.#latest.length > MOST_BEFORE_EVENTS) throw new Error('an opening without an end')
        return
      }
      const block = this.#latest.toString('latin1', 0, stop)
      if (/^data: ?~/m.test(block)) break
      if (/^event: ?downlink:(?!open)/m.test(block)) throw new Error(`opened with ${block.slice(0, 200)}`)
      this.#latest = this.#latest.subarray(stop + 2)
    }
    const rest = this.#latest
    this.#latest = Buffer.alloc(0)
    this.#phase = 'events'
    this.#text(rest, 0, rest.length)
  }

  #fail(reason: string): void {
    if (this.#phase === 'over') return
    const { counts } = this.options
    if (counts.errors.length < 2) counts.errors.push(reason)
    this.close()
    this.#failed?.(new Error(reason))
  }
}
