import { createParser } from '@downlink/wire'
import type { StreamEvent } from '@downlink/wire'

export interface EventStreamOptions {
  /**
   * A stream may hold this many characters of one event before its end; more of them end the reading with a `WireError`
   * `event-too-large`, after the events before it. Default 16 Mi.
   */
  readonly maxEventSize?: number
  /** The id that events have until the stream sets one: that of the stream this one goes on from. Default `''`. */
  readonly lastEventId?: string
  /** Ends the reading with `signal.reason`, also while it waits for bytes, and cancels the body. */
  readonly signal?: AbortSignal
  /** Sees each comment line, without the colon and one space after it. */
  readonly onComment?: (text: string) => void
  /** Sees each reconnection time that the stream asks for, in milliseconds. */
  readonly onRetry?: (milliseconds: number) => void
  /** Sees each id that the stream sets, also where no event comes with it: what to resume after. */
  readonly onId?: (lastEventId: string) => void
}

/**
 * Reads the body of a `text/event-stream` response as its events (WHATWG HTML 9.2.6). It reads; it does not connect
 * again when the stream ends.
 *
 * The body is read only as fast as the events are taken: the next chunk is asked for when all events of the one before
 * are gone. Leaving the loop, by `break` or by an error, cancels the body, and so does every other end. An event that
 * the stream did not finish is never delivered. The observers are called when their line has been parsed, which may be
 * before the events of the same chunk are taken.
 *
 * @param body that of a `fetch` response; `null`, as in a 204 answer, is a stream without events
 * @throws {WireError} `event-too-large`
 * @throws whatever the body fails with when the connection is lost, and `signal.reason`
 * @example
 * const response = await fetch('http://localhost:4080/channels/orders', {
 *   headers: { accept: 'text/event-stream' },
 * })
 * for await (const event of readEventStream(response.body)) console.log(event.type, event.data)
 */
export async function* readEventStream(
  body: ReadableStream<Uint8Array> | null,
  options: EventStreamOptions = {},
): AsyncGenerator<StreamEvent, void, undefined> {
  if (body === null) return
  const { signal, ...observers } = options
  const parsed: StreamEvent[] = []
  const parser = createParser({ ...observers, onEvent: (event) => parsed.push(event) })
  const reader = body.getReader()
  // A cancelled reader answers a read that waits. Racing each read against a promise of the signal would
  // leave one reaction of that promise behind for every chunk.
  const cancel = () => void reader.cancel(signal?.reason).catch(() => {})
  signal?.addEventListener('abort', cancel)
  try {
    for (;;) {
      signal?.throwIfAborted()
      const chunk = await reader.read()
      signal?.throwIfAborted()
      if (chunk.done) return
      const fault = attempt(() => parser.feed(chunk.value))
      for (const event of parsed.splice(0)) {
        yield event
        signal?.throwIfAborted()
      }
      // What came whole before the fault of a chunk has now been delivered.
      if (fault !== undefined) throw fault.error
    }
  } finally {
    signal?.removeEventListener('abort', cancel)
    // When the body itself failed, cancelling it fails in the same way, and the first failure is on its way already.
    await reader.cancel().catch(() => {})
    reader.releaseLock()
  }
}

function attempt(action: () => void): { readonly error: unknown } | undefined {
  try {
    action()
    return undefined
  } catch (error) {
    return { error }
  }
}
