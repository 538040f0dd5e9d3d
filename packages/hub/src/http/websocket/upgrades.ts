/** Handshakes for WebSockets, from a server of `node:http`: from the request to an open reader, or to a refusal. */
import type { IncomingMessage } from 'node:http'
import { connect, type Socket } from 'node:net'
import type { WebSocketServer } from 'ws'
import { reset } from '../../reset.ts'
import type { Handler } from '../handler.ts'
import { isStream, type StreamAnswer, type WholeAnswer } from '../message.ts'
import { belowMount } from '../mount.ts'
import type { BodyTerms } from '../node-body.ts'
import { NodeRequest, pathOf } from '../node-request.ts'
import { wholeBytes } from '../raw-answer.ts'
import type { Taking } from '../taking.ts'
import { leaveLine } from '../turns.ts'
import { TRY_AGAIN } from './closing.ts'
import { Connection } from './connection.ts'
import { isHandshake } from './handshake.ts'

/** How long a close may wait for its answer, in milliseconds. */
const CLOSE_MS = 10_000
/** Bytes of what a client sends in one message. All but a close, a ping and a pong, of 125 at most, is more than is expected. */
const MAX_PAYLOAD = 1_024

/**
 * Without compression: what is compressed together tells by its length of secrets beside what strangers wrote, frames could not be
 * shared, and each connection would keep a window of its own.
 */
const SETTINGS = {
  noServer: true,
  perMessageDeflate: false,
  clientTracking: false,
  maxPayload: MAX_PAYLOAD,
  maxFragments: 8,
  maxBufferedChunks: 256,
  maxPendingAutoPongs: 8,
  closeTimeout: CLOSE_MS,
  // None is spoken; the library would take the first that is offered.
  handleProtocols: () => false as const,
}

class HandshakeRequest extends NodeRequest {
  override get upgrade(): 'asked' {
    return 'asked'
  }
}

export class Upgrades {
  readonly #handler: Handler
  readonly #mount: string | undefined
  readonly #bodies: BodyTerms
  readonly #taking: Taking
  readonly #sockets = new Set<Socket>()
  #server: Promise<WebSocketServer> | undefined

  constructor(handler: Handler, mount: string | undefined, bodies: BodyTerms, taking: Taking) {
    this.#handler = handler
    this.#mount = mount
    this.#bodies = bodies
    this.#taking = taking
  }

  /** Whether it is the hub's to answer: a handshake, at a path of a channel. */
  owns({ method, url = '/', headers }: IncomingMessage): boolean {
    return (
      method === 'GET' &&
      isHandshake({ header: (name) => headers[name] as string | undefined }) &&
      this.#handler.hasWebSocket(belowMount(pathOf(url), this.#mount))
    )
  }

  /** Whether nothing but the handshake is on the connection: neither a body, nor an answer that is still under way. */
  isAlone({ headers, httpVersionMinor, socket }: IncomingMessage): boolean {
    const hasBody = 'transfer-encoding' in headers || Number(headers['content-length'] ?? 0) !== 0
    return httpVersionMinor === 1 && !hasBody && leaveLine(socket)
  }

  /** Answers the handshake. Never rejects. The socket is its own from here on. */
  async take(req: IncomingMessage, socket: Socket, head: Buffer): Promise<void> {
    this.#sockets.add(socket)
    socket.on('error', ignore).once('close', () => this.#sockets.delete(socket))
    try {
      const request = new HandshakeRequest(req, socket, this.#mount, this.#bodies)
      this.#handler.meter?.begin(socket, request, head.length)
      const answer = await this.#handler.answer(request)
      if (isStream(answer)) await this.#open(req, socket, head, answer)
      else if (answer.tunnel) this.#pass(socket, head, answer.tunnel)
      else this.#refuse(socket, answer)
    } catch (error) {
      this.#handler.hub.delivery.report(error)
      socket.destroy()
    }
  }

  /** Cuts all. */
  closeAll(): void {
    for (const socket of this.#sockets) socket.destroy()
  }

  async #open(req: IncomingMessage, socket: Socket, head: Buffer, answer: StreamAnswer): Promise<void> {
    const server = await (this.#server ??= load())
    // One write for the head and the first page.
    socket.cork()
    server.handleUpgrade(req, socket, head, (ws) => {
      const { meter } = this.#handler
      const size = meter?.writtenOn(socket) ?? 0
      try {
        const reader = new Connection(ws, socket).begin((sink) => answer.open(sink), TRY_AGAIN)
        meter?.stream(socket, size, reader)
      } catch {
        // Refused, and closed.
        meter?.stream(socket, size, undefined)
      }
    })
    socket.uncork()
  }

  #pass(socket: Socket, head: Buffer, tunnel: NonNullable<WholeAnswer['tunnel']>): void {
    if (socket.destroyed) return
    const other = connect({ port: tunnel.port, host: '127.0.0.1', noDelay: true })
    other.on('error', () => reset(socket)).on('close', () => socket.destroySoon())
    socket.on('close', () => other.destroy())
    other.write(tunnel.head, 'latin1')
    other.write(head)
    socket.pipe(other).pipe(socket)
  }

  #refuse(socket: Socket, answer: WholeAnswer): void {
    // What came behind it is read, and forgotten: it would make a reset of the close.
    socket.resume()
    socket.write(wholeBytes(answer, 'close'))
    this.#handler.meter?.whole(socket, answer)
    socket.destroySoon()
    if (socket.writableLength > 0) this.#taking.watch(socket)
  }
}

/** What most hubs have no need of is loaded when it is needed. */
async function load(): Promise<WebSocketServer> {
  const { WebSocketServer } = await import('ws')
  return new WebSocketServer(SETTINGS)
}

function ignore(): void {
  // `close` follows.
}
