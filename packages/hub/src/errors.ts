import type { LimitName } from './limits/names.ts'

export type HubErrorCode =
  | 'reserved-channel'
  | 'pattern-not-allowed'
  | 'duplicate-channel'
  | 'too-many-channels'
  | 'no-channel'
  | 'empty-batch'
  | 'batch-too-large'
  | 'event-too-large'
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
  | 'too-many-streams'
  | 'too-fast'
  | 'forbidden'
  | 'draining'

export interface HubErrorOptions extends ErrorOptions {
  readonly limit?: number
  readonly limited?: LimitName
  readonly waitMs?: number
}

/** What the hub refuses, beside the errors of the log (`LogError`) and of the wire (`WireError`). */
export class HubError extends Error {
  readonly code: HubErrorCode
  /** What was exceeded, for `too-many-…`, `…-too-large`, `too-fast` and `overload`. */
  readonly limit?: number
  /** Which limit that was, for those. */
  readonly limited?: LimitName
  /** For `too-fast`: the same will be taken after so many milliseconds. */
  readonly waitMs?: number
  override readonly name = 'HubError'

  constructor(code: HubErrorCode, message: string, options: HubErrorOptions = {}) {
    super(message, options)
    this.code = code
    if (options.limit !== undefined) this.limit = options.limit
    if (options.limited !== undefined) this.limited = options.limited
    if (options.waitMs !== undefined) this.waitMs = options.waitMs
  }
}
