/** `downlink token explain`: what a token says, in words, and whether a hub would take it. */
import type { Readable } from 'node:stream'
import type { Claims } from '../auth/claims.ts'
import { TOKEN_LIMIT } from '../auth/credentials.ts'
import { KeyError } from '../auth/key-settings.ts'
import { Refusal } from '../auth/refusal.ts'
import { CHANNEL_ACTIONS, type Rights, rightsOf } from '../auth/rules.ts'
import { readConfig } from './config.ts'
import { Failure, oneLine } from './failure.ts'
import { type AuthSettings, authSettings, jwtOptions, SECRET_ENV } from './serve-auth.ts'
import type { ExplainOptions, TokenIo } from './token.ts'

/** How far the clocks of a hub and an issuer may be apart. */
const TOLERANCE_MS = 5_000

/** @throws {Failure} when it is no token, or what was said of the keys can't be meant */
export async function explainToken(
  given: string | undefined,
  { config, ...flags }: ExplainOptions,
  { stdin, print, env }: TokenIo,
): Promise<number> {
  const settings = authSettings(flags, config === undefined ? {} : readConfig(config))
  const token = bare(given === undefined || given === '-' ? await textOf(stdin) : given)
  const { decodeJwt, decodeProtectedHeader } = await import('jose')
  let header: Readonly<Record<string, unknown>>
  let payload: Readonly<Record<string, unknown>>
  try {
    header = { ...decodeProtectedHeader(token) }
    payload = decodeJwt(token)
  } catch (error) {
    throw new Failure('This is no JWT: expected three parts in base64url, with dots between', {
      cause: error,
    })
  }
  const { claimsOf } = await import('../auth/claims.ts')
  const claims = attempt(() => claimsOf(payload, TOLERANCE_MS))
  const verdict = await verdictOf(token, settings, env, claims instanceof Refusal ? claims : undefined)
  const rights = claims instanceof Refusal ? claims : rightsOf(settings.rules ?? [], claims)
  print(explained(header, payload, rights, verdict, Date.now()))
  return verdict.refused === undefined ? 0 : 1
}

export interface Verdict {
  /** Undefined: it was not looked at, or not as far as that. */
  readonly holds?: boolean
  /** Why a hub would not take it. */
  readonly refused?: string
  /** There are keys to tell by. */
  readonly checked: boolean
}

async function verdictOf(
  token: string,
  settings: AuthSettings,
  env: TokenIo['env'],
  wrongClaims: Refusal | undefined,
): Promise<Verdict> {
  // Without keys an issuer or an audience alone tells nothing.
  const { jwt } = settings
  const keyless = jwt?.keys === undefined && jwt?.jwksUrl === undefined && jwt?.secretEnv === undefined
  if (keyless && env[SECRET_ENV] === undefined) return { checked: false }
  const options = jwtOptions(jwt, env)
  if (options === undefined) return { checked: false }
  const { createVerifier } = await import('../auth/authorizer.ts')
  try {
    const verifier = await createVerifier(options)
    await verifier.verify(token)
    return { checked: true, holds: true }
  } catch (error) {
    if (error instanceof KeyError) throw new Failure(error.message, { cause: error })
    if (!(error instanceof Refusal)) throw error
    const { message, cause } = error
    if (error.code === 'keys-unavailable') throw new Failure(`The keys of ${jwt?.jwksUrl ?? ''} can't be had`)
    const holds = cause !== undefined || message === wrongClaims?.message
    const looked = holds || message.includes('signature')
    return { checked: true, refused: message, ...(looked && { holds }) }
  }
}

/** Pure. */
export function explained(
  header: Readonly<Record<string, unknown>>,
  payload: Readonly<Record<string, unknown>>,
  rights: Rights | Refusal,
  verdict: Verdict,
  now: number,
): string {
  const lines = ['Header']
  for (const [name, value] of Object.entries(header)) lines.push(row(name, shown(value)))
  lines.push('', 'Claims')
  for (const [name, value] of Object.entries(payload)) {
    const time = ['exp', 'nbf', 'iat'].includes(name) && typeof value === 'number'
    lines.push(row(name, time ? timeShown(value, now) : shown(value)))
  }
  lines.push('', 'May, once a hub takes it')
  if (rights instanceof Refusal) lines.push(`  nothing: ${oneLine(rights.message)}`)
  else {
    for (const action of CHANNEL_ACTIONS) lines.push(row(action, rights[action].join(', ') || 'nothing'))
    lines.push(row('inspect', rights.inspect ? 'yes' : 'no'))
  }
  lines.push('', ...verdictLines(verdict))
  return `${lines.join('\n')}\n`
}

function verdictLines({ checked, holds, refused }: Verdict): readonly string[] {
  if (!checked) {
    return [
      `The signature was not looked at: there are no keys. Set ${SECRET_ENV}, or give --jwt-keys, --jwks-url or --config`,
    ]
  }
  const signature =
    holds === undefined ? [] : [holds ? 'The signature holds.' : 'The signature does not hold.']
  return [
    ...signature,
    refused === undefined
      ? 'A hub with these keys takes it.'
      : `A hub with these keys refuses it: ${oneLine(refused)}`,
  ]
}

function row(name: string, text: string): string {
  return `  ${oneLine(name).slice(0, 40).padEnd(9)} ${text}`
}

function shown(value: unknown): string {
  return oneLine(typeof value === 'string' ? value : JSON.stringify(value))
}

function timeShown(seconds: number, now: number): string {
  const ms = seconds * 1000
  if (!(Math.abs(ms) < 8_640_000_000_000_000)) return String(seconds)
  const date = new Date(ms)
    .toISOString()
    .replace('T', ' ')
    .replace(/\.\d+Z$/, ' UTC')
  return `${date}, ${inWords(ms - now)}`
}

const UNITS = [
  ['year', 365 * 86_400_000],
  ['day', 86_400_000],
  ['hour', 3_600_000],
  ['minute', 60_000],
  ['second', 1_000],
] as const

/** `in 2 hours`, `5 minutes and 3 seconds ago`, `now`: the two largest units. Pure. */
export function inWords(ms: number): string {
  let rest = Math.abs(ms)
  const words: string[] = []
  for (const [unit, length] of UNITS) {
    const count = Math.floor(rest / length)
    rest -= count * length
    if (count > 0) words.push(`${count} ${unit}${count === 1 ? '' : 's'}`)
    else if (words.length > 0) break
    if (words.length === 2) break
  }
  if (words.length === 0) return 'now'
  return ms > 0 ? `in ${words.join(' and ')}` : `${words.join(' and ')} ago`
}

function attempt(read: () => Claims): Claims | Refusal {
  try {
    return read()
  } catch (error) {
    if (error instanceof Refusal) return error
    throw error
  }
}

/** As people paste it: with its scheme, in quotes, with line ends. */
function bare(text: string): string {
  return text
    .trim()
    .replace(/^authorization: */i, '')
    .replace(/^bearer +/i, '')
}

async function textOf(stdin: Readable): Promise<string> {
  let text = ''
  for await (const chunk of stdin) {
    text += String(chunk)
    if (text.length > 2 * TOKEN_LIMIT) break
  }
  return text
}
