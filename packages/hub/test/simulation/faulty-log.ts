/**
 * A log as far away as a log can be: an engine behind everything that the contract lets an engine do. Reads and appends take
 * long or fail, also after they were done; positions have holes; the tail is late, leaves out what nobody follows, loses
 * records and says so. With the memory engine a new primary takes over that never had the newest records; a log on disk is
 * closed and opened again.
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
  type Position,
  type NewEvent,
  type Tail,
  type TailBatch,
  type TailListener,
} from '../../src/log/log.ts'
import { MemoryLog, type MemoryLogOptions } from '../../src/log/memory.ts'
import type { RetentionRule } from '../../src/log/retention.ts'
import type { SimulatedClock } from './clock.ts'
import { History } from './history.ts'
import { LateTail, type Lateness } from './late-tail.ts'
import type { Random } from './random.ts'

export interface Faults extends Lateness {
  /** Each a probability: of a failure of a read, an append or a `follow`; of a pause in any of them. */
  readonly failure: number
  readonly pause: number
  /** Milliseconds that a pause takes at most. */
  readonly pauseMs: number
  /** Of a hole before an append. */
  readonly hole: number
}

export const NO_FAULTS: Faults = { failure: 0, pause: 0, pauseMs: 0, hole: 0, lost: 0, tailMs: 0 }

type Act =
  | { readonly at: number; readonly batch: readonly NewEvent[]; readonly options: AppendOptions }
  | { readonly at: number; readonly drop: string }

export interface InnerOptions {
  readonly retention: readonly RetentionRule[]
  readonly forget?: number
  readonly now: () => number
  readonly reportError: (error: unknown) => void
}

/** A log on disk, of which one at a time is open. */
export interface Disk {
  open(options: InnerOptions): Promise<Log>
  /** This and the others while none is open: what is opened next can't know whether it has forgotten anything. */
  breakContinuity(): Promise<void>
  backUp(): Promise<void>
  /** What is opened next is as it was when it was backed up. */
  restore(): Promise<void>
}

/** `broken`: the log can't know whether it has forgotten anything. `restored`: it has, if anything was appended since. */
export type Restart = 'clean' | 'broken' | 'restored'

/** More reads than this at one instant: somebody asks again and again without getting on. */
const SPINNING = 5_000

const EVERYTHING = new ChannelSet(['**'])

export class FaultyLog implements Log {
  readonly history = new History()
  faults: Faults
  readonly #tail: LateTail
  readonly #clock: SimulatedClock
  readonly #random: Random
  readonly #options: Pick<InnerOptions, 'retention' | 'forget'>
  readonly #fail: (error: unknown) => void
  /** The epoch that was last backed up, and its frontier then. */
  #backup: { readonly name: string; readonly upTo: Position } | undefined
  /** Whether the log on disk has ever come back without its newest records. */
  hasForgotten = false
  /** How often the log on disk was opened again. */
  restarts = 0
  readonly #disk: Disk | undefined
  #inner: Log
  /** Being opened again: whoever asks is told that it is unavailable. */
  #down = false
  /** Appends and drops of the inner log that are under way. */
  readonly #writes = new Set<Promise<unknown>>()
  #acts: Act[] = []
  /** When each gap that a read told was found, by what it says. */
  readonly #gaps = new Map<string, number>()
  #readsAt = 0
  #reads = 0

  /** @param disk Default: none, the log is one in memory. */
  static async open(
    clock: SimulatedClock,
    random: Random,
    faults: Faults,
    leavesOut: boolean,
    options: Pick<InnerOptions, 'retention' | 'forget'>,
    fail: (error: unknown) => void,
    disk?: Disk,
  ): Promise<FaultyLog> {
    const inner = disk && {
      disk,
      log: await disk.open({ ...options, now: () => clock.now(), reportError: fail }),
    }
    return new FaultyLog(clock, random, faults, leavesOut, options, fail, inner)
  }

