/**
 * One timer for the heartbeats of all readers: the interval is cut into slots, each reader beats in the slot it was put in at
 * random, so that heartbeats are spread and cost no timer of their own.
 */
import type { Clock, Timer } from '../clock.ts'

const SLOTS = 15

export interface Beating {
  beat(): void
}

export class Pulse {
  readonly #clock: Clock
  readonly #slotMs: number
  readonly #slots: Set<Beating>[] = Array.from({ length: SLOTS }, () => new Set())
  #next = 0
  #count = 0
  #timer: Timer | undefined

  constructor(clock: Clock, intervalMs: number) {
    this.#clock = clock
    this.#slotMs = Math.max(1, Math.round(intervalMs / SLOTS))
  }

  /** From now on `beat` is called once an interval, the first time after a random part of one. The answer stops it. */
  add(one: Beating): () => void {
    const slot = this.#slots[Math.floor(this.#clock.random() * SLOTS)] as Set<Beating>
    slot.add(one)
    this.#count++
    this.#timer ??= this.#clock.after(this.#slotMs, this.#tick)
    return () => {
      if (!slot.delete(one)) return
      this.#count--
      if (this.#count === 0) this.close()
    }
  }

  close(): void {
    this.#timer?.clear()
    this.#timer = undefined
  }

  readonly #tick = (): void => {
    this.#timer = this.#clock.after(this.#slotMs, this.#tick)
    const slot = this.#slots[this.#next] as Set<Beating>
    this.#next = (this.#next + 1) % SLOTS
    for (const one of slot) one.beat()
  }
}
