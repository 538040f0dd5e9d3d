/** The tail of a log that is far away: it is late, leaves out what nobody follows, loses records and says so. */
import assert from 'node:assert/strict'
import type { ChannelSet } from '../../src/log/channel-set.ts'
import type { Tail, TailBatch, TailListener } from '../../src/log/log.ts'
import type { SimulatedClock } from './clock.ts'
import type { Random } from './random.ts'

export interface Lateness {
  /** The probability that it loses what it has not told yet, each time it has something to tell. */
  readonly lost: number
  /** Milliseconds that it takes at most. */
  readonly tailMs: number
}

interface Follow {
  readonly set: ChannelSet
  active: boolean
}

export class LateTail {
  readonly #clock: SimulatedClock
  readonly #random: Random
  readonly #leavesOut: boolean
  readonly #lateness: () => Lateness
  readonly #follows: Follow[] = []
  #listener: TailListener | undefined
  #queue: TailBatch[] = []
  #telling = false

  /**
   * @param leavesOut Whether records that nobody follows are left out
   * @param lateness As of now
   */
  constructor(clock: SimulatedClock, random: Random, leavesOut: boolean, lateness: () => Lateness) {
    this.#clock = clock
    this.#random = random
    this.#leavesOut = leavesOut
    this.#lateness = lateness
  }

  /** @param ask Comes before each `follow`, and may fail */
  open(listener: TailListener, ask: () => Promise<void>): Tail {
    assert.equal(this.#listener, undefined, 'a hub has one tail')
    this.#listener = listener
    return {
      follow: async (set) => {
        const follow: Follow = { set, active: false }
        this.#follows.push(follow)
        await ask()
        follow.active = true
      },
      unfollow: (set) => {
        const index = this.#follows.findIndex((follow) => follow.set.key === set.key)
        assert.notEqual(index, -1, 'unfollows what it never followed')
        this.#follows.splice(index, 1)
      },
      close: () => {
        this.#listener = undefined
      },
    }
  }

  /** What is followed now. */
  get followed(): readonly string[] {
    return this.#follows.map(({ set }) => set.key)
  }

  take({ records, ...batch }: TailBatch): void {
    const followed = this.#follows.filter(({ active }) => active)
    const told = this.#leavesOut
      ? records.filter(({ channel }) => followed.some(({ set }) => set.has(channel)))
      : records
    this.#queue.push({ ...batch, records: told })
    this.#tellLater()
  }

  /** What it has not told yet it never will. */
  forget(): void {
    this.#queue = []
  }

  lost(): void {
    this.#listener?.lost()
  }

  lostLater(): void {
    this.#clock.after(this.#wait(), () => this.lost())
  }

  #wait(): number {
    return this.#random.int(0, this.#lateness().tailMs)
  }

  #tellLater(): void {
    if (this.#telling) return
    this.#telling = true
    this.#clock.after(this.#wait(), () => {
      this.#telling = false
      if (this.#random.chance(this.#lateness().lost)) {
        this.#queue.splice(0, this.#random.int(1, this.#queue.length))
        this.lost()
      }
      const count = this.#random.chance(0.7) ? this.#queue.length : this.#random.int(0, this.#queue.length)
      for (const batch of this.#queue.splice(0, count)) this.#listener?.batch(batch)
      if (this.#queue.length > 0) this.#tellLater()
    })
  }
}
