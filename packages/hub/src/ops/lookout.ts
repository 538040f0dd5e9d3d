/** Looks at a hub once a second, and tells what it saw on the node's own channels. */
import { formatCursor } from '@downlink/wire'
import type { Timer } from '../clock.ts'
import type { ReaderInfo } from '../delivery/reader-info.ts'
import type { Hub } from '../hub.ts'
import { ChannelSet } from '../log/channel-set.ts'
import type { Tail } from '../log/log.ts'
import { ChannelActivity } from './channel-activity.ts'
import type { Counted } from './counted-histogram.ts'
import { CountedTimes } from './counted-times.ts'
import { type ListedChannel, listedChannel } from './listed-channel.ts'
import { CHANNELS, isWatched, ownHub, READERS, tell, TROUBLE, VITALS } from './own-channels.ts'
import { ReaderList } from './reader-changes.ts'
import { RecentTimes } from './recent-times.ts'
import { type Counters, type Spread, vitalsOf } from './vitals.ts'
import { WorstMinute } from './worst-minute.ts'

/** What only the runtime knows. */
export interface Machine {
  /** Bytes. */
  memory(): { readonly rss: number; readonly heap: number }
  /** CPU time of the process, in milliseconds. */
  cpu(): number
  /** How much later than asked for the event loop came round since this was last asked, in milliseconds. */
  loopDelay(): Spread
}

/** A channel as `$hub.channels` tells it. */
export interface ChannelRow extends ListedChannel {
  /** Events since the last time. */
  readonly came: number
}

/** What went wrong, or was refused, as `$hub.trouble` tells it. */
export interface Trouble {
  /** `more`: how many there were besides, in the same second. */
  readonly kind: 'error' | 'refused' | 'more'
  /** Of a refusal: its status and code. */
  readonly status?: number
  readonly code?: string
  readonly message: string
}

/** What is counted since the start, for whoever asks now and then. */
export interface Totals {
  /** Publishes answered, by how long they took. */
  readonly publishSeconds: Counted
  /** Events that they, and whoever embeds the hub, appended. */
  readonly events: number
  readonly errors: number
  readonly refused: number
}

const EVERY_MS = 1_000
/** Channels told in one event, so that none gets large. */
const ROWS = 250
/** Troubles told in one second. */
const MOST_TROUBLES = 20
/** Channels told in one second: what happened in more is told by their count. */
const MOST_ROWS = 2_000

export class Lookout {
  /** Of the node's own channels. */
  readonly own: Hub
  readonly readers = new ReaderList()
  readonly #hub: Hub
  readonly machine: Machine
  readonly #activity = new ChannelActivity()
  readonly #publishTimes: RecentTimes
  readonly #allPublishTimes = new CountedTimes()
  readonly #loopDelays = new WorstMinute()
  readonly #tail: Tail
  #troubles = 0
  #errors = 0
  #refused = 0
  #publishes = 0
  #events = 0
  #before: Counters
  #timer: Timer | undefined
  #looking = false

