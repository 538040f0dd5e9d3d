/** Reads by the browser's EventSource. What that does not tell (statuses, `retry`, comments) is found out otherwise. */
import type { PageEvent } from '@downlink/wire'
import { abortable, type Asker, HUB_PATH } from '../subscribe/ask.ts'
import { SubscribeError } from '../subscribe/error.ts'
import { allEnded, readPage } from '../subscribe/page-source.ts'
import { itemsOf, objectOf } from '../subscribe/page.ts'
import type { Item, Place, Receiver, Source } from '../subscribe/source.ts'
import { DEAD, itemOf, SLOWEST, SUSPECT, USUAL } from '../subscribe/stream-source.ts'
import type { TicketOffice } from './ticket-office.ts'

const CONTROL = ['open', 'gap', 'end', 'cursor', 'expire'].map((name) => `downlink:${name}`)
const [OPEN, , END, , EXPIRE] = CONTROL

/** `refused`: the browser has given it up, and does not say why. */
type Outcome = 'ended' | 'soon' | 'refused'

/** @param byFetch Reads what is no hub, and where there is no EventSource. */
export function createNativeSource(asker: Asker, office: TicketOffice, byFetch: Source): Source {
  const { env, limits, url } = asker
  return {
    async read(place, to, signal) {
      const { EventSource } = globalThis as Partial<typeof globalThis>
      if (!EventSource || place.hub === false || !HUB_PATH.test(new URL(url).pathname))
        return byFetch.read(place, to, signal)
      const due = (): void => to.heard(limits.connectMs, limits.openMs)
      due()
      const ticket = await office.next(signal)
      due()
      const withCredentials = asker.options.credentials === 'include'
      const source = new EventSource(urlOf(url, place, ticket), { withCredentials })
      const outcome = await abortable(listen(source, place, to, signal), signal).finally(() => source.close())
      if (outcome !== 'refused') return outcome
      // A poll is refused in so many words, or tells that all is over.
      const page = await readPage(asker, place, to.heard, signal)
      void to.take(itemsOf(page))
      if (!page.more && allEnded(url, page.ended)) return 'over'
      throw new Error('The stream was refused, and a poll was not')
    },
  }

  function listen(source: EventSource, place: Place, to: Receiver, signal: AbortSignal): Promise<Outcome> {
    let heartbeat = 0
    let answered = false
    let last = env.now()
    let ended = false
    return new Promise((resolve, reject) => {
      source.addEventListener('open', () => {
        answered = true
        to.heard(limits.connectMs, limits.openMs)
      })
      source.addEventListener('error', () => {
        if (heartbeat) resolve(ended ? 'soon' : 'ended')
        else if (source.readyState === source.CLOSED) resolve('refused')
        // An empty stream is how a hub refuses for the time being (protocol 14.2.1).
        else if (answered)
          reject(new SubscribeError('refused', 'Not now', { status: 503, problem: 'not-now' }))
        else reject(new Error('No answer'))
      })
      for (const type of ['message', ...CONTROL]) source.addEventListener(type, take)

      function take({ type, data, lastEventId: id }: MessageEvent<string>): void {
        if (type === OPEN) {
          place.hub = true
          heartbeat = Math.min(Number(objectOf(data).heartbeat) || USUAL, SLOWEST)
          // What the hub asks for it does not show: as much, and not all at once.
          place.retry = limits.retryMs * (2 / 3 + (2 / 3) * env.random())
          to.opened()
        } else if (!heartbeat) {
          // A hub's stream begins with its opening. What this is can be read by `fetch`.
          place.hub = false
          return resolve('ended')
        }
        let item: Item
        try {
          item = type === 'message' ? wholeOf(data) : itemOf({ type, data, lastEventId: id }, true)
        } catch (cause) {
          // Nobody may step over an event that can't be read.
          return reject(new SubscribeError('network', String(cause), { cause }))
        }
        ended = type === END
        const asked = last
        last = env.now()
        to.heard(heartbeat * DEAD, heartbeat * SUSPECT)
        const full = to.take([item], last - asked)
        // It can't be held back: it is let go, and another one goes on at the cursor.
        if (full) {
          source.close()
          to.heard()
          abortable(full, signal).then(() => resolve('soon'), reject)
        } else if (type === EXPIRE) resolve('soon')
      }
    })
  }
}

function urlOf(url: string, { cursor, start }: Place, ticket: string | undefined): string {
  const whole = new URL(url)
  const { searchParams } = whole
  const from = cursor === undefined ? start : { after: cursor }
  if (from['after']) searchParams.delete('last')
  // All of an event is in its data then: neither other fields nor types that nobody listens to can be seen here.
  const all = { ...from, data: 'event', ...(ticket && { ticket }) }
  for (const [name, value] of Object.entries(all)) searchParams.set(name, value)
  return whole.href
}

function wholeOf(data: string): Item {
  const value = JSON.parse(data) as PageEvent
  return { kind: 'event', id: value.id, value }
}
