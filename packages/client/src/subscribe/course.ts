/** The course of a subscription: which source reads, what follows its end, and when another takes over. It decides; sources read. */
import { type Asker, pause } from './ask.ts'
import { waitAfter } from './backoff.ts'
import { checkByPoll } from './check.ts'
import { SubscribeError } from './error.ts'
import { createLadder } from './ladder.ts'
import type { LifecycleEvent } from './lifecycle.ts'
import { itemsOf } from './page.ts'
import { type Outcome, type Reading, type ReadingHost, startReading } from './reading.ts'
import { createSieve } from './sieve.ts'
import type { Item, Place, Source } from './source.ts'
import type { ConnectionState, Phase, Reason, Transport } from './types.ts'
import { createJudge, isFault, isLasting } from './verdict.ts'

/** What the course needs of the subscription. */
export interface Host {
  /** Queues it; the promise says when there is room again. */
  take(items: readonly Item[]): Promise<void> | undefined
  told(state: ConnectionState): void
  /** Nothing more will be taken or told: the phase is `ended` or `closed`. */
  finished(): void
}

export interface Course {
  readonly state: ConnectionState
  start(): void
  lifecycle(event: LifecycleEvent): void
  /** Lets go of everything. Idempotent. */
  stop(): void
}

/** Makes the source of each transport. Another way of reading, such as what a neighbouring tab broadcasts, comes in here. */
export type Sources = (transport: Transport, waitMs: () => number) => Source

/** A page that is shown again takes nothing for alive that was not heard of for so long: a hub's usual heartbeat. */
const STALE = 15_000
/** A probe has succeeded when bytes come so long after its opening: what lets only the first ones through does not count. */
const PROOF = 1000

