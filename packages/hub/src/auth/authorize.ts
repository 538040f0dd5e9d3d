/** Who may do what: every route asks this. */
import type { SubjectLimits } from '../delivery/holder.ts'
import type { Refusal } from './refusal.ts'

/** `health` is asked for `/healthz`, `/readyz`; `inspect` for `/metrics` and the hub's page. */
export type Action = 'read' | 'publish' | 'end' | 'drop' | 'inspect' | 'health'

/** What an `authorize` function sees of a request. */
export interface AuthorizeRequest {
  readonly method: string
  /** Percent-encoded, without the query, below where the hub is mounted. */
  readonly path: string
  /** The value of a header by lower-case name. */
  readonly header: (name: string) => string | undefined
  readonly address: string | undefined
  /** The `access_token` of the query, which nobody has looked at. RFC 6750 section 2.3 tells why not to use it. */
  readonly accessToken: string | undefined
  /**
   * Why what a browser sends along unasked (cookies) must not count: the request is of a page of another site. Undefined when it
   * may. Writes of other sites are refused before anyone is asked.
   */
  readonly crossSite: () => string | undefined
  /** The runtime's own request: an `IncomingMessage`, a `Request`, or over HTTP/2 a `ServerHttp2Stream`. */
  readonly raw: unknown
}

/** True or a grant: yes. False: no (401 without an `Authorization` header, else 403). A refusal: no, and why. */
export type Verdict = boolean | Grant | Refusal

/** A yes that says more. */
export interface Grant {
  /** Who asks; `''` when nobody said who. */
  readonly subject: string
  /** When the right ends, in milliseconds since 1970: streams end by then, cleanly. Default never. */
  readonly until?: number
  /** When the right was given (a token's `iat`), in milliseconds since 1970: a revocation concerns those from before it, and those that don't say. */
  readonly issued?: number
  /** What this subject may have in place of the hub's defaults. */
  readonly limits?: SubjectLimits
  /** Names and patterns of all that this caller may read: what a ticket is for when it is asked for without channels. */
  readonly read?: readonly string[]
}

/**
 * Asked once a request with all its channels: names and, for reads, patterns. A `Refusal` that it throws is one; whatever else it
 * throws is a fault of the hub, 500.
 * Idempotency keys of different subjects don't meet.
 */
export type Authorize = (
  request: AuthorizeRequest,
  action: Action,
  channels: readonly string[],
) => Verdict | Promise<Verdict>
