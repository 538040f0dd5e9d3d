/** HTTP/2 connections: each a session of Node's (nghttp2) on a socket that somebody else has accepted. */
import { constants, performServerHandshake, type ServerHttp2Session } from 'node:http2'
import type { Socket } from 'node:net'
import { CalmByKey } from './calm-by-key.ts'
import { Calm } from './calm.ts'
import { Deadlines } from './deadlines.ts'
import { H2Exchange, type H2Desk } from './h2-exchange.ts'
import {
  ANSWERS_BYTES,
  CONTROLS,
  LARGE_BODIES,
  LINGER_MS,
  MOST_SHUNNED,
  RAPID_RESETS,
  RESETS,
  sessionOptions,
  type SessionLimits,
  SHUN_MS,
} from './h2-limits.ts'
import { type Connection, H2Request } from './h2-request.ts'
import { netOf } from '../limits/net-of.ts'
import type { Handler } from './handler.ts'
import { both, FreePlaces } from './places.ts'

export interface H2Options extends SessionLimits {
  readonly mount?: string | undefined
  /** How long the first `SETTINGS` may take, and an end that the peer has been told of. */
  readonly headTimeoutMs: number
  readonly bodyTimeoutMs: number
  /** How long an answer may wait for the peer to take it; then it is reset (`CANCEL`). */
  readonly answerTimeoutMs: number
  /** How long a connection without streams is kept. */
  readonly keepAliveMs: number
}

const { NGHTTP2_ENHANCE_YOUR_CALM } = constants

export class H2Sessions {
  readonly handler: Handler
  readonly options: H2Options
  readonly bodies: Deadlines
  readonly answers: Deadlines
  readonly lingers = new Deadlines(LINGER_MS)
  readonly idle: Deadlines
  readonly heads: Deadlines
  readonly resets = new CalmByKey(RESETS)
  readonly rapidResets = new CalmByKey(RAPID_RESETS)
  readonly #sessions = new Set<H2Session>()
  #proxied = 0
  /** Until when, by address. */
  readonly #shunned = new Map<string, number>()
  #closing = false

  constructor(handler: Handler, options: H2Options) {
    this.handler = handler
    this.options = options
    this.bodies = new Deadlines(options.bodyTimeoutMs)
    this.answers = new Deadlines(options.answerTimeoutMs)
    this.idle = new Deadlines(options.keepAliveMs)
    this.heads = new Deadlines(options.headTimeoutMs)
  }

  /** Of connections that are open. */
  get size(): number {
    return this.#sessions.size
  }

