/**
 * A request and an answer, the same for every runtime. The faces (`node.ts`, `fetch.ts`) translate; all decisions of the
 * protocol are made on these.
 */
import type { Reader } from '../delivery/reader.ts'
import type { Sink } from '../delivery/sink.ts'
import type { Quit } from '../delivery/watch.ts'

export interface HttpRequest {
  /** Upper case. */
  readonly method: string
  /** As sent, still percent-encoded, without the query, below where the hub is mounted. */
  readonly path: string
  /** As sent, without the question mark. */
  readonly query: string
  /** By lower-case name; repeated ones joined by `, `. */
  header(name: string): string | undefined
  /** Lower case. */
  headerNames(): Iterable<string>
  /** Whom the request is for, where its target says so besides `Host`. */
  readonly authority?: string | undefined
  /** The peer's address, where the runtime tells; the client's, behind trusted proxies. */
  readonly address: string | undefined
  /** What a trusted proxy calls this request. */
  readonly id?: string | undefined
  /** `https` or `http`, as the runtime sees it. */
  readonly scheme: string
  /** A handshake that the face can answer, or that it could if this were one. Absent: no connection here becomes a WebSocket. */
  readonly upgrade?: 'asked' | 'possible' | undefined
  /** All of the body. @throws {Problem} `body-too-large`, `body-timeout`, `body-aborted` */
  body(limit: number): Promise<Uint8Array>
  /** Aborts when the client is gone. */
  readonly signal: AbortSignal
  /** The runtime's own: an `IncomingMessage`, a `Request` or a `ServerHttp2Stream`. */
  readonly raw: unknown
}

/** Whether this is Node's own `fetch`, which has faults that others don't. */
export function isNode(userAgent: string | undefined): boolean {
  return userAgent !== undefined && /^(?:node|undici)(?:\/|$)/.test(userAgent)
}

export type Headers = Readonly<Record<string, string>>

/**
 * On every answer. `vary` is what an answer may depend on, always all of it, so that no cache mixes them up. An answer that is kept
 * for many may have them already.
 */
export const STANDING: Headers = {
  vary: 'Accept, Accept-Encoding, Prefer, Last-Event-ID, Origin, Authorization, Cookie',
  'x-content-type-options': 'nosniff',
}

export interface WholeAnswer {
  readonly status: number
  readonly headers: Headers
  /** Absent: no body at all (204, 304, the head of a stream). */
  readonly body?: string | Uint8Array
  /** Of a page: how many it has. */
  readonly events?: number
  /** In answer to a handshake only, and in place of all else: what answers it, on 127.0.0.1, and the bytes to begin with. */
  readonly tunnel?: { readonly port: number; readonly head: string }
}

/** A body that stays open. The face makes a sink of its connection, calls `open`, and then `drained()` and `closed()` of the reader. */
export interface StreamAnswer {
  /** 101: a WebSocket, in answer to a handshake only. */
  readonly status: 200 | 101
  readonly headers: Headers
  /** @throws when the stream is refused after all; the sink has been ended then, with a word on when to come back */
  open(sink: Sink): OpenStream
}

/** What the face calls back: a `Reader`, or what stands for one. */
export type OpenStream = Pick<Reader, 'drained' | 'closed' | 'end'> & Partial<Pick<Reader, 'position'>>

/** A long poll: nothing is settled but what it waits for. The face calls `later`, and holds nothing of the request meanwhile. */
export interface LaterAnswer {
  /** @param gone Aborts when the client is gone. */
  readonly later: (gone: Quit) => Promise<WholeAnswer>
}

export type Answer = WholeAnswer | StreamAnswer

export function isLater(answer: Answer | LaterAnswer): answer is LaterAnswer {
  return 'later' in answer
}

export function isStream(answer: Answer): answer is StreamAnswer {
  return 'open' in answer
}

/** @param value What is no text or bytes yet is made into JSON. */
export function json(value: unknown, headers: Headers = {}, status = 200): WholeAnswer {
  const made = typeof value === 'string' || value instanceof Uint8Array
  const body = made ? value : `${JSON.stringify(value)}\n`
  return { status, headers: { 'content-type': 'application/json', ...headers }, body }
}
