/** How long a stream may last whose right to read ends: a little less, so that not all who hold one token come back at once. Pure. */

/** Most of what a stream ends before its right does. */
const MOST_EARLY_MS = 30_000
const EARLY_SHARE = 0.1
/** How long before its end a stream is told of it, at most. */
const NOTICE_MS = 30_000

/** @param until When the right ends, in milliseconds since 1970. @param chance At least 0, below 1. */
export function endOfStream(until: number, now: number, chance: number): number {
  return until - chance * Math.max(0, Math.min(MOST_EARLY_MS, (until - now) * EARLY_SHARE))
}

/** When to tell a stream that begins now that it ends: with half of its time left, where that is less. */
export function noticeOf(end: number, now: number): number {
  return end - Math.min(NOTICE_MS, (end - now) / 2)
}
