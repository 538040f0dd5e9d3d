/** The hooks. Each follows a part of a store that all components share, by `useSyncExternalStore`. */
import { useEffect, useMemo, useSyncExternalStore } from 'react'
import { type EventsSnapshot, NOTHING } from '../store/snapshot.ts'
import type { ConnectionState, DefaultEvents, EventMap, UpdateOf } from '../subscribe/types.ts'
import { shapeOf, type UseEventsOptions } from './shape.ts'
import { type SharedStore, sharedStore } from './shared.ts'

/** A URL, or `null` as long as there is nothing to ask for: no connection, and the state `closed`. */
type Target = string | URL | null

/**
 * The newest events, gaps, the connection and the last error. It opens when the first component that asks for this URL with these
 * options is mounted, and closes a second after the last is unmounted. On a server it opens nothing, and is empty.
 *
 * @throws {SubscribeError} `invalid-option`, into the nearest error boundary
 * @example
 * const { events } = useEvents<{ paid: { total: number } }>('/channels/orders', { last: 20, parse: 'json' })
 */
export function useEvents<Events extends EventMap = DefaultEvents>(
  url: Target,
  options: UseEventsOptions = {},
): EventsSnapshot<Events> {
  return usePart<Events, EventsSnapshot<Events>>(url, options, itself)
}

/** The newest event: as `useEvents`, and renders only when there is another one. */
export function useLatest<Events extends EventMap = DefaultEvents>(
  url: Target,
  options: UseEventsOptions = {},
): UpdateOf<Events> | undefined {
  return usePart<Events, UpdateOf<Events> | undefined>(url, options, latestOf)
}

/** How the connection is: as `useEvents`, and renders only when that changes. */
export function useConnection(url: Target, options: UseEventsOptions = {}): ConnectionState {
  return usePart(url, options, connectionOf)
}

const itself = <Events extends EventMap>(snapshot: EventsSnapshot<Events>): EventsSnapshot<Events> => snapshot
const latestOf = <Events extends EventMap>({
  latest,
}: EventsSnapshot<Events>): UpdateOf<Events> | undefined => latest
const connectionOf = ({ connection }: EventsSnapshot<EventMap>): ConnectionState => connection

function usePart<Events extends EventMap, Part>(
  url: Target,
  options: UseEventsOptions,
  part: (snapshot: EventsSnapshot<Events>) => Part,
): Part {
  const shape = url === null ? undefined : shapeOf(url, options)
  // By the shape alone: most options are objects that each rendering makes anew.
  const store: SharedStore<Events> = useMemo(
    () => (url === null ? nowhere : sharedStore<Events>(url, options)),
    [shape],
  )
  const shown = useSyncExternalStore(
    store.subscribe,
    () => part(store.getSnapshot()),
    () => part(store.getServerSnapshot()),
  )
  useEffect(() => store.update(options))
  return shown
}

const nowhere = {
  subscribe: () => () => {},
  getSnapshot: () => NOTHING,
  getServerSnapshot: () => NOTHING,
  update() {},
}
