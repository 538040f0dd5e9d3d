/**
 * What is due at a time of its own. One timer serves all: a timer for each stream would be some hundred bytes for each reader, and an
 * entry in a set is some forty.
 */
import type { Clock, Timer } from '../clock.ts'

/** What is due within one grain of time is done at its beginning: early, never late. */
const GRAIN_MS = 250
/** `setTimeout` takes no more than 2^31 - 1, and takes more for 1. */
const LONGEST_MS = 3_600_000

export interface Due {
  /** Milliseconds since 1970. Not to change while it is on the agenda. */
  readonly dueAt: number
  due(): void
}

export class Agenda {
  readonly #clock: Clock
  readonly #grains = new Map<number, Set<Due>>()
  #timer: Timer | undefined
  /** The grain that the timer waits for. */
  #next = Infinity

  constructor(clock: Clock) {
    this.#clock = clock
  }

  add(one: Due): void {
    const grain = grainOf(one.dueAt)
    const others = this.#grains.get(grain)
    if (others) others.add(one)
    else this.#grains.set(grain, new Set([one]))
    if (grain < this.#next) this.#wait(grain)
  }

  remove(one: Due): void {
    const grain = grainOf(one.dueAt)
    const others = this.#grains.get(grain)
    if (!others?.delete(one) || others.size > 0) return
    this.#grains.delete(grain)
    if (this.#grains.size === 0) this.close()
  }

  close(): void {
    this.#timer?.clear()
    this.#timer = undefined
    this.#next = Infinity
  }

  #wait(grain: number): void {
    this.#timer?.clear()
    this.#next = grain
    const ms = Math.max(0, Math.min(LONGEST_MS, grain * GRAIN_MS - this.#clock.now()))
    this.#timer = this.#clock.after(ms, this.#ring)
  }

  readonly #ring = (): void => {
    this.close()
    const now = grainOf(this.#clock.now())
    const due = [...this.#grains].filter(([grain]) => grain <= now)
    for (const [grain] of due) this.#grains.delete(grain)
    for (const [, all] of due) for (const one of all) one.due()
    // Those that came meanwhile may have set the timer for later ones.
    let next = Infinity
    for (const grain of this.#grains.keys()) next = Math.min(next, grain)
    if (next < this.#next) this.#wait(next)
  }
}

function grainOf(time: number): number {
  return Math.floor(time / GRAIN_MS)
}
