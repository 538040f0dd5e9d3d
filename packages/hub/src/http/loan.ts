/**
 * A connection that Node's server has lent: a bare socket, on which one request is answered. A stream then ends with its
 * connection; after any other answer the socket goes back as soon as it says more.
 *
 * While the hub has it, nothing parses what comes in: it stays in the socket's own buffer, up to its high-water mark, for the
 * server to find; behind a stream it is thrown away, as nothing behind a stream is answered.
 */
import type { Socket } from 'node:net'
import type { Sink } from '../delivery/sink.ts'
import type { Quit, Quitter } from '../delivery/watch.ts'
import {
  isLater,
  isStream,
  type LaterAnswer,
  type OpenStream,
  type StreamAnswer,
  type WholeAnswer,
} from './message.ts'
import type { NodeRequest } from './node-request.ts'
import { chunkOf, headOf, LAST_CHUNK, mayBeRequest, type Persistence, wholeBytes } from './raw-answer.ts'
import type { Taking } from './taking.ts'
import type { Handler } from './handler.ts'

/** What the one who lends does for a loan. */
export interface Desk {
  readonly handler: Handler
  /** How long a client is told that an idle connection is kept. */
  readonly keepAliveMs: number
  /** How long it is kept beyond that, so that a request just in time is not cut. */
  readonly keepAliveBufferMs: number
  readonly taking: Taking
  /** The socket goes back to the server. */
  giveBack(loan: Loan): void
  /** The connection is gone. */
  forget(loan: Loan): void
}

/** What the request says of the connection. */
export interface Terms {
  /** Whether it may be used again. */
  readonly keep: boolean
  /** Whether it knows the chunked coding, and that an answer without a body has an end. */
  readonly modern: boolean
  /** Whether a stream is to be chunked. */
  readonly chunked: boolean
}

const NOTHING = new Uint8Array(0)

/** What may come behind the request of a stream. Who sends more is cut. */
const BEHIND_STREAM_LIMIT = 64 * 1024

/** `asked` until there is an answer, `flushing` until the connection has taken it, `idle` until it says more. */
type State = 'asked' | 'streaming' | 'flushing' | 'idle' | 'over'

/** On the socket, so that all sockets share their listeners: a closure for each would be memory, for each reader. */
const LOAN = Symbol('loan')
type LentSocket = Socket & { [LOAN]?: Loan | undefined }

export class Loan implements Sink, Quit {
  readonly socket: Socket
  readonly #desk: Desk
  readonly #keep: boolean
  readonly #modern: boolean
  readonly #chunked: boolean
  /** Under TLS every write waits for a moment, so it is by Node's mark that it is full. */
  readonly #late: boolean
  #state: State = 'asked'
  #reader: OpenStream | undefined
  /** Of the one wait that there can be. */
  #quitter: Quitter | undefined
  /** How many bytes had come when the first was seen that nobody asked for. */
  #early: number | undefined

  constructor(socket: Socket, desk: Desk, terms: Terms) {
    this.socket = socket
    this.#desk = desk
    this.#keep = terms.keep
    this.#modern = terms.modern
    this.#chunked = terms.chunked
    this.#late = 'encrypted' in socket
    ;(socket as LentSocket)[LOAN] = this
    socket.on('error', onError).on('close', onClose).on('end', onEnd).on('readable', onReadable)
  }

