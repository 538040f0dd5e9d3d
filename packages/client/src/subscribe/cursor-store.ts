/** Where a cursor outlives the page: what `resume` names. */
import type { Environment } from './environment.ts'
import type { SubscribeOptions } from './types.ts'

/** A place for one cursor. What it throws or rejects with is told to `error`, and the subscription goes on. */
export interface CursorStore {
  get(): string | null | undefined | PromiseLike<string | null | undefined>
  /** At most one call at a time, and about four a second. */
  set(cursor: string): unknown
}

/** Between two writes. */
const EVERY = 250

export function storeOf(
  resume: SubscribeOptions['resume'],
  url: string,
  env: Environment,
): CursorStore | undefined {
  if (typeof resume === 'object') return resume
  if (!resume) return undefined
  const storage = env.storage(resume === 'reload' ? 'session' : 'local')
  const key = `downlink:cursor:${url}`
  return (
    storage && {
      get: () => storage.getItem(key),
      set: (cursor) => storage.setItem(key, cursor),
    }
  )
}

export interface CursorWriter {
  /** Writes it soon; of several only the last. */
  write(cursor: string): void
  /** Writes what waits at once. A store that is written to just now takes it after that. */
  flush(): void
}

export function createCursorWriter(
  store: CursorStore | undefined,
  env: Environment,
  report: (error: unknown) => void,
): CursorWriter {
  let latest: string | undefined
  let writing = false
  let cancel: (() => void) | undefined

  async function flush(): Promise<void> {
    cancel?.()
    cancel = undefined
    if (!store) return
    // oxlint-disable-next-line no-unmodified-loop-condition -- write() does
    while (latest !== undefined && !writing) {
      const cursor = latest
      latest = undefined
      writing = true
      try {
        await store.set(cursor)
      } catch (error) {
        report(error)
      }
      writing = false
    }
  }

  return {
    write(cursor) {
      latest = cursor
      if (store) cancel ??= env.after(EVERY, () => void flush())
    },
    flush: () => void flush(),
  }
}
