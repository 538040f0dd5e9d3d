/** `createAuthorizer`: rules and tokens as an `authorize` function. */
import type { JWK } from 'jose'
import { HubError } from '../errors.ts'
import type { Action, Authorize, Grant, Verdict } from './authorize.ts'
import { checkRules, RuleError } from './check-rules.ts'
import type { Claims } from './claims.ts'
import { type CredentialOptions, DEFAULT_COOKIE, isCookieName, tokenOf } from './credentials.ts'
import { Verifier } from './jwt.ts'
import { type Algorithm, ALGORITHMS, KeyError } from './key-settings.ts'
import { jwksIn, type KeySource, publicKey, secretKey, type VerifyKey } from './keys.ts'
import { keysFile } from './keys-file.ts'
import { remoteKeys } from './keys-remote.ts'
import { Refusal } from './refusal.ts'
import { type Caller, missing, type Rights, rightsOf, type Rule } from './rules.ts'

export interface JwtOptions extends CredentialOptions {
  /** For HS256: at least 32 bytes. Only who makes tokens may know it. */
  readonly secret?: string | Uint8Array
  /** Public keys for RS256, ES256 and EdDSA: the path of a file (PEM, JWK, JWK set), read again when it changes; or the JWKs. */
  readonly keys?: string | JWK | { readonly keys: readonly JWK[] }
  /** Where a JWK set is: https, or http on this machine. Needs `issuer` or `audience`: such keys sign tokens for others too. */
  readonly jwksUrl?: string
  /** What must be the token's `iss`. Default: whatever it is. */
  readonly issuer?: string | readonly string[]
  /** What must be among the token's `aud`. Default none: then a token that has one is refused. */
  readonly audience?: string | readonly string[]
  /** Those that a token may name, of those that the keys are for. Default all. */
  readonly algorithms?: readonly Algorithm[]
  /** How far the clocks of hub and issuer may be apart, in milliseconds. Default 5,000. */
  readonly clockToleranceMs?: number
}

export interface AuthorizerOptions {
  readonly rules?: readonly Rule[]
  /** How tokens are verified. Default: there are none. */
  readonly jwt?: JwtOptions
  /** Told what its owner should know: a JWKS URL that is away or back, a file of keys that can't be taken. Default nobody. */
  readonly onWarning?: (message: string) => void
  /** Milliseconds since 1970. Default `Date.now`. */
  readonly now?: () => number
}

const DEFAULT_TOLERANCE_MS = 5_000
const ANYBODY: Caller = { subject: '', known: false }

/**
 * Rejects what can't be meant, and reads the file of keys. A JWKS URL is asked when its keys are first needed.
 *
 * @throws {HubError} `invalid-option`
 */
export async function createAuthorizer(options: AuthorizerOptions): Promise<Authorize> {
  try {
    const rules = checkRules(options.rules ?? [])
    const { jwt } = options
    return authorizer(rules, jwt, jwt && (await createVerifier(jwt, options)))
  } catch (error) {
    if (!(error instanceof RuleError) && !(error instanceof KeyError)) throw error
    throw new HubError('invalid-option', error.message, { cause: error })
  }
}

function authorizer(
  rules: readonly Rule[],
  jwt: JwtOptions | undefined,
  verifier: Verifier | undefined,
): Authorize {
  const standings = new WeakMap<Caller, Standing>()
  const decide = (caller: Caller | Claims, action: Action, channels: readonly string[]): Verdict => {
    let standing = standings.get(caller)
    if (standing === undefined) standings.set(caller, (standing = standingOf(rules, caller)))
    const part = missing(standing.rights, action, channels)
    return part === undefined ? standing.grant : refusal(caller, action, part)
  }
  // With nothing to verify a token, none can count; other cookies are none of the hub's business.
  const credentials: CredentialOptions = jwt ?? { cookie: false }
  return (request, action, channels) => {
    if (action === 'health') return true
    const token = tokenOf(request, credentials)
    if (token === undefined) return decide(ANYBODY, action, channels)
    if (verifier === undefined) {
      throw new Refusal('invalid-token', 'This hub has no keys to verify a token with: ask without one')
    }
    const claims = verifier.verify(token)
    return claims instanceof Promise
      ? claims.then((claims) => decide(claims, action, channels))
      : decide(claims, action, channels)
  }
}

interface Standing {
  readonly rights: Rights
  readonly grant: Grant
}

