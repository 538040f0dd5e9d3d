/** Who may do what: every route asks this. */

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
  /** The runtime's own request: an `IncomingMessage` or a `Request`. */
  readonly raw: unknown
}

/** True or a subject: yes. False: no (401 without an `Authorization` header, else 403). */
export type Verdict = boolean | { readonly subject: string }

/**
 * Asked once a request with all its channels: names and, for reads, patterns. Whatever it throws is a refusal with 500.
 * Idempotency keys of different subjects don't meet.
 */
export type Authorize = (
  request: AuthorizeRequest,
  action: Action,
  channels: readonly string[],
) => Verdict | Promise<Verdict>
