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

/** @param late Called when the first bytes have not come in the time of `deadlines`. @returns as `sortByAlpn` */
export function sortByPreface(server: Server, http2: Take, deadlines: Deadlines, late: Take): Take {
  const http1 = takeOver(server, 'connection')
  server.on('connection', (socket: Socket) => {
    const settle = (take: Take): void => {
      deadlines.delete(expire)
      socket.off('readable', look).off('end', look).off('error', ignore).off('close', forget)
      take(socket)
    }
    const look = (): void => {
      const bytes = socket.read() as Buffer | null
      // Nothing is taken: it stands in the buffer, where both look first.
      if (bytes) socket.unshift(bytes)
      const found = isPreface(bytes)
      if (found === 'no' || socket.readableEnded) settle(http1)
      else if (found === 'yes') settle(http2)
    }
    const expire = (): void => settle(late)
    const forget = (): void => deadlines.delete(expire)
    deadlines.add(expire)
    socket.on('readable', look).on('end', look).on('error', ignore).on('close', forget)
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
