/** One client: remembers a cursor as an EventSource does, changes its transport, is cut, stalls, and comes back. */
import {
  type PageEvent,
  CONTROL,
  createParser,
  type Page,
  parseCursor,
  parseGap,
  parsePage,
  encodePage,
  type StreamEvent,
} from '@downlink/wire'
import type { Origin } from '../../src/delivery/start.ts'
import { plainVariant, type Variant } from '../../src/delivery/variant.ts'
import { coderOf, type Coding } from '../../src/delivery/coding/coding.ts'
import { HubError } from '../../src/errors.ts'
import { textFrame } from '../../src/http/websocket/frames.ts'
import type { Hub } from '../../src/hub.ts'
import { LogError } from '../../src/log/log.ts'
import type { SimulatedClock } from './clock.ts'
import { Connection, type Line, MessageConnection } from './connection.ts'
import { Gunzip } from './gunzip.ts'
import { FrameReader } from './messages.ts'
import type { Random } from './random.ts'
import type { Witness } from './witness.ts'

export type Transport = 'stream' | 'messages' | 'long-poll' | 'poll'

export interface Habits {
  /** Where it begins, when it has no cursor. */
  readonly origin: { readonly after: 'start' | 'now' } | { readonly last: number }
  readonly transports: readonly Transport[]
  /** The probability, of each connection, that it brings an id that is none. */
  readonly garbage: number
  /** Milliseconds between two connections, and before it hangs up by itself, at most. */
  readonly awayMs: number
  readonly stayMs: number
}

/** The probability, of each stream, that it is coded. */
const GZIP = 0.3

export class Client {
  readonly #hub: Hub
  readonly #clock: SimulatedClock
  readonly #random: Random
  readonly #witness: Witness
  readonly #fail: (error: unknown) => void
  habits: Habits
  line: Line
  #cursor = ''
  #connection: Connection | undefined
  /** Whether it was told that nothing more will ever come. */
  done = false
  #stopped = false

  constructor(
    hub: Hub,
    clock: SimulatedClock,
    random: Random,
    witness: Witness,
    habits: Habits,
    line: Line,
    fail: (error: unknown) => void,
  ) {
    this.#hub = hub
    this.#clock = clock
    this.#random = random
    this.#witness = witness
    this.habits = habits
    this.line = line
    this.#fail = fail
  }

  /** Reads until it is stopped, or everything has ended. */
  async live(): Promise<void> {
    while (!this.#stopped && !this.done) {
      await this.#clock.sleep(this.#random.int(0, this.habits.awayMs))
      try {
        const transport = this.#random.pick(this.habits.transports)
        if (transport === 'stream') await this.#stream()
        else if (transport === 'messages') await this.#messages()
        else await this.#page(transport === 'poll' ? 0 : this.#random.int(1, 5_000))
      } catch (error) {
        if (error instanceof LogError && error.code === 'log-unavailable') continue
        if (error instanceof HubError && error.code === 'draining') continue
        this.#fail(error)
        return
      }
    }
  }

  get streaming(): boolean {
    return this.#connection !== undefined
  }

  stop(): void {
    this.#stopped = true
    this.hangUp()
  }

  hangUp(): void {
    this.#connection?.cut()
  }

