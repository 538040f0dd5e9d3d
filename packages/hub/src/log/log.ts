/**
 * The contract of a log: the store of all channels of a hub, in one total order.
 *
 * An engine (memory, SQLite, …) implements `Log`; everything above it knows only this file. The suite
 * `test/log-contract.ts` says the same thing in tests, and runs against every engine.
 */
import type { ChannelSet } from './channel-set.ts'
import type { Retention } from './retention.ts'

/** The log's integer number of a record: above 0, at most 2^53 - 1, strictly increasing, not necessarily dense. 0 is the start. */
export type Position = number

/** What a publisher brings. `data` and `type` have been through `settle` (see `settle.ts`) by the time an engine sees them. */
export interface NewEvent {
  readonly channel: string
  /** The EventSource event name; absent means `message`. */
  readonly type?: string
  readonly data: string
}

/** An event as the log keeps it. */
export interface LogEvent extends NewEvent {
  readonly kind: 'event'
  readonly position: Position
  /** The position of this channel's event before this one, 0 when there is none: with it a gap can't be missed. */
  readonly previous: Position
  /** Milliseconds since 1970 by the hub's clock, never going back within a channel. */
  readonly time: number
}

/** The end of a channel. It shares the position of the event it came with, or has one of its own. */
export interface EndMark {
  readonly kind: 'end'
  readonly channel: string
  readonly position: Position
}

/** A channel was erased. The mark has a position of its own: a reader before it is told a gap `deleted`. */
export interface DropMark {
  readonly kind: 'drop'
  readonly channel: string
  readonly position: Position
}

export type LogRecord = LogEvent | EndMark | DropMark

/** Why acknowledged events at or below `upTo` can't be read any more. */
export interface LogGap {
  readonly reason: 'trimmed' | 'deleted' | 'unknown'
  /** The channels concerned, at most `GAP_CHANNELS`; the names and patterns of the read itself when there are more, or when nobody knows. */
  readonly channels: readonly string[]
  readonly from: Position
  /** Where this read goes on: at or after `from`, before every kept event after `from` of all channels read. */
  readonly to: Position
  /** The highest position that is lost. */
  readonly upTo: Position
  /**
   * Numbers the losses of a log in the order in which they happened; this is the newest loss in the gap. A reader that was told
   * a gap with this number, or a higher one, in the same read, hears nothing new in this one.
   */
  readonly loss: number
}

/** More channels than this are not listed one by one in a gap. */
export const GAP_CHANNELS = 64

export interface LogPage {
  /** In the order of their positions. */
  readonly events: readonly LogEvent[]
  /**
   * Up to here everything of these channels has been seen by a reader who takes this page: the position of its last event
   * when `more`, else the frontier. For `before` reads the position of its first event, or `before` itself when it has
   * none: the next page back is `{ before: cursor }`.
   */
  readonly cursor: Position
  /** Whether more is ready in the direction of reading; never after `last`, which reads up to the frontier. */
  readonly more: boolean
  /** Only of `after` reads: the others ask for what there is. Reading from the start (`after: 0`) asks for all there ever was. */
  readonly gap?: LogGap
  /**
   * Ends at or before `cursor` (for `before` reads: before `before`), in order: of the channels read by name all of them,
   * also long past ones; of channels that only a pattern matches those that lie within this page: after `after`, or not
   * before the first event of a `before` or `last` page.
   */
  readonly ends: readonly EndMark[]
}

/** Where a read begins. `last: N` reads the newest N events over all channels together, in order. */
export type From = { readonly after: Position } | { readonly before: Position } | { readonly last: number }

/** A page holds at most this much; it holds one event even when that alone exceeds `bytes` (UTF-16 units of data count as bytes). */
export interface Limit {
  readonly events: number
  readonly bytes: number
}

/** Of all records up to `position`, this epoch knows the same as its parent. */
export interface Epoch {
  /** 1-32 characters of `A-Z a-z 0-9`. */
  readonly name: string
  readonly parent?: { readonly name: string; readonly upTo: Position }
}

export interface AppendOptions {
  /** Makes a retry safe: a second append with the same key returns the first's result and stores nothing. Kept 24 h. */
  readonly idempotency?: {
    /** Scoped by the caller (subject, method, path). */
    readonly key: string
    /** Of what is appended: the same key with another fingerprint is refused with `idempotency-mismatch`. */
    readonly fingerprint: string
  }
  /** Ends these channels with the batch, in the same act. They need not have an event in the batch. */
  readonly end?: readonly string[]
}

export interface Appended {
  readonly epoch: string
  /** Of the events of the batch, in its order. */
  readonly positions: readonly Position[]
  /** True when the key was known and nothing was stored now. */
  readonly repeated: boolean
}

