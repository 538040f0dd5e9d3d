/** What a subscription fails with. */
import type { Update } from './types.ts'

export type SubscribeErrorCode =
  /** The URL or an option cannot be used. Thrown by `subscribe()`. */
  | 'invalid-option'
  /** The server could not be reached, the connection broke, or `headers()` failed: see `cause`. It is tried again. */
  | 'network'
  /** Nothing was heard for too long. It is tried again. */
  | 'silent'
  /** The server answered with `status`; tried again unless the status is lasting (400, 401, 403, 404, …). */
  | 'refused'
  /** What answers is neither a stream nor a page. Tried again if it has worked before. */
  | 'not-a-stream'
  /** An event is larger than `limits.maxEventSize`. */
  | 'event-too-large'
  /** `maxAttempts` attempts failed; the last one's error is the `cause`. */
  | 'too-many-attempts'
  /** The data of `event` is not what `parse` expects. That event is left out, nothing else. */
  | 'invalid-data'
  /** A listener failed; its error is the `cause`. */
  | 'listener'
  /** The cursor store failed; its error is the `cause`. */
  | 'store'

export interface SubscribeErrorDetails {
  readonly cause?: unknown
  readonly status?: number | undefined
  /** The hub's code for the refusal, such as `forbidden`. */
  readonly problem?: string | undefined
  readonly event?: Update<string, string>
  /** How long the server asked to stay away, in milliseconds. */
  readonly retryAfter?: number
}

/** The one error class of `subscribe()`. The message says what to do about it. */
export class SubscribeError extends Error {
  readonly code: SubscribeErrorCode
  declare readonly status?: number | undefined
  /** The hub's code for the refusal, such as `forbidden`. */
  declare readonly problem?: string | undefined
  /** The event that could not be parsed, its data as text. */
  declare readonly event?: Update<string, string>
  /** How long the server asked to stay away, in milliseconds. */
  declare readonly retryAfter?: number

  constructor(code: SubscribeErrorCode, message: string, details: SubscribeErrorDetails = {}) {
    super(message)
    this.name = 'SubscribeError'
    this.code = code
    Object.assign(this, details)
  }
}
