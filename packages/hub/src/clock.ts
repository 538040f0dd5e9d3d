/** Time and chance come in from outside, so that everything above can be run on a simulated clock. */

export interface Timer {
  clear(): void
}

export interface Clock {
  /** Milliseconds since 1970. */
  now(): number
  /** Runs once at the end of the present turn of the event loop, after the input that is ready has been read. */
  defer(run: () => void): void
  /** Runs once after `ms` milliseconds. Does not keep the process alive. */
  after(ms: number, run: () => void): Timer
  /** At least 0, below 1. */
  random(): number
}

class SystemTimer implements Timer {
  readonly #timer: ReturnType<typeof setTimeout>

  constructor(timer: ReturnType<typeof setTimeout>) {
    this.#timer = timer
  }

  clear(): void {
    clearTimeout(this.#timer)
  }
}

export const systemClock: Clock = {
  now: () => Date.now(),
  defer: (run) => void setImmediate(run),
  after(ms, run) {
    return new SystemTimer(setTimeout(run, ms).unref())
  },
  random: () => Math.random(),
}

/** A number spread evenly over `value` ± `share` of it, whole. */
export function jitter(clock: Clock, value: number, share: number): number {
  return Math.round(value * (1 - share + 2 * share * clock.random()))
}
