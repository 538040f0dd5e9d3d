/** All that a subscription needs of the world, so that simulated time and a simulated network can run all of it. */
import { type LifecycleEvent, watchLifecycle } from './lifecycle.ts'

export interface KeyValue {
  getItem(key: string): string | null
  setItem(key: string, value: string): void
}

export interface Environment {
  /** Milliseconds since 1970. */
  readonly now: () => number
  /** Runs once after so many milliseconds; the function returned prevents it. */
  readonly after: (ms: number, run: () => void) => () => void
  /** At least 0, below 1. */
  readonly random: () => number
  readonly fetch: (url: string, init: RequestInit) => Promise<Response>
  /** Listens to the life of the page, and tells at once if it is hidden; the function returned stops that. */
  readonly lifecycle: (tell: (event: LifecycleEvent) => void) => () => void
  /** Storage of the browser; undefined where there is none, or none is allowed. */
  readonly storage: (kind: 'session' | 'local') => KeyValue | undefined
}

export const systemEnvironment: Environment = {
  now: Date.now,
  after(ms, run) {
    const timer = setTimeout(run, ms)
    return () => clearTimeout(timer)
  },
  random: Math.random,
  fetch: (url, init) => fetch(url, init),
  lifecycle: watchLifecycle,
  storage(kind) {
    try {
      return (globalThis as Partial<typeof globalThis>)[`${kind}Storage`]
    } catch {
      // A page that may not store anything is told so by an exception.
      return undefined
    }
  },
}
