/** A request of `node:http2`, as the handler wants it. */
import type { IncomingHttpHeaders, ServerHttp2Stream } from 'node:http2'
import { readStreamBody } from './h2-body.ts'
import type { HttpRequest } from './message.ts'
import type { BodyTerms } from './node-body.ts'
import { belowMount } from './mount.ts'

/** What the requests of one connection share. */
export interface Connection {
  /** The peer's. */
  readonly address: string | undefined
  readonly scheme: 'https' | 'http'
  readonly mount: string | undefined
  readonly bodies: BodyTerms
}

export class H2Request implements HttpRequest {
  readonly method: string
  readonly path: string
  readonly query: string
  readonly authority: string | undefined
  readonly raw: ServerHttp2Stream
  readonly #headers: IncomingHttpHeaders
  readonly #connection: Connection
  #abort: AbortController | undefined

  constructor(stream: ServerHttp2Stream, headers: IncomingHttpHeaders, connection: Connection) {
    this.raw = stream
    this.#headers = headers
    this.#connection = connection
    this.method = headers[':method'] ?? 'GET'
    this.authority = headers[':authority']
    const target = headers[':path'] ?? ''
    const mark = target.indexOf('?')
    const path = mark < 0 ? target : target.slice(0, mark)
    this.query = mark < 0 ? '' : target.slice(mark + 1)
    this.path = belowMount(path, connection.mount)
  }

  /** RFC 9113 8.3.1: whoever says both says the same, or it is no request. */
  get isForOne(): boolean {
    const { host } = this.#headers
    return this.authority === undefined || host === undefined || host === this.authority
  }

  header(name: string): string | undefined {
    if (name === 'host' && this.authority !== undefined) return this.authority
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
