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

/** Of all pages that are kept, the bytes of the bodies, as they are and coded, and the characters of what was asked; beyond it all are forgotten. */
const KEPT_BYTES = 16 * 1024 * 1024
/** Pages that are kept. */
const KEPT_PAGES = 4_096

/** What is smaller goes out as it is. */
const SMALLEST_CODED = 1024

/** What it makes has a memory of its own. A small `Buffer` would hold on to the 64 KiB that it shares with others: 250 MB of all pages kept. */
const utf8 = new TextEncoder()

interface Polled {
  readonly etag: string
  readonly found: WholeAnswer
  readonly unchanged: WholeAnswer
  /** As it was asked for. Undefined: it is not to be coded. */
  readonly coded: Map<PageCoding, Promise<WholeAnswer>> | undefined
  /** Bytes of its bodies. */
  size: number
}

interface Kept {
  /** See `Log.version`. */
  readonly version: number
  readonly polled: Polled
}

export class Polls {
  readonly #hub: Hub
  readonly #open: boolean
  readonly #code: typeof codePageBody
  readonly #kept = new Map<string, Kept>()
  readonly #awaited = new Map<string, Promise<Polled>>()
  #bytes = 0

  /** @param open Whether everybody may read, so that a shared cache may keep pages. */
  constructor(hub: Hub, open: boolean, code = codePageBody) {
    this.#hub = hub
    this.#open = open
    this.#code = code
  }

  answer(set: ChannelSet, plan: ReadRequest, request: HttpRequest): WholeAnswer | Promise<WholeAnswer> {
    const key = `${set.key}?${plan.key}`
    const { log } = this.#hub
    const kept = this.#kept.get(key)
    const version = log.version()
    if (kept !== undefined && kept.version === version) return this.#choose(key, kept.polled, request)
    return this.#next(key, set, plan, version).then((polled) => this.#choose(key, polled, request))
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
    const { before, limit, origin } = plan
    const page = await (before
      ? this.#hub.readBefore(set, before, limit)
      : this.#hub.readPage(set, origin, limit))
    const etag = etagOf(page)
    const headers = { ...STANDING, etag, 'cache-control': cacheControl(page, plan, this.#open) }
    const body = Buffer.from(utf8.encode(`${encodePage(page)}\n`).buffer)
    const found = {
      ...json(body, { ...headers, 'content-length': String(body.length) }),
      events: page.events.length,
    }
    // Pages of one channel or pattern only: see `coding/parts.ts` for what lengths would tell.
    const coded = set.parts.length === 1 && body.length >= SMALLEST_CODED ? new Map() : undefined
    return { etag, found, unchanged: { status: 304, headers }, coded, size: body.length }
  }

  #keep(key: string, kept: Kept): void {
    const before = this.#kept.get(key)
    this.#kept.set(key, kept)
    this.#count(kept.polled.size - (before ? before.polled.size : -key.length))
  }

  #count(bytes: number): void {
    this.#bytes += bytes
    if (this.#bytes <= KEPT_BYTES && this.#kept.size <= KEPT_PAGES) return
    this.#kept.clear()
    this.#bytes = 0
  }

  #choose(key: string, polled: Polled, request: HttpRequest): WholeAnswer | Promise<WholeAnswer> {
    const ifNoneMatch = request.header('if-none-match')
    if (ifNoneMatch !== undefined && matchesEtag(ifNoneMatch, polled.etag)) return polled.unchanged
    const { coded, found } = polled
    if (coded === undefined) return found
    const coding = codingFor(request.header('accept-encoding'), PAGE_CODINGS)
    if (coding === undefined) return found
    const known = coded.get(coding)
    if (known) return known
    const answer = this.#coded(key, polled, coding).catch(() => {
      // Better as it is than not at all. The next who asks may have more luck.
      coded.delete(coding)
      return found
    })
    coded.set(coding, answer)
    return answer
  }

  async #coded(key: string, polled: Polled, coding: PageCoding): Promise<WholeAnswer> {
    const { found } = polled
    // A copy: what a compressor returns is the beginning of a larger piece of memory.
    const body = Buffer.from(new Uint8Array(await this.#code(found.body as Uint8Array, coding)).buffer)
    polled.size += body.length
    if (this.#kept.get(key)?.polled === polled) this.#count(body.length)
    const headers = { ...found.headers, 'content-encoding': coding, 'content-length': String(body.length) }
    return { ...found, headers, body }
  }
}

/** A full page after or before a cursor never changes, but for erased channels and for what goes by age. */
function cacheControl(page: Page, plan: ReadRequest, open: boolean): string {
  const full = page.events.length === plan.limit && page.gap === undefined
  return open && plan.cacheable && full ? 'public, max-age=60' : 'private, no-cache'
}
