/** Reads what the leader tells, and by polls what it cannot tell any more: what was before, and what was missed. */
import { abortable, type Asker, pause } from '../subscribe/ask.ts'
import { SubscribeError } from '../subscribe/error.ts'
import { createPageSource } from '../subscribe/page-source.ts'
import type { Sources } from '../subscribe/course.ts'
import type { Place as Standing, Receiver, Source } from '../subscribe/source.ts'
import type { ConnectionState } from '../subscribe/types.ts'
import { newsFor } from './chain.ts'
import { joinOthers } from './member.ts'
import type { Locks, ShareEnvironment } from './environment.ts'
import { itemFor, MOST_PARTS, type Place } from './parts.ts'
import type { News } from './term.ts'

/** Before the same hole is looked into again, or the leader is asked again for what it does not read. */
const AGAIN = 1000

/**
 * @param key What those who share have in common
 * @param sources What reads when it cannot share
 * @param told The connection that is read is in this state
 */
export function createSharedSource(
  asker: Asker,
  mine: Place,
  key: string,
  world: ShareEnvironment & { readonly locks: Locks },
  sources: Sources,
  told: (state: ConnectionState) => void,
): Source {
  const { env, limits } = asker
  const { parts } = mine
  const pages = createPageSource(asker, 'poll')

  /** @returns undefined when this time it has to read alone */
  async function readWithOthers(
    place: Standing,
    to: Receiver,
    signal: AbortSignal,
  ): Promise<'over' | undefined> {
    const name = await abortable(world.digest(key), signal)
    /** Whether it takes what is told. What it misses when it does not it notices by the next that it hears. */
    let live = false
    let holes = 0
    let asked: number
    let alone = false
    let miss: (after?: PromiseLike<void>) => void = () => {}
    const { leave, ready } = joinOthers(name, asker, mine, place, world, hear, leaveThem)
    // However reading ends, it is aborted then.
    signal.addEventListener('abort', leave)

    function hear({ state, parts: read, prev, items }: News): void {
      if (!live) return
      if (state.phase === 'closed') {
        miss(Promise.reject(new SubscribeError('network', 'Leader refused')))
      } else if (parts.every((part) => read.includes(part))) {
        to.heard()
        told(state)
        const news = newsFor(place.cursor as string, prev, items)
        // Who lags behind reads again by itself; and whether an end was the last one a poll tells.
        const full = news && to.take(news.map((item) => itemFor(parts, item)))
        if (news) holes = 0
        if (!news || full || news.some(({ kind }) => kind === 'end')) miss(full)
      } else if (read.length >= MOST_PARTS) leaveThem()
      // It has forgotten us, who may have been away, or not heard of us yet.
      else if (env.now() - asked > AGAIN) join()
    }

    function join(): void {
      asked = env.now()
      ready()
    }

    function leaveThem(): void {
      alone = true
      leave()
      miss()
    }

    try {
      // oxlint-disable-next-line no-unmodified-loop-condition -- leaveThem() does
      while (!alone && (await pages.read(place, to, signal)) !== 'over') {
        const missed = new Promise<void>((resolve) => {
          miss = (after) => {
            live = false
            resolve(after)
          }
        })
        live = place.hub = true
        join()
        await abortable(missed, signal)
        await pause(env, holes++ && AGAIN, signal)
      }
      return alone ? undefined : 'over'
    } catch (error) {
      // It may have been aborted before it could listen to that.
      leave()
      if ((error as SubscribeError).code !== 'not-a-stream' || place.hub) throw error
      // It may be a server that is no hub.
      return undefined
    }
  }

  return {
    async read(place, to, signal) {
      if (place.hub !== false && (await readWithOthers(place, to, signal))) return 'over'
      // Of a hub in any case: what holds streams back passes these.
      const transport = place.hub ? 'long-poll' : 'sse'
      function opened(): void {
        told({ phase: 'open', transport, attempt: 0 })
        to.opened()
      }
      return sources(transport, () => limits.pollWaitMs).read(place, { ...to, opened }, signal)
    },
  }
}
