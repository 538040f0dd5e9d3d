/** Who may do what: every route asks this. */
import type { SubjectLimits } from '../delivery/holder.ts'

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
  /** The runtime's own request: an `IncomingMessage` or a `Request`. */
  readonly raw: unknown
}

/** True or a grant: yes. False: no (401 without an `Authorization` header, else 403). */
export type Verdict = boolean | Grant

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
 * Asked once a request with all its channels: names and, for reads, patterns. Whatever it throws is a refusal with 500.
 * Idempotency keys of different subjects don't meet.
 */
export type Authorize = (
  request: AuthorizeRequest,
  action: Action,
  channels: readonly string[],
) => Verdict | Promise<Verdict>
