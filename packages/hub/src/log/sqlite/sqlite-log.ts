/** The embedded default: a log in one SQLite file, written by one thread and read by another. */
import { statSync } from 'node:fs'
import { resolve as absolute } from 'node:path'
import type { ChannelSet } from '../channel-set.ts'
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
  type LogRecord,
  type LogState,
  type NewEvent,
  type Tail,
  type TailListener,
} from '../log.ts'
import {
  checkForget,
  DEFAULT_FORGET,
  DURABLE_RETENTION,
  type Retention,
  RetentionRules,
  type RetentionRule,
} from '../retention.ts'
import { Tails } from '../tails.ts'
import { Condition } from './condition.ts'
import { GroupCommit } from './group-commit.ts'
import { type Lock, lock } from './lock.ts'
import type {
  AppendRequest,
  FailedResult,
  GroupResult,
  ReaderCalls,
  WriteRequest,
  WriteResult,
  WriterCalls,
} from './messages.ts'
import type { Durability } from './open.ts'
import { unpackPage } from './page-packing.ts'
import { packRequests, unpackResults } from './packing.ts'
import { prepare, type Prepared } from './prepare.ts'
import { recordsOf } from './records.ts'
import { Thread } from './thread.ts'

export interface SqliteLogOptions {
  /** The database's file; its folder is made when missing. Beside it lie `-wal`, `-shm`, `-guard`, `-lock` and `-pid`. */
  readonly path: string
  /**
   * `fsync` (default): an acknowledged event survives the loss of power. `os`: it survives the death of the hub, but not of the
   * machine; what was lost is then told as a gap.
   */
  readonly durability?: Durability
  /** The first rule that matches a channel holds for it. Default: none, so `DURABLE_RETENTION` for all. */
  readonly retention?: readonly RetentionRule[]
  /** An empty channel is remembered for so long after its last activity, in milliseconds. Default `DEFAULT_FORGET`, 7 days. */
  readonly forget?: number
  /**
   * Bytes of the file that are in use. An append that would bring it beyond is refused with `log-full`, before anything is trimmed for
   * it; reading and erasing go on, and what is erased or trimmed makes room. The write-ahead log beside it comes on top, some
   * megabytes. Default Infinity: until the disk is full.
   */
  readonly fullBytes?: number
  /** Milliseconds since 1970. Default `Date.now`. */
  readonly now?: () => number
  /** From 0 up to, but not, 1: for the name of an epoch. Default `Math.random`. */
  readonly random?: () => number
  /** Gets what a tail's listener throws. Default: thrown on its own, as an uncaught exception. */
  readonly reportError?: (error: unknown) => void
}

/** Milliseconds between two looks whether something is too old, when nothing else asks. */
const SWEEP_EVERY = 1_000

const suffix = import.meta.url.endsWith('.ts') ? '.ts' : '.js'

export class SqliteLog implements Log {
  /** Why the epoch changed when the log was opened, in a few words; undefined when it did not. */
  readonly broke: string | undefined
  readonly #path: string
  readonly #writer: Thread<WriterCalls>
  readonly #reader: Thread<ReaderCalls>
  readonly #lock: Lock
  readonly #commits: GroupCommit
  readonly #tails: Tails
  readonly #condition: Condition
  readonly #rules: RetentionRules
  readonly #now: () => number
  readonly #timer: NodeJS.Timeout
  #state: LogState
  #due = 0
  /** As of the last word of the writer. */
  #losses = 0
  #sweeping: Promise<boolean> | undefined
  /** The last sweep left more to do. */
  #behind = false
  #closing: Promise<void> | undefined

