/**
 * A log as far away as a log can be: the memory engine behind everything that the contract lets an engine do. Reads and
 * appends take long or fail, also after they were done; positions have holes; the tail is late, leaves out what nobody
 * follows, loses records and says so; and a new primary takes over that never had the newest records.
 */
import assert from 'node:assert/strict'
import { ChannelSet } from '../../src/log/channel-set.ts'
import {
  type AppendOptions,
  type Appended,
  type ChannelInfo,
  type From,
  type Health,
  type Limit,
  type Log,
  LogError,
  type LogPage,
  type LogState,
  type NewEvent,
  type Tail,
  type TailBatch,
  type TailListener,
} from '../../src/log/log.ts'
import { MemoryLog, type MemoryLogOptions } from '../../src/log/memory.ts'
import type { SimulatedClock } from './clock.ts'
import { History } from './history.ts'
import type { Random } from './random.ts'

export interface Faults {
  /** Each a probability: of a failure of a read, an append or a `follow`; of a pause in any of them. */
  readonly failure: number
  readonly pause: number
  /** Milliseconds that a pause takes at most. */
  readonly pauseMs: number
  /** Of a hole before an append. */
  readonly hole: number
  /** That the tail loses what it has not told yet, each time it has something to tell. */
  readonly lost: number
  /** Milliseconds that the tail is late at most. */
  readonly tailMs: number
}

export const NO_FAULTS: Faults = { failure: 0, pause: 0, pauseMs: 0, hole: 0, lost: 0, tailMs: 0 }

type Act =
  | { readonly at: number; readonly batch: readonly NewEvent[]; readonly options: AppendOptions }
  | { readonly at: number; readonly drop: string }

interface Follow {
  readonly set: ChannelSet
  active: boolean
}

/** More reads than this at one instant: somebody asks again and again without getting on. */
const SPINNING = 5_000

const EVERYTHING = new ChannelSet(['**'])

export class FaultyLog implements Log {
  readonly history = new History()
  faults: Faults
  /** Whether records that nobody follows are left out of the tail. */
  readonly #leavesOut: boolean
  readonly #clock: SimulatedClock
  readonly #random: Random
  readonly #options: MemoryLogOptions
  readonly #fail: (error: unknown) => void
  #inner: MemoryLog
  #acts: Act[] = []
  #listener: TailListener | undefined
  #queue: TailBatch[] = []
  #telling = false
  readonly #follows: Follow[] = []
  /** When each gap that a read told was found, by what it says. */
  readonly #gaps = new Map<string, number>()
  #readsAt = 0
  #reads = 0

  constructor(
    clock: SimulatedClock,
    random: Random,
    faults: Faults,
    leavesOut: boolean,
    options: MemoryLogOptions,
    fail: (error: unknown) => void,
  ) {
    this.#clock = clock
    this.#random = random
    this.faults = faults
    this.#leavesOut = leavesOut
    this.#options = { ...options, random: () => random.next(), every: () => () => {} }
    this.#fail = fail
    this.#inner = this.#start('E1', undefined, [])
  }

