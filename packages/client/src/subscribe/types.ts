/// <reference lib="esnext.disposable" preserve="true" />
/** What `subscribe()` takes and gives. */
import type { Gap } from '@downlink/wire'
import type { createCourse } from './course.ts'
import type { CursorStore } from './cursor-store.ts'
import type { SubscribeError } from './error.ts'
import type { Limits } from './limits.ts'
import type { Parse } from './schema.ts'

/** Types of events, and the data that they have: `{ paid: { total: number } }`. An interface or a type. */
export type EventMap = object

/** Without a map: any type, and data as the text it is. */
export type DefaultEvents = Record<string, string>

/** One event. `time` is absent where the server does not tell it. */
export interface Update<Type extends string = string, Data = unknown> {
  /** The event's cursor; of a server that is no hub the last event id, `''` when it has none. */
  readonly id: string
  /** `''` where the server is no hub. */
  readonly channel: string
  /** `message` when the publisher gave none. */
  readonly type: Type
  readonly data: Data
  /** RFC 3339, UTC, by the hub's clock. */
  readonly time?: string | undefined
}

/** An event of a map, told apart by its `type`. */
export type UpdateOf<Events extends EventMap> = {
  [Type in keyof Events & string]: Update<Type, Events[Type]>
}[keyof Events & string]

export type Transport = 'sse' | 'long-poll' | 'poll'

export type Phase =
  /** A request is on its way. */
  | 'connecting'
  /** It is certain that events get through. */
  | 'open'
  /** Until `retryAt`. */
  | 'waiting'
  /** The page is hidden, frozen or left; it goes on by itself. */
  | 'paused'
  /** All channels have ended: nothing more will come. */
  | 'ended'
  /** By `close()`, the signal, or for the reason that `error` tells. */
  | 'closed'

/** Why the phase or the transport is what it is. */
export type Reason =
  /** The stream came to its end, as streams do. */
  | 'stream-ended'
  /** The server could not be reached, or the connection broke. */
  | 'network'
  /** The server refused for a time: `error` has the status. */
  | 'refused'
  /** Nothing was heard for 2.5 heartbeats. */
  | 'silent'
  /** The page was shown again, or the network came back. */
  | 'woken'
  /** The page is hidden (`whenHidden: 'pause'`). */
  | 'hidden'
  /** The page was left, or frozen. */
  | 'away'
  /** Something in between holds streams back: the opening did not come, and a poll was answered. */
  | 'held-back'
  /** The same, later: a poll brought events that the stream never did. */
  | 'stalled'
  /** The same: events that were seconds apart came at once, several times. */
  | 'bursts'
  /** Streams are cut again and again, soon after they began. */
  | 'cut-short'
  /** Streams are refused or break, and a poll is answered. */
  | 'streams-refused'
  /** Waiting requests are cut or refused, and a poll is answered. */
  | 'waits-cut'
  /** Found out earlier for this origin. */
  | 'remembered'
  /** A better transport works again. */
  | 'improved'

/** One object for each change. */
export interface ConnectionState {
  readonly phase: Phase
  readonly transport: Transport
  readonly reason?: Reason | undefined
  /** Attempts in a row since a connection last proved healthy; 0 when it is. */
  readonly attempt: number
  /** When it is tried again, in milliseconds since 1970. Only while waiting. */
  readonly retryAt?: number | undefined
  /** Why it waits, or why it is closed for good. */
  readonly error?: SubscribeError | undefined
}

/** A gap; reading goes on after it. */
export type GapUpdate = Gap

/** A channel takes no more events. */
export interface EndUpdate {
  readonly channel: string
}

export interface SubscriptionEvents<Events extends EventMap> {
  event: UpdateOf<Events>
  gap: GapUpdate
  end: EndUpdate
  state: ConnectionState
  error: SubscribeError
}

/** What decides in place of the subscription's own course. Only `share()` makes one. */
export type Share = typeof createCourse

export interface SubscribeOptions {
  /** Default `auto`: SSE where it works, else long polling, else polling, and back up when it works again. */
  readonly transport?: 'auto' | Transport | undefined
  /**
   * Whether the server is a hub. Default: found out. `false`: any server of event streams; its URL is asked for as it is, ids go
   * into `Last-Event-ID`, and nothing but SSE is tried.
   */
  readonly hub?: boolean | undefined
  /** Sent with each request. A function is asked before each, and again when the answer was 401. */
  readonly headers?: HeadersInit | (() => HeadersInit | PromiseLike<HeadersInit>) | undefined
  /** As of `fetch`. Default `same-origin`: cookies go to the page's own origin. */
  readonly credentials?: RequestCredentials | undefined
  /** Used instead of the global `fetch`. It must heed `init.signal`. */
  readonly fetch?: ((url: string, init: RequestInit) => Promise<Response>) | undefined
  /** Where to begin: after a cursor, at the `start`, or `now`, which is the default. */
  readonly after?: string | undefined
  /** Where to begin: with the newest so many events, 0 to 1,000. `after` goes before. */
  readonly last?: number | undefined
  /**
   * What outlives the page: `false` (the default) nothing, `reload` the cursor in `sessionStorage`, `restart` in `localStorage`,
   * or a store of your own. What is stored goes before `after` and `last`.
   */
  readonly resume?: false | 'reload' | 'restart' | CursorStore | undefined
  /** `stay` (the default) keeps the connection while the page is hidden; `pause` lets it go after 10 s, and comes back without a loss. */
  readonly whenHidden?: 'stay' | 'pause' | undefined
  /** Attempts in a row that may fail before it is closed with `too-many-attempts`. Default: no limit. */
  readonly maxAttempts?: number | undefined
  /** What becomes of an event's data. Default: nothing, it is a string. */
  readonly parse?: Parse | undefined
  /** Closes the subscription. */
  readonly signal?: AbortSignal | undefined
  /** Events that may wait for slow listeners and loops; from there on reading stops. Default 1,000. */
  readonly queue?: number | undefined
  /** One connection for all tabs: `share('user key')` of `@downlink/client/share`. Default: a connection of its own. */
  readonly share?: Share | undefined
  /** Times and sizes; each has a default. */
  readonly limits?: Partial<Limits> | undefined
}

export interface Subscription<Events extends EventMap = DefaultEvents>
  extends AsyncIterable<UpdateOf<Events>>, AsyncDisposable {
  readonly url: string
  /** Where a new subscription would go on: everything up to there has been handled. */
  readonly cursor: string | undefined
  readonly state: ConnectionState
  /** Resolves when it has ended or was closed, and holds nothing any more. It never rejects: `state.error` says why. */
  readonly closed: Promise<void>
  /**
   * Listens; the function returned stops that. Events, gaps and ends wait until somebody listens to events, and come one after
   * the other: what listeners return is awaited, and the cursor moves on then. One that is given twice counts once. A listener that fails is told to `error`.
   */
  on<Type extends keyof SubscriptionEvents<Events>>(
    type: Type,
    listener: (value: SubscriptionEvents<Events>[Type]) => unknown,
  ): () => void
  /** The events as a stream. Cancelling it closes the subscription when nobody else listens to events. */
  readable(): ReadableStream<UpdateOf<Events>>
  /** Ends it: nothing is delivered after this. Idempotent. */
  close(): void
}
