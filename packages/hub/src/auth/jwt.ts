/** Tokens, verified: which keys are tried, what is asked of a token, and the tokens that were verified before. */
import { createHash } from 'node:crypto'
import { decodeProtectedHeader, errors, type JWTPayload, jwtVerify } from 'jose'
import { type Claims, claimsOf } from './claims.ts'
import { type Algorithm, algorithmOf, ALGORITHMS } from './key-settings.ts'
import type { KeySource, VerifyKey } from './keys.ts'
import { Refusal } from './refusal.ts'

export interface VerifierOptions {
  /** Asked in this order. */
  readonly sources: readonly KeySource[]
  /** One of these must be the token's `iss`. Empty: whoever's. */
  readonly issuers: readonly string[]
  /** One of these must be among the token's `aud`. Empty: the token must have none. */
  readonly audiences: readonly string[]
  readonly algorithms?: readonly Algorithm[]
  /** How far clocks may be apart, in milliseconds. */
  readonly toleranceMs: number
  /** Tokens remembered at most: clients bring theirs again with each poll, and to verify one costs 50 µs and more. */
  readonly remembered: number
  readonly now: () => number
}

interface Verified {
  readonly claims: Claims
  /** Where its key came from, and what keys there were: when there are others, it is verified again. */
  readonly source: KeySource
  readonly keys: readonly VerifyKey[]
}

interface Wanted {
  readonly algorithm: Algorithm
  readonly kid: string | undefined
}

/** `JWT`, and the type of access tokens of RFC 9068. A token made for something else, such as a log-out, says so. */
const TYPES = ['jwt', 'at+jwt']

export class Verifier {
  readonly #options: VerifierOptions
  readonly #allowed: readonly Algorithm[]
  /** By the hash of the token: what is written to a core dump is no token. */
  readonly #verified = new Map<string, Verified>()
  /** What is being verified: a thousand clients may come back with one token at once. */
  readonly #running = new Map<string, Promise<Verified>>()

