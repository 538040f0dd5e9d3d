/** HTTP/2 as the tests speak it, in the shape of `node:http`: all requests to one hub on one connection. */
import { type ClientHttp2Session, type ClientHttp2Stream, connect } from 'node:http2'
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http'
import type { Ask } from './client.ts'

const sessions = new Map<string, ClientHttp2Session | undefined>()

/** From now on tests speak HTTP/2 to this origin, until what is returned is called. */
export function speakHttp2(origin: string): () => void {
  sessions.set(origin, undefined)
  return () => {
    sessions.get(origin)?.destroy()
    sessions.delete(origin)
  }
}

export function speaksHttp2(url: string): boolean {
  return sessions.has(new URL(url).origin)
}

/** The connection of all requests to this origin. */
export function sessionTo(origin: string): ClientHttp2Session {
  const known = sessions.get(origin)
  if (known && !known.closed && !known.destroyed) return known
  const session = connect(origin, { rejectUnauthorized: false })
  session.on('error', () => {})
  sessions.set(origin, session)
  return session
}

export function requestHttp2(
  url: string,
  { method = 'GET', headers = {}, body, signal }: Ask,
): Promise<IncomingMessage> {
  const { origin } = new URL(url)
  const { host, 'transfer-encoding': chunked, ...fields } = headers
  const framed = body === undefined || chunked !== undefined
  const length = framed ? {} : { 'content-length': String(Buffer.byteLength(body)) }
  return new Promise((resolve, reject) => {
    const stream = sessionTo(origin).request(
      {
        ':method': method,
        ':path': url.slice(origin.length) || '/',
        ...(host !== undefined && { ':authority': host as string }),
        ...length,
        ...(fields as Record<string, string>),
      },
      { endStream: body === undefined, ...(signal ? { signal } : {}) },
    )
    stream.on('response', (headers) => resolve(asMessage(stream, headers))).on('error', reject)
    stream.on('close', () => reject(new Error('The stream was closed without an answer')))
    if (body !== undefined) stream.end(body)
  })
}

function asMessage(stream: ClientHttp2Stream, headers: object): IncomingMessage {
  const all = { ...headers } as IncomingHttpHeaders & { ':status'?: number }
  const status = all[':status'] ?? 0
  delete all[':status']
  return Object.assign(stream, { statusCode: status, headers: all }) as unknown as IncomingMessage
}
