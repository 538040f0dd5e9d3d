/** Reads by long polls, or by polls: one page after the other. */
import { type Page, parsePage } from '@downlink/wire'
import { abortable, type Asker, ask, failure, pause, refusal } from './ask.ts'
import type { Item, Outcome, Place, Receiver, Source } from './source.ts'

const ACCEPT = 'application/json, application/problem+json'
/** Events of a page. A network that breaks before a page is through gets smaller ones: else it might never get any. */
const LIMIT = { most: 1000, least: 4 }
/** Between polls no hub asks for more. */
const HOUR = 3_600_000

export interface PageSource extends Source {
  readonly transport: 'long-poll' | 'poll'
}

/** @param waitMs How long to ask the hub to wait. Asked before each long poll. */
export function createPageSource(
  asker: Asker,
  transport: PageSource['transport'],
  waitMs: () => number,
): PageSource {
  const { env } = asker
  let limit = LIMIT.most
  return {
    transport,
    async read(place, to, signal) {
      try {
        // The first answer comes at once: it tells that the hub is there, and names a cursor to come back with.
        for (let wait = 0; ; wait = transport === 'poll' ? 0 : Math.round(waitMs() / 1000)) {
          const asked = env.now()
          const before = place.cursor
          const page = await readPage(asker, place, to, signal, wait, limit)
          if ('kind' in page) {
            if (page.kind === 'failed') limit = Math.max(LIMIT.least, limit >> 2)
            return page
          }
          limit = Math.min(LIMIT.most, limit * 2)
          to.opened()
          const full = to.take(itemsOf(page))
          to.expect()
          if (full) await abortable(full, signal)
          if (!page.more && allEnded(asker.url, page.ended)) return { kind: 'over' }
          // An answer that brings nothing new is not asked for again at once, whatever it says.
          const idle = page.events.length === 0 || page.cursor === before
          const early = wait === 0 ? transport === 'poll' : env.now() - asked < wait * 500
          if (idle ? early || page.more : transport === 'poll' && !page.more)
            await pause(env, Math.max(100, Math.min(page.retry, HOUR)), signal)
        }
      } catch (cause) {
        return failure(cause, signal)
      }
    },
  }
}

/**
 * Asks for one page: at once, or waiting.
 *
 * @param wait Seconds
 * @returns the page, or why there is none
 */
export async function readPage(
  asker: Asker,
  place: Place,
  to: Pick<Receiver, 'expect' | 'heard'>,
  signal: AbortSignal,
  wait = 0,
  limit: number = LIMIT.most,
): Promise<Page | Outcome> {
  const { connectMs } = asker.limits
  // A first page of the last N must hold all N: a smaller one would be newer ones only.
  const least = place.cursor === undefined ? Number(place.start['last'] ?? 0) : 0
  const more = {
    limit: `${Math.max(limit, least)}`,
    ...(wait > 0 ? { transport: 'long-poll', wait: `${wait}` } : { transport: 'poll' }),
  }
  const due = (): void => to.expect(connectMs)
  try {
    to.expect(wait * 1000 + connectMs)
    const response = await ask(asker, place, ACCEPT, more, signal)
    to.heard()
    due()
    const type = response.headers.get('content-type') ?? ''
    if (response.status !== 200 || !type.startsWith('application/json'))
      return await refusal(asker, response, signal)
    return parsePage(await textOf(response, due, asker.limits.maxEventSize * 2, signal))
  } catch (cause) {
    return failure(cause, signal)
  }
}

/** The whole body, each part of which has time. */
async function textOf(
  response: Response,
  due: () => void,
  most: number,
  signal: AbortSignal,
): Promise<string> {
  if (!response.body) return abortable(response.text(), signal)
  const reader = response.body.getReader()
  const decoder = new TextDecoder()
  let text = ''
  try {
    for (;;) {
      const { done, value } = await abortable(reader.read(), signal)
      if (done) return text + decoder.decode()
      due()
      text += decoder.decode(value, { stream: true })
      if (text.length > most) throw new Error(`the page has more than ${most} characters`)
    }
  } finally {
    reader.cancel().catch(() => {})
  }
}

/** A page's gap comes before its events. */
export function itemsOf({ gap, events, ended = [], cursor }: Page): Item[] {
  return [
    ...(gap ? [{ kind: 'gap' as const, id: gap.to, gap }] : []),
    ...events.map((event) => ({ kind: 'event' as const, ...event })),
    ...ended.map((channel) => ({ kind: 'end' as const, id: cursor, channel })),
    { kind: 'cursor', id: cursor },
  ]
}

/** Whether all channels that the URL names are among these; a pattern never ends. */
function allEnded(url: string, ended: readonly string[] = []): boolean {
  const names = decodeURIComponent(new URL(url).pathname.replace(/^.*\//, '')).split(',')
  return names.every((name) => ended.includes(name))
}
