/**
 * The network of a run of the Lab: a relay in front of the hub that delays, buffers and cuts. It speaks plain HTTP/1.1 on the machine
 * itself, also to a hub with TLS, as it could not tell answers apart otherwise; what it passes on it passes byte for byte.
 */
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { connect as connectTls, type ConnectionOptions } from 'node:tls'
import { Passage } from './passage.ts'
import type { LabSettings } from './report.ts'

export interface NetworkTarget {
  readonly host: string
  readonly port: number
  /** The target speaks TLS, and this is how it is to be believed. Default: it does not. */
  readonly tls?: Pick<ConnectionOptions, 'servername' | 'rejectUnauthorized' | 'ca'>
}

export interface Network {
  /** On 127.0.0.1. */
  readonly port: number
  /** Cuts all that is open, and resolves when nothing is left. Idempotent. */
  close(): Promise<void>
}

/** @param random At least 0, below 1: when connections are cut, and how. Default `Math.random`. @throws what `net.Server.listen` meets */
export async function startNetwork(
  { delay, buffering, cutAfter }: LabSettings['network'],
  target: NetworkTarget,
  random: () => number = Math.random,
): Promise<Network> {
  const passages = new Set<Passage>()
  // A side that has been closed may still be told something.
  const server = createServer({ allowHalfOpen: true, noDelay: true })
  server.on('connection', (client) => {
    // Half as long to half as long again, so that not all are cut at once.
    const cut = cutAfter > 0 ? { afterMs: cutAfter * (0.5 + random()), reset: random() < 0.5 } : undefined
    const passage = new Passage(client, connectTo(target), { delay, buffering, cut })
    passages.add(passage)
    void passage.gone.then(() => passages.delete(passage))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  let closed: Promise<void> | undefined
  const close = async (): Promise<void> => {
    const ended = once(server, 'close')
    server.close()
    for (const passage of passages) passage.cut(true)
    await ended
  }
  return {
    port: (server.address() as AddressInfo).port,
    close: () => (closed ??= close()),
  }
}

function connectTo({ host, port, tls }: NetworkTarget): Socket {
  const socket = connect({ host, port, noDelay: true, allowHalfOpen: true })
  if (tls === undefined) return socket
  // An error of what is below is one of what is above.
  socket.on('error', () => {})
  return connectTls({ ...tls, socket, ALPNProtocols: ['http/1.1'] })
}
