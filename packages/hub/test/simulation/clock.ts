/** A clock that only moves when told to. Whatever is due at one instant makes up a turn or two of the event loop. */
import type { Clock, Timer } from '../../src/clock.ts'
import { Random } from './random.ts'

interface Alarm {
  readonly at: number
  readonly order: number
  readonly run: () => void
  cleared: boolean
}

export class SimulatedClock implements Clock {
  readonly #random: Random
  #now: number
  #order = 0
  /** Sorted: the next one last. */
  readonly #alarms: Alarm[] = []
  #deferred: (() => void)[] = []
  readonly #grain: number
  /** What threads and disks are still at. */
  readonly #outside = new Set<Promise<void>>()

  /** @param grain Timers go off at multiples of so many milliseconds: the larger, the more of them at one instant. */
  constructor(random = new Random(0), now = Date.UTC(2026, 0, 1), grain = 1) {
    this.#random = random
    this.#now = now
    this.#grain = grain
  }

  now(): number {
    return this.#now
  }

  random(): number {
    return this.#random.next()
  }

  defer(run: () => void): void {
    this.#deferred.push(run)
  }

  after(ms: number, run: () => void): Timer {
    const at = Math.ceil((this.#now + Math.max(0, ms)) / this.#grain) * this.#grain
    const alarm: Alarm = { at, order: this.#order++, run, cleared: false }
    let low = 0
    let high = this.#alarms.length
    while (low < high) {
      const middle = (low + high) >>> 1
      const other = this.#alarms[middle] as Alarm
      if (other.at > alarm.at || (other.at === alarm.at && other.order > alarm.order)) low = middle + 1
      else high = middle
    }
    this.#alarms.splice(low, 0, alarm)
    return { clear: () => void (alarm.cleared = true) }
  }

  sleep(ms: number): Promise<void> {
    return new Promise((resolve) => {
      this.after(ms, resolve)
    })
  }

  /** Timers that have neither run nor been cleared. */
  get timers(): number {
    return this.#alarms.filter(({ cleared }) => !cleared).length
  }

  /** Time stands still until this is over, which takes real time. What is due at the present instant may go on meanwhile. */
  hold<T>(promise: Promise<T>): Promise<T> {
    const over = (): void => void this.#outside.delete(held)
    const held = promise.then(over, over)
    this.#outside.add(held)
    return promise
  }

  /** Runs everything that is due within the next `ms` milliseconds, and what follows from it. */
  async run(ms: number): Promise<void> {
    const until = this.#now + ms
    for (;;) {
      await this.#settled()
      const next = this.#next()
      // The end of a turn comes with more input waiting, or with none.
      if (this.#deferred.length > 0 && (next?.at !== this.#now || this.#random.chance(0.5))) {
        this.#endTurn()
        continue
      }
      if (next === undefined || next.at > until) break
      this.#alarms.pop()
      this.#now = next.at
      next.run()
    }
    this.#now = until
  }

  /** The end of this turn, with what promises do before and after it. */
  async turn(): Promise<void> {
    await settled()
    this.#endTurn()
    await settled()
  }

  async #settled(): Promise<void> {
    await settled()
    while (this.#outside.size > 0) {
      const busy = this.#deferred.length > 0 || this.#next()?.at === this.#now
      if (busy && this.#random.chance(0.5)) return
      await Promise.race(this.#outside)
      await settled()
    }
  }

  #endTurn(): void {
    const deferred = this.#deferred
    this.#deferred = []
    for (const run of deferred) run()
  }

  #next(): Alarm | undefined {
    while (this.#alarms.at(-1)?.cleared) this.#alarms.pop()
    return this.#alarms.at(-1)
  }
}

/** Resolves when every promise that could go on has done so. */
export function settled(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve)
  })
}
