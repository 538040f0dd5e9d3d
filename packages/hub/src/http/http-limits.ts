/** The limits of connections and requests, before the hub itself has its say. */

export interface HttpLimits {
  /** Bytes of a request's body. */
  readonly bodyLimit: number
  /** How long a body may take to arrive, in milliseconds. */
  readonly bodyTimeoutMs: number
  /** Bodies of more than 64 KiB that are read at once. */
  readonly largeBodies: number
  /** Bytes of a request's head. */
  readonly headLimit: number
  /** How long a head may take to arrive, in milliseconds. */
  readonly headTimeoutMs: number
  /** Header lines of a request. */
  readonly headersLimit: number
  /** How long an answer may wait for its client to take it, in milliseconds; what is left of a stream that has ended, too. */
  readonly answerTimeoutMs: number
  /** Connections at a time, of each address listened on. */
  readonly connections: number
  /** Streams of one HTTP/2 connection at a time. */
  readonly maxConcurrentStreams: number
}

export const DEFAULT_HTTP_LIMITS: HttpLimits = {
  bodyLimit: 1024 * 1024,
  bodyTimeoutMs: 30_000,
  largeBodies: 256,
  headLimit: 16 * 1024,
  headTimeoutMs: 10_000,
  headersLimit: 100,
  answerTimeoutMs: 120_000,
  connections: 20_000,
  maxConcurrentStreams: 256,
}
