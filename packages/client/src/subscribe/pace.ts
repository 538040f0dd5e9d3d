/**
 * The bound on requests: whatever goes wrong elsewhere, no more than so many leave in any time. Each request of a subscription
 * goes through here, those of probes and checks, too.
 */

/** So many at once, when there were none for a while. */
const BURST = 40
/** Afterwards one in so many milliseconds: ten a second, each of which may bring a page of 1,000 events. */
const EVERY = 100

export interface Pace {
  /** Milliseconds until a request may leave, which is counted now. */
  take(now: number): number
}

export function createPace(): Pace {
  /** When the bucket is full again. */
  let full = 0
  return {
    take(now) {
      // A clock that was set back must not stop us for longer than it takes to fill the bucket.
      full = Math.min(Math.max(full, now), now + BURST * EVERY * 2) + EVERY
      return Math.max(0, full - now - BURST * EVERY)
    },
  }
}
