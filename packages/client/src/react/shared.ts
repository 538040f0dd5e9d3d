/** One store for all components of a page that ask for the same. A rendering changes nothing here: it may be thrown away. */
import { createEventStore, type EventStore } from '../store/event-store.ts'
import { idleSnapshot } from '../store/snapshot.ts'
import type { EventMap } from '../subscribe/types.ts'
import { schemasOf, shapeOf, type UseEventsOptions } from './shape.ts'

interface Entry {
  readonly store: EventStore<EventMap>
  /** Of the component that was rendered last: its functions know the newest token. */
  latest: UseEventsOptions
}

/** Those that are open, or linger. Effects alone write here, so that a server keeps nothing. */
const open = new Map<string, Entry>()

export interface SharedStore<Events extends EventMap> extends EventStore<Events> {
  /** Takes over the functions of a newer rendering, whose options have the same shape. */
  readonly update: (options: UseEventsOptions) => void
}

/** A component's handle on the store that it shares. */
export function sharedStore<Events extends EventMap>(
  url: string | URL,
  options: UseEventsOptions,
): SharedStore<Events> {
  const key = shapeOf(url, options) + schemasOf(options.parse)
  const idle = idleSnapshot(options.transport)
  // Kept when it has closed, as a component that React hides and shows again goes on at the cursor.
  let own: Entry | undefined
  const current = (): Entry | undefined => open.get(key) ?? own
  const following = (): EventStore<Events> | undefined => current()?.store as EventStore<Events> | undefined

  return {
    subscribe(listener) {
      const entry = current() ?? createEntry(url, options, () => open.delete(key))
      const stop = entry.store.subscribe(listener)
      own = entry
      open.set(key, entry)
      return stop
    },
    getSnapshot: () => following()?.getSnapshot() ?? idle,
    getServerSnapshot: () => idle,
    update(options) {
      const entry = current()
      if (entry) entry.latest = options
    },
  }
}

function createEntry(url: string | URL, options: UseEventsOptions, left: () => void): Entry {
  const { key: _, headers, fetch, ...rest } = options
  const entry: Entry = {
    latest: options,
    store: createEventStore<EventMap>(
      url,
      {
        ...rest,
        headers: typeof headers === 'function' ? () => headersOf(entry.latest, headers) : headers,
        fetch: fetch && ((...request) => (entry.latest.fetch ?? fetch)(...request)),
      },
      left,
    ),
  }
  return entry
}

type Ask = Extract<UseEventsOptions['headers'], (...never: never) => unknown>

function headersOf({ headers }: UseEventsOptions, first: Ask): ReturnType<Ask> {
  return (typeof headers === 'function' ? headers : first)()
}
