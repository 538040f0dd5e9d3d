/** The memory engine: for tests, development and data that may go with the process. Small enough to show the contract whole. */
import type { ChannelSet } from './channel-set.ts'
import { newEpochName } from './epoch.ts'
import { IdempotencyKeys } from './idempotency.ts'
import {
  LogError,
  type AppendOptions,
  type Appended,
  type ChannelInfo,
  type From,
  type Health,
  type Limit,
  type Log,
  type LogPage,
  type LogRecord,
  type LogState,
  type NewEvent,
  type Position,
  type Tail,
  type TailListener,
} from './log.ts'
import { readPage } from './memory-read.ts'
import { MemoryStore } from './memory-store.ts'
import { Tails } from './tails.ts'
import {
  DEFAULT_FORGET,
  RetentionRules,
  checkForget,
  type Retention,
  type RetentionRule,
} from './retention.ts'

export interface MemoryLogOptions {
  /** The first rule that matches a channel holds for it. Default: none, so `DEFAULT_RETENTION` for all. */
  readonly retention?: readonly RetentionRule[]
  /** An empty channel is remembered for so long after its last activity, in milliseconds. Default `DEFAULT_FORGET`, 7 days. */
  readonly forget?: number
  /**
   * All channels together: UTF-16 units of data (a byte each in memory for Latin-1, else two) and 160 for each event. Beyond it
   * the oldest events of the whole log are trimmed. Default `DEFAULT_MAX_BYTES`, 512 Mi, or Infinity where `fullBytes` is said.
   */
  readonly maxBytes?: number
  /**
   * Counted as `maxBytes`. An append that would bring the log beyond it is refused with `log-full`, before anything is trimmed for it;
   * reading and erasing go on, and what is erased or trimmed makes room. Default Infinity.
   */
  readonly fullBytes?: number
  /**
   * Channels remembered, empty ones included. Beyond it those that have been empty for the longest are forgotten before their
   * time; when none is empty a new one is refused with `log-full`. Default `DEFAULT_MAX_CHANNELS`, 1,000,000.
   */
  readonly maxChannels?: number
  /** Milliseconds since 1970. Default `Date.now`. */
  readonly now?: () => number
  /** From 0 up to, but not, 1: for the name of the epoch. Default `Math.random`. */
  readonly random?: () => number
  /** Calls `run` every `ms` milliseconds until the function returned is called. Default: an interval that keeps no process alive. */
  readonly every?: (ms: number, run: () => void) => () => void
  /** Gets what a tail's listener throws. Default: thrown on its own, as an uncaught exception. */
  readonly reportError?: (error: unknown) => void
}

/** Default of `maxBytes`: well below the heap that Node allows itself, also when all data takes two bytes a unit. */
export const DEFAULT_MAX_BYTES = 512 * 1024 * 1024

/** Default of `maxChannels`. */
export const DEFAULT_MAX_CHANNELS = 1_000_000

/** Milliseconds. Every append and read trims first, so this only bounds how long a log that nobody uses holds on to its memory. */
const TRIM_EVERY = 60_000

export class MemoryLog implements Log {
  readonly #store: MemoryStore
  readonly #tails: Tails
  readonly #keys = new IdempotencyKeys()
  readonly #rules: RetentionRules
  readonly #epoch: string
  readonly #now: () => number
  readonly #stopTrimming: () => void
  #closed = false

  /** @throws {LogError} `retention-invalid` */
  constructor(options: MemoryLogOptions = {}) {
    this.#rules = new RetentionRules(options.retention)
    this.#store = new MemoryStore({
      rules: this.#rules,
      forget: checkForget(options.forget ?? DEFAULT_FORGET),
      maxBytes: options.maxBytes ?? (options.fullBytes === undefined ? DEFAULT_MAX_BYTES : Infinity),
      fullBytes: options.fullBytes ?? Infinity,
      maxChannels: options.maxChannels ?? DEFAULT_MAX_CHANNELS,
    })
    this.#tails = new Tails(options.reportError ?? throwLater)
    this.#epoch = newEpochName(options.random ?? Math.random)
    this.#now = options.now ?? Date.now
    this.#stopTrimming = (options.every ?? everyUnref)(TRIM_EVERY, () => this.#expire())
  }

  async append(batch: readonly NewEvent[], options: AppendOptions = {}): Promise<Appended> {
    const now = this.#expire()
    const { idempotency, end = [] } = options
    const known = idempotency && this.#keys.find(idempotency, now)
    if (known) return known
    const records = this.#store.append(batch, end, now)
    const positions: Position[] = []
    for (const { kind, position } of records) if (kind === 'event') positions.push(position)
    const appended = { epoch: this.#epoch, positions, repeated: false }
    if (idempotency) this.#keys.remember(idempotency, appended, now)
    this.#tell(records)
    return appended
  }

  async read(set: ChannelSet, from: From, limit: Limit): Promise<LogPage> {
    this.#expire()
    return readPage(this.#store, set, from, limit)
  }

  tail(listener: TailListener): Tail {
    this.#refuseClosed()
    return this.#tails.open(listener)
  }

  state(): LogState {
    return { epochs: [{ name: this.#epoch }], frontier: this.#store.frontier }
  }

  version(): number {
    this.#expire()
    return this.#store.frontier + this.#store.losses
  }

  async channels(set: ChannelSet, after: string, limit: number): Promise<readonly ChannelInfo[]> {
    this.#expire()
    const page: ChannelInfo[] = []
    for (const channel of this.#store.channels.inOrder(set, after)) {
      if (page.length >= limit) break
      page.push(channel.info())
    }
    return page
  }

  async drop(channel: string): Promise<boolean> {
    const dropped = this.#store.drop(channel, this.#expire())
    if (typeof dropped === 'boolean') return dropped
    this.#tell([dropped])
    return true
  }

  async health(): Promise<Health> {
    this.#refuseClosed()
    return { ok: true }
  }

  retention(channel: string): Retention {
    return this.#rules.for(channel)
  }

  size(): number {
    return this.#store.bytes
  }

  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    this.#stopTrimming()
    this.#tails.close()
    this.#keys.clear()
  }

  #tell(records: readonly LogRecord[]): void {
    if (records.length > 0) this.#tails.tell({ epoch: this.#epoch, records, frontier: this.#store.frontier })
  }

  /** Brings the log up to the present before anything else is done with it. */
  #expire(): number {
    this.#refuseClosed()
    const now = this.#now()
    this.#keys.expire(now)
    this.#store.expire(now)
    return now
  }

  #refuseClosed(): void {
    if (this.#closed) throw new LogError('log-closed', 'The log is closed: open a new one')
  }
}

function everyUnref(ms: number, run: () => void): () => void {
  const timer = setInterval(run, ms)
  // Deno's and the browsers' timers are numbers.
  if (typeof timer === 'object') timer.unref()
  return () => clearInterval(timer)
}

function throwLater(error: unknown): void {
  queueMicrotask(() => {
    throw error
  })
}