  /** Takes a connection whose peer begins, or has begun, with the preface of HTTP/2. */
  accept(socket: Socket): void {
    // Node leaves a socket that breaks while its session ends without anybody who listens: that would end the process.
    socket.on('error', ignore)
    if (socket.destroyed) return
    // A peer that closes its side has nothing more to tell its streams either.
    socket.allowHalfOpen = false
    if (this.#isShunned(socket)) return void socket.destroy()
    const session = new H2Session(socket, this, this.#peerOf(socket))
    this.#sessions.add(session)
    // Not at once: Node takes what has come already in the next tick, from a session that must be there.
    if (this.#closing) setImmediate(() => session.close())
  }

  /** Who is counted as one: an address, or one connection of a trusted proxy, which has many clients. */
  #peerOf({ remoteAddress = '' }: Socket): Peer {
    if (this.handler.trusts(remoteAddress)) return { key: `proxy ${++this.#proxied}`, proxy: true }
    return { key: netOf(remoteAddress), proxy: false }
  }

  /** Gets no other connection for a while, and those that had a part in it are cut. */
  shun({ key, proxy }: Peer): void {
    if (proxy) return
    this.#shunned.delete(key)
    if (this.#shunned.size === MOST_SHUNNED) {
      const [oldest] = this.#shunned.keys()
      this.#shunned.delete(oldest as string)
    }
    this.#shunned.set(key, performance.now() + SHUN_MS)
    for (const session of this.#sessions) if (session.isRudeOf(key)) session.cut()
  }

  #isShunned({ remoteAddress }: Socket): boolean {
    if (this.#shunned.size === 0 || remoteAddress === undefined) return false
    return (this.#shunned.get(netOf(remoteAddress)) ?? 0) > performance.now()
  }

  forget(session: H2Session): void {
    this.#sessions.delete(session)
  }

  /** Takes no new streams. Connections end with their last stream. */
  close(): void {
    this.#closing = true
    for (const session of this.#sessions) session.close()
  }

  /** Cuts all connections. */
  destroy(): void {
    for (const session of this.#sessions) session.cut()
  }
}

interface Peer {
  readonly key: string
  readonly proxy: boolean
}

class H2Session implements H2Desk {
  readonly handler: Handler
  readonly #all: H2Sessions
  readonly #socket: Socket
  readonly #session: ServerHttp2Session
  readonly #connection: Connection
  readonly #exchanges = new Map<H2Exchange, (() => void) | undefined>()
  readonly #peer: Peer
  /** Whether the peer has reset a stream before anything was done for it. */
  #rude = false
  readonly #controls: Calm
  #owed = 0

  constructor(socket: Socket, all: H2Sessions, peer: Peer) {
    const { handler, options } = all
    this.handler = handler
    this.#all = all
    this.#socket = socket
    this.#connection = {
      address: socket.remoteAddress,
      scheme: 'encrypted' in socket ? 'https' : 'http',
      mount: options.mount,
      bodies: { deadlines: all.bodies, places: both(new FreePlaces(LARGE_BODIES), handler.largeBodies) },
      headLimit: options.headLimit,
    }
    const now = performance.now()
    this.#peer = peer
    this.#controls = new Calm(CONTROLS, now)
    this.#session = performServerHandshake(socket, sessionOptions(options))
    this.#session
      .on('stream', (stream, headers, _, fields) => {
        this.#all.idle.delete(this.#expire)
        const exchange = new H2Exchange(stream, this)
        this.#exchanges.set(exchange, undefined)
        const request = new H2Request(stream, headers, fields, this.#connection)
        // At the end of the turn, by when it may be over: a storm of resets costs a part of what it would. A body must be read before.
        if (stream.endAfterHeaders) setImmediate(() => void exchange.answer(request))
        else void exchange.answer(request)
      })
      .on('ping', () => this.#control())
      .on('remoteSettings', () => {
        all.heads.delete(this.cut)
        this.#control()
      })
      // Of whatever the peer does wrong: nghttp2 has told it, and the session ends.
      .on('error', ignore)
      .on('close', () => this.#closed())
    all.heads.add(this.cut)
    all.idle.add(this.#expire)
  }

  close(): void {
    if (this.#session.closed) return
    // `GOAWAY`. Node waits for the peer to close its side, however long that takes.
    this.#session.close()
    if (this.#exchanges.size === 0) this.#leave()
  }

  readonly cut = (): void => {
    this.#session.destroy()
    this.#socket.destroy()
  }

  get lingers(): Deadlines {
    return this.#all.lingers
  }

  owe(bytes: number): boolean {
    if (this.#owed > 0 && this.#owed + bytes > ANSWERS_BYTES) return false
    this.#owed += bytes
    return true
  }

  paid(bytes: number): void {
    this.#owed -= bytes
  }

  ending(exchange: H2Exchange): void {
    const expire = (): void => {
      this.handler.hub.limited.count('answer-time')
      exchange.abort()
    }
    this.#exchanges.set(exchange, expire)
    this.#all.answers.add(expire)
  }

  over(exchange: H2Exchange, early: boolean): void {
    const expire = this.#exchanges.get(exchange)
    if (expire) this.#all.answers.delete(expire)
    this.#exchanges.delete(exchange)
    if (early) this.#count(false)
    if (this.#session.destroyed) return
    if (this.#exchanges.size > 0) return
    if (this.#session.closed) this.#leave()
    else this.#all.idle.add(this.#expire)
  }

  wasReset(rapid: boolean): void {
    this.#rude ||= rapid
    this.#count(rapid)
  }

  isRudeOf(key: string): boolean {
    return this.#rude && this.#peer.key === key
  }

  #count(rapid: boolean): void {
    const { resets, rapidResets } = this.#all
    const { key } = this.#peer
    const now = performance.now()
    const calm = resets.again(key, now) && (!rapid || rapidResets.again(key, now))
    if (calm || this.#session.destroyed) return
    this.#calm()
    this.#all.shun(this.#peer)
  }

  #control(): void {
    if (!this.#session.destroyed && !this.#controls.again(performance.now())) this.#calm()
  }

  /** The error goes to nobody but those who listen to the session. */
  #calm(): void {
    this.#session.destroy(new Error('The peer resets or asks too often'), NGHTTP2_ENHANCE_YOUR_CALM)
  }

  readonly #expire = (): void => this.close()

  /** The last is said, and the peer closes its side, or is cut. */
  #leave(): void {
    this.#all.heads.add(this.cut)
  }

  #closed(): void {
    this.#all.idle.delete(this.#expire)
    this.#all.heads.delete(this.cut)
    this.#all.forget(this)
  }
}

function ignore(): void {}
