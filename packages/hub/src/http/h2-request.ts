/** A request of `node:http2`, as the handler wants it. */
import type { IncomingHttpHeaders, ServerHttp2Stream } from 'node:http2'
import { readStreamBody } from './h2-body.ts'
import type { HttpRequest } from './message.ts'
import type { BodyTerms } from './node-body.ts'
import { belowMount } from './mount.ts'
import { headTooLarge, Problem } from './problem.ts'
import { everyValue } from './repeated-header.ts'

/** What the requests of one connection share. */
export interface Connection {
  /** The peer's. */
  readonly address: string | undefined
  readonly scheme: 'https' | 'http'
  readonly mount: string | undefined
  readonly bodies: BodyTerms
  /** Bytes of a head. */
  readonly headLimit: number
}

export class H2Request implements HttpRequest {
  readonly method: string
  readonly path: string
  readonly query: string
  readonly authority: string | undefined
  readonly raw: ServerHttp2Stream
  /** Why this is answered without a look at what it asks for. */
  readonly fault: Problem | undefined
  readonly #headers: IncomingHttpHeaders
  readonly #authorization: string | undefined
  readonly #connection: Connection
  #abort: AbortController | undefined

  /** @param fields Names and values, alternating, as they came. */
  constructor(
    stream: ServerHttp2Stream,
    headers: IncomingHttpHeaders,
    fields: readonly string[],
    connection: Connection,
  ) {
    this.raw = stream
    this.#headers = headers
    if (headers.authorization !== undefined) this.#authorization = everyValue(fields, 'authorization')
    this.#connection = connection
    this.method = headers[':method'] ?? 'GET'
    this.authority = headers[':authority']
    const target = headers[':path'] ?? ''
    const mark = target.indexOf('?')
    const path = mark < 0 ? target : target.slice(0, mark)
    this.query = mark < 0 ? '' : target.slice(mark + 1)
    this.path = belowMount(path, connection.mount)
    this.fault = faultOf(headers, fields, connection.headLimit)
  }

  header(name: string): string | undefined {
    if (name === 'host' && this.authority !== undefined) return this.authority
    if (name === 'authorization') return this.#authorization
    const value = this.#headers[name]
    return Array.isArray(value) ? value.join(', ') : value
  }

  *headerNames(): Iterable<string> {
    for (const name of Object.keys(this.#headers)) if (!name.startsWith(':')) yield name
  }

  get address(): string | undefined {
    return this.#connection.address
  }

  get scheme(): string {
    return this.#connection.scheme
  }

  body(limit: number): Promise<Uint8Array> {
    const length = Number(this.#headers['content-length'])
    return readStreamBody(this.raw, length, limit, this.#connection.bodies)
  }

  get signal(): AbortSignal {
    if (this.#abort === undefined) {
      const abort = new AbortController()
      this.#abort = abort
      if (this.raw.destroyed) abort.abort()
      else this.raw.once('close', () => abort.abort())
    }
    return this.#abort.signal
  }
}

function faultOf(
  headers: IncomingHttpHeaders,
  fields: readonly string[],
  limit: number,
): Problem | undefined {
  // Node refuses what is too long only after the peer has acknowledged that it knows.
  if (sizeOf(fields) > limit) return headTooLarge(limit)
  const { ':method': method, ':authority': authority, host } = headers
  if (method === 'CONNECT') return new Problem('not-implemented', 'This is no proxy: ask for a path')
  // RFC 9113 8.3.1
  if (authority === undefined || host === undefined || host === authority) return undefined
  return new Problem('bad-request', 'Expected `Host` to say what `:authority` says: leave it out')
}

/** As HPACK counts (RFC 9113 6.5.2). */
function sizeOf(fields: readonly string[]): number {
  let size = 16 * fields.length
  for (const field of fields) size += field.length
  return size
}
