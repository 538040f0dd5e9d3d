/** A log whose moods a test decides: slow, away, broken. Everything else is the engine's own. */
import type { ChannelSet } from '../../src/log/channel-set.ts'
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
  type TailListener,
} from '../../src/log/log.ts'
import type { Retention } from '../../src/log/retention.ts'

export type Mood = 'well' | 'away' | 'broken' | 'full'

export class FaultyLog implements Log {
  mood: Mood = 'well'
  /** Reads of the log so far, and how many events they gave. */
  reads = 0
  eventsRead = 0
  readonly #log: Log
  #held: PromiseWithResolvers<void> | undefined
  #first = Promise.withResolvers<void>()

  constructor(log: Log) {
    this.#log = log
  }

  /** From now on appends wait for `release`. */
  hold(): void {
    this.#held ??= Promise.withResolvers()
  }

  /** Resolves as soon as an append waits, also when one already does. */
  held(): Promise<void> {
    return this.#first.promise
  }

  release(): void {
    this.#held?.resolve()
    this.#held = undefined
    this.#first = Promise.withResolvers()
  }

  async append(batch: readonly NewEvent[], options?: AppendOptions): Promise<Appended> {
    this.#check()
    if (this.mood === 'full') throw new LogError('log-full', 'The log has no room: erase something')
    if (this.#held) {
      this.#first.resolve()
      await this.#held.promise
    }
    return this.#log.append(batch, options)
  }

  async read(set: ChannelSet, from: From, limit: Limit): Promise<LogPage> {
    this.#check()
    const page = await this.#log.read(set, from, limit)
    this.reads++
    this.eventsRead += page.events.length
    return page
  }

  async channels(set: ChannelSet, after: string, limit: number): Promise<readonly ChannelInfo[]> {
    this.#check()
    return this.#log.channels(set, after, limit)
  }

  retention(channel: string): Retention | undefined {
    return this.#log.retention?.(channel)
  }

  async drop(channel: string): Promise<boolean> {
    this.#check()
    return this.#log.drop(channel)
  }

  async health(): Promise<Health> {
    return this.mood === 'well' ? this.#log.health() : { ok: false, reason: 'The log is away' }
  }

  tail(listener: TailListener): Tail {
    return this.#log.tail(listener)
  }

  version(): number | undefined {
    return this.mood === 'well' ? this.#log.version() : undefined
  }

  state(): LogState {
    return this.#log.state()
  }

  close(): Promise<void> {
    return this.#log.close()
  }

  #check(): void {
    if (this.mood === 'away') throw new LogError('log-unavailable', 'The log is away: try again in a moment')
    if (this.mood === 'broken') throw new Error('the secret inside of the log')
  }
}