export function createCourse(asker: Asker, place: Place, sources: Sources, host: Host): Course {
  const { env, limits, options } = asker
  const { now } = env
  const ladder = createLadder(
    options.transport,
    new URL(asker.url).origin,
    env.storage('session'),
    limits,
    now(),
  )
  const judge = createJudge(limits)
  const sieve = createSieve()
  let failures = 0
  let state: ConnectionState
  let current: Reading | undefined
  let probe: Reading | undefined
  let cancelProbe: (() => void) | undefined
  let cancelHiding: (() => void) | undefined
  /** Why nothing is read just now. */
  let paused: Reason | undefined
  /** Ends a wait between two attempts, or a pause. */
  let lull = new AbortController()
  /** Whether the page may cut the wait short when it is shown again: not when the server has asked for it. */
  let wakeable = false
  /** Whether a 401 has had its second try. */
  let renewed = false
  let everOpened = false
  /** Whether the phase is `ended` or `closed`. */
  let over = false

  function tell(phase: Phase, reason?: Reason, error?: SubscribeError, retryAt?: number): void {
    const { transport } = ladder
    state = Object.freeze({ phase, transport, attempt: failures, reason, error, retryAt })
    host.told(state)
  }

  function accept(items: readonly Item[]): Promise<void> | undefined {
    const news = sieve(items)
    for (const { id } of news) if (id) place.cursor = id
    return host.take(news)
  }

  const readings: ReadingHost = {
    opened(reading) {
      if (reading !== current) return
      everOpened = true
      renewed = false
      // A page is a success of its own; a stream has yet to prove healthy.
      if (ladder.transport !== 'sse') failures = 0
      if (state.phase !== 'open') tell('open', ladder.reason)
    },
    heard(reading) {
      if (reading === probe && reading.opened && now() - reading.opened >= PROOF) {
        // Both stand at the one cursor: the present source ends, and a stream begins there.
        ladder.up()
        rest('improved')
      }
    },
    take(reading, items, silence) {
      // What a probe reads, the present source reads as well.
      if (reading !== current) return undefined
      const suspicion = judge.came(items, silence)
      const full = accept(items)
      if (suspicion) void check(suspicion, reading)
      return full
    },
    suspect(reading) {
      if (reading === current) void check(reading.opened ? 'stalled' : 'held-back', reading)
    },
  }

  async function run(): Promise<void> {
    let reason = ladder.reason
    // oxlint-disable-next-line no-unmodified-loop-condition -- finish() does
    while (!over) {
      if (paused) {
        tell('paused', paused)
        await lullFor()
        reason = 'woken'
        continue
      }
      tell('connecting', reason)
      const reading = startReading(
        sources(ladder.transport, () => ladder.waitMs),
        place,
        env,
        readings,
      )
      current = reading
      armProbe()
      const outcome = await reading.done
      if (over || paused) continue
      reason = await follow(reading, outcome)
    }
  }

  /** What an end means, and the wait after it. @returns why the next attempt is made */
  async function follow({ cause, opened }: Reading, outcome: Outcome): Promise<Reason | undefined> {
    if (cause && cause !== 'silent') return cause
    const lived = opened === undefined ? -1 : now() - opened
    const healthy = lived >= limits.healthyMs
    if (healthy) failures = 0
    if (outcome === 'over') return finish('ended')
    // Once: what fails after it takes its time.
    if (outcome === 'soon' && !failures++) return 'stream-ended'
    let error: SubscribeError | undefined
    let reason: Reason = 'stream-ended'
    // What breaks after it has worked waits for what the server asked for, like what ends.
    if (!healthy) failures++
    if (typeof outcome !== 'string') {
      error = outcome ?? new SubscribeError('silent', 'Nothing was heard')
      const { code, status } = error
      reason = status ? 'refused' : (cause ?? 'network')
      if (status === 401 && !renewed && typeof options.headers === 'function') {
        renewed = true
        return reason
      }
      // What has worked before may be in the way for a while only: the sign-in page of a hotel, a proxy's excuses.
      if (isLasting(error) && !(everOpened && code === 'not-a-stream')) return finish('closed', error)
    }
    if (failures > (options.maxAttempts ?? Infinity)) {
      const message = `${failures} attempts failed`
      return finish('closed', new SubscribeError('too-many-attempts', message, { cause: error }))
    }
    const suspicion =
      ladder.transport === 'sse'
        ? judge.streamEnded(outcome, lived)
        : ladder.transport === 'long-poll' && isFault(outcome)
          ? 'waits-cut'
          : undefined
    const retryAfter = error?.retryAfter
    wakeable = !retryAfter
    // Who has never had anything yet is waited for at the screen.
    const retry = everOpened ? place.retry : place.retry / 2
    const retryAt = now() + waitAfter(failures, retry, env.random(), limits, retryAfter)
    tell('waiting', reason, error, retryAt)
    if (suspicion && (await check(suspicion))) return suspicion
    if (!over && !paused) await lullFor(retryAt - now())
    return reason
  }

  /** Waits, until somebody has us go on. */
  async function lullFor(ms?: number): Promise<void> {
    lull = new AbortController()
    const { signal } = lull
    if (ms === undefined) await new Promise((resolve) => signal.addEventListener('abort', resolve))
    else await pause(env, ms, signal).catch(() => {})
  }

  function finish(phase: 'ended' | 'closed', error?: SubscribeError): undefined {
    if (over) return
    over = true
    tell(phase, undefined, error)
    rest('woken')
    host.finished()
  }

  /** Ends what reads, and what waits. @param why What goes on from there goes on for that. */
  function rest(why: Reason): void {
    cancelProbe?.()
    cancelProbe = undefined
    probe?.end()
    probe = undefined
    current?.end(why)
    lull.abort()
  }

  // The check by a poll

  /**
   * Whether a poll is answered where a stream, or a wait, has trouble: then there is something in between, and the next transport
   * takes over, with what the poll has brought. A stream that is late or silent has a last chance to bring it.
   *
   * @param reading That which has trouble; none when it is over
   */
  async function check(why: Reason, reading?: Reading): Promise<boolean> {
    if (!ladder.auto || place.hub === false) return false
    const { signal } = reading ?? (lull = new AbortController())
    const { cursor } = place
    const { opened, heard } = reading ?? {}
    const asked = now()
    const page = await checkByPoll(asker, place, signal)
    if (signal.aborted || !page) return false
    if (page === 'no page') {
      if (reading && reading.parts > 1 && !opened && !place.hub) {
        // There is a head, no opening and no page: a server that is no hub, and has nothing to say yet.
        place.hub = false
        reading.expect()
        readings.opened(reading)
      }
      return false
    }
    place.hub = true
    if (reading && why !== 'bursts') {
      if (opened && !page.events.length) return false
      await pause(env, Math.max(limits.graceMs, 2 * (now() - asked)), signal).catch(() => {})
      if (signal.aborted || reading.opened !== opened || (opened && reading.heard !== heard)) return false
    }
    ladder.down(why, now())
    failures = 0
    reading?.end(why)
    if (place.cursor === cursor) void accept(itemsOf(page))
    return true
  }

  // Back to the better transport

  function armProbe(): void {
    const ms = ladder.probeIn(now())
    if (ms === undefined || cancelProbe || probe) return
    cancelProbe = env.after(ms, () => {
      cancelProbe = undefined
      void startProbe()
    })
  }

  async function startProbe(): Promise<void> {
    const reading = startReading(
      sources('sse', () => 0),
      place,
      env,
      readings,
    )
    probe = reading
    await reading.done
    if (reading !== probe) return
    probe = undefined
    if (ladder.probeFailed(now())) current?.end('improved')
    armProbe()
  }

  // The life of the page

  function pauseFor(reason: Reason): void {
    if (paused || over) return
    paused = reason
    rest('woken')
  }

  function goOn(): void {
    if (!paused) return
    paused = undefined
    lull.abort()
  }

  function wake(): void {
    if (state.phase === 'waiting' && wakeable) lull.abort()
    else if (place.hub && current && now() - current.heard > STALE) current.end('woken')
  }

  tell('connecting', ladder.reason)
  return {
    get state() {
      return state
    },
    start: () => void run(),
    lifecycle(event) {
      cancelHiding?.()
      cancelHiding = undefined
      if (event === 'away') pauseFor('away')
      else if (event === 'back') goOn()
      else if (event !== 'hidden') {
        if (paused === 'hidden' && event === 'visible') goOn()
        wake()
      } else if (options.whenHidden === 'pause')
        cancelHiding = env.after(limits.hiddenMs, () => pauseFor('hidden'))
    },
    stop() {
      cancelHiding?.()
      finish('closed')
    },
  }
}