  /** Never rejects. The request is let go of before anything is waited for but its answer. */
  async answer(request: NodeRequest): Promise<void> {
    const { handler } = this.#desk
    handler.meter?.begin(this.socket, request)
    const answer = await handler.begin(request)
    if (this.#state !== 'asked') return
    try {
      if (isLater(answer)) this.#wait(answer)
      else if (isStream(answer)) this.#stream(answer)
      else this.#send(answer)
    } catch (error) {
      this.#fail(error)
    }
  }

  /** On a connection that nobody needs any more. */
  closeIfIdle(): void {
    if (this.#state === 'idle') this.abort()
  }

  write(bytes: Uint8Array): boolean {
    const { socket } = this
    if (this.#state !== 'streaming') return true
    const below = socket.write(this.#chunked ? chunkOf(bytes) : bytes)
    // Node says false above its mark even when the kernel has taken all; what counts is whether bytes wait. If so, `drain` will come.
    if (socket.writableLength === 0) return true
    if (this.#late || socket.writableCorked > 0 || !below) return below
    // Below its mark Node does not say when they wait no more.
    socket.write(NOTHING, () => this.drained())
    return false
  }

  end(): void {
    if (this.#state !== 'streaming') return
    this.#reader = undefined
    if (this.#chunked) this.#finish(LAST_CHUNK, this.#persistence(this.#early === undefined))
    else this.#close()
    this.#desk.handler.meter?.ended(this.socket)
  }

  abort(): void {
    this.socket.destroy()
  }

  get aborted(): boolean {
    return this.socket.destroyed
  }

  addEventListener(_: 'abort', quitter: Quitter): void {
    this.#quitter = quitter
  }

  removeEventListener(): void {
    this.#quitter = undefined
  }

  #wait({ later }: LaterAnswer): void {
    void later(this).then((answer) => this.#answered(answer))
  }

  #answered(answer: WholeAnswer): void {
    if (this.#state !== 'asked') return
    try {
      this.#send(answer)
    } catch (error) {
      this.#fail(error)
    }
  }

  #send(answer: WholeAnswer): void {
    const { connection } = answer.headers
    const delimited = answer.body !== undefined || this.#modern
    const persistence = this.#persistence(delimited && connection !== 'close')
    this.#finish(wholeBytes(answer, persistence), persistence)
    this.#desk.handler.meter?.whole(this.socket, answer)
  }

  #stream(answer: StreamAnswer): void {
    const { socket } = this
    const { meter } = this.#desk.handler
    const chunked = this.#chunked
    const coding = chunked ? { 'transfer-encoding': 'chunked' } : {}
    const head = headOf(answer.status, { ...answer.headers, ...coding }, this.#persistence(chunked))
    this.#state = 'streaming'
    // One write for the head and the opening.
    socket.cork()
    socket.write(head, 'latin1')
    try {
      const reader = answer.open(this)
      meter?.stream(socket, head.length, reader)
      // It may have ended already, in `open`.
      if (this.#state === 'streaming') {
        this.#reader = reader
        socket.on('drain', onDrain)
      }
    } catch {
      // Refused, and ended.
      meter?.stream(socket, head.length, undefined)
    }
    socket.uncork()
    // A peer that has closed its side may be gone altogether, which only a write would tell.
    if (socket.readableEnded) this.ended()
    else this.readable()
  }

  #persistence(wanted: boolean): Persistence {
    const { handler, keepAliveMs } = this.#desk
    const kept = wanted && this.#keep && !handler.hub.stopping.aborted && !this.socket.readableEnded
    return kept ? { seconds: Math.floor(keepAliveMs / 1000) } : 'close'
  }

  #finish(bytes: Uint8Array, persistence: Persistence): void {
    const { socket } = this
    if (persistence === 'close') {
      socket.write(bytes)
      this.#close()
      return
    }
    this.#state = 'flushing'
    // Nobody gets an answer before the last one has been taken: what waits to be sent stays bounded.
    let taken: (() => void) | undefined
    socket.write(bytes, () => {
      taken?.()
      if (this.#state === 'flushing') this.#rest()
    })
    if (socket.writableLength > 0) taken = this.#desk.taking.watch(socket)
  }

  /** The connection is kept for another request. */
  #rest(): void {
    const { socket } = this
    if (socket.readableEnded || this.#desk.handler.hub.stopping.aborted) return this.#close()
    if (socket.readableLength > 0) return this.#giveBack()
    this.#state = 'idle'
    socket.setTimeout(this.#desk.keepAliveMs + this.#desk.keepAliveBufferMs)
    socket.on('timeout', onTimeout)
  }

  #close(): void {
    this.#state = 'over'
    const { socket } = this
    socket.destroySoon()
    if (socket.writableLength > 0) this.#desk.taking.watch(socket)
  }

  #fail(error: unknown): void {
    this.#desk.handler.hub.delivery.report(error)
    this.abort()
  }

  #giveBack(): void {
    const { socket } = this
    this.#state = 'over'
    ;(socket as LentSocket)[LOAN] = undefined
    socket.off('error', onError).off('close', onClose).off('end', onEnd).off('readable', onReadable)
    socket.off('drain', onDrain).off('timeout', onTimeout)
    socket.setTimeout(0)
    this.#desk.giveBack(this)
  }

  /** Something came, or the peer has closed its side. */
  readable(): void {
    const { socket } = this
    if (this.#state === 'idle') return this.#giveBack()
    // Lets an `end` through when nothing is before it.
    if (socket.readableLength === 0) return void socket.read()
    const first = this.#early === undefined
    this.#early ??= socket.bytesRead - socket.readableLength
    if (!first && this.#state !== 'streaming') return
    const bytes = socket.read() as Buffer
    // As Node's parser would have it: what can't be a request cuts the connection.
    if (first && !mayBeRequest(bytes)) return this.abort()
    if (this.#state !== 'streaming') socket.unshift(bytes)
    else if (socket.bytesRead - this.#early > BEHIND_STREAM_LIMIT) this.abort()
  }

  drained(): void {
    this.#reader?.drained()
  }

  ended(): void {
    this.#reader?.end()
  }

  closed(): void {
    this.#state = 'over'
    this.#reader?.closed()
    this.#quitter?.handleEvent()
    this.#desk.forget(this)
  }
}

function onError(): void {
  // `close` follows.
}

function onReadable(this: LentSocket): void {
  this[LOAN]?.readable()
}

function onDrain(this: LentSocket): void {
  this[LOAN]?.drained()
}

function onEnd(this: LentSocket): void {
  this[LOAN]?.ended()
}

function onClose(this: LentSocket): void {
  this[LOAN]?.closed()
}

function onTimeout(this: LentSocket): void {
  this.destroy()
}