function standingOf(rules: readonly Rule[], caller: Caller | Claims): Standing {
  const rights = rightsOf(rules, caller)
  const { subject } = caller
  const { until, issued } = caller as Partial<Claims>
  const grant = {
    subject,
    read: rights.read,
    ...(until !== undefined && { until }),
    ...(issued !== undefined && { issued }),
  }
  return { rights, grant }
}

function refusal({ known, subject }: Caller, action: Action, part: string): Refusal {
  const what = part === '' ? (action === 'inspect' ? 'this hub' : 'channels') : part
  return known
    ? new Refusal('forbidden', `Your token does not allow you to ${action} ${what}: ask for one that does`, {
        subject,
      })
    : new Refusal(
        'unauthorized',
        `To ${action} ${what}, say who you are: send a token in \`Authorization: Bearer …\``,
      )
}

export interface VerifierSetting {
  readonly onWarning?: (message: string) => void
  readonly now?: () => number
  readonly remembered?: number
}

/** @throws {KeyError} */
export async function createVerifier(jwt: JwtOptions, setting: VerifierSetting = {}): Promise<Verifier> {
  const { now = Date.now, onWarning = () => {}, remembered = 10_000 } = setting
  const { clockToleranceMs = DEFAULT_TOLERANCE_MS, algorithms } = jwt
  if (!(clockToleranceMs >= 0 && clockToleranceMs <= 600_000)) {
    throw new KeyError('Expected `clockToleranceMs` to be a number from 0 to 600000')
  }
  if (algorithms && !(algorithms.length > 0 && algorithms.every((one) => ALGORITHMS.includes(one)))) {
    throw new KeyError(`Expected \`algorithms\` to be a list of ${ALGORITHMS.join(', ')}`)
  }
  if (jwt.cookie && !isCookieName(jwt.cookie)) {
    throw new KeyError(`Expected \`cookie\` to be the name of a cookie such as ${DEFAULT_COOKIE}, or false`)
  }
  const issuers = listOf(jwt.issuer, 'issuer')
  const audiences = listOf(jwt.audience, 'audience')
  if (jwt.jwksUrl !== undefined && issuers.length + audiences.length === 0) {
    throw new KeyError(
      '`jwksUrl` needs `audience` or `issuer`: whoever has its keys signs tokens for others too',
    )
  }
  // A wall clock that is set back must not keep keys from being looked at.
  const clock = setting.now ?? (() => performance.now())
  const sources = await sourcesOf(jwt, clock, onWarning)
  if (sources.length === 0) throw new KeyError('Expected `secret`, `keys` or `jwksUrl`: a token needs a key')
  return new Verifier({
    sources,
    issuers,
    audiences,
    toleranceMs: clockToleranceMs,
    remembered,
    now,
    ...(algorithms && { algorithms }),
  })
}

async function sourcesOf(
  { secret, keys, jwksUrl }: JwtOptions,
  now: () => number,
  warn: (message: string) => void,
): Promise<readonly KeySource[]> {
  const sources: KeySource[] = []
  if (secret !== undefined) sources.push(constant([secretKey(secret, 'The secret')]))
  if (typeof keys === 'string') {
    const onError = ({ message }: Error): void => warn(`${message}. The keys of before go on`)
    sources.push(await keysFile(keys, { now, onError }))
  } else if (keys !== undefined) sources.push(constant(await Promise.all(jwksIn(keys).map(publicKey))))
  if (jwksUrl !== undefined) {
    // A query may be a key.
    const shown = jwksUrl.replace(/[?#].*$/s, '')
    const onOutage = (error: Error | undefined): void =>
      warn(
        error === undefined
          ? `The keys of ${shown} can be had again`
          : `The keys of ${shown} can't be had (${error.message}): those known go on for a day`,
      )
    sources.push(remoteKeys(jwksUrl, { now, onOutage }))
  }
  return sources
}

function constant(keys: readonly VerifyKey[]): KeySource {
  const symmetric = keys.every(({ algorithm }) => algorithm === 'HS256')
  return { symmetric, current: () => keys, renewed: () => Promise.resolve(keys) }
}

function listOf(value: string | readonly string[] | undefined, name: string): readonly string[] {
  const list = value === undefined ? [] : typeof value === 'string' ? [value] : value
  if (Array.isArray(list) && list.every((one) => typeof one === 'string' && one !== '')) return list
  throw new KeyError(`Expected \`${name}\` to be a string or a list of strings`)
}