  /** @throws {LogError} `log-unavailable`, `retention-invalid` */
  static async open(options: SqliteLogOptions): Promise<SqliteLog> {
    const path = absolute(options.path)
    const rules = options.retention ?? []
    // Before any file is touched.
    void new RetentionRules(rules, DURABLE_RETENTION)
    const forget = checkForget(options.forget ?? DEFAULT_FORGET)
    const held = lock(path)
    try {
      const prepared = prepare(
        path,
        options.durability ?? 'fsync',
        JSON.stringify([rules, DURABLE_RETENTION]),
        options.random ?? Math.random,
      )
      return new SqliteLog({ ...options, forget, path }, prepared, held)
    } catch (error) {
      held.release()
      throw error
    }
  }

  private constructor(options: SqliteLogOptions, { state, broke, recheck }: Prepared, held: Lock) {
    this.#state = state
    this.broke = broke
    this.#lock = held
    this.#now = options.now ?? Date.now
    this.#tails = new Tails(options.reportError ?? throwLater)
    const { path } = options
    this.#path = path
    this.#rules = new RetentionRules(options.retention, DURABLE_RETENTION)
    this.#writer = new Thread(new URL(`./writer-worker${suffix}`, import.meta.url), {
      path,
      durability: options.durability ?? 'fsync',
      retention: options.retention ?? [],
      forget: options.forget ?? DEFAULT_FORGET,
      fullBytes: options.fullBytes ?? Infinity,
      epoch: state.epochs[0].name,
      recheck,
    })
    this.#reader = new Thread(new URL(`./reader-worker${suffix}`, import.meta.url), { path })
    this.#condition = new Condition(async (trial) => {
      await Promise.all([this.#writer.call('probe', trial), this.#reader.call('probe', undefined)])
    })
    this.#commits = new GroupCommit(
      (requests) => this.#commit(requests),
      (requests, group) => this.#committed(requests, group),
    )
    this.#timer = setInterval(() => this.#sweepSoon(), SWEEP_EVERY)
    this.#timer.unref()
  }

  async append(batch: readonly NewEvent[], options: AppendOptions = {}): Promise<Appended> {
    const { end = [], idempotency } = options
    const request: AppendRequest = {
      kind: 'append',
      channels: batch.map(({ channel }) => channel),
      types: batch.map(({ type }) => type),
      data: batch.map(({ data }) => data),
      end,
      ...(idempotency && { idempotency }),
    }
    this.#refuseClosed()
    const result = refuseFailed(await this.#commits.add(request))
    if (result.kind !== 'append') throw new Error('The log answered something else')
    const { epoch, first, count, repeated } = result
    const positions = count === 1 ? [first] : Array.from({ length: count }, (_, index) => first + index)
    return { epoch, positions, repeated }
  }

  async read(set: ChannelSet, from: From, limit: Limit): Promise<LogPage> {
    await this.#upToDate()
    const request = { set: { names: set.names, patterns: set.patterns }, from, limit }
    const page = unpackPage(await this.#reader.call('read', request))
    const newest = Math.max(page.cursor, page.events.at(-1)?.position ?? 0)
    // What is committed can be read before the writer has said so, and a cursor beyond the frontier is no cursor of this log.
    if (newest > this.#state.frontier) await this.#commits.presentOver()
    return page
  }

  tail(listener: TailListener): Tail {
    this.#refuseClosed()
    return this.#tails.open(listener)
  }

  state(): LogState {
    return this.#state
  }

  version(): number | undefined {
    this.#refuseClosed()
    return this.#due <= this.#now() || this.#behind ? undefined : this.#state.frontier + this.#losses
  }

  async channels(set: ChannelSet, after: string, limit: number): Promise<readonly ChannelInfo[]> {
    await this.#upToDate()
    return this.#reader.call('list', { set: { names: set.names, patterns: set.patterns }, after, limit })
  }

  async drop(channel: string): Promise<boolean> {
    this.#refuseClosed()
    const result = refuseFailed(await this.#commits.add({ kind: 'drop', channel }))
    return result.kind === 'drop' && result.known
  }

  async health(): Promise<Health> {
    this.#refuseClosed()
    return this.#condition.health()
  }

  retention(channel: string): Retention {
    return this.#rules.for(channel)
  }

  size(): number {
    const sizes = [this.#path, `${this.#path}-wal`].map(
      (file) => statSync(file, { throwIfNoEntry: false })?.size ?? 0,
    )
    return sizes.reduce((sum, size) => sum + size)
  }

  close(): Promise<void> {
    return (this.#closing ??= this.#close())
  }

  async #close(): Promise<void> {
    clearInterval(this.#timer)
    this.#tails.close()
    try {
      // Calls are answered in order: this one after everything that was accepted.
      await this.#commits.settled()
      await this.#sweeping
      await this.#reader.call('close', undefined)
      await this.#writer.call('close', undefined)
    } finally {
      await Promise.all([this.#reader.terminate(), this.#writer.terminate()])
      this.#lock.release()
    }
  }

  async #commit(requests: readonly WriteRequest[]): Promise<GroupResult> {
    const group = await this.#writer.call('write', { requests: packRequests(requests), now: this.#now() })
    return { ...group, results: unpackResults(group.results) }
  }

  #committed(requests: readonly WriteRequest[], group: GroupResult): void {
    const [first] = group.results
    if (group.frontier < 0) {
      if (first?.kind === 'failed') this.#condition.met(new LogError(first.code, first.message))
      return
    }
    this.#condition.met(undefined)
    this.#due = Math.min(this.#due, group.due)
    this.#losses = Math.max(this.#losses, group.losses)
    const before = this.#state.frontier
    this.#state = { ...this.#state, frontier: group.frontier }
    const records: LogRecord[] = recordsOf(requests, group)
    // What a failed commit left behind was never told: whoever listens reads the log.
    if (group.reopened && (records[0]?.position ?? group.frontier + 1) > before + 1) this.#tails.lost()
    const epoch = this.#state.epochs[0].name
    if (records.length > 0) this.#tails.tell({ epoch, records, frontier: group.frontier })
    if (this.#due <= this.#now() || this.#behind) this.#sweepSoon()
  }

  /** What is too old by now goes before it is read: one step of it, or none when there is so much that it goes on anyway. */
  async #upToDate(): Promise<void> {
    this.#refuseClosed()
    // A sweep that is under way may have begun before this was due.
    try {
      for (let sweeps = 0; sweeps < 2 && this.#due <= this.#now() && !this.#behind; sweeps++)
        await this.#sweep()
    } catch {
      // A full disk, for instance: better to read what is too old than nothing. Health, and the next append, tell.
    }
  }

  #sweepSoon(): void {
    if (this.#closing || (this.#due > this.#now() && !this.#behind)) return
    this.#sweep().catch(() => {
      // Told by the next append, which meets the same.
    })
  }

  #sweep(): Promise<boolean> {
    this.#sweeping ??= this.#sweepStep().finally(() => {
      this.#sweeping = undefined
      if (this.#behind && !this.#closing) setImmediate(() => this.#sweepSoon())
    })
    return this.#sweeping
  }

  async #sweepStep(): Promise<boolean> {
    try {
      const { more, due, losses } = await this.#writer.call('sweep', this.#now())
      this.#losses = Math.max(this.#losses, losses)
      this.#behind = more
      this.#due = due
      return more
    } catch (error) {
      this.#behind = false
      this.#due = this.#now() + SWEEP_EVERY
      throw error
    }
  }

  #refuseClosed(): void {
    if (this.#closing) throw new LogError('log-closed', 'The log is closed: open a new one')
  }
}

/** @throws {LogError} what the writer refused */
function refuseFailed(result: WriteResult): Exclude<WriteResult, FailedResult> {
  if (result.kind !== 'failed') return result
  const { code, message, channel } = result
  throw new LogError(code, message, channel === undefined ? {} : { channel })
}

function throwLater(error: unknown): void {
  queueMicrotask(() => {
    throw error
  })
}
