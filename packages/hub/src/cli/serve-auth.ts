/** What `downlink serve` can be told of who may do what: by flags, by the file, and by the environment. */
import { resolve } from 'node:path'
import { type Command, InvalidArgumentError } from 'commander'
import { checkRules } from '../auth/check-rules.ts'
import type { Authorize } from '../auth/authorize.ts'
import type { AuthorizerOptions, JwtOptions } from '../auth/authorizer.ts'
import { isCookieName } from '../auth/credentials.ts'
import { type Algorithm, ALGORITHMS, checkJwksUrl, checkSecret, KeyError } from '../auth/key-settings.ts'
import type { Rule } from '../auth/rules.ts'
import { HubError } from '../errors.ts'
import {
  booleanOf,
  ConfigError,
  listOf,
  nonEmpty,
  objectOf,
  type Read,
  said,
  stringOf,
} from './config-values.ts'
import { Failure } from './failure.ts'
import { envNameValue, isLoopback } from './values.ts'

/** Where the secret is, when nobody says where. */
export const SECRET_ENV = 'DOWNLINK_SECRET'
/** Where the secret for tickets is, which all nodes of a hub must share. */
export const TICKET_SECRET_ENV = 'DOWNLINK_TICKET_SECRET'

/** As in `JwtOptions`; the secret itself stands in neither flags nor files. */
export interface JwtSettings extends Omit<JwtOptions, 'secret' | 'keys' | 'issuer' | 'audience'> {
  /** The variable of the environment that holds the secret. */
  readonly secretEnv?: string
  /** The path of a file. */
  readonly keys?: string
  readonly issuer?: readonly string[]
  readonly audience?: readonly string[]
}

/** What the flags and the configuration file can both say; rules only the file. */
export interface AuthSettings {
  readonly rules?: readonly Rule[]
  readonly jwt?: JwtSettings
  /** Everyone may do everything. */
  readonly open?: boolean
}

export interface AuthFlags {
  readonly secretEnv?: string | undefined
  readonly jwtKeys?: string | undefined
  readonly jwksUrl?: string | undefined
  readonly issuer?: readonly string[] | undefined
  readonly audience?: readonly string[] | undefined
  readonly tokenInUrl?: true | undefined
  readonly open?: true | undefined
}

export function addAuthFlags(command: Command): Command {
  return addKeyFlags(command)
    .option(
      '--token-in-url',
      'take tokens as ?access_token= too, though logs and histories keep URLs (default: no)',
    )
    .option(
      '--open',
      'let everyone who reaches the hub do everything: for tests, and behind a server that decides',
    )
}

/** What a token is verified with: for `serve` and for `token explain`. */
export function addKeyFlags(command: Command): Command {
  return command
    .option(
      '--secret-env <name>',
      `the variable of the environment with the secret of HS256 tokens (default: ${SECRET_ENV})`,
      envNameValue,
    )
    .option(
      '--jwt-keys <file>',
      'the public keys of RS256, ES256 and EdDSA tokens: PEM, JWK or JWK set; read again when it changes',
    )
    .option(
      '--jwks-url <url>',
      'where they can be fetched: an https URL of a JWK set; needs --audience or --issuer',
    )
    .option('--issuer <text>', 'what must be the `iss` of a token (repeatable: one of them)', textsValue)
    .option(
      '--audience <text>',
      'what must be among the `aud` of a token (repeatable: one of them)',
      textsValue,
    )
}

export function textsValue(text: string, before: readonly string[] = []): readonly string[] {
  if (text !== '') return [...before, text]
  throw new InvalidArgumentError('Expected a text that is not empty')
}

/** Flags win over the file, each as a whole. */
export function authSettings(flags: AuthFlags, file: AuthSettings): AuthSettings {
  const { secretEnv, jwtKeys: keys, jwksUrl, issuer, audience, tokenInUrl } = flags
  const said = Object.entries({ secretEnv, keys, jwksUrl, issuer, audience, tokenInUrl })
  const jwt = { ...file.jwt, ...Object.fromEntries(said.filter(([, value]) => value !== undefined)) }
  const open = flags.open ?? file.open
  return {
    ...(file.rules && { rules: file.rules }),
    ...(Object.keys(jwt).length > 0 && { jwt }),
    ...(open !== undefined && { open }),
  }
}

/** The members of the file. @param folder What relative paths start from */
export function authMembers(folder: string): Readonly<Record<string, Read>> {
  return {
    rules: (rules, place) => said(place, () => checkRules(rules)),
    jwt: (jwt, place) => objectOf(jwt, place, jwtMembers(folder)),
    open: booleanOf,
  }
}

function jwtMembers(folder: string): Readonly<Record<string, Read>> {
  const texts: Read = (value, place) =>
    typeof value === 'string' ? [textOf(value, place)] : listOf(value, place, textOf)
  return {
    secretEnv: (name, place) => said(place, () => envNameValue(stringOf(name, place))),
    keys: (path, place) => resolve(folder, nonEmpty(path, place)),
    jwksUrl: (url, place) => said(place, () => checkJwksUrl(stringOf(url, place))),
    issuer: texts,
    audience: texts,
    algorithms: algorithmsOf,
    cookie: cookieOf,
    tokenInUrl: booleanOf,
  }
}

function textOf(value: unknown, place: string): string {
  const text = stringOf(value, place)
  if (text !== '') return text
  throw new ConfigError(`${place}: Expected a text that is not empty`)
}