  constructor(hub: Hub, machine: Machine) {
    const { clock } = hub
    this.#hub = hub
    this.machine = machine
    this.#publishTimes = new RecentTimes(() => clock.random())
    this.own = ownHub(clock, (error) => hub.delivery.report(error))
    this.#tail = hub.log.tail({
      batch: ({ records }) => {
        for (const { kind } of records) if (kind === 'event') this.#events++
        if (isWatched(this.own)) this.#activity.take(records)
      },
      lost: () => {},
    })
    this.#tail.follow(new ChannelSet(['**'])).catch((error: unknown) => hub.delivery.report(error))
    this.#before = this.#counters()
    this.#wait()
  }

  /** Who reads just now; `$hub.readers` tells what changes, after this cursor at the latest. */
  who(): { readonly readers: readonly ReaderInfo[]; readonly untold: number; readonly cursor: string } {
    const { epochs, frontier } = this.own.log.state()
    const cursor = formatCursor({ epoch: epochs[0].name, position: frontier })
    const changes = this.readers.look(this.#hub.delivery.list())
    if (changes.came.length + changes.changed.length + changes.left.length > 0)
      tell(this.own, [{ channel: READERS, value: changes }])
    return { readers: this.readers.all, untold: changes.untold, cursor }
  }

  /** A publish was answered after so many milliseconds. */
  published(ms: number): void {
    this.#publishes++
    this.#publishTimes.add(ms)
    this.#allPublishTimes.add(ms)
  }

  get totals(): Totals {
    return {
      publishSeconds: this.#allPublishTimes.seconds,
      events: this.#events,
      errors: this.#errors,
      refused: this.#refused,
    }
  }

  /** Of each the worst second of the last minute, in milliseconds. */
  get loopDelay(): Spread {
    return this.#loopDelays.worst
  }

  /** So many a second are told; of the rest only how many there were. */
  trouble(trouble: Trouble): void {
    if (trouble.kind === 'refused') this.#refused++
    else this.#errors++
    if (this.#troubles++ < MOST_TROUBLES) tell(this.own, [{ channel: TROUBLE, value: trouble }])
  }

  async close(): Promise<void> {
    this.#timer?.clear()
    this.#timer = undefined
    this.#tail.close()
    await this.own.close()
  }

  #wait(): void {
    this.#timer = this.#hub.clock.after(EVERY_MS, () => {
      if (!this.#looking) void this.#look()
      this.#wait()
    })
  }

  /** One at a time: an engine that is slow is not asked faster than it answers. */
  async #look(): Promise<void> {
    this.#looking = true
    try {
      const after = this.#counters()
      const vitals = vitalsOf(this.#before, after, await this.#gauges())
      this.#before = after
      const told: { channel: string; value: unknown }[] = [{ channel: VITALS, value: vitals }]
      if (isWatched(this.own)) {
        const readers = this.readers.look(this.#hub.delivery.list())
        const { came, changed, left } = readers
        if (came.length + changed.length + left.length > 0) told.push({ channel: READERS, value: readers })
        for (const value of await this.#channels()) told.push({ channel: CHANNELS, value })
      }
      tell(this.own, told)
      this.#tellUntold()
    } catch (error) {
      this.#hub.delivery.report(error)
    } finally {
      this.#looking = false
    }
  }

  #tellUntold(): void {
    const untold = this.#troubles - MOST_TROUBLES
    this.#troubles = 0
    if (untold > 0)
      tell(this.own, [{ channel: TROUBLE, value: { kind: 'more', message: `and ${untold} more` } }])
  }

  async #channels(): Promise<readonly unknown[]> {
    const { changes, beyond } = this.#activity.changes()
    if (changes.length === 0) return []
    const told = changes.slice(0, MOST_ROWS)
    const names = told.map(({ name }) => name)
    const infos = await this.#hub.log.channels(new ChannelSet(names), '', names.length)
    const byName = new Map(infos.map((info) => [info.name, info]))
    const epoch = this.#hub.log.state().epochs[0].name
    const rows: ChannelRow[] = []
    const gone: string[] = []
    for (const change of told) {
      const info = byName.get(change.name)
      if (info)
        rows.push({
          ...listedChannel(info, epoch, this.#hub.log.retention?.(info.name)),
          came: change.events,
        })
      else gone.push(change.name)
    }
    const untold = changes.length - told.length + beyond
    const values: unknown[] = []
    for (let from = 0; from === 0 || from < rows.length; from += ROWS) {
      values.push({
        rows: rows.slice(from, from + ROWS),
        gone: from === 0 ? gone : [],
        untold: from === 0 ? untold : 0,
      })
    }
    return values
  }

  #counters(): Counters {
    const { tally } = this.#hub.delivery
    return {
      time: this.#hub.clock.now(),
      publishes: this.#publishes,
      events: this.#events,
      deliveries: tally.deliveries,
      writes: tally.writes,
      sizes: [...tally.sizes],
      filled: tally.filled,
      gaps: tally.gaps,
      cpu: this.machine.cpu(),
    }
  }

  async #gauges(): Promise<Parameters<typeof vitalsOf>[2]> {
    const { delivery, log } = this.#hub
    const publishTime = this.#publishTimes.take()
    const loopDelay = this.machine.loopDelay()
    this.#loopDelays.add(loopDelay)
    return {
      streams: delivery.readers,
      webSockets: delivery.webSockets,
      longPolls: delivery.waiting,
      slow: delivery.slow,
      frontier: log.state().frontier,
      ...this.machine.memory(),
      loopDelay,
      ...(publishTime && { publishTime }),
      log: await this.#hub.health(),
    }
  }
}
