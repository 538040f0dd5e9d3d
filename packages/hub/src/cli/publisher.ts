/** Publishes batch after batch, each until the hub has it. */
import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { waitAfter } from './backoff.ts'
import { bodyOf, type Body, type Entry } from './batch.ts'
import { Failure, reasonOf } from './failure.ts'
import { Outage } from './outage.ts'
import { type Refusal, refusalOf } from './refusal.ts'
import type { HeaderList } from './values.ts'

/** A hub that has not answered by then is asked again, with the same key. */
const ANSWER_MS = 60_000

export interface PublisherOptions {
  /** Without a slash at the end. */
  readonly hub: string
  /** A name, or several with commas. */
  readonly channel: string
  readonly type?: string
  readonly ndjson: boolean
  readonly headers: HeaderList
  /** Where the lines come from, for messages: `standard input`. */
  readonly source: string
  /** The ids of what the hub has now, in order. */
  readonly published: (ids: readonly string[]) => void
  /** What people should know while it goes on. */
  readonly tell: (line: string) => void
}

export class Publisher {
  readonly #options: PublisherOptions
  readonly #url: string
  readonly #outage: Outage
  #slowedDown = false

  constructor(options: PublisherOptions) {
    this.#options = options
    this.#url = `${options.hub}/channels/${options.channel}`
    this.#outage = new Outage(options.tell)
  }

  /**
   * Resolves when the hub has all of it. A batch that is too large for this hub is cut in two; what stands before
   * a line that the hub refuses is published.
   *
   * @throws {Failure} when the hub refuses it for good
   */
  async publish(entries: readonly Entry[]): Promise<void> {
    const { ndjson, type } = this.#options
    const query = type === undefined ? '' : `?type=${encodeURIComponent(type)}`
    const answer = await this.#untilAnswered(query, bodyOf(entries, ndjson))
    if (isIds(answer)) return this.#options.published(answer)
    if (answer.status === 413 && entries.length > 1) {
      const half = Math.ceil(entries.length / 2)
      await this.publish(entries.slice(0, half))
      return this.publish(entries.slice(half))
    }
    const wrong = ndjson && answer.line !== undefined ? answer.line - 1 : 0
    if (wrong > 0) await this.publish(entries.slice(0, wrong))
    throw new Failure(this.#lineOf(entries, wrong, answer))
  }

  /** Ends the channels. @throws {Failure} when the hub refuses it for good */
  async end(): Promise<void> {
    const answer = await this.#untilAnswered('?end', { contentType: 'text/plain; charset=utf-8', text: '' })
    if (!isIds(answer)) throw new Failure(answer.text)
  }

  /** The ids, or why it is refused for good. */
  async #untilAnswered(query: string, body: Body): Promise<readonly string[] | Refusal> {
    const headers = new Headers(this.#options.headers.map(([name, value]) => [name, value]))
    headers.set('accept', 'application/json')
    headers.set('content-type', body.contentType)
    headers.set('idempotency-key', randomUUID())
    for (;;) {
      const answer = await this.#ask(query, headers, body.text)
      if (isIds(answer)) {
        this.#outage.worked()
        return answer
      }
      if (answer.lasting) return answer
      if (answer.code === 'too-fast') {
        this.#slowDown(answer.text)
        await sleep(waitAfter(0, Math.random, answer.retryAfterMs))
        continue
      }
      this.#outage.failed(answer.text)
      await sleep(waitAfter(this.#outage.failures, Math.random, answer.retryAfterMs))
    }
  }

  /** That is no outage, and no news the second time. */
  #slowDown(reason: string): void {
    if (this.#slowedDown) return
    this.#slowedDown = true
    this.#options.tell(`${reason}: going no faster than that`)
  }

  async #ask(query: string, headers: Headers, body: string): Promise<readonly string[] | Refusal> {
    let text: string
    try {
      // A redirected POST may become a GET, which would be a success that publishes nothing.
      const response = await fetch(this.#url + query, {
        method: 'POST',
        headers,
        body,
        redirect: 'manual',
        signal: AbortSignal.timeout(ANSWER_MS),
      })
      const to = response.headers.get('location')
      if (response.status >= 300 && response.status < 400 && to !== null) {
        await response.body?.cancel()
        throw new Failure(`${this.#options.hub} sends elsewhere: give --hub as in ${to}`)
      }
      if (!response.ok) return await refusalOf(response, Date.now())
      text = await response.text()
    } catch (error) {
      if (error instanceof Failure) throw error
      return {
        status: 0,
        code: '',
        text: `No hub answers at ${this.#options.hub} (${reasonOf(error)})`,
        lasting: false,
        retryAfterMs: 0,
      }
    }
    return idsOf(text, this.#options.hub)
  }

  #lineOf(entries: readonly Entry[], index: number, { text, status, line }: Refusal): string {
    const number = entries[index]?.line
    if (number === undefined || (line === undefined && status !== 413)) return text
    const plain = text.replace(/^Line \d+: /, '').replace(/\. Nothing of this batch was stored/, '')
    const before = number > 1 ? '. The lines before it are published' : ''
    return `Line ${number} of ${this.#options.source}: ${plain}${before}`
  }
}

function isIds(answer: readonly string[] | Refusal): answer is readonly string[] {
  return Array.isArray(answer)
}

/** @throws {Failure} when this is no answer of a hub */
function idsOf(text: string, hub: string): readonly string[] {
  try {
    const { ids } = JSON.parse(text) as { readonly ids?: unknown }
    if (Array.isArray(ids)) return ids.map(String)
  } catch {
    // Said below.
  }
  throw new Failure(`What answers at ${hub} is no hub`)
}
