/**
 * The WebSocket of one reader. The library takes apart what comes in, answers pings and closes; what goes out is written to the
 * socket as it is, in whole frames that many may share.
 */
import type { Socket } from 'node:net'
import type { WebSocket } from 'ws'
import type { Ending, Sink } from '../../delivery/sink.ts'
import { Calm, type CalmTerms } from '../calm.ts'
import type { OpenStream } from '../message.ts'
import { type Closing, CLOSINGS, NOTHING_EXPECTED, TOO_MANY_PINGS } from './closing.ts'
import { PING } from './frames.ts'

/** Pings that may be unanswered when the next one is due. */
const UNANSWERED = 2
/** Pings and pongs of a client. One that keeps its own heartbeat sends a few a minute. */
const CONTROL: CalmTerms = { burst: 100, rate: 10 }

export class Connection implements Sink {
  readonly #ws: WebSocket
  readonly #socket: Socket
  #reader: OpenStream | undefined
  #unanswered = 0

  constructor(ws: WebSocket, socket: Socket) {
    this.#ws = ws
    this.#socket = socket
    const calm = new Calm(CONTROL, performance.now())
    const count = (): void => {
      if (!calm.again(performance.now())) this.#leave(TOO_MANY_PINGS)
    }
    ws.on('ping', count).on('pong', () => {
      this.#unanswered = 0
      count()
    })
    ws.on('message', () => this.#leave(NOTHING_EXPECTED))
    // What is against the protocol: the library closes, with the code that says so.
    ws.on('error', () => this.#reader?.closed())
    socket.on('close', () => this.#reader?.closed())
    socket.on('drain', () => this.#reader?.drained())
  }

  /** @throws what `open` does; the connection has been closed then */
  begin(open: (sink: Sink) => OpenStream, refusal: Closing): OpenStream {
    try {
      const reader = open(this)
      this.#reader = reader
      if (this.#socket.destroyed) reader.closed()
      return reader
    } catch (error) {
      this.#close(refusal)
      throw error
    }
  }

  get bytesWaiting(): number {
    return this.#socket.writableLength
  }

  /** Behind a close nothing may be sent (RFC 6455 5.5.1), whoever sent it. */
  write(bytes: Uint8Array): boolean {
    if (this.#ws.readyState !== this.#ws.OPEN) return true
    // As on a loan: what counts is whether bytes wait.
    return this.#socket.write(bytes) || this.#socket.writableLength === 0
  }

  beat(): boolean {
    if (this.#unanswered === UNANSWERED) {
      this.abort()
      return true
    }
    this.#unanswered++
    return this.write(PING)
  }

  end(why: Ending = 'age'): void {
    this.#reader = undefined
    this.#close(CLOSINGS[why])
  }

  abort(): void {
    this.#ws.terminate()
  }

  #leave(closing: Closing): void {
    this.#reader?.closed()
    this.#close(closing)
  }

  #close({ code, reason }: Closing): void {
    this.#ws.close(code, reason)
  }
}
