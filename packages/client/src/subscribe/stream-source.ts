/** Reads by Server-Sent Events. */
import { createSmallParser } from '@downlink/wire'
import type { StreamEvent } from '@downlink/wire'
import { abortable, type Asker, ask, eachChunk } from './ask.ts'
import { SubscribeError } from './error.ts'
import { gapOf, objectOf } from './page.ts'
import type { Item, Source } from './source.ts'

const CONTROL = 'downlink:'
/** Heartbeats without a byte after which a stream is dead, and after which it is looked into. */
export const DEAD = 2.5
export const SUSPECT = 1.5
/** A hub beats so often unless it says otherwise, and not more slowly than this. */
export const USUAL = 15_000
export const SLOWEST = 600_000

export function createStreamSource(asker: Asker): Source {
  const { env, limits } = asker
  return {
    async read(place, to, signal) {
      // Of a server that is no hub nobody knows when it has something to say.
      const due = (): void => (place.hub === false ? to.heard() : to.heard(limits.connectMs, limits.openMs))
      due()
      const { body, status } = await ask(
        asker,
        place,
        'text/event-stream',
        { fields: 'channel,time' },
        signal,
      )
      due()
      if (status === 204) return 'over'
      // React Native's has none: then a poll is answered, and pages take over.
      if (!body) throw new Error('`fetch` cannot stream')
      if (place.hub === false) to.opened()

      let items: Item[] = []
      let heartbeat = 0
      let ended = false
      const parser = createSmallParser({
        lastEventId: place.cursor ?? '',
        maxEventSize: limits.maxEventSize,
        onRetry: (ms) => void (place.retry = ms),
        onEvent(event) {
          if (event.type === `${CONTROL}open`) {
            place.hub = true
            const beat = Number(objectOf(event.data).heartbeat)
            heartbeat = beat > 0 ? Math.min(beat, SLOWEST) : USUAL
            to.opened()
          } else if (!heartbeat && place.hub !== false) {
            // A hub's stream begins with its opening.
            place.hub = false
            to.opened()
          }
          const item = itemOf(event, place.hub)
          ended = item.kind === 'end'
          items.push(item)
        },
      })
      let asked = env.now()
      await eachChunk(body, signal, async (chunk) => {
        let full: Promise<void> | false | undefined
        try {
          parser.feed(chunk)
        } catch (cause) {
          throw new SubscribeError('event-too-large', 'Expected smaller events: `limits.maxEventSize`', {
            cause,
          })
        } finally {
          const id = parser.lastEventId
          // An id may come without an event; and what came whole goes out before the fault.
          if (id && items[items.length - 1]?.id !== id) items.push({ kind: 'cursor', id })
          full = items.length > 0 && to.take(items, env.now() - asked)
          items = []
        }
        if (full) {
          to.heard()
          await abortable(full, signal)
        }
        asked = env.now()
        if (heartbeat) to.heard(heartbeat * DEAD, heartbeat * SUSPECT)
        else due()
      })
      return ended ? 'soon' : 'ended'
    },
  }
}

export function itemOf(
  { type, data, lastEventId: id, channel = '', time }: StreamEvent,
  hub?: boolean,
): Item {
  if (!hub || !type.startsWith(CONTROL))
    return { kind: 'event', id, value: { id, channel, type, data, time } }
  if (type === `${CONTROL}gap`) return { kind: 'gap', id, value: gapOf(data, id) }
  if (type === `${CONTROL}end`) return { kind: 'end', id, value: { channel: `${objectOf(data).channel}` } }
  // A newer hub may know more of these; of them only the id counts (20.1.3).
  return { kind: 'cursor', id }
}
