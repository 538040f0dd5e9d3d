/** Why an `authorize` function says no. It may return or throw one; a plain `false` says less. */

/**
 * - `unauthorized` (401): nobody said who asks.
 * - `invalid-token` (401): what was said does not count, or not any more.
 * - `forbidden` (403): who asks may not do this.
 * - `cross-site` (403): the cookie came with a request of another site.
 * - `invalid-credentials` (400): it was said in a way that can't be taken.
 * - `keys-unavailable` (503): the keys can't be had just now; the same request may succeed a little later.
 */
export type RefusalCode =
  | 'unauthorized'
  | 'invalid-token'
  | 'forbidden'
  | 'cross-site'
  | 'invalid-credentials'
  | 'keys-unavailable'

/** The message goes to whoever asked, in the problem and in `WWW-Authenticate`: put no token and no secret in it. */
export class Refusal extends Error {
  readonly code: RefusalCode
  /** Who was refused, for the log: it does not go to whoever asked. `''` when nobody said who. */
  readonly subject: string
  override readonly name = 'Refusal'

  constructor(code: RefusalCode, message: string, options: ErrorOptions & { subject?: string } = {}) {
    super(message, options)
    this.code = code
    this.subject = options.subject ?? ''
  }
}
