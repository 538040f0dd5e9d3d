/** The connection to the target that belongs to one client: what is asked goes out, what is answered is followed. */
import { connect, type Socket } from 'node:net'
import { Body, type Framing, framingOfResponse } from './framing.ts'
import { type Head, readHead, statusOf } from './head.ts'
import { Outlet } from './outlet.ts'

export interface Address {
  readonly host: string
  readonly port: number
}

/** Whom the target answers. */
export interface Asker {
  /** A head before the answer, such as `100`. */
  interim(head: Head): void
  head(head: Head, framing: Framing): void
  /** Bytes of the body, without the transfer coding. */
  body(bytes: Buffer): void
  /** The answer is whole. Not told of one that ends with the connection. */
  whole(): void
  /** What came is no answer; the connection has been left. */
  nonsense(): void
  /** The target closed its side, or the connection broke. Told once, and not after `leave`. */
  closed(by: 'reset' | 'end'): void
  /** There is room again for what is asked. */
  drained(): void
}

const NOTHING = Buffer.alloc(0)

export class Target {
  readonly socket: Socket
  readonly outlet: Outlet
  /** Whether anything was ever answered on it. */
  used = false
  readonly #asker: Asker
  readonly #headLimit: number
  #input: Buffer = NOTHING
  /** The method of the request that is to be answered. */
  #asked: string | undefined
  /** The body of the answer. */
  #body: Body | undefined
  #left = false

  /** Connects. */
  constructor(
    { host, port }: Address,
    limits: { readonly headLimit: number; readonly bufferLimit: number },
    asker: Asker,
  ) {
    this.#asker = asker
    this.#headLimit = limits.headLimit
    this.socket = connect({ host, port, noDelay: true, allowHalfOpen: true })
    this.outlet = new Outlet(this.socket, limits.bufferLimit, () => asker.drained())
    this.socket.on('data', (bytes: Buffer) => this.#take(bytes))
    this.socket.on('end', () => this.#closed('end'))
    this.socket.on('error', () => this.#closed('reset'))
    this.socket.on('close', () => this.#closed('end'))
  }

  /** An answer is expected from now on; its request is put into the outlet. */
  ask(method: string): void {
    this.#asked = method
  }

  /** Whether an answer is under way whose end is the end of the connection. */
  get closeDelimited(): boolean {
    return this.#body?.framing.kind === 'close'
  }

  /** Whether it still has something to answer. */
  get busy(): boolean {
    return this.#asked !== undefined
  }

  /** Closes it; nothing is told any more. Idempotent. */
  leave(): void {
    this.#left = true
    this.outlet.stop()
    this.socket.destroy()
  }

  #closed(by: 'reset' | 'end'): void {
    if (this.#left) return
    this.leave()
    this.#asker.closed(by)
  }

  #take(bytes: Buffer): void {
    this.#input = this.#input.length === 0 ? bytes : Buffer.concat([this.#input, bytes])
    while (this.#input.length > 0 && !this.#left) {
      // Nobody asked for these bytes, and nobody can tell what they answer.
      if (this.#asked === undefined) return this.#closed('end')
      if (this.#body === undefined ? !this.#takeHead(this.#asked) : !this.#takeBody(this.#body)) return
    }
  }

  /** Whether to go on. */
  #takeHead(method: string): boolean {
    const read = readHead(this.#input, 'response', this.#headLimit)
    if (read === 'more') return false
    if (typeof read === 'string') return this.#fail()
    this.#input = read.rest
    this.used = true
    const framing = framingOfResponse(read.head, method)
    const status = statusOf(read.head)
    // The protocol it would change to is not known here.
    if (framing === 'bad' || status === 101) return this.#fail()
    if (status < 200) {
      this.#asker.interim(read.head)
      return true
    }
    this.#body = new Body(framing)
    this.#asker.head(read.head, framing)
    return this.#perhapsWhole(this.#body)
  }

  #takeBody(body: Body): boolean {
    const followed = body.push(this.#input)
    if (followed === 'bad') return this.#fail()
    this.#input = followed.rest
    for (const part of followed.payload) this.#asker.body(part)
    return this.#perhapsWhole(body)
  }

  #perhapsWhole(body: Body): boolean {
    if (body.ended && !this.#left) {
      this.#asked = undefined
      this.#body = undefined
      this.#asker.whole()
    }
    return true
  }

  #fail(): false {
    if (!this.#left) {
      this.leave()
      this.#asker.nonsense()
    }
    return false
  }
}
