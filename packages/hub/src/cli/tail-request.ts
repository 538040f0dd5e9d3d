/** A read with a watchdog: what has gone silent is given up, since a dead connection may look open for hours. */
import { Failure } from './failure.ts'
import { type Refusal, refusalOf } from './refusal.ts'
import type { TailRequest } from './tail-item.ts'

/** The hub has answered, and the answer was no. */
export class Refused extends Error {
  readonly refusal: Refusal
  override readonly name = 'Refused'

  constructor(refusal: Refusal) {
    super(refusal.text)
    this.refusal = refusal
  }
}

export class TailAnswer {
  readonly response: Response
  readonly #abort: AbortController
  readonly #quietMs: () => number

  /** @param quietMs How long nothing may be heard. Asked anew before each wait. */
  private constructor(response: Response, abort: AbortController, quietMs: () => number) {
    this.response = response
    this.#abort = abort
    this.#quietMs = quietMs
  }

  /** @throws {Refused} @throws {Failure} when no hub answers, but something else does */
  static async of(
    url: string,
    accept: string,
    request: TailRequest,
    quietMs: () => number,
  ): Promise<TailAnswer> {
    const abort = new AbortController()
    const headers = new Headers(request.headers.map(([name, value]) => [name, value]))
    headers.set('accept', accept)
    const asked = fetch(url, { headers, signal: abort.signal, cache: 'no-store' })
    const answer = new TailAnswer(await watched(asked, abort, quietMs()), abort, quietMs)
    const { response } = answer
    if (!response.ok) {
      const refusal = await watched(refusalOf(response, Date.now()), abort, quietMs())
      answer.close()
      throw new Refused(refusal)
    }
    const type = /^[^;\s]*/.exec(response.headers.get('content-type') ?? '')?.[0].toLowerCase() ?? ''
    if (response.status !== 204 && type !== accept.split(',')[0]) {
      answer.close()
      throw new Failure(
        `What answers at ${request.hub} is no hub: it sent ${type || 'nothing that it names'}`,
      )
    }
    return answer
  }

  /** The body as it comes. The watchdog sleeps while nobody asks for more: then it is the reader who is slow. */
  async *chunks(): AsyncGenerator<Uint8Array, void, void> {
    const reader = this.response.body?.getReader()
    if (reader === undefined) return
    for (;;) {
      const { done, value } = await watched(reader.read(), this.#abort, this.#quietMs())
      if (done) return
      yield value
    }
  }

  async text(): Promise<string> {
    const parts: Uint8Array[] = []
    for await (const chunk of this.chunks()) parts.push(chunk)
    return Buffer.concat(parts).toString('utf8')
  }

  /** Gives up what is still to come. Idempotent. */
  close(): void {
    this.#abort.abort()
  }
}

async function watched<T>(promise: Promise<T>, abort: AbortController, ms: number): Promise<T> {
  const timer = setTimeout(() => {
    abort.abort(new Error(`nothing was heard for ${Math.round(ms / 100) / 10} seconds`))
  }, ms)
  try {
    return await promise
  } finally {
    clearTimeout(timer)
  }
}
