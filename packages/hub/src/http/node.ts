/** The Node face: `(req, res)`, for `node:http`, Express, Fastify and the hub's own server. No decision of the protocol is made here. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import type { Sink } from '../delivery/sink.ts'
import type { Hub } from '../hub.ts'
import type { HubMeter } from '../lab/meter.ts'
import { bodyTerms } from './node-body.ts'
import { DEFAULT_HTTP_LIMITS } from './http-limits.ts'
import { Handler, type HandlerOptions } from './handler.ts'
import { isLater, isStream, type OpenStream, type StreamAnswer, type WholeAnswer } from './message.ts'
import { needsChunks, NodeRequest } from './node-request.ts'
import { Outbox } from './outbox.ts'
import { Taking } from './taking.ts'
import { spendLine, takeTurn } from './turns.ts'
import { Upgrades } from './websocket/upgrades.ts'

export interface NodeHandlerOptions extends HandlerOptions {
  /** Where the hub is mounted, e.g. `/updates`, unless the framework takes that off `req.url` as Express does. Default none. */
  readonly mount?: string
  /**
   * How long an answer may wait for its client to take it, in milliseconds, and what is left of a stream that has ended; then the
   * connection is closed. Default 120,000.
   */
  readonly answerTimeoutMs?: number
}

/** Answers a request. With `next` (Express), paths that are not the hub's are passed on. Never rejects. */
export interface NodeHandler {
  (req: IncomingMessage, res: ServerResponse, next?: (error?: unknown) => void): Promise<void>
  /**
   * Answers a handshake for a WebSocket; for the server's event `upgrade`, without which the hub has none. False: it is none of the
   * hub's, and nothing was done with the socket.
   *
   * @example
   * server.on('upgrade', (req, socket, head) => {
   *   if (!handle.upgrade(req, socket, head)) socket.destroy()
   * })
   */
  upgrade(req: IncomingMessage, socket: Duplex, head: Buffer): boolean
}

/** How long the rest of a refused body is read. */
const LINGER_MS = 1_000

export function nodeHandler(hub: Hub, options: NodeHandlerOptions = {}): NodeHandler {
  const handler = new Handler(hub, options)
  const upgrades = upgradesOn(handler, options)
  return Object.assign(handlerOn(handler, options), {
    upgrade(req: IncomingMessage, socket: Duplex, head: Buffer): boolean {
      if (!upgrades.owns(req)) return false
      if (upgrades.isAlone(req)) void upgrades.take(req, socket as Socket, head)
      // Nobody can be told: an answer may be under way.
      else socket.destroy()
      return true
    },
  })
}

export function upgradesOn(handler: Handler, options: NodeHandlerOptions): Upgrades {
  const taking = new Taking(handler.hub, options.answerTimeoutMs ?? DEFAULT_HTTP_LIMITS.answerTimeoutMs)
  return new Upgrades(handler, options.mount, bodyTerms(handler, options), taking)
}

export type RequestListener = (
  req: IncomingMessage,
  res: ServerResponse,
  next?: (error?: unknown) => void,
) => Promise<void>

/** Requests and responses are kept as long as the answer lasts. The hub's own server lends what it can (`lend.ts`). */
export function handlerOn(handler: Handler, options: NodeHandlerOptions): RequestListener {
  const { hub } = handler
  const bodies = bodyTerms(handler, options)
  const taking = new Taking(hub, options.answerTimeoutMs ?? DEFAULT_HTTP_LIMITS.answerTimeoutMs)
  const outbox = new Outbox()
  return async (req, res, next) => {
    const request = new NodeRequest(req, res, options.mount, bodies)
    if (next && !handler.owns(request.path)) return next()
    const inLine = req.httpVersionMajor === 1
    const come = !inLine || takeTurn(req.socket, res)
    if (come !== true && !(await come)) return
    if (inLine) handler.meter?.begin(req.socket, request)
    const begun = await handler.begin(request)
    const answer = isLater(begun) ? await begun.later(request.signal) : begun
    // A client that left in the meantime is told nothing.
    if (res.destroyed || res.headersSent) return
    const delimited = isStream(answer) && !needsChunks(req)
    if (inLine && (delimited || hub.stopping.aborted)) res.setHeader('connection', 'close')
    if (res.getHeader('connection') === 'close' || answer.headers['connection'] === 'close')
      spendLine(req.socket)
    if (isStream(answer)) openStream(res, answer, delimited, taking, handler.meter)
    else {
      outbox.push(() => {
        sendWhole(res, answer)
        handler.meter?.whole(res.req.socket, answer)
        if (res.writableLength > 0) taking.watch(res)
      })
    }
  }
}

