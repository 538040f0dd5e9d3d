/** A request of an HTTP/2 connection and its answer, on a stream of their own. What is on other streams goes on beside it. */
import { constants, type ServerHttp2Stream } from 'node:http2'
import type { Sink } from '../delivery/sink.ts'
import type { Quit, Quitter } from '../delivery/watch.ts'
import type { Deadlines } from './deadlines.ts'
import type { Handler } from './handler.ts'
import { STREAM_BUFFER } from './h2-limits.ts'
import type { H2Request } from './h2-request.ts'
import {
  type Answer,
  type Headers,
  isLater,
  isStream,
  type OpenStream,
  type StreamAnswer,
  type WholeAnswer,
} from './message.ts'
import { problemAnswer } from './problem.ts'

/** What a connection does for its exchanges. */
export interface H2Desk {
  readonly handler: Handler
  /** How long the rest of a body that nobody wanted is read. */
  readonly lingers: Deadlines
  /** So many bytes more wait for the peer. False: too many do. */
  owe(bytes: number): boolean
  /** They don't any more. */
  paid(bytes: number): void
  /** The answer is there, and the peer is to take it. */
  ending(exchange: H2Exchange): void
  /** The peer has reset the stream. @param rapid Before anything was done for it. */
  wasReset(rapid: boolean): void
  /** The stream is over. @param early Before its answer was, and not by the peer's reset. */
  over(exchange: H2Exchange, early: boolean): void
}

const { NGHTTP2_CANCEL, NGHTTP2_ENHANCE_YOUR_CALM, NGHTTP2_INTERNAL_ERROR, NGHTTP2_NO_ERROR } = constants

export class H2Exchange implements Sink, Quit {
  readonly #stream: ServerHttp2Stream
  readonly #desk: H2Desk
  /** Of a HEAD. */
  #bodiless = false
  #reader: OpenStream | undefined
  /** Of the one wait that there can be. */
  #quitter: Quitter | undefined
  #owed = 0
  #begun = false

  constructor(stream: ServerHttp2Stream, desk: H2Desk) {
    this.#stream = stream
    this.#desk = desk
    // `close` follows an error.
    stream
      .on('error', ignore)
      .on('aborted', () => this.#reset())
      .on('close', () => this.#closed())
    if (stream.aborted) this.#desk.wasReset(true)
  }

  /** Never rejects. Of a stream that is over already nothing is done. */
  async answer(request: H2Request): Promise<void> {
    if (this.aborted) return
    this.#begun = true
    this.#bodiless = request.method === 'HEAD'
    const { fault } = request
    if (fault) {
      if (fault.limited !== undefined) this.#desk.handler.hub.limited.count(fault.limited)
      return this.#give(problemAnswer(fault))
    }
    const { handler } = this.#desk
    handler.meter?.beginH2(this.#stream, request)
    const answer = await handler.begin(request)
    // Nothing of the request is held on to by what waits.
    if (isLater(answer)) void answer.later(this).then((answer) => this.#give(answer))
    else this.#give(answer)
  }

  write(bytes: Uint8Array): boolean {
    const stream = this.#stream
    if (stream.destroyed || stream.writableEnded) return true
    // `drain` comes also after a write that Node took for full and we did not.
    return stream.write(bytes) || stream.writableLength < STREAM_BUFFER
  }

  get bytesWaiting(): number {
    return this.#stream.writableLength
  }

  end(): void {
    const stream = this.#stream
    this.#reader = undefined
    if (stream.destroyed || stream.writableEnded) return
    stream.end()
    this.#finish()
  }

  /** Also where the connection takes nothing, not even the reset. */
  abort(): void {
    this.#stream.close(NGHTTP2_CANCEL)
    this.#stream.destroy()
  }

  get aborted(): boolean {
    return this.#stream.destroyed || this.#stream.closed
  }

  addEventListener(_: 'abort', quitter: Quitter): void {
    this.#quitter = quitter
  }

  removeEventListener(): void {
    this.#quitter = undefined
  }

  #give(answer: Answer): void {
    if (this.aborted) return
    try {
      if (isStream(answer)) this.#open(answer)
      else this.#whole(answer)
    } catch (error) {
      this.#desk.handler.hub.delivery.report(error)
      this.#stream.close(NGHTTP2_INTERNAL_ERROR)
    }
  }

  #whole(answer: WholeAnswer): void {
    const { status, headers, body } = answer
    const stream = this.#stream
    const length = body === undefined ? 0 : Buffer.byteLength(body)
    const all = headOf(status, headers, body === undefined ? undefined : length)
    if (length === 0 || this.#bodiless) {
      stream.respond(all, { endStream: true })
    } else {
      if (!this.#desk.owe(length)) return stream.close(NGHTTP2_ENHANCE_YOUR_CALM)
      this.#owed = length
      stream.respond(all)
      stream.end(body)
    }
    this.#desk.handler.meter?.wholeH2(stream, answer, this.#bodiless ? 0 : length)
    this.#finish()
  }

  #open(answer: StreamAnswer): void {
    const stream = this.#stream
    stream.respond(headOf(answer.status, answer.headers, undefined))
    const { meter } = this.#desk.handler
    const sink = meter?.sinkH2(stream, this) ?? this
    let reader: OpenStream
    try {
      reader = answer.open(sink)
    } catch {
      meter?.streamH2(stream, sink, undefined)
      // Full or stopping since the head was decided on: the client comes back after its reconnection time.
      return this.end()
    }
    meter?.streamH2(stream, sink, reader)
    // It may have ended already, in `open`.
    if (stream.writableEnded || stream.destroyed) return
    this.#reader = reader
    stream.on('drain', () => this.#reader?.drained())
  }

  /**
   * All is written. Of a body that nobody wanted the rest is read and forgotten for a moment: curl 7.88 takes a reset that comes
   * with the answer for a failure, though it is none (RFC 9113 8.1).
   */
  #finish(): void {
    const stream = this.#stream
    if (stream.destroyed) return
    this.#desk.ending(this)
    if (stream.endAfterHeaders || stream.readableEnded) return
    stream.resume()
    this.#desk.lingers.add(() => stream.close(NGHTTP2_NO_ERROR))
  }

  /**
   * Node waits for what is still to be written, which on a stream that its peer has reset with `NO_ERROR` is for ever. Not at once:
   * a reset of our own is not on its way yet.
   */
  #reset(): void {
    this.#desk.wasReset(!this.#begun)
    setImmediate(() => this.#stream.destroy())
  }

  #closed(): void {
    const reader = this.#reader
    this.#reader = undefined
    if (this.#owed > 0) this.#desk.paid(this.#owed)
    reader?.closed()
    this.#desk.handler.meter?.endedH2(this.#stream)
    this.#quitter?.handleEvent()
    this.#desk.over(this, !this.#stream.aborted && !this.#stream.writableFinished)
  }
}

/** Connections are no matter of single answers here (RFC 9113 8.2.2). */
function headOf(
  status: number,
  headers: Headers,
  length: number | undefined,
): Record<string, string | number> {
  const { connection: _, ...all } = headers
  return { ':status': status, ...all, ...(length !== undefined && { 'content-length': String(length) }) }
}

function ignore(): void {}
