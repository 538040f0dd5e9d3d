/** What makes a request a handshake for a WebSocket (RFC 6455 4.2.1), and what may be wrong with one. Pure. */
import type { Headers } from '../message.ts'
import { Problem } from '../problem.ts'

export interface HandshakeHead {
  header(name: string): string | undefined
}

const VERSION = '13'

/**
 * Whether this is meant to be a handshake. `Upgrade` alone is not enough: there are proxies that are told to send it along with
 * every request. `cut`: there are others that take it away.
 */
export function handshakeOf(request: HandshakeHead): 'whole' | 'cut' | undefined {
  const upgrade = request.header('upgrade')
  if (upgrade === undefined) return request.header('sec-websocket-key') === undefined ? undefined : 'cut'
  if (!names(upgrade, 'websocket')) return undefined
  const has = (name: string): boolean => request.header(name) !== undefined
  return has('sec-websocket-key') || has('sec-websocket-version') ? 'whole' : undefined
}

export function isHandshake(request: HandshakeHead): boolean {
  return handshakeOf(request) === 'whole'
}

/** @throws {Problem} `upgrade-required`, `invalid-header` */
export function checkHandshake(request: HandshakeHead): void {
  if (request.header('sec-websocket-version') !== VERSION) {
    throw new Problem(
      'upgrade-required',
      'This hub speaks version 13 of WebSocket: send `Sec-WebSocket-Version: 13`',
      {},
      SPOKEN,
    )
  }
  if (!/^[A-Za-z0-9+/]{22}==$/.test(request.header('sec-websocket-key') ?? '')) {
    throw new Problem(
      'invalid-header',
      'Expected `Sec-WebSocket-Key` to be 16 bytes in Base64, once',
      { parameter: 'Sec-WebSocket-Key' },
      { 'sec-websocket-version': VERSION },
    )
  }
}

const UPGRADE: Headers = { upgrade: 'websocket', connection: 'upgrade' }
const SPOKEN: Headers = { ...UPGRADE, 'sec-websocket-version': VERSION }

/** For `transport=websocket` without a handshake. */
export function upgradeRequired(): Problem {
  return new Problem(
    'upgrade-required',
    'A WebSocket begins with a handshake: open it with a WebSocket client, at this address with ws: or wss:',
    {},
    SPOKEN,
  )
}

/** For a handshake whose `Upgrade` is gone. */
export function upgradeLost(): Problem {
  return new Problem(
    'upgrade-required',
    'This handshake for a WebSocket came without its `Upgrade`: something in between took it away, as nginx does unless it is told to pass it on',
    {},
    SPOKEN,
  )
}

/** Where no connection can become a WebSocket, or this one can't. */
export function noWebSocket(): Problem {
  return new Problem(
    'no-websocket',
    'No WebSocket can be had here: over HTTP/1.1 it can where the server hands its upgrades to the hub, by a handshake without a body that is behind no other request. Or read by text/event-stream',
  )
}

/** Whether a list in a header has this token. */
function names(list: string, token: string): boolean {
  return list.split(',').some((one) => one.trim().toLowerCase() === token)
}