  async append(batch: readonly NewEvent[], options: AppendOptions = {}): Promise<Appended> {
    await this.#pause()
    this.#maybeFail()
    if (this.#random.chance(this.faults.hole)) await this.#append([{ channel: '$hole', data: '' }], {})
    const epoch = this.history.now.epoch.name
    const appended = await this.#append(batch, options)
    await this.#pause()
    this.#maybeFail()
    return { ...appended, epoch }
  }

  async read(set: ChannelSet, from: From, limit: Limit): Promise<LogPage> {
    if (this.#spins()) return new Promise(() => {})
    await this.#pause()
    this.#maybeFail()
    const page = await this.#inner.read(set, from, limit)
    const now = this.#clock.now()
    await this.#observe()
    if (page.gap) this.#gaps.set(gapKey(page.gap.reason, page.gap.channels, page.gap.from, page.gap.to), now)
    await this.#pause()
    this.#maybeFail()
    return page
  }

  tail(listener: TailListener): Tail {
    assert.equal(this.#listener, undefined, 'a hub has one tail')
    this.#listener = listener
    return {
      follow: async (set) => {
        const follow: Follow = { set, active: false }
        this.#follows.push(follow)
        await this.#pause()
        this.#maybeFail()
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

  /** What the tail follows now. */
  get followed(): readonly string[] {
    return this.#follows.map(({ set }) => set.key)
  }

  state(): LogState {
    return { epochs: this.history.lineage, frontier: this.#inner.state().frontier }
  }

  channels(set: ChannelSet, after: string, limit: number): Promise<readonly ChannelInfo[]> {
    return this.#inner.channels(set, after, limit)
  }

  async drop(channel: string): Promise<boolean> {
    await this.#pause()
    this.#maybeFail()
    const act: Act = { at: this.#clock.now(), drop: channel }
    const known = await this.#inner.drop(channel)
    this.#acts.push(act)
    await this.#observe()
    return known
  }

  health(): Promise<Health> {
    return this.#inner.health()
  }

  async close(): Promise<void> {
    await this.#inner.close()
  }

  /** When what a gap says was found out; undefined when no read found it. */
  gapFoundAt(reason: string, channels: readonly string[], from: number, to: number): number | undefined {
    return this.#gaps.get(gapKey(reason, channels, from, to))
  }

  /**
   * A new epoch. It continues the present one but for the last `forgets` acts; with `Infinity` it is a new log that knows
   * nothing of any other.
   */
  async changeEpoch(forgets: number): Promise<void> {
    const parent = this.history.now.epoch.name
    const acts = forgets === Infinity ? [] : this.#acts.slice(0, Math.max(0, this.#acts.length - forgets))
    // Sometimes what the old primary told is still on its way, and arrives; the tail says lost, or the epoch says it.
    const late = this.#random.chance(0.3)
    if (!late) this.#queue = []
    const name = `E${this.history.epochs + 1}`
    this.#inner = this.#start(name, forgets === Infinity ? undefined : parent, acts)
    await this.#observe()
    const wait = this.#random.int(0, this.faults.tailMs)
    this.#clock.after(wait, () => this.#listener?.lost())
  }

  #start(name: string, parent: string | undefined, acts: readonly Act[]): MemoryLog {
    let now = 0
    let replaying = true
    const inner = new MemoryLog({ ...this.#options, now: () => (replaying ? now : this.#clock.now()) })
    for (const act of acts) {
      now = act.at
      // The memory engine does all it does before it returns; what was possible once is possible again.
      if ('drop' in act) void inner.drop(act.drop)
      else void inner.append(act.batch, act.options)
    }
    replaying = false
    this.#acts = [...acts]
    const upTo = inner.state().frontier
    this.history.begin(parent === undefined ? { name } : { name, parent: { name: parent, upTo } })
    inner.tail({
      batch: (batch) => {
        if (inner === this.#inner) this.#take(batch)
      },
      lost: () => assert.fail('the memory engine loses nothing'),
    })
    return inner
  }

  async #append(batch: readonly NewEvent[], options: AppendOptions): Promise<Appended> {
    const act: Act = { at: this.#clock.now(), batch, options }
    const appended = await this.#inner.append(batch, options)
    if (!appended.repeated) this.#acts.push(act)
    await this.#observe()
    return appended
  }

  async #observe(): Promise<void> {
    const infos = await this.#inner.channels(EVERYTHING, '', Infinity)
    this.history.now.observe(new Map(infos.map((info) => [info.name, info])), this.#clock.now())
  }

  #take({ records, frontier }: TailBatch): void {
    for (const record of records) this.history.now.add(record)
    const followed = this.#follows.filter(({ active }) => active)
    const told = this.#leavesOut
      ? records.filter(({ channel }) => followed.some(({ set }) => set.has(channel)))
      : records
    this.#queue.push({ epoch: this.history.now.epoch.name, records: told, frontier })
    this.#tellLater()
  }

  #tellLater(): void {
    if (this.#telling) return
    this.#telling = true
    this.#clock.after(this.#random.int(0, this.faults.tailMs), () => {
      this.#telling = false
      if (this.#random.chance(this.faults.lost)) {
        this.#queue.splice(0, this.#random.int(1, this.#queue.length))
        this.#listener?.lost()
      }
      const count = this.#random.chance(0.7) ? this.#queue.length : this.#random.int(0, this.#queue.length)
      for (const batch of this.#queue.splice(0, count)) this.#listener?.batch(batch)
      if (this.#queue.length > 0) this.#tellLater()
    })
  }

  async #pause(): Promise<void> {
    if (!this.#random.chance(this.faults.pause)) return
    await this.#clock.sleep(this.#random.int(0, this.faults.pauseMs))
  }

  #maybeFail(): void {
    if (this.#random.chance(this.faults.failure)) throw new LogError('log-unavailable', 'Simulated')
  }

  #spins(): boolean {
    if (this.#readsAt !== this.#clock.now()) {
      this.#readsAt = this.#clock.now()
      this.#reads = 0
    }
    if (++this.#reads < SPINNING) return false
    this.#fail(new Error(`${SPINNING} reads of the log at one instant: somebody spins`))
    return true
  }
}

function gapKey(reason: string, channels: readonly string[], from: number, to: number): string {
  return JSON.stringify([reason, channels, from, to])
}
