/** The token of a request, and whether it came in a way that counts (RFC 6750). Pure. */
import type { AuthorizeRequest } from './authorize.ts'
import { isLoopbackHost } from './guard.ts'
import { Refusal } from './refusal.ts'

export interface CredentialOptions {
  /**
   * The cookie that may carry the token; false for none. Default `__Host-downlink`. A name without `__Host-`, which browsers let
   * a neighbour's page set, counts only where `Host` is a loopback name.
   */
  readonly cookie?: string | false
  /** Whether `?access_token=` counts. URLs are kept in logs and histories. Default false. */
  readonly tokenInUrl?: boolean
}

export const DEFAULT_COOKIE = '__Host-downlink'
/** Characters of a token at most. Tokens that browsers send on each request are far shorter. */
export const TOKEN_LIMIT = 8_192

export type CredentialRequest = Pick<AuthorizeRequest, 'header' | 'accessToken' | 'crossSite'>

/**
 * The token; undefined when there is none. A cookie counts only when nothing else was said: browsers send it unasked.
 *
 * @throws {Refusal} `invalid-credentials`, `invalid-token`, `cross-site`
 */
export function tokenOf(request: CredentialRequest, options: CredentialOptions): string | undefined {
  const inHeader = bearerOf(request.header('authorization'))
  const inUrl = request.accessToken
  if (inUrl !== undefined && !options.tokenInUrl) {
    throw new Refusal(
      'invalid-credentials',
      'This hub takes no token in the URL, which logs and histories keep: send it in `Authorization: Bearer …`',
    )
  }
  if (inHeader !== undefined && inUrl !== undefined) {
    throw new Refusal(
      'invalid-credentials',
      'There is a token in `Authorization` and another in the URL: send one of them',
    )
  }
  const token = inHeader ?? inUrl ?? fromCookie(request, options.cookie ?? DEFAULT_COOKIE)
  if (token !== undefined && token.length > TOKEN_LIMIT) {
    throw new Refusal('invalid-token', `Expected a token of at most ${TOKEN_LIMIT} characters`)
  }
  return token
}

/** Whatever is not `Bearer` is somebody else's: that of a proxy in front, maybe. */
function bearerOf(header: string | undefined): string | undefined {
  if (header === undefined || !/^bearer(?:\s|,|$)/i.test(header)) return undefined
  // RFC 6750 section 2.1. Two headers come joined by a comma.
  const token = /^bearer +([A-Za-z0-9._~+/-]+=*)$/i.exec(header)?.[1]
  if (token !== undefined) return token
  throw new Refusal('invalid-credentials', 'Expected `Authorization: Bearer` and one token, once')
}

function fromCookie(request: CredentialRequest, name: string | false): string | undefined {
  if (name === false) return undefined
  const value = cookieOf(request.header('cookie'), name)
  if (value === undefined) return undefined
  if (!name.startsWith('__Host-') && !isLoopbackHost(request.header('host') ?? '')) {
    throw new Refusal(
      'invalid-credentials',
      `The cookie \`${name}\` counts on loopback only: elsewhere its name must begin with \`__Host-\``,
    )
  }
  const foreign = request.crossSite()
  if (foreign !== undefined) throw new Refusal('cross-site', foreign)
  return value
}

/** @throws {Refusal} when the cookie comes twice: then one of them may be another's. */
function cookieOf(header: string | undefined, name: string): string | undefined {
  // Most requests have none, and some have many.
  if (header === undefined || !header.includes(name)) return undefined
  let found: string | undefined
  for (const pair of header.split(';')) {
    const at = pair.indexOf('=')
    if (at < 0 || pair.slice(0, at).trim() !== name) continue
    if (found !== undefined) {
      throw new Refusal('invalid-credentials', `The cookie \`${name}\` came twice: delete one of them`)
    }
    found = pair
      .slice(at + 1)
      .trim()
      .replace(/^"(.*)"$/, '$1')
  }
  // What a page sets to log out.
  return found === '' ? undefined : found
}

/** RFC 6265: what a cookie's name may be. */
export function isCookieName(name: string): boolean {
  return /^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}$/.test(name)
}
