/** The face: listeners and loops on one side, the course on the other, and the cursor that has been handled between them. */
import type { Asker } from './ask.ts'
import { createCourse, type Course, type Sources } from './course.ts'
import { createCursorWriter, storeOf } from './cursor-store.ts'
import type { Environment } from './environment.ts'
import { SubscribeError } from './error.ts'
import { DEFAULT_LIMITS } from './limits.ts'
import { checked } from './options.ts'
import { createOutlet } from './outlet.ts'
import { createPace } from './pace.ts'
import { createPageSource } from './page-source.ts'
import { deferred } from './reading.ts'
import { parsed } from './schema.ts'
import type { Item, Place } from './source.ts'
import { createStreamSource } from './stream-source.ts'
import type {
  DefaultEvents,
  EventMap,
  SubscribeOptions,
  Subscription,
  SubscriptionEvents,
  UpdateOf,
} from './types.ts'

/** The sources that read from a hub. */
export function hubSources(asker: Asker): Sources {
  return (transport, waitMs) =>
    transport === 'sse' ? createStreamSource(asker) : createPageSource(asker, transport, waitMs)
}

type Listener = (value: never) => unknown

/** A loop that takes events one by one: what it holds has been handled when it asks for the next. */
interface Inbox<Value> {
  next(): Promise<Value | undefined>
  leave(): void
}

/** As `subscribe`, with the world given, and the sources. */
export function openSubscription<Events extends EventMap = DefaultEvents>(
  url: string | URL,
  options: SubscribeOptions,
  env: Environment,
  sourcesOf: (asker: Asker) => Sources = hubSources,
): Subscription<Events> {
  const { href, start } = checked(url, options)
  const { parse = 'text', signal, queue = 1000 } = options
  const limits = { ...DEFAULT_LIMITS, ...options.limits }
  const asker: Asker = { url: href, options, limits, env, pace: createPace() }
  const place: Place = { cursor: undefined, start, hub: options.hub, retry: 3000 }
  const listeners: Record<keyof SubscriptionEvents<Events>, Set<Listener>> = {
    event: new Set(),
    gap: new Set(),
    end: new Set(),
    state: new Set(),
    error: new Set(),
  }
  const inboxes = new Set<{ end(): void }>()
  const closed = deferred<void>()
  let cursor: string | undefined
  let released = false
  let stopLifecycle = (): void => {}

  /** Tells all listeners of a kind. @returns what there is to wait for */
  function emit(type: keyof typeof listeners, value: unknown): Promise<unknown> | undefined {
    const results = Array.from(listeners[type], async (listener) => listener(value as never))
    if (results.length === 0) {
      // What nobody listens for must not get lost in silence, where it is somebody's mistake.
      if (type === 'error' && (value as SubscribeError).code === 'listener') throwLater(value)
      return undefined
    }
    return Promise.all(
      results.map((result) =>
        result.catch((cause: unknown) => {
          const error = new SubscribeError('listener', `A listener failed: ${String(cause)}`, { cause })
          if (type === 'error') throwLater(error)
          else void emit('error', error)
        }),
      ),
    )
  }

  const throwLater = (error: unknown): void =>
    void env.after(0, () => {
      throw error
    })

  const outlet = createOutlet(
    queue,
    () => listeners.event.size > 0,
    deliver,
    (item) => {
      if (!item.id || item.id === cursor) return
      cursor = item.id
      writer.write(cursor)
    },
  )

  async function deliver(item: Item): Promise<void> {
    if (item.kind === 'gap') await emit('gap', item.gap)
    else if (item.kind === 'end') await emit('end', { channel: item.channel })
    else if (item.kind === 'event') {
      const { kind: _, ...event } = item
      try {
        await emit('event', parse === 'text' ? event : await parsed(event, parse))
      } catch (error) {
        void emit('error', error)
      }
    }
  }

  const writer = createCursorWriter(storeOf(options.resume, href, env), env, storeFailed)

  function storeFailed(cause: unknown): void {
    void emit('error', new SubscribeError('store', `The cursor store failed: ${String(cause)}`, { cause }))
  }

  const course: Course = createCourse(asker, place, sourcesOf(asker), {
    take: outlet.push,
    told: (state) => void emit('state', state),
    finished() {
      stopLifecycle()
      signal?.removeEventListener('abort', close)
      outlet.end(release)
    },
  })

  function release(): void {
    if (released) return
    released = true
    outlet.close()
    writer.flush()
    const { error } = course.state
    if (error) void emit('error', error)
    for (const inbox of inboxes) inbox.end()
    closed.resolve()
  }

  function close(): void {
    // What waits is not delivered any more.
    outlet.close()
    course.stop()
    release()
  }

  function inbox(): Inbox<UpdateOf<Events>> {
    let value: UpdateOf<Events> | undefined
    let handled: (() => void) | undefined
    let wanted: (() => void) | undefined
    let over = released
    const take = (update: UpdateOf<Events>): Promise<void> => {
      value = update
      wanted?.()
      return new Promise((resolve) => (handled = resolve))
    }
    const self = {
      end() {
        over = true
        wanted?.()
        handled?.()
      },
    }
    listeners.event.add(take)
    inboxes.add(self)
    outlet.flow()
    return {
      async next() {
        handled?.()
        handled = undefined
        // oxlint-disable-next-line no-unmodified-loop-condition -- take() and end() do
        while (value === undefined && !over) await new Promise<void>((resolve) => (wanted = resolve))
        wanted = undefined
        const next = value
        value = undefined
        if (next === undefined && course.state.error) throw course.state.error
        return next
      },
      leave() {
        listeners.event.delete(take)
        inboxes.delete(self)
        self.end()
        if (listeners.event.size === 0) close()
      },
    }
  }

  async function* iterate(box: Inbox<UpdateOf<Events>>): AsyncGenerator<UpdateOf<Events>, void, undefined> {
    try {
      for (;;) {
        const update = await box.next()
        if (update === undefined) return
        yield update
      }
    } finally {
      box.leave()
    }
  }

  async function begin(): Promise<void> {
    try {
      const stored = await storeOf(options.resume, href, env)?.get()
      if (stored) cursor = place.cursor = stored
    } catch (cause) {
      storeFailed(cause)
    }
    if (!released) course.start()
  }

  stopLifecycle = env.lifecycle((event) => {
    if (event === 'away') writer.flush()
    course.lifecycle(event)
  })
  if (env.hidden()) course.lifecycle('hidden')
  signal?.addEventListener('abort', close)
  if (signal?.aborted) close()
  else void begin()

  return {
    url: href,
    get cursor() {
      return cursor
    },
    get state() {
      return course.state
    },
    closed: closed.promise,
    on(type, listener) {
      const set = listeners[type]
      if (!set)
        throw new SubscribeError(
          'invalid-option',
          `Expected one of ${Object.keys(listeners).join(', ')}, got ${type}`,
        )
      const own: Listener = (value) => listener(value)
      set.add(own)
      outlet.flow()
      return () => void set.delete(own)
    },
    readable() {
      const box = inbox()
      return new ReadableStream<UpdateOf<Events>>(
        {
          async pull(controller) {
            const update = await box.next()
            if (update === undefined) controller.close()
            else controller.enqueue(update)
          },
          cancel: () => box.leave(),
        },
        { highWaterMark: 0 },
      )
    },
    close,
    [Symbol.asyncIterator]: () => iterate(inbox()),
    async [Symbol.asyncDispose ?? Symbol.for('Symbol.asyncDispose')]() {
      close()
      await closed.promise
    },
  }
}
