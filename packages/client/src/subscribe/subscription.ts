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
import { parsed } from './schema.ts'
import type { Item, Place } from './source.ts'
import { createStreamSource } from './stream-source.ts'
import type { DefaultEvents, EventMap, SubscribeOptions, Subscription, UpdateOf } from './types.ts'

/** The sources that read from a hub. */
export function hubSources(asker: Asker): Sources {
  return (transport, waitMs) =>
    transport === 'sse' ? createStreamSource(asker) : createPageSource(asker, transport, waitMs)
}

type Listener = (value: never) => unknown

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
  const place: Place = { cursor: undefined, start, hub: options.hub, retry: limits.retryMs }
  const listeners = {
    event: new Set<Listener>(),
    gap: new Set<Listener>(),
    end: new Set<Listener>(),
    state: new Set<Listener>(),
    error: new Set<Listener>(),
  }
  const loops = new Set<() => void>()
  let settle = (): void => {}
  const closed = new Promise<void>((resolve) => (settle = resolve))
  const store = storeOf(options.resume, href, env)
  let cursor: string | undefined
  let released = false
  let stopLifecycle = (): void => {}

  /** Resolves when all listeners of a kind have done with it. */
  function emit(type: keyof typeof listeners, value: unknown): Promise<unknown> {
    return Promise.all(
      Array.from(listeners[type], async (listener) => {
        try {
          await listener(value as never)
        } catch (cause) {
          if (type !== 'error' && listeners.error.size) report('listener', cause)
          // A mistake must not get lost in silence because nobody listens for it.
          else
            env.after(0, () => {
              throw cause
            })
        }
      }),
    )
  }

  function report(code: 'listener' | 'store', cause: unknown): void {
    void emit('error', new SubscribeError(code, `${code}: ${String(cause)}`, { cause }))
  }

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

  async function deliver({ kind, value }: Exclude<Item, { kind: 'cursor' }>): Promise<void> {
    try {
      await emit(kind, kind === 'event' && parse !== 'text' ? await parsed(value, parse) : value)
    } catch (error) {
      void emit('error', error)
    }
  }

  const writer = createCursorWriter(store, env, (cause) => report('store', cause))

  const course: Course = (options.share ?? createCourse)(asker, place, sourcesOf(asker), {
    take: outlet.push,
    told: (state) => void emit('state', state),
    finished() {
      stopLifecycle()
      signal?.removeEventListener('abort', close)
      outlet.end(release, course.state.phase === 'ended')
    },
  })

  function release(): void {
    if (released) return
    released = true
    outlet.close()
    writer.flush()
    const { error } = course.state
    if (error) void emit('error', error)
    for (const leave of loops) leave()
    settle()
  }

  function close(): void {
    // What waits is not delivered any more.
    outlet.close()
    course.stop()
    release()
  }

  /** A loop takes events one by one: what it holds has been handled when it asks for the next. */
  function iterate(): AsyncIterableIterator<UpdateOf<Events>> {
    let given: UpdateOf<Events> | undefined
    let handled = (): void => {}
    const wanted: (() => void)[] = []
    let over = released

    const wake = (): void => {
      for (const go of wanted.splice(0)) go()
    }
    const give = (update: UpdateOf<Events>): Promise<void> => {
      given = update
      wake()
      return new Promise((resolve) => (handled = resolve))
    }
    const leave = (): void => {
      over = true
      handled()
      wake()
      listeners.event.delete(give)
      loops.delete(leave)
    }
    if (!over) {
      listeners.event.add(give)
      loops.add(leave)
      outlet.flow()
    }
    return {
      async next() {
        // oxlint-disable-next-line no-unmodified-loop-condition -- give() and leave() do
        while (!given && !over) {
          handled()
          await new Promise<void>((resolve) => wanted.push(resolve))
        }
        const value = given
        given = undefined
        if (value) return { value, done: false }
        if (course.state.error) throw course.state.error
        return { value: undefined, done: true }
      },
      async return() {
        leave()
        if (!listeners.event.size) close()
        return { value: undefined, done: true }
      },
      [Symbol.asyncIterator]() {
        return this
      },
    }
  }

  async function begin(): Promise<void> {
    try {
      const stored = await store?.get()
      if (stored) cursor = place.cursor = stored
    } catch (cause) {
      report('store', cause)
    }
    if (!released) course.start()
  }

  stopLifecycle = env.lifecycle((event) => {
    if (event === 'away') writer.flush()
    course.lifecycle(event)
  })
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
    closed,
    on(type, listener) {
      listeners[type].add(listener)
      outlet.flow()
      return () => void listeners[type].delete(listener)
    },
    readable() {
      const loop = iterate()
      return new ReadableStream<UpdateOf<Events>>(
        {
          async pull(controller) {
            const { done, value } = await loop.next()
            if (done) controller.close()
            else controller.enqueue(value)
          },
          cancel: async () => void (await loop.return?.()),
        },
        { highWaterMark: 0 },
      )
    },
    close,
    [Symbol.asyncIterator]: iterate,
    async [Symbol.asyncDispose ?? Symbol.for('Symbol.asyncDispose')]() {
      close()
      await closed
    },
  }
}
