/** What an EventSource does: the processing model of the HTML standard (9.2.3 to 9.2.6), on `fetch`. */
import { createSmallParser, WireError } from '@downlink/wire'
import type { ErrorReason, EventSourceInit } from './event-source.ts'
import type { Handlers } from './handlers.ts'
import { byteString, isEventStream, REQUESTABLE } from './request.ts'
import { createTaskQueue } from './tasks.ts'

export const CONNECTING = 0
export const OPEN = 1
export const CLOSED = 2

/** "Probably in the region of a few seconds" (9.2.2): that of Chromium. */
const RECONNECTION_TIME = 3000
/** A stream that asks for less must not make a client run in circles. */
const LEAST_WAIT = 100
/** What a timer can wait for: a longer time would be over at once. */
const MOST_WAIT = 2 ** 31 - 1
/**
 * Characters of events that may wait for slow handlers; from there on reading waits, too. Not before: Node's own fetch ends
 * the process with an assertion when a body ends while its reader waits (https://github.com/nodejs/undici/issues/5360).
 */
const READ_AHEAD = 2 ** 25
/** What an event takes besides its data, as characters. */
const EVENT = 256

export interface Connection {
  readonly handlers: Handlers
  readonly url: string
  readonly withCredentials: boolean
  readonly readyState: number
  readonly lastEventId: string
  readonly reconnectionTime: number
  close(): void
  reset(): void
}

type Timer = ReturnType<typeof setTimeout>
type Supplied<T> = T | (() => T | PromiseLike<T>)

async function supplied<T>(value: Supplied<T>): Promise<T> {
  return typeof value === 'function' ? (value as () => T | PromiseLike<T>)() : value
}

