/**
 * Public keys from a JWKS URL. They are kept for ten minutes; a token that none of them verifies makes the hub look again, but
 * not more than twice a minute, so that strangers can't make it hammer the URL. When the URL does not answer, the keys known so
 * far go on for a day; after that, and before there are any, the answer is `503 keys-unavailable`: never 401, which would tell
 * clients for good that their tokens are wrong.
 */
import { checkJwksUrl, KeyError } from './key-settings.ts'
import { jwksIn, type KeySource, publicKey, type VerifyKey } from './keys.ts'
import { Refusal } from './refusal.ts'

export interface RemoteKeysOptions {
  readonly now: () => number
  /** Told when the URL stops answering with keys, and told `undefined` when it does again. */
  readonly onOutage: (error: Error | undefined) => void
  readonly fetch?: typeof fetch
}

/** In milliseconds. */
export const REMOTE = {
  /** For so long keys are good without a look at the URL. */
  fresh: 10 * 60_000,
  /** For so long they go on while the URL does not answer. */
  stale: 24 * 3_600_000,
  /** Between two looks that tokens with an unknown key cause. */
  cooldown: 30_000,
  /** Between two tries of a URL that does not answer. */
  retry: 5_000,
  /** For an answer, whole. */
  timeout: 5_000,
} as const
const LARGEST_ANSWER = 512 * 1024

/** @throws {KeyError} when the URL can't be taken; whether it answers is seen later */
export function remoteKeys(url: string, options: RemoteKeysOptions): KeySource {
  return new RemoteKeys(checkJwksUrl(url), options)
}

class RemoteKeys implements KeySource {
  readonly symmetric = false
  readonly #url: string
  readonly #options: RemoteKeysOptions
  #keys: readonly VerifyKey[] = []
  /** What they were made of: as long as it stays the same, so do the keys, and what was verified with them. */
  #text = ''
  /** When these keys were had. */
  #hadAt = -Infinity
  #triedAt = -Infinity
  #failed = false
  #looking: Promise<void> | undefined

  constructor(url: string, options: RemoteKeysOptions) {
    this.#url = url
    this.#options = options
  }

  current(): readonly VerifyKey[] | Promise<readonly VerifyKey[]> {
    const age = this.#options.now() - this.#hadAt
    if (age < REMOTE.fresh) return this.#keys
    if (age < REMOTE.stale && this.#failed) {
      // During an outage nobody waits for it.
      void this.#look(REMOTE.retry)
      return this.#keys
    }
    return this.#afterLook(REMOTE.retry)
  }

  async renewed(): Promise<readonly VerifyKey[]> {
    await this.#afterLook(this.#failed ? REMOTE.retry : REMOTE.cooldown)
    // The token may well be good: its key could not be asked for.
    if (this.#failed) throw unavailable()
    return this.#keys
  }

  async #afterLook(pause: number): Promise<readonly VerifyKey[]> {
    await this.#look(pause)
    if (this.#options.now() - this.#hadAt < REMOTE.stale) return this.#keys
    throw unavailable()
  }

  #look(pause: number): Promise<void> {
    const now = this.#options.now()
    if (this.#looking === undefined && now - this.#triedAt >= pause) {
      this.#triedAt = now
      this.#looking = this.#fetch().finally(() => (this.#looking = undefined))
    }
    return this.#looking ?? Promise.resolve()
  }

  async #fetch(): Promise<void> {
    try {
      const text = await fetchText(this.#url, this.#options.fetch ?? fetch)
      if (text !== this.#text) this.#keys = await keysIn(text)
      this.#text = text
      this.#hadAt = this.#options.now()
      if (this.#failed) this.#options.onOutage(undefined)
      this.#failed = false
    } catch (error) {
      if (!this.#failed) this.#options.onOutage(error as Error)
      this.#failed = true
    }
  }
}

function unavailable(): Refusal {
  return new Refusal(
    'keys-unavailable',
    "The keys that tokens are verified with can't be had just now: come back in a moment",
  )
}

async function fetchText(url: string, get: typeof fetch): Promise<string> {
  const response = await get(url, {
    headers: { accept: 'application/jwk-set+json, application/json' },
    // It might lead to where nothing protects the answer.
    redirect: 'error',
    signal: AbortSignal.timeout(REMOTE.timeout),
  })
  if (response.status !== 200) {
    await response.body?.cancel()
    throw new KeyError(`The JWKS URL answered ${response.status}`)
  }
  const decoder = new TextDecoder()
  let text = ''
  for await (const chunk of response.body ?? []) {
    text += decoder.decode(chunk, { stream: true })
    if (text.length > LARGEST_ANSWER)
      throw new KeyError(`The JWKS URL sends more than ${LARGEST_ANSWER} bytes`)
  }
  return text
}

async function keysIn(text: string): Promise<readonly VerifyKey[]> {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (cause) {
    throw new KeyError('The JWKS URL answers something that is no JSON', { cause })
  }
  const keys: VerifyKey[] = []
  for (const jwk of jwksIn(value)) {
    try {
      keys.push(await publicKey(jwk))
    } catch (error) {
      // A set may have keys for others: for encryption, on other curves.
      if (!(error instanceof KeyError)) throw error
    }
  }
  if (keys.length > 0) return keys
  throw new KeyError('The JWKS URL has no key for RS256, ES256 or EdDSA')
}
