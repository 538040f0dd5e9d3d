/** `EventSource` as the HTML standard describes it (9.2.2): the face. What it does is in `connection.ts`. */
import { CLOSED, type Connection, CONNECTING, OPEN, openConnection } from './connection.ts'
import { type Handler, isObject, setHandler } from './handlers.ts'
import { resolveUrl } from './request.ts'

export interface EventSourceInit {
  /** Whether cookies and other credentials go to other origins, too. Default `false`. */
  readonly withCredentials?: boolean | undefined

  // What follows goes beyond the standard. Without it there is no difference.

  /** Used instead of the global `fetch`, for each attempt. It must heed `init.signal`. */
  readonly fetch?: ((url: string, init: RequestInit) => Promise<Response>) | undefined
  /** Sent with each attempt. A function is asked again for each, so a token can be a new one. Across origins the browser asks the server first (CORS preflight). */
  readonly headers?: Supplied<RequestInit['headers']>
  /** Default `GET`. Whatever it is, it is sent again for each reconnection. */
  readonly method?: string | undefined
  /** Needs a `method` that takes one. A `ReadableStream` can be sent but once: give a function that makes one. */
  readonly body?: Supplied<RequestInit['body']>
  /** The last event ID to begin with: the first request asks for what came after it. Default `''`. */
  readonly lastEventId?: string | undefined
  /** Milliseconds before a reconnection, until the stream says otherwise (`retry`). Default 3000. */
  readonly reconnectionTime?: number | undefined
  /**
   * The most milliseconds that are added to the reconnection time after failed attempts: a random part of a time that doubles
   * with each attempt in a row that brought no byte. Default 0: none.
   */
  readonly backoff?: number | undefined
  /** Milliseconds without a byte, the response's head included, after which a connection counts as lost. Default: no limit. */
  readonly silenceTimeout?: number | undefined
  /** Whether `error` events say what happened: see `EventSourceErrorEvent`. Default `false`. */
  readonly errorDetails?: boolean | undefined
  /** The most that one event may have, in characters; a larger one ends it all. Default 16 Mi. */
  readonly maxEventSize?: number | undefined
}

type Supplied<T> = T | (() => T | PromiseLike<T>) | undefined

/** Of an EventSource that reads a stream it is given. */
export type EventSourceStreamInit = Pick<
  EventSourceInit,
  'lastEventId' | 'reconnectionTime' | 'errorDetails' | 'maxEventSize'
>

/** An `error` event. All that it has beyond `Event` is there only with `errorDetails`. */
export interface EventSourceErrorEvent extends Event, Partial<ErrorDetails> {}

/** What an attempt or a connection ended by. After the first three it connects again; all others are final. */
export type ErrorReason =
  /** The server could not be reached, or the connection broke. */
  | 'network'
  /** The response came to its end. Final for a stream that was given. */
  | 'ended'
  /** Nothing came for `silenceTimeout`. */
  | 'silent'
  /** Whoever may end a request did: the user, `window.stop()`, or your own `fetch`. */
  | 'aborted'
  /** A status other than 200: `status` and `headers` are there. */
  | 'status'
  /** A type other than `text/event-stream`: `status` and `headers` are there. */
  | 'type'
  /** The server does not let this origin read (CORS). */
  | 'cors'
  /** No request can be made of the URL. */
  | 'url'
  /** Of the stream nothing can be made: an event was larger than `maxEventSize`, or it was not a stream of bytes. */
  | 'data'

export interface ErrorDetails {
  readonly reason: ErrorReason
  readonly status?: number
  readonly headers?: Headers
  /** What `fetch`, the body, the parser or `headers()` failed with. */
  readonly error?: unknown
}

export interface EventSourceEventMap {
  open: Event
  message: MessageEvent<string>
  error: EventSourceErrorEvent
}

/** How `fromReadableStream` hands the stream's reader to the constructor. */
const READER = Symbol('reader')

type Init = EventSourceInit & { readonly [READER]?: ReadableStreamDefaultReader<Uint8Array> }

const connections = new WeakMap<EventSource, Connection>()

/** @throws {TypeError} on what is no EventSource */
function connectionOf(source: EventSource): Connection {
  return connections.get(source) as Connection
}

/**
 * A stream of events from a server, as browsers have it: it connects again by itself, with the last event ID.
 *
 * Beyond `withCredentials` its options are not the standard's. `docs/conformance.md` has each statement of the standard, its
 * test, and what a script cannot do.
 *
 * @see https://html.spec.whatwg.org/multipage/server-sent-events.html#the-eventsource-interface
 * @throws {DOMException} `SyntaxError` when the URL cannot be parsed
 * @throws {TypeError} for options that no request can be made of
 * @example
 * const source = new EventSource('/channels/orders')
 * source.onmessage = ({ data, lastEventId }) => console.log(lastEventId, data)
 */
