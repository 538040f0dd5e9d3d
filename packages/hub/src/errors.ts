export type HubErrorCode =
  | 'reserved-channel'
  | 'pattern-not-allowed'
  | 'duplicate-channel'
  | 'too-many-channels'
  | 'no-channel'
  | 'empty-batch'
  | 'batch-too-large'
  | 'invalid-data'
  | 'invalid-option'
  | 'idempotency-running'
  | 'unknown-channel'
  | 'history-lost'
  | 'overload'
  | 'expired'
  | 'revoked'
  | 'revocations-full'
  | 'invalid-ticket'
  | 'draining'

/** What the hub refuses, beside the errors of the log (`LogError`) and of the wire (`WireError`). */
export class HubError extends Error {
  readonly code: HubErrorCode
  /** What was exceeded, for `too-many-channels` and `batch-too-large`. */
  readonly limit?: number
  override readonly name = 'HubError'

  constructor(code: HubErrorCode, message: string, options: ErrorOptions & { limit?: number } = {}) {
    super(message, options)
    this.code = code
    if (options.limit !== undefined) this.limit = options.limit
  }
}
