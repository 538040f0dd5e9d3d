/** Which transport, and why: from SSE down to polls, and up again. It knows no network: what it is told has been confirmed. */
import type { KeyValue } from './environment.ts'
import type { Limits } from './limits.ts'
import type { Reason, SubscribeOptions, Transport } from './types.ts'

/** Shorter waits make a poll of a long poll. */
const SHORTEST_WAIT = 5000
const HOUR = 3_600_000

export interface Ladder {
  readonly transport: Transport
  /** Why it is not the best one. */
  readonly reason: Reason | undefined
  /** How long a long poll asks to wait. */
  readonly waitMs: number
  /** Whether it may change at all. */
  readonly auto: boolean
  /** Milliseconds until a better transport should be tried; undefined when there is none. */
  probeIn(now: number): number | undefined
  /** Something is in the way of the present one. */
  down(reason: Reason, now: number): void
  /** SSE works. */
  up(): void
  /** It does not; what is tried in place of it is a long poll, where that was given up, too. @returns whether it changed */
  probeFailed(now: number): boolean
}

export function createLadder(
  option: SubscribeOptions['transport'],
  origin: string,
  memory: KeyValue | undefined,
  limits: Limits,
  now: number,
): Ladder {
  const key = `downlink:transport:${origin}`
  const auto = !option || option === 'auto'
  let transport: Transport = auto ? 'sse' : option
  let reason: Reason | undefined
  let waitMs = limits.pollWaitMs
  let probeMs = limits.probeMs
  let probeAt = 0

  // `long-poll 1764000000000`: until then.
  const [, known, until] = (auto && /^((?:long-)?poll) (\d+)$/.exec(`${memory?.getItem(key)}`)) || []
  if (Number(until) > now) {
    transport = known as Transport
    reason = 'remembered'
    probeAt = Math.min(Number(until), now + limits.rememberMs)
  }

  function later(now: number): void {
    probeAt = now + probeMs
    probeMs = Math.min(HOUR, probeMs * 2)
  }

  function remember(now: number): void {
    try {
      memory?.setItem(key, `${transport} ${now + limits.rememberMs}`)
    } catch {
      // It is full: then each page finds out by itself.
    }
  }

  return {
    get transport() {
      return transport
    },
    get reason() {
      return reason
    },
    get waitMs() {
      return waitMs
    },
    auto,
    probeIn: (now) => (auto && transport !== 'sse' ? Math.max(0, probeAt - now) : undefined),
    down(why, now) {
      if (transport === 'long-poll') {
        waitMs /= 2
        if (!auto || waitMs >= SHORTEST_WAIT) {
          waitMs = Math.max(waitMs, 1000)
          return
        }
      }
      if (!auto || transport === 'poll') return
      transport = transport === 'sse' ? 'long-poll' : 'poll'
      reason = why
      later(now)
      remember(now)
    },
    up() {
      transport = 'sse'
      reason = 'improved'
      waitMs = limits.pollWaitMs
      remember(0)
    },
    probeFailed(now) {
      later(now)
      const changes = transport === 'poll'
      if (changes) {
        transport = 'long-poll'
        reason = 'improved'
        waitMs = limits.pollWaitMs
      }
      remember(now)
      return changes
    },
  }
}
