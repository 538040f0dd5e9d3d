/** The time that events are stamped with: the same in all threads of a process, in fractions of a millisecond. */

/** Milliseconds of a clock that only goes forward and that all threads share; `performance.now()` begins anew in each. */
function monotonic(): number {
  return Number(process.hrtime.bigint()) / 1e6
}

export class LabClock {
  /** What another thread makes the same clock of. */
  readonly origin: number

  constructor(origin: number = Date.now() - monotonic()) {
    this.origin = origin
  }

  /** Milliseconds since 1970. */
  now(): number {
    return this.origin + monotonic()
  }
}
