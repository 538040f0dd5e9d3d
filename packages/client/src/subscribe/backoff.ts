/** How long to wait before the next request. Pure: chance comes in from outside. */
import type { Limits } from './limits.ts'

/** Longer than this no server has us wait, and no `Retry-After` is honoured. */
const HOUR = 3_600_000

/**
 * Milliseconds to wait after so many failures in a row: nothing failed, and it is what the server asked for (`retry`); else a
 * random part of a time that doubles with each failure, up to a cap (full jitter), so that a crowd comes back spread.
 *
 * @param retryAfter What a refusal asked for; it is waited for at least. Default 0.
 */
export function waitAfter(
  failures: number,
  retry: number,
  random: number,
  { minWaitMs, maxWaitMs }: Pick<Limits, 'minWaitMs' | 'maxWaitMs'>,
  retryAfter = 0,
): number {
  const wait = failures === 0 ? retry : random * Math.min(maxWaitMs, retry * 2 ** Math.min(failures, 20))
  return Math.max(minWaitMs, Math.min(Math.max(wait, retryAfter), HOUR))
}

/** `Retry-After`: seconds or a date (RFC 9110 10.2.3), as milliseconds from now; 0 when there is none that can be read. */
export function retryAfterMs(header: string | null, now: number): number {
  if (/^\d{1,9}$/.test(header ?? '')) return Number(header) * 1000
  // JavaScript reads almost anything as a date; HTTP's end in GMT.
  const at = header?.endsWith(' GMT') ? Date.parse(header) : NaN
  return at > now ? at - now : 0
}
