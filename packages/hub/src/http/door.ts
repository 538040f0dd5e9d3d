/**
 * Where a connection goes that has come in at a port: to Node's HTTP/1.1 server that listens there, or to a session of HTTP/2.
 * With TLS the client says which (ALPN), without it by its first bytes (RFC 9113 3.3, prior knowledge).
 */
import type { Server } from 'node:http'
import type { Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'
import type { Deadlines } from './deadlines.ts'

export type Take = (socket: Socket) => void

const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n')

/** By ALPN; whoever names nothing gets HTTP/1.1. @returns What gives a connection back to HTTP/1.1. */
export function sortByAlpn(server: Server, http2: Take): Take {
  const http1 = takeOver(server, 'secureConnection')
  server.on('secureConnection', (socket: TLSSocket) => {
    if (socket.alpnProtocol === 'h2') http2(socket)
    else http1(socket)
  })
  return http1
}

/**
 * @param deadlines How long the first bytes may take.
 * @param refuse Called with what a parser would say of bytes that came too late, or ended too soon.
 * @returns as `sortByAlpn`
 */
export function sortByPreface(
  server: Server,
  http2: Take,
  deadlines: Deadlines,
  refuse: (socket: Socket, code: 'ERR_HTTP_REQUEST_TIMEOUT' | 'HPE_INVALID_EOF_STATE') => void,
): Take {
  const http1 = takeOver(server, 'connection')
  server.on('connection', (socket: Socket) => {
    let bytes: Buffer | null = null
    const settle = (): void => {
      deadlines.delete(expire)
      socket.off('readable', look).off('end', end).off('close', settle)
    }
    const look = (): void => {
      const more = socket.read() as Buffer | null
      bytes = bytes && more ? Buffer.concat([bytes, more]) : (bytes ?? more)
      const found = isPreface(bytes)
      if (found === 'maybe') return
      settle()
      socket.off('error', ignore)
      // Back into the buffer, where both look first.
      socket.unshift(bytes)
      if (found === 'yes') http2(socket)
      else http1(socket)
    }
    const end = (): void => {
      settle()
      if (bytes) refuse(socket, 'HPE_INVALID_EOF_STATE')
      else socket.destroy()
    }
    const expire = (): void => {
      settle()
      refuse(socket, 'ERR_HTTP_REQUEST_TIMEOUT')
    }
    deadlines.add(expire)
    socket.on('readable', look).on('end', end).on('error', ignore).on('close', settle)
  })
  return http1
}

/** Whether these first bytes are those of HTTP/2, or may become them. */
export function isPreface(bytes: Uint8Array | null): 'yes' | 'no' | 'maybe' {
  if (bytes === null) return 'maybe'
  const length = Math.min(bytes.length, PREFACE.length)
  if (PREFACE.compare(bytes, 0, length, 0, length) !== 0) return 'no'
  return length === PREFACE.length ? 'yes' : 'maybe'
}

/** Node's own server listens for its connections by an event, like anybody else. */
function takeOver(server: Server, event: 'connection' | 'secureConnection'): Take {
  const listeners = server.listeners(event)
  const [serve] = listeners
  if (listeners.length !== 1 || serve === undefined) {
    throw new Error(`Expected one listener for \`${event}\` on Node's server, found ${listeners.length}`)
  }
  server.removeAllListeners(event)
  return (socket) => void serve.call(server, socket)
}

function ignore(): void {}
