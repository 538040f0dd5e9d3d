/** What an EventSource does: the processing model of the HTML standard (9.2.3 to 9.2.6), on `fetch`. */
import { createParser } from '@downlink/wire'
import type { ErrorDetails, ErrorReason, EventSourceInit } from './event-source.ts'
import type { Handlers } from './handlers.ts'
import { byteString, isEventStream } from './request.ts'
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

type Body = ReadableStreamDefaultReader<Uint8Array>
type Timer = ReturnType<typeof setTimeout>

const ignore = (): void => {}

async function supplied<T>(value: T | (() => T | PromiseLike<T>)): Promise<T> {
  return typeof value === 'function' ? (value as () => T | PromiseLike<T>)() : value
}

/** @param given Read instead of what the URL has to say. */
export function openConnection(
  target: EventTarget,
  url: URL,
  init: EventSourceInit,
  given?: Body,
): Connection {
  const { backoff = 0, silenceTimeout = MOST_WAIT, errorDetails, lastEventId: first = '' } = init
  const withCredentials = !!init.withCredentials
  /** Of another scheme, or with a password, no request can be made: to try again would be futile. */
  const isHttp = /^https?:..[^/@]+\//.test(url.href)
  let { reconnectionTime = RECONNECTION_TIME } = init
  let readyState = CONNECTING
  /** Where events come from: the origin of the URL after redirects. */
  let origin = 'null'
  /** Whether there has ever been a connection. */
  let announced = false
  /** Attempts in a row that brought no byte. */
  let failures = 0
  /** An id that this `fetch` refuses to send. */
  let unsendable = ''
  let reconnection: Timer | undefined
  let watchdog: Timer | undefined
  /** What the connection at hand ended by, when that is known before it shows. */
  let cause: ErrorReason | undefined
  /** Lets the connection at hand go. */
  let release = ignore
  /** Characters of the events that wait for their tasks. */
  let waiting = 0
  let readOn = ignore

  const tasks = createTaskQueue()
  const parser = createParser({
    lastEventId: first,
    ...(init.maxEventSize && { maxEventSize: init.maxEventSize }),
    onRetry(milliseconds) {
      reconnectionTime = milliseconds
    },
    onEvent({ type, data, lastEventId }) {
      const size = data.length + EVENT
      waiting += size
      queueTask(() => {
        waiting -= size
        if (waiting < READ_AHEAD) readOn()
        target.dispatchEvent(new MessageEvent(type, { data, lastEventId, origin }))
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
    clearTimeout(watchdog)
    tasks.close()
    release()
  }

  function heard(): void {
    clearTimeout(watchdog)
    if (silenceTimeout < MOST_WAIT) {
      watchdog = setTimeout(() => {
        cause = 'silent'
        release()
      }, silenceTimeout)
    }
  }

  /** Announces the connection, and reads as fast as bytes come. */
  async function read(body: Body | undefined): Promise<void> {
    queueTask(() => {
      readyState = OPEN
      target.dispatchEvent(new Event('open'))
    })
    if (!body) return
    const abort = release
    release = () => {
      abort()
      body.cancel().catch(ignore)
    }
    for (;;) {
      const { done, value } = await body.read()
      if (done || cause || readyState === CLOSED) return
      failures = 0
      heard()
      cause = 'data'
      if (!ArrayBuffer.isView(value)) throw new TypeError('Expected chunks of bytes')
      parser.feed(value)
      cause = undefined
      if (waiting >= READ_AHEAD) {
        clearTimeout(watchdog)
        await new Promise<void>((resolve) => {
          readOn = resolve
        })
        heard()
      }
    }
  }

  async function ask(mode?: 'no-cors'): Promise<Response> {
    const abort = new AbortController()
    release = () => abort.abort()
    heard()
    const headers = new Headers(await supplied(init.headers))
    headers.set('accept', 'text/event-stream')
    // These two take no notice of `cache`. In a browser the header would need a preflight.
    if ('Bun' in globalThis || 'Deno' in globalThis) headers.set('cache-control', 'no-cache')
    const id = byteString(parser.lastEventId)
    if (id && id !== unsendable) headers.set('last-event-id', id)
    const request = {
      body: await supplied(init.body),
      cache: 'no-store',
      credentials: withCredentials ? 'include' : undefined,
      duplex: 'half',
      headers,
      method: init.method,
      mode,
      signal: abort.signal,
    } as RequestInit
    if (readyState === CLOSED) release()
    try {
      return await (init.fetch ?? fetch)(url.href, request)
    } catch (error) {
      if (/[^\t -~\x80-\xff]/.test(id)) unsendable = id
      throw error
    }
  }

  /**
   * To be refused by CORS is final, but a script is told no more than of a lost connection. What tells the two apart is
   * whether the server answers to one who cannot read the answer.
   */
  async function askAgain(error: unknown): Promise<Response> {
    const page = (globalThis as Partial<typeof globalThis>).location?.origin ?? url.origin
    if (announced || init.fetch || init.method || page === url.origin) throw error
    await ask('no-cors')
    release()
    return ask().catch((refusal: unknown) => {
      cause = 'cors'
      throw refusal
    })
  }

  async function connect(): Promise<void> {
    let details: Partial<ErrorDetails> = {}
    cause = undefined
    failures++
    try {
      if (given) await read(given)
      else {
        const response = await ask().catch(askAgain)
        const { status, headers } = response
        details = { status, headers }
        if (status !== 200) cause = 'status'
        else if (!isEventStream(headers.get('content-type'))) cause = 'type'
        if (cause || readyState === CLOSED) response.body?.cancel().catch(ignore)
        else {
          announced = true
          origin = new URL(response.url || url).origin
          await read(response.body?.getReader())
        }
      }
    } catch (error) {
      cause ??= (error as Error | undefined)?.name === 'AbortError' ? 'aborted' : isHttp ? 'network' : 'url'
      details = { ...details, error }
    }
    release()
    clearTimeout(watchdog)
    parser.end()
    const reason = cause ?? 'ended'
    // After all that came before has been dispatched, the connection is reestablished, or failed.
    queueTask(() => {
      if (given || !/network|ended|silent/.test(reason)) close()
      else readyState = CONNECTING
      target.dispatchEvent(Object.assign(new Event('error'), errorDetails && { ...details, reason }))
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
