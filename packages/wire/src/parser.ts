/** What a parser of `text/event-stream` is, whichever of the two. */

/** More than this in one event is an attack or a mistake: 16 Mi characters. */
export const DEFAULT_MAX_EVENT_SIZE = 16 * 1024 * 1024

/** An event as a `MessageEvent` would have it, and the two fields that are ours. */
export interface StreamEvent {
  /** `message` when the stream gave none. */
  readonly type: string
  readonly data: string
  /** The id of this event, or of the last one before it that had one; `''` when there was none. */
  readonly lastEventId: string
  /** The value of a `channel` line: an extension of Downlink, which other parsers pass over. */
  readonly channel?: string
  /** The value of a `time` line: an extension of Downlink, which other parsers pass over. */
  readonly time?: string
}

export interface ParserOptions {
  onEvent(event: StreamEvent): void
  /** A comment line's text: what follows the colon, without one leading space. Called as soon as the line has ended. */
  onComment?(text: string): void
  /** A valid `retry` field, in milliseconds, at most 2^53 - 1. Called as soon as the line has ended. */
  onRetry?(milliseconds: number): void
  /** A block with a valid `id` field has ended, also one without data. Called before the block's `onEvent`. */
  onId?(lastEventId: string): void
  /**
   * The most characters (UTF-16 code units) that one event block may have: all its lines, also the unfinished one, without the
   * blank line. `createParser` counts their line ends, too. Default `DEFAULT_MAX_EVENT_SIZE`.
   */
  readonly maxEventSize?: number
  /** The last event ID to begin with: that of an earlier connection. Default `''`. */
  readonly lastEventId?: string
}

export interface Parser {
  /**
   * Takes the next bytes of the stream, split anywhere. The chunk is not kept.
   *
   * When a callback throws, the exception comes out of here and the rest of the chunk is lost: so that no event is dropped
   * in silence, the parser then refuses to go on until `reset()`. It must not be called from a callback, except after `reset()`.
   *
   * @throws {WireError} `event-too-large` when an event block is larger than `maxEventSize`, after the events before it were
   * delivered, and on each later call until `reset()`
   * @throws {WireError} `parser-stopped` after a callback threw, until `reset()`
   */
  feed(chunk: Uint8Array): void
  /**
   * The stream has ended: an unfinished block is discarded (9.2.6). Then a new stream may be fed, with a byte order mark of its
   * own; `lastEventId` stays. A refusal to go on stays, too. Not to be called from a callback.
   */
  end(): void
  /** Stops: from inside a callback, the rest of the chunk is not delivered. The state is that after `end()`, and `feed` works again. */
  reset(): void
  /** The last event ID as of the last blank line. */
  readonly lastEventId: string
}