  constructor(options: VerifierOptions) {
    const { sources, algorithms = ALGORITHMS } = options
    this.#options = options
    this.#allowed = algorithms.filter((name) =>
      sources.some(({ symmetric }) => symmetric === (name === 'HS256')),
    )
  }

  /** @throws {Refusal} `invalid-token`, `keys-unavailable` */
  verify(token: string): Claims | Promise<Claims> {
    const hash = createHash('sha256').update(token).digest('base64')
    const known = this.#verified.get(hash)
    if (known === undefined) return this.#verify(hash, token)
    if (known.claims.until <= this.#options.now()) {
      this.#verified.delete(hash)
      throw expired()
    }
    const keys = known.source.current()
    if (keys === known.keys) return known.claims
    return this.#verifyAgain(hash, token, known, keys)
  }

  async #verifyAgain(
    hash: string,
    token: string,
    known: Verified,
    keys: readonly VerifyKey[] | Promise<readonly VerifyKey[]>,
  ): Promise<Claims> {
    if ((await keys) === known.keys) return known.claims
    this.#verified.delete(hash)
    return this.#verify(hash, token)
  }

  async #verify(hash: string, token: string): Promise<Claims> {
    let running = this.#running.get(hash)
    if (running === undefined) {
      running = this.#decide(token).finally(() => this.#running.delete(hash))
      this.#running.set(hash, running)
    }
    const verified = await running
    if (this.#verified.size >= this.#options.remembered) {
      for (const [oldest] of this.#verified) {
        this.#verified.delete(oldest)
        break
      }
    }
    this.#verified.set(hash, verified)
    return verified.claims
  }

  async #decide(token: string): Promise<Verified> {
    const wanted = this.#wantedOf(token)
    const sources = this.#options.sources.filter(
      ({ symmetric }) => symmetric === (wanted.algorithm === 'HS256'),
    )
    for (const renew of [false, true]) {
      let unavailable: Refusal | undefined
      for (const source of sources) {
        try {
          const keys = await (renew ? source.renewed() : source.current())
          const payload = await this.#tryKeys(token, wanted, keys)
          if (payload === undefined) continue
          return { source, keys, claims: claimsOf(payload, this.#options.toleranceMs) }
        } catch (error) {
          if (!(error instanceof Refusal && error.code === 'keys-unavailable')) throw error
          unavailable = error
        }
      }
      // The key may be among those that can't be had.
      if (unavailable !== undefined) throw unavailable
    }
    throw invalid("The token's signature does not hold: it was made with another key, or changed since")
  }

  /** What the token says of itself, before anything is known to be true. */
  #wantedOf(token: string): Wanted {
    let header: ReturnType<typeof decodeProtectedHeader>
    try {
      header = decodeProtectedHeader(token)
    } catch {
      throw invalid('Expected a JWT, got something else')
    }
    const { alg, kid, typ } = header
    const algorithm = algorithmOf(alg)
    const allowed = this.#allowed
    if (algorithm === undefined || !allowed.includes(algorithm)) {
      throw invalid(`Expected the token's \`alg\` to be ${allowed.join(', ')}`)
    }
    const type = typeof typ === 'string' ? typ.toLowerCase().replace(/^application\//, '') : typ
    if (type !== undefined && !TYPES.includes(type)) {
      throw invalid("Expected the token's `typ` to be JWT or at+jwt: this one was made for something else")
    }
    if (kid !== undefined && typeof kid !== 'string')
      throw invalid("Expected the token's `kid` to be a string")
    return { algorithm, kid }
  }

  /** What the token says, when one of the keys fits and its signature holds. @throws {Refusal} when its claims do not */
  async #tryKeys(
    token: string,
    { algorithm, kid }: Wanted,
    keys: readonly VerifyKey[],
  ): Promise<JWTPayload | undefined> {
    const { issuers, audiences, toleranceMs, now } = this.#options
    for (const one of keys) {
      if (one.algorithm !== algorithm) continue
      if (kid !== undefined && one.kid !== undefined && one.kid !== kid) continue
      try {
        const { payload } = await jwtVerify(token, one.key, {
          algorithms: algorithm === 'EdDSA' ? ['EdDSA', 'Ed25519'] : [algorithm],
          clockTolerance: toleranceMs / 1000,
          currentDate: new Date(now()),
          ...(issuers.length > 0 && { issuer: [...issuers] }),
          ...(audiences.length > 0 && { audience: [...audiences] }),
        })
        if (audiences.length === 0 && payload.aud !== undefined) throw invalid(FOR_OTHERS, 'aud')
        return payload
      } catch (error) {
        if (!(error instanceof errors.JWSSignatureVerificationFailed)) throw refusalOf(error)
      }
    }
    return undefined
  }
}

/** RFC 7519 section 4.1.3: whoever is not named must not take it. */
const FOR_OTHERS =
  'The token is for an audience (`aud`), and this hub was not told that it is one (`audience`)'

function refusalOf(error: unknown): Refusal {
  if (error instanceof Refusal) return error
  if (error instanceof errors.JWTExpired) return expired(error.code)
  if (error instanceof errors.JWTClaimValidationFailed) {
    if (error.reason === 'invalid')
      return invalid(`Expected \`${error.claim}\` to be a number of seconds`, error.code)
    switch (error.claim) {
      case 'iss':
        return invalid('The token is of another issuer (`iss`) than this hub takes', error.code)
      case 'aud':
        return invalid('The token is for another audience (`aud`) than this hub', error.code)
      case 'nbf':
        return invalid('The token does not hold yet (`nbf`)', error.code)
    }
    return invalid('A claim of the token is not of the form that the standard asks for', error.code)
  }
  if (error instanceof errors.JOSENotSupported) {
    return invalid('The token needs an extension that this hub does not know (`crit`)')
  }
  // Nothing that a stranger sends is a fault of the hub.
  return invalid('Expected a JWT, got something else')
}

function expired(cause?: string): Refusal {
  return invalid('The token has expired (`exp`): get a new one', cause)
}

/** @param cause When the signature holds: what does not. No more of the token goes along. */
function invalid(message: string, cause?: string): Refusal {
  return new Refusal('invalid-token', message, cause === undefined ? {} : { cause })
}
