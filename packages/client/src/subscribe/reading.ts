/** One source at work, with what is known of it. */
import type { Environment } from './environment.ts'
import type { Item, Outcome, Place, Receiver, Source } from './source.ts'
import type { Reason } from './types.ts'
import { createWatchdog } from './watchdog.ts'

/** A hub beats so often unless it says otherwise. */
const HEARTBEAT = 15_000

export interface Reading {
  readonly source: Source
  /** Aborts when it is over, or is to be. */
  readonly signal: AbortSignal
  /** Resolves when it is over; what it tells after `end()` is not heard. */
  readonly done: Promise<Outcome>
  /** When it was certain that the server answers. */
  opened: number | undefined
  /** When bytes came last, or it began; and whether any came. */
  heard: number
  answered: boolean
  heartbeat: number
  /** Why it was ended, when the course did that. */
  cause: Reason | undefined
  end(cause?: Reason): void
  /** Nothing is due any more. */
  rest(): void
}

export interface ReadingHost {
  opened(reading: Reading): void
  heard(reading: Reading): void
  take(reading: Reading, items: readonly Item[], silence: number): Promise<void> | undefined
  /** Nothing was heard for long, though not for long enough. */
  suspect(reading: Reading): void
}

export function startReading(source: Source, place: Place, env: Environment, host: ReadingHost): Reading {
  const abort = new AbortController()
  const { signal } = abort
  const watchdog = createWatchdog(
    env,
    () => host.suspect(reading),
    () => reading.end('silent'),
  )
  const to: Receiver = {
    expect(dead, suspect) {
      if (!signal.aborted) watchdog.expect(dead, suspect)
    },
    heard() {
      reading.heard = env.now()
      reading.answered = true
      if (!signal.aborted) host.heard(reading)
    },
    opened(heartbeat = HEARTBEAT) {
      reading.opened ??= env.now()
      reading.heartbeat = heartbeat
      if (!signal.aborted) host.opened(reading)
    },
    take: (items, silence = 0) => (signal.aborted ? undefined : host.take(reading, items, silence)),
  }
  const { promise, resolve } = deferred<Outcome>()
  const reading: Reading = {
    source,
    signal,
    done: promise,
    opened: undefined,
    heard: env.now(),
    answered: false,
    heartbeat: HEARTBEAT,
    cause: undefined,
    end(cause) {
      if (signal.aborted) return
      reading.cause = cause
      watchdog.expect()
      abort.abort()
    },
    rest: () => watchdog.expect(),
  }
  // Not before whoever starts it has it in hand.
  async function read(): Promise<void> {
    await Promise.resolve()
    const outcome = await source.read(place, to, signal)
    reading.end()
    resolve(outcome)
  }
  void read()
  return reading
}

export function deferred<T>(): { readonly promise: Promise<T>; readonly resolve: (value: T) => void } {
  let resolve: (value: T) => void = () => {}
  const promise = new Promise<T>((settle) => (resolve = settle))
  return { promise, resolve }
}
