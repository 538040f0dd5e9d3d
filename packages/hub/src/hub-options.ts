/** What a hub is made with, and what its calls take and give. */
import type { Page } from '@downlink/wire'
import type { Clock } from './clock.ts'
import type { DeliverySettings } from './delivery/delivery.ts'
import type { Log } from './log/log.ts'
import type { RetentionRule } from './log/retention.ts'

export interface HubLimits {
  /** Streams and waiting long polls together; one more is refused for the time being (`overload`). Default 10,000. */
  readonly readers: number
  /** Channels and patterns of one read or publish. Default 64. */
  readonly channels: number
  /** Events of one append: publications times channels. Default 10,000. */
  readonly batch: number
  /** Events of one page. Default 1,000. */
  readonly pageEvents: number
  /** Data of one page, in UTF-16 units; a page holds one event even when that alone is larger. Default 1,048,576. */
  readonly pageBytes: number
  /** The longest wait of a long poll, in milliseconds; a longer one is cut to it. Default 60,000. */
  readonly waitMs: number
  /** Data of one event, in UTF-16 units; a larger one is refused (`event-too-large`). Default 1,048,576. */
  readonly event: number
  /**
   * Streams and waiting long polls of one subject; one more is refused for the time being (`too-many-streams`). A grant's `streams`
   * goes before it. Default 100.
   */
  readonly streamsPerSubject: number
  /**
   * Of one address (of IPv6: of one /64). Counted where there is `authorize`: without it the hub's own machine reads. Default
   * 1,000.
   */
  readonly streamsPerAddress: number
  /**
   * Events a second that one subject may publish over HTTP, or the address of who is nobody; a burst is two seconds' worth. More
   * are refused for the time being (`too-fast`). A grant's `publishes` goes before it. Default 1,000 where there is `authorize`,
   * else Infinity.
   */
  readonly publishesPerSubject: number
  /** Events a second that one channel takes over HTTP, whoever publishes them. Default as above. */
  readonly publishesPerChannel: number
  /** Tickets a second that one subject is given. Default 5. */
  readonly ticketsPerSubject: number
}

export const DEFAULT_HUB_LIMITS: HubLimits = {
  readers: 10_000,
  channels: 64,
  batch: 10_000,
  pageEvents: 1_000,
  pageBytes: 1024 * 1024,
  waitMs: 60_000,
  event: 1024 * 1024,
  streamsPerSubject: 100,
  streamsPerAddress: 1_000,
  publishesPerSubject: 1_000,
  publishesPerChannel: 1_000,
  ticketsPerSubject: 5,
}

export interface HubOptions {
  /** Where the channels live. Default a `MemoryLog` with `retention`. The hub closes it. */
  readonly log?: Log
  /** For the default log only. */
  readonly retention?: readonly RetentionRule[]
  readonly delivery?: Partial<DeliverySettings>
  readonly limits?: Partial<HubLimits>
  /** What went wrong where no caller could be told, e.g. a stream ended because the log failed. Default `console.error`. */
  readonly onError?: (error: unknown) => void
  /** For tests: time and chance. */
  readonly clock?: Clock
}

export interface PublishOptions {
  /** Makes a retry safe: the same key and content again store nothing and give the same ids. Kept 24 h. */
  readonly idempotencyKey?: string
  /** Keys of different scopes don't meet. Default `embedded`. */
  readonly scope?: string
  /** Ends the channels with the last event, in the same act. Default false. */
  readonly end?: boolean
}

export interface Published {
  /** The cursors of the events: publication by publication, in each the channels in order. */
  readonly ids: readonly string[]
  /** True when the key was known, and nothing was stored now. */
  readonly repeated: boolean
}

export interface ReadOptions {
  /** A cursor (a page's or an event's), `start`, or `now`. Default: the newest events (`last` = `limit`). */
  readonly after?: string
  /** The newest N events over all channels together; not with `after`. */
  readonly last?: number
  /** The newest events before this cursor, the one whose id it is not among them; with `limit` only. */
  readonly before?: string
  /** At most this many events. Default 100. */
  readonly limit?: number
  /** How long to wait for something to tell, in milliseconds. Default 0; the default of `after` is then `now`. */
  readonly waitMs?: number
  readonly signal?: AbortSignal
}

export interface TailOptions {
  /** A cursor, `start`, or `now`. Default `now`. */
  readonly after?: string
  /** The newest N events first; not with `after`. */
  readonly last?: number
  readonly signal?: AbortSignal
  /** History was lost. Without this, the iteration throws `history-lost`. */
  readonly onGap?: (gap: NonNullable<Page['gap']>) => void
}

/** Whose streams and waiting long polls to end: a subject's, those that read a channel (or what a pattern matches), or one. */
export type Disconnect =
  | {
      readonly subject: string
      /**
       * Refuses what was given to this subject until now: tickets, and rights whose `issued` is not later (or missing). Until
       * the hub's process ends, or for 24 h. Default false.
       */
      readonly revoke?: boolean
    }
  | { readonly channel: string }
  /** `ReaderInfo.id` */
  | { readonly reader: number }
