/** How a connection is cut. */
import type { Socket } from 'node:net'

/**
 * By a reset, as a network does that went away. A side that has been ended is only closed: in Node 24.21 what waits for that end would wait
 * for ever after a reset, and no thread with such a socket ever ends. So is one with TLS, of which Node knows no reset.
 */
export function reset(socket: Socket): void {
  if (socket.writableEnded || 'encrypted' in socket) socket.destroy()
  else socket.resetAndDestroy()
}
