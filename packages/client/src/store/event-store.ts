/** A plain store over a subscription: what React, Vue, Svelte, Solid and others can follow. */
import { type CursorStore, storeOf } from '../subscribe/cursor-store.ts'
import { systemEnvironment } from '../subscribe/environment.ts'
import { SubscribeError } from '../subscribe/error.ts'
import { subscribe } from '../subscribe/subscribe.ts'
import type { DefaultEvents, EventMap, SubscribeOptions, Subscription } from '../subscribe/types.ts'
import { createGathering, type EventsSnapshot, idleSnapshot } from './snapshot.ts'

export interface EventStoreOptions extends SubscribeOptions {
  /** How many events the snapshot has: 0 to 100,000, default 100. Older ones are dropped. */
  readonly keep?: number | undefined
  /** How long it stays open after the last subscriber has left, in milliseconds, default 1,000. */
  readonly lingerMs?: number | undefined
}

/** Its functions need no `this`. */
export interface EventStore<Events extends EventMap = DefaultEvents> {
  /**
   * Calls back when there is a new snapshot: once for all that came at once. The first subscriber opens the subscription; it closes
   * `lingerMs` after the last has left, and a later subscriber goes on at the cursor where it stood.
   *
   * @returns what ends it, idempotent
   * @throws {SubscribeError} `invalid-option`, of the URL and the options, from the first subscriber on
   */
  readonly subscribe: (listener: () => void) => () => void
  /** The same object as long as nothing changed. */
  readonly getSnapshot: () => EventsSnapshot<Events>
  /** What a server renders, and what a page begins with. It is the same object for all stores with this `transport`. */
  readonly getServerSnapshot: () => EventsSnapshot<Events>
}

/** So many events are a mistake, or another thing than what a page shows. */
const MOST_KEPT = 100_000

/**
 * Events of a hub's channels, or of any server of event streams, as a value that changes. Making it opens nothing.
 *
 * @throws {SubscribeError} `invalid-option`, of `keep` and `lingerMs`
 * @example
 * const orders = eventStore('/channels/orders', { last: 20, parse: 'json' })
 * const stop = orders.subscribe(() => render(orders.getSnapshot().events))
 */
export function eventStore<Events extends EventMap = DefaultEvents>(
  url: string | URL,
  options: EventStoreOptions = {},
): EventStore<Events> {
  return createEventStore<Events>(url, options, () => {})
}

/** As `eventStore`, and tells when it has closed because nobody was left. */
export function createEventStore<Events extends EventMap>(
  url: string | URL,
  options: EventStoreOptions,
  left: () => void,
): EventStore<Events> {
  const { keep = 100, lingerMs = 1000, ...rest } = options
  if (!Number.isInteger(keep) || keep < 0 || keep > MOST_KEPT || !(lingerMs >= 0)) {
    const message = `Expected keep as an integer from 0 to ${MOST_KEPT}, and lingerMs of 0 or more, got ${keep} and ${lingerMs}`
    throw new SubscribeError('invalid-option', message)
  }
  const { after } = systemEnvironment
  const idle = idleSnapshot(options.transport)
  const gathering = createGathering<Events>(keep, idle)
  const listeners = new Set<{ readonly call: () => void }>()
  let snapshot: EventsSnapshot<Events> = idle
  let subscription: Subscription<Events> | undefined
  let resume = rest.resume
  let stopLinger: (() => void) | undefined
  let stopTelling: (() => void) | undefined

  /** Events of one chunk come in one task: a timer makes one snapshot, and one rendering, of all of them. */
  function changed(): void {
    stopTelling ??= after(0, () => {
      stopTelling = undefined
      tell()
    })
  }

  function tell(): void {
    snapshot = gathering.snapshot()
    for (const { call } of listeners) {
      try {
        call()
      } catch (cause) {
        // The others are told nevertheless, and the mistake is not lost.
        after(0, () => {
          throw cause
        })
      }
    }
  }

  function open(): void {
    subscription = subscribe<Events>(url, { ...rest, resume })
    subscription.on('event', gather(gathering.event))
    subscription.on('gap', gather(gathering.gap))
    subscription.on('error', gather(gathering.error))
    subscription.on('state', gather(gathering.connection))
    gathering.error(undefined)
    // The signal may have been aborted before.
    gather(gathering.connection)(subscription.state)
  }

  function gather<Value>(take: (value: Value) => void): (value: Value) => void {
    return (value) => {
      take(value)
      changed()
    }
  }

  function close(): void {
    stopLinger = undefined
    const closing = subscription
    if (!closing) return
    subscription = undefined
    const { cursor } = closing
    if (cursor !== undefined) resume = resumeAt(cursor, storeOf(rest.resume, closing.url, systemEnvironment))
    closing.close()
    stopTelling?.()
    stopTelling = undefined
    gathering.connection(idle.connection)
    tell()
    left()
  }

  return {
    subscribe(listener) {
      // Whoever comes first after it was refused for good asks again.
      if (listeners.size === 0 && (!subscription || subscription.state.phase === 'closed')) open()
      stopLinger?.()
      stopLinger = undefined
      // The same function may subscribe twice.
      const entry = { call: listener }
      listeners.add(entry)
      return () => {
        if (listeners.delete(entry) && listeners.size === 0) stopLinger = after(lingerMs, close)
      }
    },
    getSnapshot: () => snapshot,
    getServerSnapshot: () => idle,
  }
}

/** Where it stood goes before what is stored, which may still be on its way there. */
function resumeAt(cursor: string, stored: CursorStore | undefined): CursorStore {
  return { get: () => cursor, set: (next) => stored?.set(next) }
}
