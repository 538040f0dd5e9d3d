/** A delivery on a clock that only the test moves, over the memory engine, with everything it does laid open. */
import { gunzipSync, constants as zlib } from 'node:zlib'
import { createParser, formatCursor, type StreamEvent } from '@downlink/wire'
import { coderOf, type Coding } from '../../src/delivery/coding/coding.ts'
import { DEFAULT_DELIVERY, Delivery, type DeliverySettings } from '../../src/delivery/delivery.ts'
import { type Holder, NOBODY } from '../../src/delivery/holder.ts'
import type { Reader } from '../../src/delivery/reader.ts'
import type { Sink } from '../../src/delivery/sink.ts'
import { type Origin, startOf } from '../../src/delivery/start.ts'
import { plainVariant, type Variant } from '../../src/delivery/variant.ts'
import { ChannelSet } from '../../src/log/channel-set.ts'
import type {
  Epoch,
  From,
  Limit,
  LogPage,
  LogState,
  Position,
  Tail,
  TailListener,
} from '../../src/log/log.ts'
import { MemoryLog, type MemoryLogOptions } from '../../src/log/memory.ts'
import { SimulatedClock } from './clock.ts'

/** The memory engine, but its reads can be counted, held back or made to fail, and its tail and epoch taken over. */
export class OpenLog extends MemoryLog {
  reads = 0
  readonly followed: string[] = []
  listener: TailListener | undefined
  /** Instead of those of the engine. */
  epochs: readonly [Epoch, ...Epoch[]] | undefined
  failure: Error | undefined
  followFailure: Error | undefined
  /** Until it resolves the tail does not follow yet. */
  following: Promise<void> | undefined
  #held: Promise<void> | undefined

  /** Answers of reads wait until the function returned is called; what they say is what was true when they were asked. */
  hold(): () => void {
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#held = promise
    return () => {
      this.#held = undefined
      resolve()
    }
  }

  override async read(set: ChannelSet, from: From, limit: Limit): Promise<LogPage> {
    this.reads++
    const page = await super.read(set, from, limit)
    await this.#held
    if (this.failure) throw this.failure
    return page
  }

  override tail(listener: TailListener): Tail {
    this.listener = listener
    const tail = super.tail(listener)
    return {
      follow: async (set) => {
        this.followed.push(set.key)
        if (this.followFailure) throw this.followFailure
        await this.following
        await tail.follow(set)
      },
      unfollow: (set) => {
        this.followed.splice(this.followed.indexOf(set.key), 1)
        tail.unfollow(set)
      },
      close: () => tail.close(),
    }
  }

  override state(): LogState {
    const state = super.state()
    return this.epochs ? { ...state, epochs: this.epochs } : state
  }
}

export class RecordingSink implements Sink {
  readonly writes: Uint8Array[] = []
  /** Writes that it takes before it is full. */
  room = Infinity
  state: 'open' | 'ended' | 'aborted' = 'open'
  readonly coding: Coding

  constructor(coding: Coding = 'identity') {
    this.coding = coding
  }

  write(bytes: Uint8Array): boolean {
    this.writes.push(bytes)
    this.room--
    return this.room > 0
  }

  end(): void {
    this.state = 'ended'
  }

  abort(): void {
    this.state = 'aborted'
  }

  /** Decoded so far, or whole when it has ended: then its trailer must be right. */
  get text(): string {
    const bytes = Buffer.concat(this.writes)
    if (this.coding === 'identity') return bytes.toString()
    const finishFlush = this.state === 'ended' ? zlib.Z_FINISH : zlib.Z_SYNC_FLUSH
    return gunzipSync(bytes, { finishFlush }).toString()
  }

  get events(): StreamEvent[] {
    const events: StreamEvent[] = []
    const parser = createParser({ onEvent: (event) => void events.push(event) })
    parser.feed(Buffer.from(this.text))
    return events
  }

  /** The data of the events of channels. */
  get data(): string[] {
    return this.events.filter(({ type }) => !type.startsWith('downlink:')).map(({ data }) => data)
  }

  /** The data of the control events of one name. */
  control(name: 'open' | 'gap' | 'end' | 'cursor' | 'expire'): unknown[] {
    return this.events
      .filter(({ type }) => type === `downlink:${name}`)
      .map(({ data }) => JSON.parse(data) as unknown)
  }
}

export interface OpenOptions {
  readonly variant?: Variant
  readonly room?: number
  readonly coding?: Coding
  readonly holder?: Holder
}

export interface Opened {
  readonly reader: Reader
  readonly sink: RecordingSink
}

export class Stage {
  readonly clock = new SimulatedClock()
  readonly log: OpenLog
  readonly delivery: Delivery
  readonly errors: unknown[] = []

  constructor(settings: Partial<DeliverySettings> = {}, options: MemoryLogOptions = {}) {
    this.log = new OpenLog({ now: () => this.clock.now(), every: () => () => {}, ...options })
    this.delivery = new Delivery(this.log, this.clock, { ...DEFAULT_DELIVERY, ...settings }, (error) =>
      this.errors.push(error),
    )
  }

  get epoch(): string {
    return this.log.state().epochs[0].name
  }

  cursor(position: Position): string {
    return formatCursor({ epoch: this.epoch, position })
  }

  /** Opens a stream and lets it catch up. */
  async open(
    parts: readonly string[],
    origin: Origin = { after: 'now' },
    { variant = plainVariant, room = Infinity, coding = 'identity', holder }: OpenOptions = {},
  ): Promise<Opened> {
    const opened = this.openNow(parts, origin, variant, room, coding, holder)
    await this.clock.turn()
    return opened
  }

  openNow(
    parts: readonly string[],
    origin: Origin,
    variant = plainVariant,
    room = Infinity,
    coding: Coding = 'identity',
    holder = NOBODY,
  ): Opened {
    const sink = new RecordingSink(coding)
    sink.room = room
    const start = startOf(origin, this.log.state())
    const set = new ChannelSet(parts)
    return { reader: this.delivery.open(set, start, variant, sink, holder, coderOf(coding)), sink }
  }

  /** Appends one event for each, in one turn. */
  async append(...events: readonly (readonly [channel: string, data: string])[]): Promise<Position[]> {
    const positions: Position[] = []
    for (const [channel, data] of events) {
      const appended = await this.log.append([{ channel, data }])
      positions.push(...appended.positions)
    }
    return positions
  }

  /** The same, and the turn ends. */
  async publish(...events: readonly (readonly [channel: string, data: string])[]): Promise<Position[]> {
    const positions = await this.append(...events)
    await this.clock.turn()
    return positions
  }
}
