/**
 * When to flush. A write costs its readers' hub some microseconds however little is in it: when events come so densely that several
 * go in each write anyway, it pays to tell readers more at once, a little later, instead of more often. When they don't, nothing waits. Pure.
 */

/** A flush is to take at most this share of the time, if need be. */
const SHARE = 1 / 8
/** But nothing waits for longer than this, in milliseconds. */
const LONGEST = 64
/** Waiting must bring at least so many events together. */
const WORTH = 4

export class Rhythm {
  #begun = -Infinity
  #next = -Infinity
  /** Events of one write, and the time from one flush to the next: both of late. */
  #perWrite = 1
  #interval = Infinity

  /** How long a flush that is wanted now should wait, in milliseconds. */
  wait(now: number): number {
    // Clocks may be set back.
    return Math.max(0, Math.min(LONGEST, this.#next - now))
  }

  /** @param perWrite How many events one write had, on average. */
  flushed(begun: number, ended: number, perWrite: number): void {
    const interval = begun - this.#begun
    this.#interval = this.#interval === Infinity ? interval : smooth(this.#interval, interval)
    this.#perWrite = smooth(this.#perWrite, perWrite)
    this.#begun = begun
    const pause = Math.min(LONGEST, (ended - begun) / SHARE)
    const together = (this.#perWrite / this.#interval) * pause
    this.#next = this.#perWrite >= 2 && together >= WORTH ? begun + pause : -Infinity
  }
}

function smooth(before: number, now: number): number {
  return before + (Math.min(now, 1e6) - before) / 4
}
