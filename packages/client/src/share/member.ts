/* oxlint-disable unicorn/require-post-message-target-origin -- broadcasts have none */
/** A reader among those that share: who leads them, and what they tell each other. */
import { type Asker, pause } from '../subscribe/ask.ts'
import type { Place as Standing } from '../subscribe/source.ts'
import { createWatchdog } from '../subscribe/watchdog.ts'
import { reached } from './chain.ts'
import type { Locks, ShareEnvironment } from './environment.ts'
import type { Place } from './parts.ts'
import { type News, startTerm, type Term, type Want } from './term.ts'

/** A leader that is silent for so long is asked for a sign of life, and gets so long to give it; then it is robbed. */
const SILENT = 5000
const ANSWER = 1500
/** The robber keeps the others off for so long: by then they have heard of it. */
const SETTLE = 1000
/** So long a leader that was held up waits for the news that it was robbed. */
const MOMENT = 100

export interface Member {
  /** It stands where others stand: from now on it may lead, and what it reads is wanted. Again, when it has missed something. */
  readonly ready: () => void
  /** Lets go of everything, at once: a page that is left has no time. Idempotent. */
  readonly leave: () => void
}

/**
 * @param standing Where it stands
 * @param hear What a leader tells, itself included
 * @param alone There is no lock to be had
 */
export function joinOthers(
  name: string,
  asker: Asker,
  place: Place,
  standing: Standing,
  { locks, open }: ShareEnvironment & { readonly locks: Locks },
  hear: (news: News) => void,
  alone: () => void,
): Member {
  const { env } = asker
  const tab = env.random().toString(36)
  const channel = open(name)
  let term: Term | undefined
  /** Stands for election, or leads. */
  let candidate: AbortController | undefined
  let latest: News | undefined
  let left = false
  const watchdog = createWatchdog(env, want, takeOver)
  const stopLifecycle = env.lifecycle((event) => term?.lifecycle(event))

  // oxlint-disable-next-line unicorn/prefer-add-event-listener -- nobody else has this channel
  channel.onmessage = ({ data }) => {
    const message = data as News | Want
    if ('roll' in message) listen(message)
    else term?.want(message)
  }

  /** Says what it reads. */
  function say(parts: readonly string[], ask?: boolean): void {
    const message = { tab, parts, ask }
    if (term) term.want(message)
    else channel.postMessage(message)
  }

  /** The same, and asks for a sign of life. */
  function want(): void {
    say(place.parts, true)
  }

  function listen(news: News): void {
    if (candidate && !term && news.roll !== latest?.roll) say(place.parts)
    latest = news
    watch()
    hear(news)
  }

  function watch(): void {
    if (candidate && !term) watchdog.expect(SILENT + ANSWER, SILENT)
    else watchdog.expect()
  }

  // Elections

  async function stand(steal?: true): Promise<void> {
    candidate?.abort()
    const mine = (candidate = new AbortController())
    const { signal } = mine
    let own: Term | undefined
    // One that was robbed has been away: it asks for what it missed.
    want()
    watch()
    await locks
      .request(
        name,
        steal ? { steal } : { signal },
        () =>
          new Promise<void>((resolve) => {
            const resign = (): void => {
              own?.stop()
              if (own === term) term = undefined
              resolve()
            }
            signal.addEventListener('abort', resign)
            if (signal.aborted) resign()
            else own = lead(signal)
          }),
      )
      .catch(() => {})
    if (mine !== candidate) return
    // Robbed, or not allowed to have locks.
    if (own) void stand()
    else alone()
  }

  function lead(signal: AbortSignal): Term {
    const here = standing.cursor as string
    const { cursor: head = here, parts = [] } = latest ?? {}
    const post = createPost(signal)
    term = startTerm(asker, place, reached(here, head) ? head : here, parts, (news) => {
      post(news)
      listen(news)
    })
    watch()
    return term
  }

  /**
   * Tells the others. A leader that was held up for long may have been robbed meanwhile, and hears of that only after what has
   * piled up: so it waits a moment.
   */
  function createPost(signal: AbortSignal): (news: News) => void {
    let told = env.now()
    let gate = Promise.resolve()
    return (news) => {
      const now = env.now()
      if (now - told >= SILENT) gate = pause(env, MOMENT, signal)
      told = now
      gate.then(() => channel.postMessage(news)).catch(() => {})
    }
  }

  /** Robs the leader: one of all that would. */
  function takeOver(): void {
    const before = latest
    watch()
    locks
      .request(`${name}:takeover`, { ifAvailable: true }, (lock) => {
        if (!lock || !candidate || term || latest !== before) return undefined
        void stand(true)
        return pause(env, SETTLE, candidate.signal)
      })
      .catch(() => {})
  }

  return {
    ready() {
      if (candidate) want()
      else void stand()
    },
    leave() {
      if (left) return
      left = true
      stopLifecycle()
      say([])
      candidate?.abort()
      candidate = undefined
      watch()
      channel.close()
    },
  }
}
