/** The times and sizes of a subscription. All times are in milliseconds. */

export interface Limits {
  /** The wait after a stream's end, which failures double, until the server has said what it wants (`retry`). */
  readonly retryMs: number
  /** The shortest wait between attempts that failed. */
  readonly minWaitMs: number
  /** The longest wait between attempts; `Retry-After` may ask for more, up to an hour. */
  readonly maxWaitMs: number
  /** A stream whose opening has not come by then is checked by a poll. */
  readonly openMs: number
  /** How long the stream may lag behind the answer of that poll. Twice the poll's time when that is more. */
  readonly graceMs: number
  /** Without a head, or an opening, by then an attempt has failed. Also what the parts of a page may be apart. */
  readonly connectMs: number
  /** A stream that was open for so long has proved healthy. */
  readonly healthyMs: number
  /** Streams that live shorter than this were cut short; three in a row count. */
  readonly shortMs: number
  /** How long a long poll asks the hub to wait, at first. What cuts it makes it shorter; below 5 s polls take over. */
  readonly pollWaitMs: number
  /** When the better transport is tried again; doubled each time, up to an hour. */
  readonly probeMs: number
  /** How long what was found out is remembered for other subscriptions and pages of this origin. */
  readonly rememberMs: number
  /** How long a page is hidden before `whenHidden: 'pause'` lets the connection go. */
  readonly hiddenMs: number
  /** The most characters of an event; a larger one closes the subscription with `event-too-large`. */
  readonly maxEventSize: number
}

export const DEFAULT_LIMITS: Limits = {
  retryMs: 3000,
  minWaitMs: 100,
  maxWaitMs: 30_000,
  openMs: 1500,
  graceMs: 500,
  connectMs: 20_000,
  healthyMs: 5000,
  shortMs: 10_000,
  pollWaitMs: 25_000,
  probeMs: 300_000,
  rememberMs: 600_000,
  hiddenMs: 10_000,
  maxEventSize: 2 ** 24,
}
