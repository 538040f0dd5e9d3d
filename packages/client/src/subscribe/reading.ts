/** One source at work, with what is known of it. */
import type { Environment } from './environment.ts'
import { SubscribeError } from './error.ts'
import type { Item, Place, Receiver, Source } from './source.ts'
import type { Reason } from './types.ts'
import { createWatchdog } from './watchdog.ts'

/** How reading came to its end: see `Source`; an error; or undefined when it was made to. */
export type Outcome = Awaited<ReturnType<Source['read']>> | SubscribeError | undefined

export interface Reading {
  /** Aborts when it is over, or is to be. */
  readonly signal: AbortSignal
  /** Resolves when it is over; what it tells after `end()` is not heard. */
  readonly done: Promise<Outcome>
  /** When it was certain that the server answers. */
  opened: number | undefined
  /** When bytes came last, or it began; and how often that was: the second is a head. */
  heard: number
  parts: number
  /** Why it was ended, when the course did that. */
  cause: Reason | undefined
  readonly end: (cause?: Reason) => void
  /** Overrules what the source expects. */
  readonly expect: Receiver['heard']
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
  const { expect } = createWatchdog(
    env,
    () => host.suspect(reading),
    () => reading.end('silent'),
  )
  const reading: Reading = {
    signal,
    done: read(),
    opened: undefined,
    heard: env.now(),
    parts: 0,
    cause: undefined,
    end(cause) {
      if (signal.aborted) return
      reading.cause = cause
      expect()
      abort.abort()
    },
    expect,
  }
  return reading

  async function read(): Promise<Outcome> {
    // Not before whoever starts it has it in hand.
    await Promise.resolve()
    let outcome: Outcome
    try {
      outcome = await source.read(
        place,
        {
          heard(dead, suspect) {
            if (signal.aborted) return
            reading.heard = env.now()
            reading.parts++
            expect(dead, suspect)
            host.heard(reading)
          },
          opened() {
            reading.opened ??= env.now()
            if (!signal.aborted) host.opened(reading)
          },
          take: (items, silence = 0) => (signal.aborted ? undefined : host.take(reading, items, silence)),
        },
        signal,
      )
    } catch (cause) {
      outcome =
        cause instanceof SubscribeError ? cause : new SubscribeError('network', String(cause), { cause })
    }
    if (signal.aborted) return undefined
    reading.end()
    return outcome
  }
}
