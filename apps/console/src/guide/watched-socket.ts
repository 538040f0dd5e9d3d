/** The browser's own WebSocket, in a channel of its own, that tells what happens to it. */
import { urlOf } from '../hub.ts'
import type { Names } from '../model/guide-names.ts'

export interface SocketWatcher {
  /** @param asked The URL as the script has it. */
  made(socket: WebSocket, asked: string): void
  /** @param what E.g. `onmessage`. */
  happened(socket: WebSocket, what: string, text: string): void
  closed(socket: WebSocket): void
}

/** @param tickets One for each socket, where the hub wants any. */
export function watchedSocket(names: Names, tickets: string[], to: SocketWatcher): typeof WebSocket {
  return class extends WebSocket {
    constructor(asked: string | URL) {
      const url = new URL(urlOf(names.path(String(asked))).replace(/^http/, 'ws'))
      const ticket = tickets.shift()
      if (ticket !== undefined) url.searchParams.set('ticket', ticket)
      super(url)
      to.made(this, String(asked))
      this.addEventListener('open', () => to.happened(this, 'onopen', ''))
      this.addEventListener('message', ({ data }) => to.happened(this, 'onmessage', String(data)))
      this.addEventListener('close', ({ code }) => {
        to.happened(this, 'onclose', `${code}`)
        to.closed(this)
      })
    }
  }
}
