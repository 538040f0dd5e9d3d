/** The web-standard face: `fetch(request): Promise<Response>`, for Hono, Next, Bun, Deno. No decision of the protocol is made here. */
import type { Sink } from '../delivery/sink.ts'
import type { Hub } from '../hub.ts'
import { DEFAULT_HTTP_LIMITS } from './http-limits.ts'
import { Handler, type HandlerOptions } from './handler.ts'
import { type HttpRequest, isStream, type OpenStream, type StreamAnswer } from './message.ts'
import { belowMount } from './mount.ts'
import { type Places, SMALL_BODY } from './places.ts'
import { Problem } from './problem.ts'

export interface FetchHandlerOptions extends HandlerOptions {
  /** Where the hub is mounted, e.g. `/updates`. Default none. */
  readonly mount?: string
}

export interface FetchInfo {
  /** The peer's address, where the runtime tells it (`server.requestIP(request)` in Bun, `info.remoteAddr` in Deno). */
  readonly address?: string
}

/** Never rejects. */
export type FetchHandler = (request: Request, info?: FetchInfo) => Promise<Response>

/** Bytes of a stream that may wait for the runtime to take them before its reader counts as full. */
const STREAM_BUFFER = 64 * 1024

export function fetchHandler(hub: Hub, options: FetchHandlerOptions = {}): FetchHandler {
  const handler = new Handler(hub, options)
  return async (request, info = {}) => {
    const answer = await handler.answer(new FetchRequest(request, info, options, handler.largeBodies))
    if (isStream(answer)) return new Response(streamBody(answer, request.signal), answer)
    const bodiless = request.method === 'HEAD' || answer.body === undefined
    return new Response(bodiless ? null : (answer.body as BodyInit), answer)
  }
}

class FetchRequest implements HttpRequest {
  readonly method: string
  readonly path: string
  readonly query: string
  readonly address: string | undefined
  readonly scheme: string
  readonly raw: Request
  readonly authority: string
  readonly #timeoutMs: number
  readonly #places: Places

  constructor(request: Request, info: FetchInfo, options: FetchHandlerOptions, places: Places) {
    const url = new URL(request.url)
    this.raw = request
    this.method = request.method
    this.path = belowMount(url.pathname, options.mount)
    this.query = url.search.slice(1)
    this.address = info.address
    this.scheme = url.protocol.slice(0, -1)
    this.authority = url.host
    this.#places = places
    this.#timeoutMs = options.bodyTimeoutMs ?? DEFAULT_HTTP_LIMITS.bodyTimeoutMs
  }

  header(name: string): string | undefined {
    return this.raw.headers.get(name) ?? (name === 'host' ? this.authority : undefined)
  }

  headerNames(): Iterable<string> {
    return this.raw.headers.keys()
  }

  get signal(): AbortSignal {
    return this.raw.signal
  }

  async body(limit: number): Promise<Uint8Array> {
    if (Number(this.raw.headers.get('content-length')) > limit) throw tooLarge(limit)
    if (this.raw.bodyUsed) throw new Error('The body of a publish was read before it reached the hub')
    if (this.raw.body === null) return new Uint8Array()
    const reader: ReadableStreamDefaultReader<Uint8Array> = this.raw.body.getReader()
    const chunks: Uint8Array[] = []
    let size = 0
    let late = false
    let enter: (() => void) | undefined
    let leave: (() => void) | undefined
    const timer = setTimeout(() => {
      late = true
      enter?.()
      reader.cancel().catch(() => {})
    }, this.#timeoutMs)
    try {
      for (;;) {
        const { done, value } = await reader.read()
        if (late)
          throw new Problem('body-timeout', 'The body took too long: send it faster, or in smaller parts')
        if (done) return concat(chunks, size)
        size += value.length
        if (size > limit) {
          reader.cancel().catch(() => {})
          throw tooLarge(limit)
        }
        chunks.push(value)
        if (size <= SMALL_BODY || leave !== undefined) continue
        await new Promise<void>((come) => {
          enter = come
          leave = this.#places.take(come)
        })
      }
    } catch (error) {
      if (error instanceof Problem) throw error
      throw new Problem('body-aborted', 'The body broke off before its end')
    } finally {
      clearTimeout(timer)
      leave?.()
    }
  }
}

function concat(chunks: readonly Uint8Array[], size: number): Uint8Array {
  const whole = new Uint8Array(size)
  let offset = 0
  for (const chunk of chunks) {
    whole.set(chunk, offset)
    offset += chunk.length
  }
  return whole
}

function tooLarge(limit: number): Problem {
  return new Problem('body-too-large', `Expected a body of at most ${limit} bytes: send less at once`, {
    limit,
  })
}

function streamBody(answer: StreamAnswer, signal: AbortSignal): ReadableStream<Uint8Array> {
  let reader: OpenStream | undefined
  const gone = (): void => reader?.closed()
  return new ReadableStream<Uint8Array>(
    {
      start(controller) {
        try {
          reader = answer.open(new StreamSink(controller))
        } catch {
          // Refused, and ended.
          return
        }
        signal.addEventListener('abort', gone, { once: true })
      },
      pull() {
        reader?.drained()
      },
      cancel() {
        signal.removeEventListener('abort', gone)
        gone()
      },
    },
    new ByteLengthQueuingStrategy({ highWaterMark: STREAM_BUFFER }),
  )
}

class StreamSink implements Sink {
  readonly #controller: ReadableStreamDefaultController<Uint8Array>
  #open = true

  constructor(controller: ReadableStreamDefaultController<Uint8Array>) {
    this.#controller = controller
  }

  write(bytes: Uint8Array): boolean {
    if (!this.#open) return true
    try {
      this.#controller.enqueue(bytes)
    } catch {
      // Cancelled or broken: the face hears of it by itself.
      this.#open = false
      return true
    }
    return (this.#controller.desiredSize ?? 0) > 0
  }

  end(): void {
    if (!this.#open) return
    this.#open = false
    try {
      this.#controller.close()
    } catch {
      // Cancelled already.
    }
  }

  abort(): void {
    if (!this.#open) return
    this.#open = false
    this.#controller.error(new Error('The stream was cut: the client takes nothing'))
  }
}