function algorithmsOf(value: unknown, place: string): readonly Algorithm[] {
  const known: readonly unknown[] = ALGORITHMS
  if (Array.isArray(value) && value.length > 0 && value.every((name) => known.includes(name))) {
    return value as readonly Algorithm[]
  }
  throw new ConfigError(`${place}: Expected a list of ${ALGORITHMS.join(', ')}`)
}

function cookieOf(value: unknown, place: string): string | false {
  if (value === false || (typeof value === 'string' && isCookieName(value))) return value
  throw new ConfigError(`${place}: Expected the name of a cookie, or false`)
}

export interface Access {
  /** Absent: the hub is for its own machine only. */
  readonly authorize?: Authorize
  /** Whether it asks who somebody is. */
  readonly rules: boolean
  /** The variable with the secret that tokens are made with. */
  readonly secretEnv?: string
  readonly ticketSecret?: string
}

type Env = Readonly<Record<string, string | undefined>>

/**
 * What decides in a hub that listens there.
 *
 * @param warn Told what people should know while it goes on
 * @throws {Failure} when it may not listen there, or what was said can't be meant
 */
export async function accessOf(
  settings: AuthSettings,
  host: string,
  env: Env,
  warn: (line: string) => void,
): Promise<Access> {
  const { rules, jwt, open = false } = settings
  const verified = jwtOptions(jwt, env)
  if (open) {
    if (!rules && !verified) return { authorize: () => true, rules: false, ...ticketSecretOf(undefined, env) }
    throw new Failure(
      `--open lets everyone do everything, and there are ${rules ? 'rules' : 'keys for tokens'} too: leave out one or the other`,
    )
  }
  if (!rules && !verified) {
    if (isLoopback(host)) return { rules: false }
    throw new Failure(
      `To listen on ${host}, say who may do what: with \`rules\` in the file of --config, with keys for tokens ` +
        `(${SECRET_ENV} in the environment, --jwt-keys or --jwks-url), or with --open, which lets everyone do everything`,
    )
  }
  if (!verified) refuseUnknowable(rules ?? [])
  const { cookie } = jwt ?? {}
  if (cookie && !cookie.startsWith('__Host-') && !isLoopback(host)) {
    throw new Failure(
      `jwt.cookie: Expected a name that begins with __Host-: only on loopback may it be ${cookie}`,
    )
  }
  const authorize = await authorizer({
    ...(rules && { rules }),
    ...(verified && { jwt: verified }),
    onWarning: warn,
  })
  const secret = verified?.secret
  return {
    authorize,
    rules: true,
    ...ticketSecretOf(secret, env),
    ...(secret !== undefined && { secretEnv: jwt?.secretEnv ?? SECRET_ENV }),
  }
}

async function authorizer(options: AuthorizerOptions): Promise<Authorize> {
  // It brings `jose`, which the other commands do without.
  const { createAuthorizer } = await import('../auth/authorizer.ts')
  try {
    return await createAuthorizer(options)
  } catch (error) {
    if (!(error instanceof HubError)) throw error
    throw new Failure(error.message, { cause: error })
  }
}

/** What tickets are sealed with: a secret of their own, or a key that is derived from that of the tokens. @throws {Failure} */
function ticketSecretOf(secret: JwtOptions['secret'], env: Env): Pick<Access, 'ticketSecret'> {
  const own = env[TICKET_SECRET_ENV] === undefined ? undefined : secretOf(TICKET_SECRET_ENV, env)
  const ticketSecret = own ?? secret
  return typeof ticketSecret === 'string' ? { ticketSecret } : {}
}

/** With the secret from the environment; undefined when there is nothing to verify a token with. @throws {Failure} */
export function jwtOptions(jwt: JwtSettings | undefined, env: Env): JwtOptions | undefined {
  const { secretEnv, ...options } = jwt ?? {}
  const secret = secretOf(secretEnv, env)
  if (secret !== undefined || options.keys !== undefined || options.jwksUrl !== undefined) {
    return { ...options, ...(secret !== undefined && { secret }) }
  }
  if (jwt === undefined) return undefined
  throw new Failure(
    `There is nothing to verify tokens with: set ${SECRET_ENV} in the environment, or give --jwt-keys or --jwks-url`,
  )
}

/** @param name As it was said; the default variable may be missing. @throws {Failure} when there is none, or one that is too short */
export function secretOf(name: string | undefined, env: Env): string | undefined {
  const secret = env[name ?? SECRET_ENV]
  if (secret === undefined) {
    if (name === undefined) return undefined
    throw new Failure(`There is no ${name} in the environment: set it to a secret (openssl rand -base64 32)`)
  }
  try {
    checkSecret(secret, name ?? SECRET_ENV)
    return secret
  } catch (error) {
    if (!(error instanceof KeyError)) throw error
    throw new Failure(error.message, { cause: error })
  }
}

/** A rule for who is known is a mistake where nobody can be. */
function refuseUnknowable(rules: readonly Rule[]): void {
  const index = rules.findIndex(({ to }) => to !== 'anyone')
  if (index < 0) return
  throw new Failure(
    `rules[${index}] is for callers with a token, and there is nothing to verify one with: set ${SECRET_ENV} in the ` +
      'environment, or give --jwt-keys or --jwks-url',
  )
}
