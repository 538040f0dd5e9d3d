/** Connections of the crowd. */
import { connect, isIP, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import type { NetworkTarget } from '../network.ts'
import type { Target } from './plan.ts'
import type { Tally } from './tally.ts'

/** Nothing may be heard for so long: heartbeats come every 15 s, long polls wait 25 s. */
const SILENCE_MS = 60_000

/** Connects, and counts the connection while it lasts. It closes by itself when nothing is heard. */
export function dial(target: Target, tally: Tally): Socket {
  const { host, port, tls } = target
  const socket =
    tls === 'none'
      ? connect({ host, port })
      : connectTls({ host, port, ALPNProtocols: ['http/1.1'], ...tlsOf(target) })
  socket.setNoDelay(true)
  socket.setTimeout(SILENCE_MS, () => socket.destroy())
  socket.once(tls === 'none' ? 'connect' : 'secureConnect', () => {
    tally.connected()
    socket.once('close', () => tally.disconnected())
  })
  return socket
}

/** How a target that speaks TLS is to be believed. */
export function tlsOf({ tls, authority }: Target): NonNullable<NetworkTarget['tls']> {
  const name = hostOf(authority)
  return {
    // An address is no name of a server (RFC 6066 3).
    ...(isIP(name) === 0 && { servername: name }),
    // To this very process nobody can be in between.
    rejectUnauthorized: tls === 'checked',
  }
}

/** `example.com:8080` without its port, `[::1]:80` without the brackets. */
function hostOf(authority: string): string {
  return authority.replace(/:\d+$/, '').replace(/^\[(.*)\]$/, '$1')
}
