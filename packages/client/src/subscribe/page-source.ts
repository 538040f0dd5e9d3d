/** Reads by long polls, or by polls: one page after the other. */
import type { Page } from '@downlink/wire'
import { abortable, type Asker, ask, eachChunk, pause } from './ask.ts'
import { itemsOf, pageOf } from './page.ts'
import type { Place, Receiver, Source } from './source.ts'

/** Events of a page. A network that breaks before a page is through gets smaller ones: else it might never get any. */
const MOST = 1000
const LEAST = 4
/** Between polls no hub asks for more. */
const HOUR = 3_600_000

/** @param waitMs How long to ask the hub to wait. Asked before each long poll. Without it, reading ends where nothing more is ready. */
export function createPageSource(
  asker: Asker,
  transport: 'long-poll' | 'poll',
  waitMs?: () => number,
): Source {
  const { env, url } = asker
  const waits = transport === 'long-poll'
  return {
    async read(place, to, signal) {
      // The first answer comes at once: it tells that the hub is there, and names a cursor to come back with.
      for (let wait = 0; ; wait = waits && waitMs ? Math.round(waitMs() / 1000) : 0) {
        const asked = env.now()
        const before = place.cursor
        const size = place.limit ?? MOST
        place.limit = Math.max(LEAST, size >> 2)
        const page = await readPage(asker, place, to.heard, signal, wait, size)
        place.limit = Math.min(MOST, size * 2)
        to.opened()
        const full = to.take(itemsOf(page))
        to.heard()
        if (full) await abortable(full, signal)
        const { events, more, ended } = page
        if (!more && allEnded(url, ended)) return 'over'
        if (!more && !waitMs) return 'ended'
        // An answer that brings nothing new is not asked for again at once, whatever it says.
        const idle = !events.length || page.cursor === before
        const early = wait ? env.now() - asked < wait * 500 : !waits
        if (idle ? early || more : !waits && !more)
          await pause(env, Math.max(100, Math.min(page.retry, HOUR)), signal)
      }
    },
  }
}

/**
 * Asks for one page: at once, or waiting.
 *
 * @param wait Seconds
 * @throws as `ask`, and when it is no page
 */
export async function readPage(
  asker: Asker,
  place: Place,
  heard: Receiver['heard'],
  signal: AbortSignal,
  wait = 0,
  limit: number = MOST,
): Promise<Page> {
  const { connectMs, maxEventSize } = asker.limits
  heard(wait * 1000 + connectMs)
  // A first page of the last N must hold all N: a smaller one would be newer ones only.
  const least = place.cursor === undefined ? Number(place.start['last'] ?? 0) : 0
  const more = {
    limit: `${Math.max(limit, least)}`,
    ...(wait ? { transport: 'long-poll', wait: `${wait}` } : { transport: 'poll' }),
  }
  const response = await ask(asker, place, 'application/json', more, signal)
  heard(connectMs)
  // React Native's has no body.
  if (!response.body) return pageOf(await abortable(response.text(), signal))
  const decoder = new TextDecoder()
  let text = ''
  await eachChunk(response.body, signal, (chunk) => {
    heard(connectMs)
    text += decoder.decode(chunk, { stream: true })
    if (text.length > maxEventSize * 2) throw new Error('too large')
  })
  return pageOf(text + decoder.decode())
}

/** The names and patterns in a hub's URL. */
export function namesOf(url: string): string[] {
  return decodeURIComponent(new URL(url).pathname.replace(/^.*\//, '')).split(',')
}

/** Whether all channels that the URL names are among these; a pattern never ends. */
export function allEnded(url: string, ended: readonly string[] = []): boolean {
  return namesOf(url).every((name) => ended.includes(name))
}
