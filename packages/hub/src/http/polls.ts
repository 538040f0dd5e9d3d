/**
 * The answers to polls. A page is read and written once for all who ask for it, until the log may say something else: that
 * nothing is new is what most polls are told, and it should cost no more than being asked.
 */
import { encodePage, type Page } from '@downlink/wire'
import type { Hub } from '../hub.ts'
import type { ChannelSet } from '../log/channel-set.ts'
import { etagOf, matchesEtag } from './etag.ts'
import { codingFor } from './encoding.ts'
import { type HttpRequest, json, STANDING, type WholeAnswer } from './message.ts'
import { codePageBody, PAGE_CODINGS, type PageCoding } from './page-coding.ts'
import type { ReadRequest } from './read-request.ts'

/** Of all pages that are kept, the bytes of the body as it is, and the characters of what was asked; beyond it all are forgotten. */
const KEPT_BYTES = 16 * 1024 * 1024
/** Pages that are kept. */
const KEPT_PAGES = 4_096

/** What is smaller goes out as it is. */
const SMALLEST_CODED = 1024

interface Polled {
  readonly etag: string
  readonly found: WholeAnswer
  readonly unchanged: WholeAnswer
  /** As it was asked for. Undefined: it is not to be coded. */
  readonly coded: Map<PageCoding, Promise<WholeAnswer>> | undefined
}

interface Kept {
  /** See `Log.version`. */
  readonly version: number
  readonly polled: Polled
}

export class Polls {
  readonly #hub: Hub
  readonly #open: boolean
  readonly #kept = new Map<string, Kept>()
  readonly #awaited = new Map<string, Promise<Polled>>()
  #bytes = 0

  /** @param open Whether everybody may read, so that a shared cache may keep pages. */
  constructor(hub: Hub, open: boolean) {
    this.#hub = hub
    this.#open = open
  }

  answer(set: ChannelSet, plan: ReadRequest, request: HttpRequest): WholeAnswer | Promise<WholeAnswer> {
    const key = `${set.key}?${plan.key}`
    const { log } = this.#hub
    const kept = this.#kept.get(key)
    const version = log.version()
    if (kept !== undefined && kept.version === version) return choose(kept.polled, request)
    return this.#next(key, set, plan, version).then((polled) => choose(polled, request))
  }

  /** Who asks for the same at the same version waits for the same read. */
  #next(key: string, set: ChannelSet, plan: ReadRequest, version: number | undefined): Promise<Polled> {
    if (version === undefined) return this.#read(set, plan)
    const awaitedKey = `${version} ${key}`
    const awaited = this.#awaited.get(awaitedKey)
    if (awaited) return awaited
    const read = this.#read(set, plan)
      .then((polled) => {
        // What changed meanwhile may be in it or not.
        if (this.#hub.log.version() === version) this.#keep(key, { version, polled })
        return polled
      })
      .finally(() => this.#awaited.delete(awaitedKey))
    this.#awaited.set(awaitedKey, read)
    return read
  }

  async #read(set: ChannelSet, plan: ReadRequest): Promise<Polled> {
    const page = await this.#hub.readPage(set, plan.origin, plan.limit)
    const etag = etagOf(page)
    const headers = { ...STANDING, etag, 'cache-control': cacheControl(page, plan, this.#open) }
    const body = Buffer.from(`${encodePage(page)}\n`)
    const found = json(body, { ...headers, 'content-length': String(body.length) })
    // Pages of one channel or pattern only: see `coding/parts.ts` for what lengths would tell.
    const coded = set.parts.length === 1 && body.length >= SMALLEST_CODED ? new Map() : undefined
    return { etag, found, unchanged: { status: 304, headers }, coded }
  }

  #keep(key: string, kept: Kept): void {
    const before = this.#kept.get(key)
    this.#bytes += sizeOf(kept) - (before ? sizeOf(before) : 0)
    if (before === undefined) this.#bytes += key.length
    this.#kept.set(key, kept)
    if (this.#bytes <= KEPT_BYTES && this.#kept.size <= KEPT_PAGES) return
    this.#kept.clear()
    this.#bytes = 0
  }
}

function sizeOf({ polled }: Kept): number {
  return (polled.found.body as Uint8Array).length
}

function choose(polled: Polled, request: HttpRequest): WholeAnswer | Promise<WholeAnswer> {
  const ifNoneMatch = request.header('if-none-match')
  if (ifNoneMatch !== undefined && matchesEtag(ifNoneMatch, polled.etag)) return polled.unchanged
  const { coded, found } = polled
  if (coded === undefined) return found
  const coding = codingFor(request.header('accept-encoding'), PAGE_CODINGS)
  if (coding === undefined) return found
  const known = coded.get(coding)
  if (known) return known
  const answer = codePage(found, coding)
  coded.set(coding, answer)
  return answer
}

async function codePage(found: WholeAnswer, coding: PageCoding): Promise<WholeAnswer> {
  const body = await codePageBody(found.body as Uint8Array, coding)
  const headers = { ...found.headers, 'content-encoding': coding, 'content-length': String(body.length) }
  return { ...found, headers, body }
}

/** A full page after a cursor never changes, but for erased channels. */
function cacheControl(page: Page, plan: ReadRequest, open: boolean): string {
  const full = page.events.length === plan.limit && page.gap === undefined
  return open && plan.cacheable && full ? 'public, max-age=60' : 'private, no-cache'
}
