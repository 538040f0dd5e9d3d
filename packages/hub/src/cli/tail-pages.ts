/** Reads by long polls, or by polls. */
import { setTimeout as sleep } from 'node:timers/promises'
import { type Page, parsePage, WireError } from '@downlink/wire'
import { Failure } from './failure.ts'
import {
  allEnded,
  type Connection,
  type Place,
  type TailItem,
  type TailRequest,
  tailUrl,
} from './tail-item.ts'
import { TailAnswer } from './tail-request.ts'

const ACCEPT = 'application/json, application/problem+json'
const WAIT_S = 30
/** A network that breaks before a page is through gets smaller ones: else it might never get any. */
const LIMIT = { most: 1_000, least: 4 }
/** Beyond the wait, for the way there and back. */
const ANSWER_MS = 30_000

export const readPages: Connection = async function* readPages(request, place, opened) {
  // The first answer comes at once: it tells that the hub is there, and names a cursor to come back with.
  for (let first = true; ; first = false) {
    const wait = request.transport === 'poll' || first ? 0 : WAIT_S
    const asked = performance.now()
    const page = await ask(request, place, wait)
    opened()
    place.cursor = page.cursor
    place.retryMs = Math.min(page.retry, 3_600_000)
    const items = itemsOf(page)
    if (items.length > 0) yield items
    if (!page.more && allEnded(request.channels, new Set(page.ended))) return 'over'
    const early = wait > 0 && page.events.length === 0 && performance.now() - asked < (wait * 1000) / 2
    if (!page.more && (request.transport === 'poll' || early)) await sleep(place.retryMs)
  }
}

async function ask(request: TailRequest, place: Place, wait: number): Promise<Page> {
  const { transport, start } = request
  // A first page of the last N must hold all N: a smaller one would be newer ones only.
  const least = place.cursor === undefined && 'last' in start ? start.last : LIMIT.least
  const limit = Math.max(least, LIMIT.least, place.pageLimit ?? LIMIT.most)
  const parameters = {
    transport,
    limit: String(limit),
    ...(transport === 'poll' ? {} : { wait: String(wait) }),
  }
  const url = tailUrl(request, place, parameters)
  const answer = await TailAnswer.of(url, ACCEPT, request, () => wait * 1000 + ANSWER_MS)
  try {
    const page = parsePage(await answer.text())
    place.pageLimit = Math.min(LIMIT.most, limit * 2)
    return page
  } catch (error) {
    if (error instanceof WireError) {
      throw new Failure(`What answers at ${request.hub} is no hub: ${error.message}`)
    }
    place.pageLimit = limit >> 2
    throw error
  } finally {
    answer.close()
  }
}

/** A page's gap comes before its events. */
function itemsOf({ gap, events, ended = [] }: Page): readonly TailItem[] {
  return [
    ...(gap === undefined ? [] : [{ kind: 'gap' as const, ...gap }]),
    ...events.map((event) => ({ kind: 'event' as const, event })),
    ...ended.map((channel) => ({ kind: 'end' as const, channel })),
  ]
}
