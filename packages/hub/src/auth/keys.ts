/**
 * Keys that tokens are verified with. Which algorithms a token may name follows from the key, never from the token: a secret is
 * for HS256 only, a public key never for HS*, and there is no key for `none`.
 */
import { importJWK, type JWK } from 'jose'
import { type Algorithm, algorithmOf, checkSecret, KeyError } from './key-settings.ts'

export interface VerifyKey {
  readonly algorithm: Algorithm
  /** Its name, where it has one. Only compared. */
  readonly kid?: string
  readonly key: CryptoKey | Uint8Array
}

/** What to know of keys that may change. */
export interface KeySource {
  /** Whether it has a secret, and no public keys: no token is ever tried with a key of the other kind. */
  readonly symmetric: boolean
  /**
   * The keys to try, as they are now; looks first whether they are still good. Called for each token, so it rarely waits.
   *
   * @throws {Refusal} `keys-unavailable`
   */
  current(): readonly VerifyKey[] | Promise<readonly VerifyKey[]>
  /**
   * Looks for newer keys, since none of the current ones verifies a token; not each time that it is asked. The keys then.
   *
   * @throws {Refusal} `keys-unavailable` when they can't be had
   */
  renewed(): Promise<readonly VerifyKey[]>
}

const RSA_BITS = 2048
/** Of one set: each may be tried for a token without a `kid`. */
export const MOST_KEYS = 50

/** @param name Where it comes from, for the message. @throws {KeyError} when it is too short */
export function secretKey(secret: string | Uint8Array, name: string): VerifyKey {
  return { algorithm: 'HS256', key: checkSecret(secret, name) }
}

/** A public JWK. @throws {KeyError} when it is no key of a kind that is supported here */
export async function publicKey(jwk: JWK): Promise<VerifyKey> {
  const algorithm = kindOf(jwk)
  if (jwk.alg !== undefined && algorithmOf(jwk.alg) !== algorithm) {
    throw new KeyError(`Expected its \`alg\` to be ${algorithm}`)
  }
  if (jwk.use !== undefined && jwk.use !== 'sig') throw new KeyError('It is not for signatures (`use`)')
  if (jwk.key_ops !== undefined && !(Array.isArray(jwk.key_ops) && jwk.key_ops.includes('verify'))) {
    throw new KeyError('It is not for verifying (`key_ops`)')
  }
  if (jwk.kid !== undefined && typeof jwk.kid !== 'string')
    throw new KeyError('Expected its `kid` to be a string')
  let key: CryptoKey
  try {
    // Only what makes the public key: whatever else stands in it has no say.
    const { kty, crv, n, e, x, y } = jwk
    const parts = Object.entries({ kty, crv, n, e, x, y }).filter(([, part]) => part !== undefined)
    key = (await importJWK(Object.fromEntries(parts) as unknown as JWK, algorithm)) as CryptoKey
  } catch (cause) {
    throw new KeyError('It is no key that can be read', { cause })
  }
  const { modulusLength } = key.algorithm as { modulusLength?: number }
  if (modulusLength !== undefined && modulusLength < RSA_BITS) {
    throw new KeyError(`An RSA key must have at least ${RSA_BITS} bits, got ${modulusLength}`)
  }
  return { algorithm, key, ...(jwk.kid !== undefined && { kid: jwk.kid }) }
}

function kindOf({ kty, crv }: JWK): Algorithm {
  if (kty === 'RSA') return 'RS256'
  if (kty === 'EC' && crv === 'P-256') return 'ES256'
  if (kty === 'OKP' && crv === 'Ed25519') return 'EdDSA'
  throw new KeyError('Expected an RSA key, an EC key on P-256, or an Ed25519 key')
}

/** The keys of a JWK set (or the one JWK) as JSON says it. @throws {KeyError} when it is neither */
export function jwksIn(value: unknown): readonly JWK[] {
  const keys = isObject(value) && 'keys' in value ? value['keys'] : [value]
  if (!Array.isArray(keys) || keys.length === 0 || keys.length > MOST_KEYS || !keys.every(isObject)) {
    throw new KeyError(`Expected a JWK, or a JWK set of 1 to ${MOST_KEYS} keys`)
  }
  return keys
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
