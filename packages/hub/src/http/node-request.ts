/** A request of `node:http`, as the handler wants it. */
import type { IncomingMessage } from 'node:http'
import { type HttpRequest, isNode } from './message.ts'
import { belowMount } from './mount.ts'
import { everyValue } from './repeated-header.ts'
import { type BodyTerms, readBody } from './node-body.ts'

interface Gone {
  readonly destroyed: boolean
  once(event: 'close', listener: () => void): unknown
}

export class NodeRequest implements HttpRequest {
  readonly method: string
  readonly path: string
  readonly query: string
  readonly raw: IncomingMessage
  readonly #gone: Gone
  readonly #bodies: BodyTerms
  readonly #authority: string | undefined
  #abort: AbortController | undefined

  /** @param gone What tells that the client is: the response, or the socket of a request that was lent. */
  constructor(req: IncomingMessage, gone: Gone, mount: string | undefined, bodies: BodyTerms) {
    this.raw = req
    this.#gone = gone
    this.#bodies = bodies
    this.method = req.method ?? 'GET'
    const { target, authority } = splitTarget(req.url ?? '/')
    this.#authority = authority
    const mark = target.indexOf('?')
    this.query = mark < 0 ? '' : target.slice(mark + 1)
    this.path = belowMount(mark < 0 ? target : target.slice(0, mark), mount)
  }

  header(name: string): string | undefined {
    // In a whole URL stands whom the request is for; `Host` is then ignored.
    if (name === 'host' && this.#authority !== undefined) return this.#authority
    if (name === 'authorization') return everyValue(this.raw.rawHeaders, name)
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

  get upgrade(): 'asked' | 'possible' | undefined {
    const { httpVersionMajor, httpVersionMinor } = this.raw
    return httpVersionMajor === 1 && httpVersionMinor === 1 ? 'possible' : undefined
  }

  body(limit: number): Promise<Uint8Array> {
    return readBody(this.raw, limit, this.#bodies)
  }

  get signal(): AbortSignal {
    if (this.#abort === undefined) {
      const abort = new AbortController()
      this.#abort = abort
      if (this.#gone.destroyed) abort.abort()
      else this.#gone.once('close', () => abort.abort())
    }
    return this.#abort.signal
  }
}

/** Of a request's target, without the query. */
export function pathOf(url: string): string {
  const { target } = splitTarget(url)
  const mark = target.indexOf('?')
  return mark < 0 ? target : target.slice(0, mark)
}

/** A request may name the whole URL, as to a proxy (RFC 9112 3.2.2). */
function splitTarget(url: string): { readonly target: string; readonly authority: string | undefined } {
  if (url.startsWith('/')) return { target: url, authority: undefined }
  const match = /^https?:\/\/([^/?#]*)(.*)$/is.exec(url)
  if (!match) return { target: url, authority: undefined }
  const [, authority, rest = ''] = match
  return { target: rest.startsWith('/') ? rest : `/${rest}`, authority }
}

/**
 * Node's own fetch ends the process with an assertion nobody can catch when a connection that was to be closed ends while its
 * reader is slow: https://github.com/nodejs/undici/issues/5360, in Node 22.23 and 24.21. It gets chunks on a connection that stays.
 */
export function needsChunks({ headers }: IncomingMessage): boolean {
  return isNode(headers['user-agent'])
}