/** @param given Read instead of what the URL has to say. */
export function openConnection(
  target: EventTarget,
  url: URL,
  init: EventSourceInit,
  given?: ReadableStreamDefaultReader<Uint8Array>,
): Connection {
  const { backoff = 0, silenceTimeout = MOST_WAIT, method, lastEventId = '' } = init
  // The platform knows which methods there are and which take a body, and what a header can hold: it throws.
  const test = { method, body: init.body && '', headers: { a: byteString(lastEventId) } }
  void new Request('data:,', test as RequestInit)
  const withCredentials = !!init.withCredentials
  let { reconnectionTime = RECONNECTION_TIME } = init
  let readyState = CONNECTING
  /** Of the URL after redirects. */
  let origin = 'null'
  /** Attempts in a row that brought no byte. */
  let failures = 0
  let reconnection: Timer | undefined
  let watchdog: Timer | undefined
  let abort: AbortController | undefined
  let body = given
  /** What the connection at hand ended by, when that is known before it shows. */
  let cause: ErrorReason | undefined
  /** Characters of the events that wait for their tasks. */
  let waiting = 0
  let readOn: () => void

  const tasks = createTaskQueue()
  const parser = createSmallParser({
    lastEventId,
    ...(init.maxEventSize !== undefined && { maxEventSize: init.maxEventSize }),
    onRetry(milliseconds) {
      reconnectionTime = milliseconds
    },
    onEvent({ type, data, lastEventId: id }) {
      const size = data.length + EVENT
      waiting += size
      queueTask(() => {
        waiting -= size
        readOn?.()
        target.dispatchEvent(new MessageEvent(type, { data, lastEventId: id, origin }))
      })
    },
  })

  /** Nothing happens any more once the source is closed. */
  function queueTask(task: () => void): void {
    tasks.add(() => {
      if (readyState < CLOSED) task()
    })
  }

  function close(): void {
    readyState = CLOSED
    clearTimeout(reconnection)
    tasks.close()
    release()
  }

  /** Lets the connection at hand go. */
  function release(): void {
    clearTimeout(watchdog)
    abort?.abort()
    body?.cancel().catch(() => {})
  }

  function watch(): void {
    if (silenceTimeout < MOST_WAIT) {
      watchdog = setTimeout(() => {
        cause = 'silent'
        release()
      }, silenceTimeout)
    }
  }

  async function ask(mode?: 'no-cors'): Promise<Response> {
    abort = new AbortController()
    watch()
    const headers = new Headers(await supplied(init.headers))
    headers.set('accept', 'text/event-stream')
    // These two take no notice of `cache`. In a browser the header would need a preflight.
    if ('Bun' in globalThis || 'Deno' in globalThis) headers.set('cache-control', 'no-cache')
    const id = byteString(parser.lastEventId)
    // A header cannot hold control characters (RFC 9110 5.5): Node and Deno would refuse to send it, for ever.
    if (/^[\t -~\x80-\xff]+$/.test(id)) headers.set('last-event-id', id)
    const request = {
      body: await supplied(init.body),
      cache: 'no-store',
      credentials: withCredentials ? 'include' : undefined,
      duplex: 'half',
      headers,
      method,
      mode,
      signal: abort.signal,
    } as RequestInit
    if (readyState === CLOSED) release()
    return (init.fetch ?? fetch)(url.href, request)
  }

  async function connect(): Promise<void> {
    const details: { status?: number; headers?: Headers; error?: unknown } = {}
    cause = undefined
    failures++
    try {
      if (!given) {
        const response = await ask().catch(async (error: unknown) => {
          // To be refused by CORS is final, but a script is told no more than of a lost connection. What tells the two
          // apart is whether the server answers to one who cannot read the answer, and still not to one who can.
          const page = (globalThis as Partial<typeof globalThis>).location?.origin ?? url.origin
          if (page !== url.origin && !init.fetch && !method) {
            await ask('no-cors')
            release()
            await ask().catch(() => (cause = 'cors'))
          }
          throw error
        })
        const { status, headers } = response
        details.status = status
        details.headers = headers
        body = response.body?.getReader()
        origin = new URL(response.url || url).origin
        if (status !== 200) cause = 'status'
        else if (!isEventStream(headers.get('content-type'))) cause = 'type'
      }
      if (!cause) {
        queueTask(() => {
          readyState = OPEN
          target.dispatchEvent(new Event('open'))
        })
        for (;;) {
          clearTimeout(watchdog)
          // oxlint-disable-next-line no-unmodified-loop-condition -- tasks lower it
          while (waiting > READ_AHEAD) await new Promise<void>((resolve) => (readOn = resolve))
          watch()
          const { done, value } = (await body?.read()) ?? { done: true }
          if (done) break
          if (!ArrayBuffer.isView(value)) throw new WireError('invalid-chunk', 'Expected chunks of bytes')
          failures = 0
          parser.feed(value)
        }
      }
    } catch (error) {
      const { name } = Object(error)
      cause ??=
        name === 'AbortError'
          ? 'aborted'
          : name === 'WireError'
            ? 'data'
            : REQUESTABLE.test(url.href)
              ? 'network'
              : 'url'
      details.error = error
    }
    release()
    parser.end()
    const reason = cause ?? 'ended'
    // After all that came before has been dispatched, the connection is reestablished, or failed.
    queueTask(() => {
      if (given || !/network|ended|silent/.test(reason)) close()
      else readyState = CONNECTING
      target.dispatchEvent(Object.assign(new Event('error'), init.errorDetails && { ...details, reason }))
      if (readyState === CONNECTING) {
        const wait = Math.max(reconnectionTime, LEAST_WAIT)
        const extra = failures && Math.random() * Math.min(backoff, wait * 2 ** failures)
        reconnection = setTimeout(() => void connect(), Math.min(wait + extra, MOST_WAIT))
      }
    })
  }

  void connect()
  return {
    url: url.href,
    withCredentials,
    get readyState() {
      return readyState
    },
    get lastEventId() {
      return parser.lastEventId
    },
    get reconnectionTime() {
      return reconnectionTime
    },
    handlers: {},
    close,
    reset() {
      parser.end()
    },
  }
}
