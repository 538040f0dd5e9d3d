/** The whole server side in one object, with no HTTP in it. */
import {
  checkPattern,
  type Cursor,
  formatCursor,
  type Page,
  type PageEvent,
  parseCursor,
  partsMeet,
} from '@downlink/wire'
import { Revocations } from './auth/revocations.ts'
import { type Clock, jitter, systemClock } from './clock.ts'
import { coderOf, type Coding } from './delivery/coding/coding.ts'
import { DEFAULT_DELIVERY, Delivery } from './delivery/delivery.ts'
import { type Holder, NOBODY } from './delivery/holder.ts'
import { readPage } from './delivery/page.ts'
import { readPageBefore } from './delivery/page-before.ts'
import type { Reader } from './delivery/reader.ts'
import type { Sink } from './delivery/sink.ts'
import { type Origin, startOf } from './delivery/start.ts'
import { endOfStream } from './delivery/term.ts'
import type { Full } from './delivery/seats.ts'
import { plainVariant, type Variant } from './delivery/variant.ts'
import type { Wait } from './delivery/watch.ts'
import { HubError } from './errors.ts'
import {
  DEFAULT_HUB_LIMITS,
  type Disconnect,
  type HubLimits,
  type HubOptions,
  type Published,
  type PublishOptions,
  type ReadOptions,
  type TailOptions,
} from './hub-options.ts'
import { Limited } from './limits/limited.ts'
import { Limiter, notAtAll, type Rates } from './limits/limiter.ts'
import { ChannelSet } from './log/channel-set.ts'
import type { Appended, ChannelInfo, Health, Log, NewEvent } from './log/log.ts'
import { MemoryLog } from './log/memory.ts'
import type { RetentionRule } from './log/retention.ts'
import { checkTargets, fingerprint, type Publishable, scopedKey, toBatch } from './publish.ts'

export class Hub {
  readonly log: Log
  readonly limits: HubLimits
  readonly delivery: Delivery
  readonly clock: Clock
  /** How often each limit has been met. */
  readonly limited = new Limited()
  /** For those who were let in by `authorize`. */
  readonly limiter: Limiter
  /** For the hub's own machine, which is not limited unless somebody asked for it. */
  readonly ownLimiter: Limiter | undefined
  readonly #running = new Set<string>()
  readonly #stop = new AbortController()
  readonly #revocations = new Revocations()

  constructor(options: HubOptions) {
    this.clock = options.clock ?? systemClock
    this.limits = checkLimits({ ...DEFAULT_HUB_LIMITS, ...options.limits })
    this.limiter = new Limiter(this.clock, this.limits)
    this.ownLimiter = ownLimiter(this.clock, options.limits)
    this.log = options.log ?? this.#memoryLog(options.retention)
    // oxlint-disable-next-line no-console -- the default of an embedded hub, which has no log file of its own
    const report = options.onError ?? ((error: unknown) => console.error('downlink:', error))
    this.delivery = new Delivery(this.log, this.clock, { ...DEFAULT_DELIVERY, ...options.delivery }, report)
  }