  private constructor(
    clock: SimulatedClock,
    random: Random,
    faults: Faults,
    leavesOut: boolean,
    options: Pick<InnerOptions, 'retention' | 'forget'>,
    fail: (error: unknown) => void,
    inner: { readonly disk: Disk; readonly log: Log } | undefined,
  ) {
    this.#clock = clock
    this.#random = random
    this.faults = faults
    this.#tail = new LateTail(clock, random, leavesOut, () => this.faults)
    this.#options = options
    this.#fail = fail
    this.#disk = inner?.disk
    if (inner) {
      this.#inner = inner.log
      this.history.begin({ name: 'E1' })
      this.#listen(inner.log)
    } else this.#inner = this.#start('E1', undefined, [])
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
    const page = await this.#call((inner) => inner.read(set, from, limit))
    // With a cursor of its future a client that comes back would be told that this log never gave it out.
    if (!('before' in from)) assert.ok(page.cursor <= this.#inner.state().frontier, 'a page of the future')
    const now = this.#clock.now()
    await this.#observe()
    if (page.gap) this.#gaps.set(gapKey(page.gap.reason, page.gap.channels, page.gap.from, page.gap.to), now)
    await this.#pause()
    this.#maybeFail()
    return page
  }

  tail(listener: TailListener): Tail {
    return this.#tail.open(listener, async () => {
      await this.#pause()
      this.#maybeFail()
    })
  }

  /** What the tail follows now. */
  get followed(): readonly string[] {
    return this.#tail.followed
  }

  version(): undefined {
    return undefined
  }

  state(): LogState {
    return { epochs: this.history.lineage, frontier: this.#inner.state().frontier }
  }

  channels(set: ChannelSet, after: string, limit: number): Promise<readonly ChannelInfo[]> {
    return this.#call((inner) => inner.channels(set, after, limit))
  }

  async drop(channel: string): Promise<boolean> {
    await this.#pause()
    this.#maybeFail()
    const act: Act = { at: this.#clock.now(), drop: channel }
    const known = await this.#write((inner) => inner.drop(channel))
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
    if (!late) this.#tail.forget()
    const name = `E${this.history.epochs + 1}`
    this.#inner = this.#start(name, forgets === Infinity ? undefined : parent, acts)
    await this.#observe()
    this.#tail.lostLater()
  }

  /** The log on disk is closed and opened again; in a new epoch unless it knows that it has forgotten nothing. */
  async restart(wanted: Restart): Promise<void> {
    await this.#clock.hold(this.#restart(wanted))
    await this.#observe()
    this.#tail.lostLater()
  }

  async #restart(wanted: Restart): Promise<void> {
    const disk = this.#disk as Disk
    this.#down = true
    // Once closed its tail says nothing more, and the history would miss what is under way.
    await Promise.allSettled(this.#writes)
    const { epochs, frontier } = this.#inner.state()
    await this.#inner.close()
    let goesOn = { name: this.history.now.epoch.name, upTo: frontier }
    let same = false
    if (wanted === 'broken') await disk.breakContinuity()
    else if (wanted === 'restored' && this.#backup && this.#backup.upTo < frontier) {
      goesOn = this.#backup
      this.hasForgotten = true
      await disk.restore()
    } else {
      same = true
      this.#backup = goesOn
      await disk.backUp()
    }
    const options = { ...this.#options, now: () => this.#clock.now(), reportError: this.#fail }
    const inner = await disk.open(options)
    const { epochs: found, frontier: upTo } = inner.state()
    assert.equal(upTo, goesOn.upTo)
    if (same) assert.deepEqual(found, epochs, 'it has forgotten nothing')
    else {
      assert.ok(!epochs.some(({ name }) => name === found[0].name))
      assert.equal(found[0].parent?.upTo, upTo)
      this.history.begin({ name: `E${this.history.epochs + 1}`, parent: goesOn })
    }
    const late = this.#random.chance(0.3)
    if (!late) this.#tail.forget()
    this.#inner = inner
    this.#listen(inner)
    this.#down = false
    // Before anything else is told: in the same epoch nobody could tell that something is missing.
    if (same && !late) this.#tail.lost()
    this.restarts++
  }

  #start(name: string, parent: string | undefined, acts: readonly Act[]): MemoryLog {
    let now = 0
    let replaying = true
    const options: MemoryLogOptions = {
      ...this.#options,
      random: () => this.#random.next(),
      every: () => () => {},
      now: () => (replaying ? now : this.#clock.now()),
    }
    const inner = new MemoryLog(options)
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
    this.#listen(inner)
    return inner
  }

  #listen(inner: Log): void {
    inner.tail({
      batch: (batch) => {
        if (inner === this.#inner) this.#take(batch)
      },
      lost: () => this.#fail(new Error('the inner log loses nothing')),
    })
  }

  /** Time stands still while the inner log is at it. */
  #call<T>(ask: (inner: Log) => Promise<T>): Promise<T> {
    if (this.#down) return Promise.reject(new LogError('log-unavailable', 'Simulated: it is being opened'))
    const answer = ask(this.#inner)
    return this.#clock.hold(this.#disk ? answer.catch(closedIsUnavailable) : answer)
  }

  #write<T>(ask: (inner: Log) => Promise<T>): Promise<T> {
    const answer = this.#call(ask)
    const over = (): void => void this.#writes.delete(answer)
    this.#writes.add(answer)
    answer.then(over, over)
    return answer
  }

  async #append(batch: readonly NewEvent[], options: AppendOptions): Promise<Appended> {
    const act: Act = { at: this.#clock.now(), batch, options }
    const appended = await this.#write((inner) => inner.append(batch, options))
    if (!appended.repeated) this.#acts.push(act)
    await this.#observe()
    return appended
  }

  async #observe(): Promise<void> {
    const { now: history } = this.history
    const upTo: Position = history.frontier
    const infos = await this.#call((inner) => inner.channels(EVERYTHING, '', Infinity))
    history.observe(new Map(infos.map((info) => [info.name, info])), upTo, this.#clock.now())
  }

  #take({ records, frontier }: TailBatch): void {
    for (const record of records) {
      this.history.now.add(record)
      if (record.kind === 'drop') this.history.now.erase(record, this.#clock.now())
    }
    this.#tail.take({ epoch: this.history.now.epoch.name, records, frontier })
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

/** Whoever asked before it was closed asks again. */
function closedIsUnavailable(error: unknown): never {
  if (error instanceof LogError && error.code === 'log-closed')
    throw new LogError('log-unavailable', 'Simulated: it was closed meanwhile', { cause: error })
  throw error
}

function gapKey(reason: string, channels: readonly string[], from: number, to: number): string {
  return JSON.stringify([reason, channels, from, to])
}
