/** `subscribe()` by the browser's own EventSource. */
import { systemEnvironment } from '../subscribe/environment.ts'
import { hubSources, openSubscription } from '../subscribe/subscription.ts'
import type { DefaultEvents, EventMap, SubscribeOptions, Subscription } from '../subscribe/types.ts'
import { createNativeSource } from './native-source.ts'
import { createTicketOffice } from './ticket-office.ts'

/**
 * As `subscribe` of `@downlink/client`, but streams are read by the browser's EventSource, which shows them in its tools and
 * needs no task of the page for each chunk. It sends no headers, so each stream has a ticket of the hub's (`POST /tickets`),
 * which is asked for with `headers`. Where there is no EventSource, and for servers that are no hub, `fetch` reads.
 *
 * @throws {SubscribeError} `invalid-option`
 * @example
 * import { subscribe } from '@downlink/client/native'
 * const updates = subscribe('/channels/orders', { headers: async () => ({ authorization: `Bearer ${await token()}` }) })
 */
export function subscribe<Events extends EventMap = DefaultEvents>(
  url: string | URL,
  options: SubscribeOptions = {},
): Subscription<Events> {
  return openSubscription<Events>(url, options, systemEnvironment, (asker) => {
    const byFetch = hubSources(asker)
    const office = createTicketOffice(asker)
    return (transport, waitMs) => {
      const source = byFetch(transport, waitMs)
      return transport === 'sse' ? createNativeSource(asker, office, source) : source
    }
  })
}