function sendWhole(res: ServerResponse, { status, headers, body }: WholeAnswer): void {
  if (res.destroyed || res.headersSent) return
  if (body === undefined) {
    res.writeHead(status, headers).end()
    return
  }
  // Text goes out in one piece with the head; bytes would be a second one, and a dearer call to the kernel.
  const length = String(Buffer.byteLength(body))
  res.writeHead(status, 'content-length' in headers ? headers : { ...headers, 'content-length': length })
  if (res.req.method === 'HEAD') res.end()
  else if (headers['connection'] === 'close' && !res.req.complete) sendAndLinger(res, body)
  else res.end(body)
}

/**
 * For an answer that does not wait for the rest of the body. Closing at once would reset the connection, and a client that is
 * still sending would lose the answer; so for a moment the rest is read, and forgotten.
 */
function sendAndLinger(res: ServerResponse, body: string | Uint8Array): void {
  const { req } = res
  const end = (): void => {
    clearTimeout(timer)
    req.off('end', end).off('close', end)
    res.end()
  }
  const timer = setTimeout(end, LINGER_MS)
  timer.unref()
  req.once('end', end).once('close', end)
  res.write(body)
  req.resume()
}

/** @param delimited By the end of the connection, without chunked coding: some proxies hold each chunk back (docs/architecture.md). */
function openStream(
  res: ServerResponse,
  answer: StreamAnswer,
  delimited: boolean,
  taking: Taking,
  meter: HubMeter | undefined,
): void {
  if (delimited && res.req.httpVersionMajor === 1) res.removeHeader('transfer-encoding')
  res.writeHead(answer.status, answer.headers)
  const { socket } = res.req
  let reader: OpenStream | undefined
  try {
    reader = answer.open(new NodeSink(res, taking))
  } catch {
    // Refused, and ended.
  }
  meter?.stream(socket, headSize(res), reader)
  if (reader === undefined) return
  followStream(res, reader, () => meter?.ended(socket))
}

/** Not documented; without it all would be counted as the body. */
function headSize(res: ServerResponse & { readonly _header?: string }): number {
  return res._header?.length ?? 0
}

function followStream(res: ServerResponse, reader: OpenStream, closed: () => void): void {
  res.on('drain', () => reader.drained())
  const { socket } = res.req
  // A peer that has closed its side may be gone altogether, which only a write would tell.
  const halfClosed = (): void => reader.end()
  if (socket.readableEnded) halfClosed()
  else socket.once('end', halfClosed)
  res.once('close', () => {
    socket.off('end', halfClosed)
    reader.closed()
    closed()
  })
}

class NodeSink implements Sink {
  readonly #res: ServerResponse
  readonly #taking: Taking

  constructor(res: ServerResponse, taking: Taking) {
    this.#res = res
    this.#taking = taking
  }

  /** Node says false above its mark even when the kernel has taken all; what counts is whether bytes wait. If so, `drain` will come. */
  write(bytes: Uint8Array): boolean {
    const res = this.#res
    if (res.destroyed || res.writableEnded) return true
    return res.write(bytes) || res.writableLength === 0
  }

  end(): void {
    this.#res.end()
    if (this.#res.writableLength > 0) this.#taking.watch(this.#res)
  }

  abort(): void {
    this.#res.destroy()
  }
}
