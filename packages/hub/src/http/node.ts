/** The Node face: `(req, res)`, for `node:http`, Express, Fastify and the hub's own server. No decision of the protocol is made here. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Reader } from '../delivery/reader.ts'
import type { Sink } from '../delivery/sink.ts'
import type { Hub } from '../hub.ts'
import { Deadlines } from './deadlines.ts'
import { Handler, type HandlerOptions } from './handler.ts'
import { type HttpRequest, isStream, type StreamAnswer, type WholeAnswer } from './message.ts'
import { belowMount } from './mount.ts'
import { readBody } from './node-body.ts'
import { takeTurn } from './turns.ts'

export interface NodeHandlerOptions extends HandlerOptions {
  /** Where the hub is mounted, e.g. `/updates`, unless the framework takes that off `req.url` as Express does. Default none. */
  readonly mount?: string
}

/** Answers a request. With `next` (Express), paths that are not the hub's are passed on. Never rejects. */
export type NodeHandler = (
  req: IncomingMessage,
  res: ServerResponse,
  next?: (error?: unknown) => void,
) => Promise<void>

/** How long the rest of a refused body is read. */
const LINGER_MS = 1_000

export function nodeHandler(hub: Hub, options: NodeHandlerOptions = {}): NodeHandler {
  const handler = new Handler(hub, options)
  const bodies = new Deadlines(options.bodyTimeoutMs ?? 30_000)
  return async (req, res, next) => {
    const request = new NodeRequest(req, res, options, bodies)
    if (next && !handler.owns(request.path)) return next()
    const turn = req.httpVersionMajor === 1 ? takeTurn(req.socket, res) : undefined
    if (turn && !(await turn.come)) return
    const answer = await handler.answer(request)
    // A client that left in the meantime is told nothing.
    if (res.destroyed || res.headersSent) return
    const delimited = isStream(answer) && !needsChunks(req)
    if (turn && (delimited || hub.stopping.aborted)) res.setHeader('connection', 'close')
    if (res.getHeader('connection') === 'close' || answer.headers['connection'] === 'close') turn?.spend()
    if (isStream(answer)) openStream(res, answer, delimited)
    else sendWhole(res, answer, req.method === 'HEAD')
  }
}

class NodeRequest implements HttpRequest {
  readonly method: string
  readonly path: string
  readonly query: string
  readonly raw: IncomingMessage
  readonly #res: ServerResponse
  readonly #bodies: Deadlines
  readonly #authority: string | undefined
  #abort: AbortController | undefined

  constructor(req: IncomingMessage, res: ServerResponse, options: NodeHandlerOptions, bodies: Deadlines) {
    this.raw = req
    this.#res = res
    this.#bodies = bodies
    this.method = req.method ?? 'GET'
    const { target, authority } = splitTarget(req.url ?? '/')
    this.#authority = authority
    const mark = target.indexOf('?')
    const path = mark < 0 ? target : target.slice(0, mark)
    this.query = mark < 0 ? '' : target.slice(mark + 1)
    this.path = belowMount(path, options.mount)
  }

  header(name: string): string | undefined {
    // In a whole URL stands whom the request is for; `Host` is then ignored.
    if (name === 'host' && this.#authority !== undefined) return this.#authority
    const value = this.raw.headers[name]
    return Array.isArray(value) ? value.join(', ') : value
  }

  headerNames(): Iterable<string> {
    return Object.keys(this.raw.headers)
  }

  get address(): string | undefined {
    return this.raw.socket.remoteAddress
  }

  get scheme(): string {
    return 'encrypted' in this.raw.socket ? 'https' : 'http'
  }

  body(limit: number): Promise<Uint8Array> {
    return readBody(this.raw, limit, this.#bodies)
  }

  get signal(): AbortSignal {
    if (this.#abort === undefined) {
      const abort = new AbortController()
      this.#abort = abort
      if (this.#res.destroyed) abort.abort()
      else this.#res.once('close', () => abort.abort())
    }
    return this.#abort.signal
  }
}

/** A request may name the whole URL, as to a proxy (RFC 9112 3.2.2). */
function splitTarget(url: string): { readonly target: string; readonly authority: string | undefined } {
  const match = /^https?:\/\/([^/?#]*)(.*)$/is.exec(url)
  if (!match) return { target: url, authority: undefined }
  const [, authority, rest = ''] = match
  return { target: rest.startsWith('/') ? rest : `/${rest}`, authority }
}

function sendWhole(res: ServerResponse, { status, headers, body }: WholeAnswer, head: boolean): void {
  if (body === undefined) {
    res.writeHead(status, headers).end()
    return
  }
  // Text goes out in one piece with the head; bytes would be a second one, and a dearer call to the kernel.
  res.writeHead(status, { ...headers, 'content-length': Buffer.byteLength(body) })
  if (head) res.end()
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

/**
 * Node's own fetch ends the process with an assertion nobody can catch when a connection that was to be closed ends while its
 * reader is slow: https://github.com/nodejs/undici/issues/5360, in Node 22.23 and 24.21. It gets chunks on a connection that stays.
 */
function needsChunks({ headers }: IncomingMessage): boolean {
  return /^(?:node|undici)(?:\/|$)/.test(headers['user-agent'] ?? '')
}

/** @param delimited By the end of the connection, without chunked coding: some proxies hold each chunk back (docs/architecture.md). */
function openStream(res: ServerResponse, answer: StreamAnswer, delimited: boolean): void {
  if (delimited && res.req.httpVersionMajor === 1) res.removeHeader('transfer-encoding')
  res.writeHead(answer.status, answer.headers)
  let reader: Reader
  try {
    reader = answer.open(new NodeSink(res))
  } catch {
    // Full or stopping since the head was decided on: the client comes back after its reconnection time.
    res.end()
    return
  }
  res.on('drain', () => reader.drained())
  const { socket } = res.req
  // A peer that has closed its side may be gone altogether, which only a write would tell.
  const halfClosed = (): void => reader.end()
  if (socket.readableEnded) halfClosed()
  else socket.once('end', halfClosed)
  res.once('close', () => {
    socket.off('end', halfClosed)
    reader.closed()
  })
}

class NodeSink implements Sink {
  readonly #res: ServerResponse

  constructor(res: ServerResponse) {
    this.#res = res
  }

  /** Node says false above its mark even when the kernel has taken all; what counts is whether bytes wait. If so, `drain` will come. */
  write(bytes: Uint8Array): boolean {
    const res = this.#res
    if (res.destroyed || res.writableEnded) return true
    return res.write(bytes) || res.writableLength === 0
  }

  end(): void {
    this.#res.end()
  }

  abort(): void {
    this.#res.destroy()
  }
}
