/** What a recommendation says, as data: a code and figures each. `advice-words.ts` makes English sentences of it. Pure. */
import type { Crossing } from './crossings.ts'
import type { Delays, Technique } from './report.ts'

/** What clients of a page saw, on top of the crowd. */
export interface PageFigures {
  readonly received: number
  readonly missed: number
  readonly delays: Delays
}

export interface AdviceOptions {
  /** How late an event may be shown, in milliseconds. Default 2,000. */
  readonly late?: number
  readonly page?: Readonly<Partial<Record<Technique, PageFigures>>>
}

/** Why a technique is out. */
export type Fault = 'nothing-came' | 'missed' | 'held-back' | 'too-late'

/** One technique, for this task. */
export interface Standing {
  readonly technique: Technique
  readonly fault?: Fault
  /** Of one client, in the long run. */
  readonly bytesPerMinute: number
  readonly requestsPerMinute: number
  /** Milliseconds; of the crowd, or of the page when there is none. Absent when no event came. */
  readonly delays?: Delays
}

export type Reason =
  /** `choice` shows half of the events within `p50`, 99 % within `p99`; `late` is allowed. */
  | {
      readonly code: 'in-time'
      readonly technique: Technique
      readonly p50: number
      readonly p99: number
      readonly late: number
    }
  /** Polling every `every` ms shows an event `mean` late on average, `every` at worst; `late` is allowed. */
  | { readonly code: 'poll-late'; readonly every: number; readonly mean: number; readonly late: number }
  | { readonly code: 'too-late'; readonly technique: Technique; readonly p50: number; readonly late: number }
  /** Something in between holds the stream back. */
  | { readonly code: 'held-back'; readonly technique: Technique }
  | { readonly code: 'gets-through'; readonly technique: Technique }
  | { readonly code: 'missed'; readonly technique: Technique; readonly missed: number }
  | { readonly code: 'nothing-came'; readonly technique: Technique; readonly refused: number }
  /** Bytes a minute of one client. */
  | {
      readonly code: 'fewer-bytes'
      readonly technique: Technique
      readonly bytes: number
      /** The cheapest first. */
      readonly others: readonly { readonly technique: Technique; readonly bytes: number }[]
    }
  /** `other` would save so few bytes a minute that the simpler way is the better one. */
  | {
      readonly code: 'simpler'
      readonly technique: Technique
      readonly other: Technique
      readonly saves: number
    }
  /** `other` costs so many bytes a minute less only because it was compressed. */
  | {
      readonly code: 'packed'
      readonly technique: Technique
      readonly other: Technique
      readonly saves: number
    }
  /** How often polling asks a minute, where a connection that stays asks once in its life. */
  | { readonly code: 'asks-once'; readonly technique: Technique; readonly polls: number }
  | { readonly code: 'empty-polls'; readonly empty: number; readonly requests: number }
  /** Nothing was in time: this is the least late. */
  | {
      readonly code: 'least-late'
      readonly technique: Technique
      readonly p50: number
      readonly late: number
    }

/** What speaks against the choice all the same. */
export type Caveat =
  | { readonly code: 'holds-connection'; readonly technique: Technique }
  /** A browser has six connections to a host over HTTP/1.1. */
  | { readonly code: 'six-connections'; readonly technique: Technique }
  | { readonly code: 'sooner'; readonly other: Technique; readonly p50: number; readonly mean: number }
  /** Microseconds of the hub's CPU for a delivery. */
  | {
      readonly code: 'more-cpu'
      readonly technique: Technique
      readonly other: Technique
      readonly cpu: number
      readonly otherCpu: number
    }
  | { readonly code: 'request-per-event'; readonly requests: number }
  | { readonly code: 'own-protocol' }

/** What was not found out. */
export type Unknown =
  | { readonly code: 'not-run'; readonly technique: Technique }
  | { readonly code: 'no-cpu' }
  | { readonly code: 'few-events'; readonly events: number }
  | { readonly code: 'short'; readonly seconds: number; readonly every: number }
  | { readonly code: 'no-crowd' }
  /** Milliseconds that events, or the crowd, were behind. */
  | { readonly code: 'slow-machine'; readonly behind: number }

export interface Advice {
  /** Absent when nothing came by any technique. */
  readonly choice?: Technique
  /** Others that do as well: in time, and within a tenth of the bytes. */
  readonly ties: readonly Technique[]
  /** In the order of `TECHNIQUES`. */
  readonly standings: readonly Standing[]
  readonly reasons: readonly Reason[]
  readonly against: readonly Caveat[]
  readonly crossings: readonly Crossing[]
  readonly unknowns: readonly Unknown[]
}
