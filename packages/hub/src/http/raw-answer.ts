/** Answers as bytes, for a connection that has no `ServerResponse`: what `node:http` would write. Pure, but for the date. */
import { STATUS_CODES } from 'node:http'
import type { Headers, WholeAnswer } from './message.ts'

/** What is said of the connection: it ends with this answer, or it is kept for so many seconds. */
export type Persistence = 'close' | { readonly seconds: number }

/** The status line and the headers, with the empty line. @throws {TypeError} for a value that would not stay one header */
export function headOf(status: number, headers: Headers, persistence: Persistence): string {
  let head = `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\n`
  for (const [name, value] of Object.entries(headers)) {
    if (name === 'connection') continue
    if (!PLAIN.test(value)) throw new TypeError(`Expected a header ${name} without control characters`)
    head += `${name}: ${value}\r\n`
  }
  head += `Date: ${new Date().toUTCString()}\r\n`
  // RFC 9110 7.8: `Upgrade` is for this connection.
  const upgrade = headers['connection'] === 'upgrade' ? ', upgrade' : ''
  if (persistence === 'close') return `${head}Connection: close${upgrade}\r\n\r\n`
  return `${head}Connection: keep-alive${upgrade}\r\nKeep-Alive: timeout=${persistence.seconds}\r\n\r\n`
}

const PLAIN = /^[\t\x20-\x7e\x80-\xff]*$/

/** An answer with all of its body. */
export function wholeBytes({ status, headers, body }: WholeAnswer, persistence: Persistence): Uint8Array {
  if (body === undefined) return Buffer.from(headOf(status, headers, persistence), 'latin1')
  const length = String(Buffer.byteLength(body))
  const head = headOf(status, { ...headers, 'content-length': length }, persistence)
  return Buffer.concat([Buffer.from(head, 'latin1'), typeof body === 'string' ? Buffer.from(body) : body])
}

/** A chunk of the chunked coding (RFC 9112 7.1). An empty one would be the end. */
export function chunkOf(bytes: Uint8Array): Uint8Array {
  return Buffer.concat([Buffer.from(`${bytes.length.toString(16)}\r\n`), bytes, CRLF])
}

const CRLF = Buffer.from('\r\n')

export const LAST_CHUNK = Buffer.from('0\r\n\r\n')

/** Whether a request may begin like this: empty lines, then a method. Node's parser knows better, but can't be asked meanwhile. */
export function mayBeRequest(bytes: Uint8Array): boolean {
  return /^[\r\n]*(?:[A-Z][A-Z-]*(?: |$)|$)/.test(Buffer.from(bytes.subarray(0, 32)).toString('latin1'))
}