  #memoryLog(retention: readonly RetentionRule[] = []): Log {
    const { clock } = this
    return new MemoryLog({ retention, now: () => clock.now(), random: () => clock.random() })
  }

  /** Aborts when the hub drains: what waits should end. */
  get stopping(): AbortSignal {
    return this.#stop.signal
  }

  /**
   * Appends events to one or several channels, in one act: all or nothing. Resolves when they are as durable as the log
   * promises.
   *
   * @throws {HubError} `empty-batch`, `batch-too-large`, `reserved-channel`, `pattern-not-allowed`, `duplicate-channel`,
   *   `too-many-channels`, `invalid-data`, `event-too-large`, `idempotency-running`
   * @throws {LogError} `channel-ended`, `invalid-type`, `idempotency-mismatch`, `log-unavailable`, …
   * @throws {WireError} `invalid-channel`
   */
  async publish(
    channels: string | readonly string[],
    events: Publishable | readonly Publishable[],
    options: PublishOptions = {},
  ): Promise<Published> {
    const targets = checkTargets(typeof channels === 'string' ? [channels] : channels, this.limits.channels)
    return this.publishTo(targets, events, options)
  }

  /** As `publish`, to names that `checkTargets` has passed. What is wrong with the events is thrown, not rejected. */
  publishTo(
    targets: readonly string[],
    events: Publishable | readonly Publishable[],
    options: PublishOptions,
  ): Promise<Published> {
    const publications = isList(events) ? events : [events]
    if (publications.length === 0 && !options.end)
      throw new HubError('empty-batch', 'Expected at least one event, got none')
    const batch = toBatch(targets, publications, this.limits)
    const end = options.end ? targets : []
    if (options.idempotencyKey === undefined) return this.log.append(batch, { end }).then(published)
    return this.#publishOnce(batch, end, scopedKey(options.scope ?? 'embedded', options.idempotencyKey))
  }

  async #publishOnce(batch: readonly NewEvent[], end: readonly string[], key: string): Promise<Published> {
    if (this.#running.has(key)) {
      throw new HubError(
        'idempotency-running',
        'A publish with this idempotency key is still running: try again when it has ended',
      )
    }
    this.#running.add(key)
    try {
      const idempotency = { key, fingerprint: fingerprint(batch, end) }
      return published(await this.log.append(batch, { idempotency, end }))
    } finally {
      this.#running.delete(key)
    }
  }

  /** Ends channels: nothing can be appended any more, their readers are told after the last event. */
  async end(channels: string | readonly string[]): Promise<void> {
    await this.publish(channels, [], { end: true })
  }

  /** Erases a channel with all its events. False when nobody knew it. */
  async drop(channel: string): Promise<boolean> {
    return this.log.drop(checkTargets([channel], 1)[0] as string)
  }

  /** One page of events of some channels or patterns. */
  async read(channels: string | readonly string[], options: ReadOptions = {}): Promise<Page> {
    const { before, limit = this.#pageEvents, waitMs = 0, signal } = options
    if (before !== undefined) {
      if (options.after !== undefined || options.last !== undefined || waitMs > 0)
        throw new HubError('invalid-option', 'Expected `before` without `after`, `last` and `waitMs`')
      return this.readBefore(this.channelSet(channels), parseCursor(before), limit)
    }
    const origin = originOf(options, waitMs > 0 ? { after: 'now' } : { last: limit })
    return this.readPage(this.channelSet(channels), origin, limit, {
      ms: waitMs,
      ...(signal ? { signal } : {}),
    })
  }

  /** As `read`, with everything parsed. @throws {HubError} as `admit`, and not as a rejection */
  readPage(set: ChannelSet, origin: Origin, limit: number, wait: Wait = { ms: 0 }): Promise<Page> {
    if (wait.ms <= 0) return this.#page(set, origin, limit, wait)
    this.admit(wait.holder)
    const ms = Math.min(wait.ms, this.#msLeft(wait.holder))
    return this.#page(set, origin, limit, { ...wait, ms, gate: this })
  }

  /** The newest events before a cursor, in order. @throws {HubError} `invalid-option` */
  readBefore(set: ChannelSet, before: Cursor, limit: number): Promise<Page> {
    const { delivery, limits } = this
    checkCount('limit', limit, 1, limits.pageEvents)
    const most = { events: limit, bytes: limits.pageBytes }
    return readPageBefore(delivery, set, before, most, this.#retry())
  }

  #msLeft({ until }: Holder = NOBODY): number {
    if (until === undefined) return Infinity
    const now = this.clock.now()
    return endOfStream(until, now, this.clock.random()) - now
  }

  /** Events of a page when nobody said how many. */
  get #pageEvents(): number {
    return Math.min(100, this.limits.pageEvents)
  }

  #page(set: ChannelSet, origin: Origin, limit: number, wait: Wait): Promise<Page> {
    const { pageEvents, pageBytes, waitMs } = this.limits
    checkCount('limit', limit, 1, pageEvents)
    if ('last' in origin) checkCount('last', origin.last, 0, pageEvents)
    const ms = this.stopping.aborted ? 0 : Math.min(wait.ms, waitMs)
    const most = { events: limit, bytes: pageBytes }
    return readPage(this.delivery, set, origin, most, this.#retry(), { ...wait, ms })
  }

  #retry(): number {
    return jitter(this.clock, this.delivery.settings.retryMs, 1 / 3)
  }

  /** The events of some channels or patterns as they come. Ends when all channels have ended, on `signal`, and when the hub stops. */
  async *tail(
    channels: string | readonly string[],
    options: TailOptions = {},
  ): AsyncGenerator<PageEvent, void, void> {
    const set = this.channelSet(channels)
    const signal = options.signal ? AbortSignal.any([options.signal, this.stopping]) : this.stopping
    let origin = originOf(options, { after: 'now' })
    for (;;) {
      if (signal.aborted) return
      // What reads in the hub's own process is not counted among its readers.
      const page = await this.#page(set, origin, this.#pageEvents, {
        ms: 'last' in origin ? 0 : this.limits.waitMs,
        signal,
      })
      if (page.gap) {
        if (!options.onGap)
          throw new HubError('history-lost', `Events were lost before ${page.gap.to}: ${page.gap.reason}`)
        options.onGap(page.gap)
      }
      yield* page.events
      if (!page.more && set.patterns.length === 0 && page.ended?.length === set.names.length) return
      origin = { after: parseCursor(page.cursor) }
    }
  }

  /** Opens a stream on a connection. @throws {HubError} as `admit` */
  open(
    set: ChannelSet,
    origin: Origin,
    sink: Sink,
    variant: Variant = plainVariant,
    coding: Coding = 'identity',
    holder: Holder = NOBODY,
  ): Reader {
    if ('last' in origin) checkCount('last', origin.last, 0, this.limits.pageEvents)
    this.admit(holder)
    return this.delivery.open(set, startOf(origin, this.log.state()), variant, sink, holder, coderOf(coding))
  }

  /** Whether a read from here has nothing more to expect, ever: all channels are named, ended, and passed. */
  async isOver(set: ChannelSet, origin: Origin): Promise<boolean> {
    if (set.patterns.length > 0) return false
    const start = startOf(origin, this.log.state())
    if (start.foreign || start.last !== undefined) return false
    if (!(await this.delivery.mayBeOver(set, start.position))) return false
    // It is told to go for good: what was true a moment ago is not enough.
    const page = await this.log.read(set, { after: start.position }, { events: 1, bytes: 1 })
    return (
      this.log.state().epochs[0].name === start.epoch &&
      page.events.length === 0 &&
      !page.gap &&
      page.ends.filter((end) => end.position <= start.position).length === set.names.length
    )
  }

  /** The channels that match, by name, after `after`. */
  async channels(
    selection: string | readonly string[] = '**',
    after = '',
    limit = 100,
  ): Promise<readonly ChannelInfo[]> {
    return this.log.channels(this.channelSet(selection), after, limit)
  }

  /** @throws {WireError} `invalid-channel`, `invalid-pattern` @throws {HubError} `no-channel`, `too-many-channels` */
  channelSet(channels: string | readonly string[]): ChannelSet {
    const set = new ChannelSet(typeof channels === 'string' ? [channels] : channels)
    const count = set.parts.length
    if (count === 0) throw new HubError('no-channel', 'Expected the name of a channel or a pattern, got none')
    if (count <= this.limits.channels) return set
    throw new HubError(
      'too-many-channels',
      `Expected at most ${this.limits.channels} channels and patterns, got ${count}`,
      { limit: this.limits.channels, limited: 'channels' },
    )
  }

  async health(): Promise<Health> {
    if (this.stopping.aborted) return { ok: false, reason: 'The hub is stopping' }
    return this.log.health()
  }

  /** Takes no new readers, ends the streams cleanly and answers the long polls. Publishing and polling go on. */
  drain(): void {
    this.#stop.abort()
    this.delivery.endAll()
  }

  /** Drains and closes the log. Idempotent. */
  async close(): Promise<void> {
    this.drain()
    this.limiter.close()
    this.ownLimiter?.close()
    this.delivery.close()
    await this.log.close()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  /**
   * Ends streams and waiting long polls of this hub cleanly, and says how many. Whoever may still read comes back at once: who
   * is not to has to be refused, by `authorize` or by `revoke`.
   *
   * @throws {HubError} `invalid-option`, `revocations-full` @throws {WireError} `invalid-pattern`
   */
  disconnect(who: Disconnect): number {
    const { delivery } = this
    if ('reader' in who) return delivery.endThose(({ id }) => id === who.reader)
    if ('subject' in who) {
      if (who.revoke) this.#revocations.add(who.subject, this.clock.now())
      return delivery.endThose(({ holder }) => holder.subject === who.subject)
    }
    const channel = checkPattern(who.channel)
    return delivery.endThose(({ set }) => set.parts.some((part) => partsMeet(channel, part)))
  }

  /** Whether a right still holds. @throws {HubError} `expired`, `revoked` */
  checkRight({ subject, until = Infinity, issued }: Pick<Holder, 'subject' | 'until' | 'issued'>): void {
    const now = this.clock.now()
    if (until <= now) throw new HubError('expired', 'The right to this has ended: come back with a new token')
    if (this.#revocations.hold(subject, issued, now))
      throw new HubError('revoked', 'The rights of this subject were revoked: come back with a new token')
  }

  /**
   * @throws {HubError} `overload`, `too-many-streams`, `draining`: no more readers for now; `expired`, `revoked`,
   *   `invalid-ticket`: not with this right
   */
  admit(holder: Holder = NOBODY): void {
    if (this.stopping.aborted) throw new HubError('draining', 'The hub is stopping: come back in a moment')
    this.checkRight(holder)
    const { ticket, until = Infinity } = holder
    if (ticket !== undefined) this.delivery.tickets.admit(ticket, until, this.clock.now())
    this.seat(holder)
  }

  /** @throws {HubError} `overload`, `too-many-streams`: no seat is free for this reader */
  seat(holder: Holder): void {
    const full = this.delivery.seats.full(holder, this.limits)
    if (full !== undefined) throw noSeat(full)
  }
}

export function createHub(options: HubOptions = {}): Hub {
  return new Hub(options)
}

function noSeat({ of, limit }: Full): HubError {
  if (of === 'hub') {
    const text = `The hub has ${limit} readers, its limit: come back in a moment`
    return new HubError('overload', text, { limit, limited: 'streams' })
  }
  if (limit === 0 && of === 'subject') return notAtAll('open streams', 'streams-per-subject')
  const whose = of === 'subject' ? 'You have' : 'Your address has'
  const text = `${whose} ${limit} streams and waiting long polls open, the limit: close one, or read several channels with one`
  return new HubError('too-many-streams', text, {
    limit,
    limited: of === 'subject' ? 'streams-per-subject' : 'streams-per-address',
  })
}

/** @throws {HubError} `invalid-option` */
function checkLimits(limits: HubLimits): HubLimits {
  for (const [name, value] of Object.entries(limits) as [string, unknown][]) {
    if (typeof value === 'number' && value >= 0) continue
    throw new HubError(
      'invalid-option',
      `Expected \`limits.${name}\` to be a number of 0 or more (Infinity for no limit), got ${String(value)}`,
    )
  }
  return limits
}

function ownLimiter(clock: Clock, asked: Partial<Rates> = {}): Limiter | undefined {
  const { publishesPerSubject = Infinity, publishesPerChannel = Infinity } = asked
  if (publishesPerSubject === Infinity && publishesPerChannel === Infinity) return undefined
  return new Limiter(clock, { publishesPerSubject, publishesPerChannel, ticketsPerSubject: Infinity })
}

function isList(events: Publishable | readonly Publishable[]): events is readonly Publishable[] {
  return Array.isArray(events)
}

function published({ epoch, positions, repeated }: Appended): Published {
  return { ids: positions.map((position) => formatCursor({ epoch, position })), repeated }
}

function originOf(options: { readonly after?: string; readonly last?: number }, otherwise: Origin): Origin {
  const { after, last } = options
  if (after !== undefined && last !== undefined)
    throw new HubError('invalid-option', 'Expected `after` or `last`, got both')
  if (last !== undefined) return { last }
  if (after === undefined) return otherwise
  return { after: after === 'start' || after === 'now' ? after : parseCursor(after) }
}

function checkCount(name: string, value: number, least: number, most: number): void {
  if (Number.isInteger(value) && value >= least && value <= most) return
  throw new HubError(
    'invalid-option',
    `Expected \`${name}\` to be a whole number from ${least} to ${most}, got ${value}`,
  )
}