  #origin(): Origin {
    if (this.#random.chance(this.habits.garbage))
      return { lastEventId: this.#random.pick(['42', 'Nobody-7', '?']) }
    if (this.#cursor === '') return this.habits.origin
    if (this.#random.chance(0.5)) return { lastEventId: this.#cursor }
    return { after: parseCursor(this.#cursor) }
  }

  async #stream(): Promise<void> {
    const origin = this.#origin()
    if (await this.#hub.isOver(this.#witness.set, origin)) {
      this.done = true
      return
    }
    const random = this.#random
    const variant = {
      channel: random.chance(0.5),
      time: random.chance(0.5),
      eventByChannel: random.chance(0.5),
      ...(random.chance(0.2) && { whole: true as const }),
    }
    const ended = new Map<string, number>()
    const parser = createParser({ onEvent: (event) => this.#guard(() => this.#take(event, variant, ended)) })
    // All of a stream is decoded again for each piece of it: in crumbs that would take minutes.
    const crumbs = this.line.chunk < 200
    const coding: Coding = random.chance(GZIP) && !crumbs && coderOf('gzip') ? 'gzip' : 'identity'
    const decoder = coding === 'gzip' ? new Gunzip() : undefined
    const whole = await this.#open(origin, variant, coding, (chunk) => {
      parser.feed(decoder ? decoder.feed(chunk) : chunk)
    })
    if (whole) this.#guard(() => decoder?.end())
    parser.end()
  }

  /** Until it is over. @returns whether all came, to a clean end. */
  async #open(
    origin: Origin,
    variant: Variant,
    coding: Coding,
    take: (chunk: Uint8Array) => void,
  ): Promise<boolean> {
    const random = this.#random
    const Kind = variant.message ? MessageConnection : Connection
    const connection = new Kind(this.#clock, random, this.line, take, this.#fail)
    this.#connection = connection
    const until = this.#clock.now() + random.int(1, this.habits.stayMs * 2)
    const holder = { subject: '', ...(random.chance(0.3) && { until }) }
    connection.reader = this.#hub.open(this.#witness.set, origin, connection, variant, coding, holder)
    const leave = this.#clock.after(random.int(0, this.habits.stayMs), () => connection.cut())
    await connection.over
    leave.clear()
    this.#connection = undefined
    return connection.whole
  }

  /** As by a WebSocket: each message is a page. */
  async #messages(): Promise<void> {
    const { set } = this.#witness
    const ended = new Map<string, number>()
    const frames = new FrameReader(({ opcode, payload }) =>
      this.#guard(() => {
        if (this.#stopped || opcode !== 1) return
        const page = JSON.parse(payload.toString()) as Page
        this.#takeMessage(page, ended)
      }),
    )
    const variant = { ...plainVariant, message: textFrame }
    const whole = await this.#open(this.#origin(), variant, 'identity', (chunk) => frames.feed(chunk))
    if (whole && set.patterns.length === 0 && ended.size === set.names.length) this.done = true
  }

  #takeMessage({ gap, events, cursor, ended: ends = [] }: Page, ended: Map<string, number>): void {
    const witness = this.#witness
    if (!witness.begun) witness.begin(gap?.to ?? cursor, 'last' in this.habits.origin)
    if (gap) {
      witness.gap(gap)
      for (const channel of gap.channels) ended.delete(channel)
      if (gap.reason === 'epoch' || gap.reason === 'unknown') ended.clear()
    }
    for (const event of events) witness.event(event)
    witness.cursor(cursor)
    for (const channel of ends) {
      const position = witness.end(channel, cursor)
      if (ended.get(channel) === position) throw new Error(`the end of ${channel} was told twice`)
      if (this.#witness.set.hasName(channel)) ended.set(channel, position)
    }
    this.#cursor = cursor
  }

  #take(event: StreamEvent, variant: Variant, ended: Map<string, number>): void {
    if (this.#stopped) return
    const { type, data, lastEventId: id } = event
    const witness = this.#witness
    // Without an id of its own a block has the one before it: the opening before a gap has none.
    if (id !== '') this.#cursor = id
    switch (type) {
      case CONTROL.open:
        if (id === '') return
        if (witness.begun) witness.cursor(id)
        else witness.begin(id, 'last' in this.habits.origin)
        return
      case CONTROL.gap: {
        const gap = parseGap(data)
        if (!witness.begun) witness.begin(gap.to, false)
        witness.gap(gap)
        for (const channel of gap.channels) ended.delete(channel)
        if (gap.reason === 'epoch' || gap.reason === 'unknown') ended.clear()
        return
      }
      case CONTROL.end: {
        const { channel } = JSON.parse(data) as { channel: string }
        const position = witness.end(channel, id)
        if (ended.get(channel) === position)
          throw new Error(`the end of ${channel} was told twice on one stream`)
        ended.set(channel, position)
        return
      }
      case CONTROL.cursor:
        return witness.cursor(id)
      case CONTROL.expire:
        if (id !== '') witness.cursor(id)
        return
      default:
        if (variant.whole) return witness.event(wholeOf(event), () => 'message')
        witness.event({ id, ...event }, ({ channel }) => (variant.eventByChannel ? channel : 'message'))
        if (variant.channel !== (event.channel !== undefined))
          throw new Error('the channel line is not as asked for')
        if (variant.time !== (event.time !== undefined)) throw new Error('the time line is not as asked for')
    }
  }

  async #page(ms: number): Promise<void> {
    const random = this.#random
    const { set } = this.#witness
    const origin = this.#origin()
    const limit = random.int(1, 20)
    const hurry = new AbortController()
    const timer = this.#clock.after(random.int(0, this.habits.stayMs), () => hurry.abort())
    const page = await this.#hub
      .readPage(set, origin, limit, { ms, signal: hurry.signal })
      .finally(() => timer.clear())
    await this.#clock.sleep(random.int(0, this.line.delayMs))
    // Lost on its way: the client knows nothing of it, and asks again.
    if (this.#stopped || random.chance(this.line.cut)) return
    this.#takePage(parsePage(encodePage(page)), limit)
  }

  #takePage(page: Page, limit: number): void {
    const witness = this.#witness
    if (page.events.length > limit) throw new Error('more events than asked for')
    const first = page.events[0]?.id
    if (!witness.begun) {
      const start = first === undefined ? page.cursor : before(first)
      witness.begin(start, 'last' in this.habits.origin)
    }
    if (page.gap) witness.gap(page.gap)
    for (const event of page.events) witness.event(event)
    witness.cursor(page.cursor)
    this.#cursor = page.cursor
    for (const channel of page.ended ?? []) witness.end(channel, page.cursor)
    const { set } = witness
    const over = !page.more && set.patterns.length === 0 && page.ended?.length === set.names.length
    if (over && this.#random.chance(0.5)) this.done = true
  }

  #guard(check: () => void): void {
    try {
      check()
    } catch (error) {
      this.#fail(error)
    }
  }
}

function before(id: string): string {
  const { epoch, position } = parseCursor(id)
  return `${epoch}-${position - 1}`
}

/** What a native EventSource would make of it. */
function wholeOf({ type, data, lastEventId }: StreamEvent): PageEvent {
  const event = JSON.parse(data) as PageEvent
  if (type !== 'message' || event.id !== lastEventId) throw new Error('the whole event is not as asked for')
  return event
}
