/** Clients that ask for pages: again and again, or waiting. */
import { type Page, parsePage } from '@downlink/wire'
import { decoded, LARGEST_PAGE } from './coding.ts'
import { Exchange } from './exchange.ts'
import { type Group, Member } from './group.ts'
import type { AnswerHead } from './response-reader.ts'

const ACCEPT = ['Accept', 'application/json'] as const
/** Events of a page, as `subscribe()` asks for. */
const LIMIT = 1000
/** Seconds that a long poll waits, as `subscribe()` asks for. */
const WAIT = 25
/** After a failure, doubled by each that follows. */
const RETRY_MS = 500
const LONGEST_RETRY_MS = 10_000

abstract class PageReader extends Member {
  readonly #exchange: Exchange
  #cursor: string
  #etag: string | undefined
  #timer: NodeJS.Timeout | undefined
  #failures = 0

  constructor(group: Group) {
    super(group)
    this.#exchange = new Exchange(group.plan, group.tally)
    this.#cursor = group.plan.cursor
  }

  close(): void {
    clearTimeout(this.#timer)
    this.#exchange.close()
  }

  get begun(): boolean {
    return this.#exchange.tried
  }

  override get asking(): boolean {
    return this.#exchange.busy
  }

  /** Of the query, behind `after` and `limit`. */
  protected abstract readonly how: string
  /** Milliseconds until the next question, after one that was answered. */
  protected abstract pauseAfter(page: Page | undefined): number
  protected asked(): void {}
  protected answered(): void {}

  protected later(ms: number): void {
    if (this.group.closing) return
    clearTimeout(this.#timer)
    if (ms <= 0) this.ask()
    else this.#timer = setTimeout(() => this.ask(), ms)
  }

  protected ask(): void {
    const { group } = this
    if (group.closing) return
    const { plan, tally } = group
    const path = `${plan.target.mount}/channels/${plan.channel}?after=${this.#cursor}&limit=${LIMIT}&${this.how}`
    // The same URL as before: a browser's cache would ask whether it has changed.
    const headers = this.#etag === undefined ? [ACCEPT] : [ACCEPT, ['If-None-Match', this.#etag] as const]
    const chunks: Buffer[] = []
    let size = 0
    let head: AnswerHead | undefined
    this.asked()
    this.#exchange.ask(path, headers, {
      head: (come) => (head = come),
      body: (bytes) => {
        size += bytes.length
        if (size > LARGEST_PAGE) this.#failed()
        else chunks.push(bytes)
      },
      end: () => {
        if (head?.status === 304) {
          tally.empty++
          this.#went(undefined)
        } else if (head?.status === 200) this.#page(Buffer.concat(chunks), head)
        else {
          tally.refused++
          this.#failed()
        }
      },
      lost: () => this.#failed(),
    })
  }

  #page(body: Buffer, { headers }: AnswerHead): void {
    let page: Page
    try {
      page = parsePage(decoded(body, headers.get('content-encoding')).toString())
    } catch {
      this.#failed()
      return
    }
    if (page.events.length === 0) this.group.tally.empty++
    for (const { data } of page.events) this.take(data)
    this.#etag = page.cursor === this.#cursor ? headers.get('etag') : undefined
    this.#cursor = page.cursor
    this.#went(page)
  }

  #went(page: Page | undefined): void {
    this.#failures = 0
    if (page?.more !== true) this.answered()
    this.later(page?.more ? 0 : this.pauseAfter(page))
  }

  #failed(): void {
    this.#exchange.close()
    const ms = Math.min(RETRY_MS * 2 ** this.#failures++, LONGEST_RETRY_MS)
    this.later(this.group.jittered(ms, 0.5))
  }
}

/** Asks every so often, whether there is something or not. */
export class Poller extends PageReader {
  protected readonly how = 'transport=poll'
  /** Events that there were when it asked, and when it asked before and was answered. */
  #asked = 0
  #due = 0

  /** It connects when it asks. */
  override get begun(): boolean {
    return true
  }

  /** Somewhere in its rhythm, as those who came at different times. */
  start(): void {
    this.later(this.group.plan.pollEvery * this.group.random())
  }

  protected override asked(): void {
    this.#asked = this.group.published
  }

  protected override answered(): void {
    this.#due = this.#asked
  }

  protected override due(): number {
    return this.#due
  }

  protected pauseAfter(): number {
    return this.group.jittered(this.group.plan.pollEvery, 0.1)
  }
}

/** Asks again at once. */
export class LongPoller extends PageReader {
  protected readonly how = `transport=long-poll&wait=${WAIT}`
  #askedAt = 0

  start(): void {
    this.ask()
  }

  protected override asked(): void {
    this.#askedAt = performance.now()
  }

  /** An empty page that comes clearly too soon is that of a hub that stops (protocol 5.2.2). */
  protected pauseAfter(page: Page | undefined): number {
    if (page === undefined || page.events.length > 0) return 0
    return performance.now() - this.#askedAt < WAIT * 500 ? page.retry : 0
  }
}
