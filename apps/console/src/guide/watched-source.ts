/** The browser's own EventSource, in a channel of its own, that tells what happens to it before the script's handlers are called. */
import { urlOf } from '../hub.ts'
import type { Names } from '../model/guide-names.ts'

export interface Watcher {
  /** @param asked The URL as the script has it. */
  made(source: EventSource, asked: string): void
  opened(source: EventSource): void
  lost(source: EventSource): void
  listens(type: string): void
  /** @param what The handler it goes to: `onmessage`, or the name that is listened for. */
  came(source: EventSource, what: string, event: MessageEvent<string>): void
  /** The opening that only Downlink sends: with the first id. */
  greeted(source: EventSource, lastEventId: string): void
  closed(source: EventSource): void
}

const OWN = new Set(['message', 'open', 'error'])

/** @param tickets One for each source, where the hub wants any. */
export function watchedSource(names: Names, tickets: string[], to: Watcher): typeof EventSource {
  return class extends EventSource {
    readonly #asked: string
    readonly #heard = new Set<string>()

    constructor(asked: string | URL, init?: EventSourceInit) {
      const ticket = tickets.shift()
      const url = new URL(urlOf(names.path(String(asked))))
      if (ticket !== undefined) url.searchParams.set('ticket', ticket)
      super(url, init)
      this.#asked = String(asked)
      Object.defineProperty(this, 'url', { value: new URL(this.#asked, document.baseURI).href })
      to.made(this, this.#asked)
      super.addEventListener('open', () => to.opened(this))
      super.addEventListener('error', () => to.lost(this))
      super.addEventListener('downlink:open', ({ lastEventId }) => to.greeted(this, lastEventId))
      super.addEventListener('message', (event) => to.came(this, 'onmessage', event))
    }

    override addEventListener(type: string, listener: never, options?: never): void {
      const own = names.type(this.#asked, type)
      if (!OWN.has(type) && !this.#heard.has(type)) {
        this.#heard.add(type)
        to.listens(type)
        super.addEventListener(own, (event) => to.came(this, type, event))
      }
      super.addEventListener(own, listener, options)
    }

    override close(): void {
      const { readyState } = this
      super.close()
      if (readyState !== this.CLOSED) to.closed(this)
    }
  }
}
