/** `downlink token make`. */
import { createPrivateKey, type KeyObject } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { CHANNEL_ACTIONS } from '../auth/rules.ts'
import { Failure, reasonOf } from './failure.ts'
import { SECRET_ENV, secretOf } from './serve-auth.ts'
import type { MakeOptions, TokenIo } from './token.ts'

const HOUR_MS = 3_600_000

interface SigningKey {
  readonly alg: string
  readonly key: KeyObject | Uint8Array
  readonly kid?: string
}

/** @throws {Failure} when there is nothing to sign with */
export async function makeToken(options: MakeOptions, { print, env }: TokenIo): Promise<number> {
  const { alg, key, kid } = signingKey(options, env)
  const { SignJWT } = await import('jose')
  const token = new SignJWT(claims(options, Date.now()))
  token.setProtectedHeader({ alg, typ: 'JWT', ...(kid !== undefined && { kid }) })
  print(`${await token.sign(key)}\n`)
  return 0
}

/** What the token says. Pure. */
export function claims(options: MakeOptions, now: number): Readonly<Record<string, unknown>> {
  const { sub, issuer, audience, inspect, ttl = HOUR_MS } = options
  const granted = CHANNEL_ACTIONS.flatMap((action) => {
    const patterns = options[action]
    return patterns ? [[action, patterns] as const] : []
  })
  const downlink = { ...Object.fromEntries(granted), ...(inspect && { inspect }) }
  const iat = Math.floor(now / 1000)
  return {
    ...(issuer !== undefined && { iss: issuer }),
    ...(sub !== undefined && { sub }),
    ...(audience && { aud: audience.length === 1 ? audience[0] : audience }),
    iat,
    exp: iat + Math.ceil(ttl / 1000),
    ...(Object.keys(downlink).length > 0 && { downlink }),
  }
}

function signingKey({ key: path, secretEnv, kid }: MakeOptions, env: TokenIo['env']): SigningKey {
  if (path === undefined) {
    const secret = secretOf(secretEnv, env)
    if (secret === undefined) {
      throw new Failure(
        `There is nothing to sign with: give --key, or a secret in the environment: export ${SECRET_ENV}=$(openssl rand -base64 32)`,
      )
    }
    return { alg: 'HS256', key: new TextEncoder().encode(secret), ...(kid !== undefined && { kid }) }
  }
  if (secretEnv !== undefined) throw new Failure('--key and --secret-env: sign with one of them')
  return { ...privateKey(path), ...(kid !== undefined && { kid }) }
}

/** PEM or JWK. @throws {Failure} */
function privateKey(path: string): SigningKey {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    throw new Failure(`The key ${path} can't be read: ${reasonOf(error)}`, { cause: error })
  }
  let key: KeyObject
  let kid: unknown
  try {
    if (text.trimStart().startsWith('{')) {
      const jwk = JSON.parse(text) as Record<string, unknown>
      key = createPrivateKey({ key: jwk, format: 'jwk' })
      kid = jwk['kid']
    } else key = createPrivateKey(text)
  } catch (error) {
    // The reason might quote the file.
    throw new Failure(`${path} is no private key in PEM or JWK that can be read`, { cause: error })
  }
  return { alg: algorithmOf(key, path), key, ...(typeof kid === 'string' && { kid }) }
}

function algorithmOf(
  { asymmetricKeyType: type, asymmetricKeyDetails: details }: KeyObject,
  path: string,
): string {
  if (type === 'rsa') {
    if ((details?.modulusLength ?? 0) >= 2048) return 'RS256'
    throw new Failure(`${path}: An RSA key must have at least 2048 bits`)
  }
  if (type === 'ec' && details?.namedCurve === 'prime256v1') return 'ES256'
  if (type === 'ed25519') return 'EdDSA'
  throw new Failure(`${path}: Expected an RSA key, an EC key on P-256, or an Ed25519 key`)
}
