/**
 * What a query may say of who asks. It is taken off before anything else looks at the query, so that it is in no plan that is kept,
 * no page, no problem and no line of a log. Pure.
 */
import type { HttpRequest } from './message.ts'
import { Problem } from './problem.ts'
import { WrappedRequest } from './wrapped-request.ts'

export interface KeysInUrl {
  /** See `docs/protocol.md`, on tickets. */
  readonly ticket?: string
  /** RFC 6750 section 2.3. */
  readonly accessToken?: string
}

const NAMES: Readonly<Record<string, keyof KeysInUrl>> = { ticket: 'ticket', access_token: 'accessToken' }
const NONE: KeysInUrl = {}

const found = new WeakMap<HttpRequest, KeysInUrl>()

/** Of a request from `withoutKeys`. */
export function keysOf(request: HttpRequest): KeysInUrl {
  return found.get(request) ?? NONE
}

/** @throws {Problem} `repeated-parameter` */
export function withoutKeys(request: HttpRequest): HttpRequest {
  const { query } = request
  // A name may be percent-encoded.
  if (!query.includes('ticket') && !query.includes('access_token') && !query.includes('%')) return request
  const { keys, rest } = splitKeys(query)
  const stripped = new StrippedRequest(request, rest)
  found.set(stripped, keys)
  return stripped
}

/** @throws {Problem} `repeated-parameter` */
export function splitKeys(query: string): { readonly keys: KeysInUrl; readonly rest: string } {
  const keys: { -readonly [Name in keyof KeysInUrl]: KeysInUrl[Name] } = {}
  const rest: string[] = []
  for (const part of query.split('&')) {
    const [[name, value] = ['', '']] = new URLSearchParams(part)
    const key = Object.hasOwn(NAMES, name) ? NAMES[name] : undefined
    if (key === undefined) rest.push(part)
    else if (keys[key] === undefined) keys[key] = value
    else
      throw new Problem('repeated-parameter', `\`${name}\` is given twice: leave one out`, {
        parameter: name,
      })
  }
  return { keys, rest: rest.join('&') }
}

class StrippedRequest extends WrappedRequest {
  readonly #query: string

  constructor(inner: HttpRequest, query: string) {
    super(inner)
    this.#query = query
  }

  override get query(): string {
    return this.#query
  }
}
