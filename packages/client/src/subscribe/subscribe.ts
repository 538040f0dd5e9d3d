/** `subscribe()`: updates that keep coming, whatever is in between. */
import { systemEnvironment } from './environment.ts'
import { openSubscription } from './subscription.ts'
import type { DefaultEvents, EventMap, SubscribeOptions, Subscription } from './types.ts'

/**
 * Reads the events of a hub's channels, or of any server of event streams, from now on or from where `options` say, until it is
 * closed or everything has ended. It connects again, changes its transport, and waits, as needed.
 *
 * @throws {SubscribeError} `invalid-option`
 * @example
 * const updates = subscribe('/channels/orders,user.42', {
 *   headers: async () => ({ authorization: `Bearer ${await token()}` }),
 * })
 * for await (const event of updates) render(event)
 */
export function subscribe<Events extends EventMap = DefaultEvents>(
  url: string | URL,
  options: SubscribeOptions = {},
): Subscription<Events> {
  return openSubscription<Events>(url, options, systemEnvironment)
}
