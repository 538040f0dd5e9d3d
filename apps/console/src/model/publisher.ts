/**
 * A publish that may be tried again: what was not answered may be stored or not, and with the same `Idempotency-Key` a second
 * try stores it once (protocol, section 10). Pure: requests, keys and waiting come in.
 */

export interface Publication {
  /** Such as `channels/orders.42`. */
  readonly path: string
  /** Empty: none. */
  readonly type: string
  readonly data: string
}

export type Outcome =
  | { readonly kind: 'published'; readonly id: string; readonly repeated: boolean }
  /** The hub said no, in its words. */
  | { readonly kind: 'refused'; readonly status: number; readonly detail: string }
  /** Nobody knows whether it is stored: another try of the same will tell. */
  | { readonly kind: 'unsure' }

export type Post = (url: string, body: string, key: string) => Promise<Response>

/** Milliseconds before each further try. */
const PAUSES = [500, 1_500]

export class Publisher {
  readonly #post: Post
  readonly #newKey: () => string
  readonly #wait: (ms: number) => Promise<void>
  #open: { readonly content: string; readonly key: string } | undefined

  constructor(post: Post, newKey: () => string, wait: (ms: number) => Promise<void>) {
    this.#post = post
    this.#newKey = newKey
    this.#wait = wait
  }

  async publish({ path, type, data }: Publication): Promise<Outcome> {
    const url = type === '' ? path : `${path}?type=${encodeURIComponent(type)}`
    const content = JSON.stringify([url, data])
    const key = this.#open?.content === content ? this.#open.key : this.#newKey()
    this.#open = { content, key }
    for (let tries = 0; ; tries++) {
      const outcome = await this.#try(url, data, key)
      const pause = PAUSES[tries]
      if (outcome.kind === 'published') this.#open = undefined
      if (outcome.kind !== 'unsure' || pause === undefined) return outcome
      await this.#wait(pause)
    }
  }

  async #try(url: string, data: string, key: string): Promise<Outcome> {
    try {
      const response = await this.#post(url, data, key)
      if (response.ok) {
        const { ids } = (await response.json()) as { ids: readonly string[] }
        return {
          kind: 'published',
          id: ids[0] ?? '',
          repeated: response.headers.get('idempotent-replayed') === 'true',
        }
      }
      const { code, detail } = (await response.json().catch(() => ({}))) as {
        code?: string
        detail?: string
      }
      if (code === 'idempotency-running' || (response.status >= 502 && code === undefined))
        return { kind: 'unsure' }
      return { kind: 'refused', status: response.status, detail: detail ?? `${response.status}` }
    } catch {
      return { kind: 'unsure' }
    }
  }
}
