/** How long to wait before the next try. Pure: chance comes in from outside. */

/** The longest wait where nothing has failed; doubled with each failure. */
export const FIRST_WAIT_MS = 100
export const LONGEST_WAIT_MS = 30_000

/**
 * Milliseconds to wait after so many failures in a row: exponential, spread over 50-100 % so that a thousand clients of
 * a hub that comes back don't come all at once; never less than what the hub asked for.
 *
 * @param asked What the hub asked for (`retry`, `Retry-After`), already spread by it. Default 0.
 * @param random At least 0, below 1.
 */
export function waitAfter(failures: number, random: () => number, asked = 0): number {
  const wait = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** Math.min(failures, 20))
  return Math.max(asked, Math.round(wait * (0.5 + random() / 2)))
}
