/** `share()`: one connection for all tabs of an origin. */
import type { Asker } from '../subscribe/ask.ts'
import { createCourse } from '../subscribe/course.ts'
import type { ConnectionState, Share } from '../subscribe/types.ts'
import { type ShareEnvironment, systemShareEnvironment } from './environment.ts'
import { placeOf } from './parts.ts'
import { createSharedSource } from './shared-source.ts'

/**
 * Shares the connection of a subscription with the other tabs of this origin that say the same: one of them reads for all, with
 * its own `headers` and `credentials`. Different channels of one hub are put together. Where the browser has no Web Locks or no
 * `BroadcastChannel` (no secure context), and for servers that are no hub, each tab has its own connection.
 *
 * @param userKey What tells users apart, such as the id of the one who is signed in: tabs of different keys never hear of each other.
 * @example
 * const updates = subscribe('/channels/orders,user.42', { share: share('user 42') })
 */
export const share: (userKey: string) => Share = createShare(systemShareEnvironment)

/** As `share`, with the browser given. */
export function createShare(world: ShareEnvironment): (userKey: string) => Share {
  return (userKey) => (asker, place, sources, host) => {
    const mine = placeOf(asker.url)
    const { locks } = world
    if (!locks || !mine || place.hub === false) return createCourse(asker, place, sources, host)

    let leader: ConnectionState | undefined
    let state: ConnectionState

    /** A reader that is well is as well as its leader. */
    function tell(now: ConnectionState): void {
      const next = now.phase !== 'open' ? now : (leader ?? { ...now, phase: 'connecting' })
      if (next.phase === state?.phase && next.transport === state.transport) return
      state = Object.freeze(next)
      host.told(state)
    }

    const key = `${mine.common}\n${userKey}`
    const source = createSharedSource(asker, mine, key, { ...world, locks }, sources, (now) => {
      leader = now
      tell(course.state)
    })
    // What is in the way of streams is the leader's to find out.
    const reader: Asker = { ...asker, options: { ...asker.options, transport: 'sse' } }
    const course = createCourse(reader, place, () => source, {
      ...host,
      told(now) {
        if (now.phase !== 'open') leader = undefined
        tell(now)
      },
    })
    return {
      ...course,
      get state() {
        return state
      },
    }
  }
}