// What `addEventListener` knows of types is said by overloads, which a class cannot add to a method that it inherits.
// oxlint-disable-next-line typescript/no-unsafe-declaration-merging
export class EventSource extends EventTarget {
  declare static readonly CONNECTING: 0
  declare static readonly OPEN: 1
  declare static readonly CLOSED: 2
  declare readonly CONNECTING: 0
  declare readonly OPEN: 1
  declare readonly CLOSED: 2

  /** The absolute URL, as it was first asked for. */
  declare readonly url: string
  declare readonly withCredentials: boolean
  /** `CONNECTING` (0), `OPEN` (1) or `CLOSED` (2). */
  declare readonly readyState: number
  /** The last event ID: what a reconnection asks to go on after. Not in the standard yet. */
  declare readonly lastEventId: string
  /** Milliseconds before a reconnection, as the stream said last. Not in the standard yet. */
  declare readonly reconnectionTime: number

  declare onopen: Handler<Event>
  declare onmessage: Handler<MessageEvent<string>>
  declare onerror: Handler<EventSourceErrorEvent>

  /** @param url relative to the document, or to the worker's script */
  constructor(url: string | URL, ...[init]: [init?: EventSourceInit | null]) {
    const href = `${url}`
    const options: Init = init ?? {}
    if (arguments.length === 0 || !isObject(options)) throw new TypeError('Expected a URL, and options')
    super()
    connections.set(this, openConnection(this, resolveUrl(href), options, options[READER]))
  }

  /**
   * Reads a stream that you have, as the body of a `fetch` of your own: `url` is `about:event-stream`, `origin` of its events
   * `null`, and when it ends, the source is closed. To go on with another stream, pipe both through a `TransformStream`, and
   * call `reset()` between them.
   *
   * @see https://github.com/whatwg/html/pull/12272
   * @throws {TypeError} when the stream is locked
   */
  static fromReadableStream(stream: ReadableStream<Uint8Array>, init?: EventSourceStreamInit): EventSource {
    return new EventSource('about:event-stream', { ...init, [READER]: stream.getReader() } as Init)
  }
}

export interface EventSource {
  /** Ends it for good: no event comes after this. */
  close(): void
  /** Forgets what an unfinished stream has left, so that another can follow on it. Not in the standard yet. */
  reset(): void
  addEventListener<K extends keyof EventSourceEventMap>(
    type: K,
    listener: NonNullable<Handler<EventSourceEventMap[K]>>,
    options?: boolean | AddEventListenerOptions,
  ): void
  addEventListener(
    type: string,
    listener: NonNullable<Handler<MessageEvent<string>>>,
    options?: boolean | AddEventListenerOptions,
  ): void
  addEventListener(
    type: string,
    listener: EventListenerOrEventListenerObject | null,
    options?: boolean | AddEventListenerOptions,
  ): void
  removeEventListener<K extends keyof EventSourceEventMap>(
    type: K,
    listener: NonNullable<Handler<EventSourceEventMap[K]>>,
    options?: boolean | EventListenerOptions,
  ): void
  removeEventListener(
    type: string,
    listener: NonNullable<Handler<MessageEvent<string>>>,
    options?: boolean | EventListenerOptions,
  ): void
  removeEventListener(
    type: string,
    listener: EventListenerOrEventListenerObject | null,
    options?: boolean | EventListenerOptions,
  ): void
}

// Web IDL: attributes and operations are enumerable, as those of an object literal are and those of a class are not;
// constants stand on both objects, and cannot change.
const { prototype } = EventSource
const { defineProperties, getOwnPropertyDescriptors } = Object

function define(members: object & ThisType<EventSource>): void {
  defineProperties(prototype, getOwnPropertyDescriptors(members))
}

for (const name of ['url', 'withCredentials', 'readyState', 'lastEventId', 'reconnectionTime'] as const) {
  define({
    get [name]() {
      return connectionOf(this)[name]
    },
  })
}
for (const name of ['close', 'reset'] as const) {
  define({
    [name]() {
      connectionOf(this)[name]()
    },
  })
}
for (const type of ['open', 'message', 'error']) {
  define({
    get [`on${type}`]() {
      return connectionOf(this).handlers[type]?.value ?? null
    },
    set [`on${type}`](value: unknown) {
      setHandler(this, connectionOf(this).handlers, type, value)
    },
  })
}

const constants = getOwnPropertyDescriptors(Object.freeze({ CONNECTING, OPEN, CLOSED }))
defineProperties(EventSource, constants)
defineProperties(prototype, {
  ...constants,
  [Symbol.toStringTag]: { value: 'EventSource', configurable: true },
})
