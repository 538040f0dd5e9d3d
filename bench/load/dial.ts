/** What carries a reader's request and its answer: a socket, plain or through TLS, or a stream of an HTTP/2 connection. */
import { type ClientHttp2Session, type ClientHttp2Stream, connect as connectHttp2 } from 'node:http2'
import { connect, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { parseHead } from './http-response.ts'

export type Carrier = 'tcp' | 'tls' | 'h2c' | 'h2'

/** Readers of one HTTP/2 connection, as a proxy, or many tabs, would have them. */
const STREAMS = 100

/** As Chromium has them. Node's own, 64 KiB each, would have the server wait for its client most of the time. */
const STREAM_WINDOW = 6 * 1024 * 1024
const CONNECTION_WINDOW = 15 * 1024 * 1024

export interface DialOptions {
  readonly carrier: Carrier
  readonly port: number
  readonly host: string
  /** The whole head of an HTTP/1.1 request. */
  readonly request: string
  /** Where the bytes of sockets are read to. */
  readonly buffer: Buffer
  /** The head of the answer, as HTTP/1.1 would have it, and its body. False: no more for now. */
  readonly read: (bytes: Buffer, size: number) => boolean
  readonly failed: (reason: string) => void
}

export interface Line {
  /** After `read` said false. */
  more(): void
  /** Without a word to the peer. */
  cut(): void
}

export function dial(options: DialOptions): Line {
  return options.carrier === 'tcp' || options.carrier === 'tls' ? dialSocket(options) : dialStream(options)
}

function dialSocket({ carrier, port, host, request, buffer, read, failed }: DialOptions): Line {
  const onread = { buffer, callback: (size: number, bytes: Uint8Array) => read(bytes as Buffer, size) }
  // `onread` is documented for TLS, too, but not typed.
  const to = { port, host, onread, rejectUnauthorized: false }
  const socket: Socket = carrier === 'tls' ? connectTls(to) : connect(to)
  socket.on(carrier === 'tls' ? 'secureConnect' : 'connect', () => socket.write(request))
  socket.on('error', (error) => failed(error.message))
  socket.on('close', () => failed('the connection ended'))
  return {
    more: () => socket.resume(),
    // A reset leaves no port waiting, of which there are few for so many connections.
    cut: () => void (carrier === 'tls' ? socket.destroy() : socket.resetAndDestroy()),
  }
}

interface Shared {
  readonly session: ClientHttp2Session
  readonly origin: string
  streams: number
}

const all: Shared[] = []

/** A connection that has room for one more. */
function sharedTo(origin: string): Shared {
  const known = all.find((one) => one.origin === origin && one.streams < STREAMS && !one.session.closed)
  if (known) return known
  const session = connectHttp2(origin, {
    rejectUnauthorized: false,
    settings: { initialWindowSize: STREAM_WINDOW },
  })
  session.on('error', () => {})
  session.on('connect', () => session.setLocalWindowSize(CONNECTION_WINDOW))
  const shared: Shared = { session, origin, streams: 0 }
  all.push(shared)
  return shared
}

function dialStream({ carrier, port, host, request, read, failed }: DialOptions): Line {
  const shared = sharedTo(`${carrier === 'h2' ? 'https' : 'http'}://${host}:${port}`)
  shared.streams++
  const stream: ClientHttp2Stream = shared.session.request(fieldsOf(request))
  const give = (bytes: Buffer): void => {
    if (!read(bytes, bytes.length)) stream.pause()
  }
  stream.on('response', ({ ':status': status, ...headers }) => {
    const lines = Object.entries(headers).map(([name, value]) => `${name}: ${String(value)}\r\n`)
    give(Buffer.from(`HTTP/1.1 ${String(status)} OK\r\n${lines.join('')}\r\n`, 'latin1'))
  })
  stream.on('data', give)
  stream.on('error', (error) => failed(error.message))
  stream.on('close', () => {
    shared.streams--
    failed('the stream ended')
  })
  return { more: () => stream.resume(), cut: () => stream.close() }
}

function fieldsOf(request: string): Record<string, string> {
  const [method = '', path = ''] = request.split(' ', 2)
  const { headers } = parseHead(request.slice(0, request.indexOf('\r\n\r\n')))
  const fields = Object.fromEntries(headers)
  const authority = fields['host'] ?? 'localhost'
  delete fields['host']
  delete fields['connection']
  return { ':method': method, ':path': path, ':authority': authority, ...fields }
}