export interface ChannelInfo {
  readonly name: string
  /** The position of the newest event of this channel, also when that event is gone; 0 when there never was one. */
  readonly head: Position
  /** The position of the oldest event kept; absent when none is. */
  readonly oldest?: Position
  /** When the oldest and the newest event kept came, in milliseconds since 1970; absent when none is. */
  readonly oldestTime?: number
  readonly newestTime?: number
  readonly events: number
  /** UTF-16 units of data kept. */
  readonly bytes: number
  readonly ended: boolean
}

/** What any hub appended, in order (an end behind the event whose position it shares). `records` may leave out channels that nobody follows; the frontier moves all the same. */
export interface TailBatch {
  readonly epoch: string
  readonly records: readonly LogRecord[]
  /** Every record up to here, of the channels followed, has now been told. */
  readonly frontier: Position
}

export interface TailListener {
  /**
   * Must not throw (the engine reports it and goes on), and must not call back into the log synchronously. By now `state()`
   * names the batch's epoch: a batch of another is taken for one that comes too late.
   */
  batch(batch: TailBatch): void
  /** Continuity is gone: read the log before trusting this tail again. Every record after `state().frontier` is still told. */
  lost(): void
}

export interface Tail {
  /** From the moment the promise resolves, records of these channels are in the batches. Counted: follow twice, unfollow twice. */
  follow(set: ChannelSet): Promise<void>
  unfollow(set: ChannelSet): void
  close(): void
}

export interface Health {
  readonly ok: boolean
  /** One plain sentence when not ok. */
  readonly reason?: string
}

/** The newest epoch first; each is the parent of the one before it. */
export interface LogState {
  readonly epochs: readonly [Epoch, ...Epoch[]]
  /** The newest position given out and durable, 0 for an empty log. */
  readonly frontier: Position
}

export interface Log {
  /**
   * Resolves when the events are as durable as the engine promises: only then is a publish acknowledged. All of the batch or nothing.
   * Ending an ended channel again is no error, and changes nothing.
   *
   * @throws {LogError} `channel-ended`, `idempotency-mismatch`, `log-unavailable`, `log-full`, `log-closed`
   */
  append(batch: readonly NewEvent[], options?: AppendOptions): Promise<Appended>
  /** @throws {LogError} `log-unavailable`, `log-closed` */
  read(set: ChannelSet, from: From, limit: Limit): Promise<LogPage>
  /** Starts at the present frontier. */
  tail(listener: TailListener): Tail
  /** The epoch and the frontier as of now. Cheap: called once a read. Goes on answering after `close`. */
  state(): LogState
  /**
   * Another number whenever a read might say something else than before: something was appended, ended, erased, trimmed or
   * forgotten. Undefined: only a read can tell. Cheap: called once a poll.
   */
  version(): number | undefined
  /** Channels whose name matches one of the set, by name in the order of UTF-16 units, after `after` (exclusive; `''` for the first page). Forgotten ones are not listed. */
  channels(set: ChannelSet, after: string, limit: number): Promise<readonly ChannelInfo[]>
  /**
   * Erases a channel and its end; its readers get a gap `deleted`. The name can be used again. False when nobody knew it.
   * A channel that was erased before, and not used since, is left as it is.
   */
  drop(channel: string): Promise<boolean>
  health(): Promise<Health>
  /** What is kept of a channel of this name at most, whether there is one or not. */
  retention?(channel: string): Retention | undefined
  /** Bytes that the log takes by now, as well as can be told at once; of a log on disk those of its files. */
  size?(): number
  /** Idempotent; resolves when all is released. Later calls of the others are refused with `log-closed`. */
  close(): Promise<void>
}

export type LogErrorCode =
  | 'channel-ended'
  | 'idempotency-mismatch'
  | 'log-unavailable'
  | 'log-full'
  | 'log-closed'
  | 'invalid-type'
  | 'retention-invalid'

/** The one error class of every engine. */
export class LogError extends Error {
  readonly code: LogErrorCode
  /** The channel concerned, for `channel-ended`. */
  readonly channel?: string
  override readonly name = 'LogError'

  constructor(code: LogErrorCode, message: string, options: ErrorOptions & { channel?: string } = {}) {
    super(message, options)
    this.code = code
    if (options.channel !== undefined) this.channel = options.channel
  }
}

/** Of a log that has a limit of its own, and not a full disk. */
export function logFull(fullBytes: number): LogError {
  return new LogError(
    'log-full',
    `The log has reached its limit of ${fullBytes} bytes: erase channels, wait until events are trimmed, or raise the limit`,
  )
}
