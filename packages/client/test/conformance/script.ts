/**
 * What the server of a case answers, as plain values: the same module is loaded by the server's process and, in the bundle,
 * by the runtime under test.
 */

/** A string is sent as UTF-8, each step by a write of its own. */
export type Step =
  | string
  | Uint8Array
  /** Waits until the case says `go(name)`. */
  | { readonly wait: string }
  /** Waits this many milliseconds, so that what follows comes in a chunk of its own. */
  | { readonly gap: number }
  /** Sends the pieces compressed, each flushed. */
  | { readonly gzip: readonly string[] }
  /**
   * How the server ends the connection, that it never does, or that it waits for another request on it. A script that ends
   * without one ends with `fin`.
   */
  | { readonly end: 'fin' | 'reset' | 'hang' | 'keep' }

export interface Asked {
  /** Counts the requests of the case from 0, preflights excepted. */
  readonly number: number
  readonly method: string
  /** What follows the case in the URL, with the query: `stream?a`. */
  readonly path: string
  /** Names in lower case, values as Latin-1. */
  readonly headers: Readonly<Record<string, string>>
  /** Of this server, and of its second origin. */
  readonly origin: string
  readonly otherOrigin: string
  /** The case's URLs begin so, without origin: `/c/12/`. */
  readonly folder: string
}

/** The answer to each request in turn, 204 after the last; or a function of the request. */
export type Answers = readonly (readonly Step[])[] | ((asked: Asked) => readonly Step[])

/** One request as the server saw it, in the record that a case can ask for. */
export interface Seen extends Asked {
  /** The request as it came, as Latin-1. */
  readonly head: string
  readonly body: string
  /** The authority that the client connected to. */
  readonly host: string
  /** Milliseconds on the server's clock. */
  readonly at: number
  /** When the server had ended its answer. */
  readonly ended?: number
  /** When the client ended the connection, if it did so first. */
  readonly closed?: number
}

export interface Log {
  /** Preflights excepted. */
  readonly requests: readonly Seen[]
  readonly preflights: readonly Seen[]
}

export const FIN: Step = { end: 'fin' }
export const RESET: Step = { end: 'reset' }
export const HANG: Step = { end: 'hang' }
export const KEEP: Step = { end: 'keep' }
export const wait = (name: string): Step => ({ wait: name })
export const gap = (milliseconds: number): Step => ({ gap: milliseconds })

/** A response head that says nothing about the length of the body: its end is the connection's. */
export function head(status: number | string, headers: Readonly<Record<string, string>> = {}): string {
  const lines = Object.entries({ Connection: 'close', ...headers }).map(
    ([name, value]) => `${name}: ${value}\r\n`,
  )
  return `HTTP/1.1 ${typeof status === 'number' ? `${status} Status` : status}\r\n${lines.join('')}\r\n`
}

export const STREAM_HEAD: string = head(200, { 'Content-Type': 'text/event-stream' })

/** As `STREAM_HEAD`, for any origin but without credentials. */
export const OPEN_HEAD: string = head(200, {
  'Content-Type': 'text/event-stream',
  'Access-Control-Allow-Origin': '*',
})

/** A stream with this body. */
export const stream = (...body: readonly Step[]): readonly Step[] => [STREAM_HEAD, ...body]

/** A stream whose connection comes again soon, and ends after this body. */
export const soon = (...body: readonly Step[]): readonly Step[] => [STREAM_HEAD, 'retry: 10\n', ...body]

/** An answer without a body. */
export const status = (code: number, headers: Readonly<Record<string, string>> = {}): readonly Step[] => [
  head(code, code === 204 || code === 304 ? headers : { 'Content-Length': '0', ...headers }),
]

export const redirect = (
  code: number,
  location: string,
  headers: Readonly<Record<string, string>> = {},
): readonly Step[] => status(code, { Location: location, ...headers })

/** Bytes from texts (as UTF-8) and raw bytes. */
export function bytesOf(...pieces: readonly (string | readonly number[])[]): Uint8Array {
  const encoder = new TextEncoder()
  return Uint8Array.from(
    pieces.flatMap((piece) => (typeof piece === 'string' ? [...encoder.encode(piece)] : piece)),
  )
}

/** The same bytes, each in a chunk of its own as far as the network lets it be one. */
export function byteByByte(bytes: Uint8Array): readonly Step[] {
  return [...bytes].flatMap((byte) => [Uint8Array.of(byte), gap(1)])
}
