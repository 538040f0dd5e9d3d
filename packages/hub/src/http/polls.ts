/**
 * The answers to polls. A page is read and written once for all who ask for it, until the log may say something else: that
 * nothing is new is what most polls are told, and it should cost no more than being asked.
 */
import { encodePage, type Page } from '@downlink/wire'
import type { Hub } from '../hub.ts'
import type { ChannelSet } from '../log/channel-set.ts'
import { etagOf, matchesEtag } from './etag.ts'
import { json, STANDING, type WholeAnswer } from './message.ts'
import type { ReadRequest } from './read-request.ts'

/** Bytes of all bodies that are kept; beyond it all are forgotten. */
const KEPT_BYTES = 16 * 1024 * 1024
/** Pages that are kept. */
const KEPT_PAGES = 4_096

interface Polled {
  readonly etag: string
  readonly found: WholeAnswer
  readonly unchanged: WholeAnswer
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

  answer(
    set: ChannelSet,
    plan: ReadRequest,
    ifNoneMatch: string | undefined,
  ): WholeAnswer | Promise<WholeAnswer> {
    const key = `${set.key}?${plan.key}`
    const { log } = this.#hub
    const kept = this.#kept.get(key)
    const version = log.version()
    if (kept !== undefined && kept.version === version) return choose(kept.polled, ifNoneMatch)
    return this.#next(key, set, plan, version).then((polled) => choose(polled, ifNoneMatch))
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
    return { etag, found, unchanged: { status: 304, headers } }
  }

  #keep(key: string, kept: Kept): void {
    const before = this.#kept.get(key)
    this.#bytes += sizeOf(kept) - (before ? sizeOf(before) : 0)
    this.#kept.set(key, kept)
    if (this.#bytes <= KEPT_BYTES && this.#kept.size <= KEPT_PAGES) return
    this.#kept.clear()
    this.#bytes = 0
  }
}

function sizeOf({ polled }: Kept): number {
  return (polled.found.body as Uint8Array).length
}

function choose({ etag, found, unchanged }: Polled, ifNoneMatch: string | undefined): WholeAnswer {
  return ifNoneMatch !== undefined && matchesEtag(ifNoneMatch, etag) ? unchanged : found
}

/** A full page after a cursor never changes, but for erased channels. */
function cacheControl(page: Page, plan: ReadRequest, open: boolean): string {
  const full = page.events.length === plan.limit && page.gap === undefined
  return open && plan.cacheable && full ? 'public, max-age=60' : 'private, no-cache'
}
