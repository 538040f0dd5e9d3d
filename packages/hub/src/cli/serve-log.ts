/** What `downlink serve` can be told of its log of what it does, and the configuration that this log shows. */
import { type Command, InvalidArgumentError, Option } from 'commander'
import type { RetentionRule } from '../log/retention.ts'
import type { Settings } from './config.ts'
import type { LimitSettings } from './serve-limits.ts'
import type { JwtSettings } from './serve-auth.ts'

/** Each has what stands before it. */
export const LOG_LEVELS = ['silent', 'error', 'warn', 'info', 'debug'] as const
export type LogLevel = (typeof LOG_LEVELS)[number]

export const DEFAULT_LOG_LEVEL: LogLevel = 'info'

/** What the flags and the configuration file can both say. */
export interface LogSettings {
  readonly logLevel?: LogLevel
}

export function addLogFlags(command: Command): Command {
  return command.addOption(
    new Option(
      '--log-level <level>',
      'what to tell on stderr, as JSON: errors; warn: what the hub could not do; info: also who was refused, start and ' +
        'stop; debug: every request (default: info)',
    ).choices(LOG_LEVELS),
  )
}

/** @throws {InvalidArgumentError} */
export function logLevelValue(text: string): LogLevel {
  const level = LOG_LEVELS.find((one) => one === text)
  if (level !== undefined) return level
  throw new InvalidArgumentError(`Expected ${LOG_LEVELS.join(', ')}`)
}

/** What is in force, for the log. What is not named here is not shown, whatever it is: some settings are secret. */
export function shownConfig(settings: Settings): Readonly<Record<string, unknown>> {
  const { log, retention, durability, forget, port, host, origins, compress } = settings
  const { logLevel, trustProxy, forwardedHeader, rules, jwt, open, tls, h2c, limits, lab } = settings
  return {
    log: log?.engine === 'sqlite' ? `sqlite:${log.path}` : log?.engine,
    durability,
    retention: retention?.map(finite),
    forget,
    port,
    host,
    origins,
    compress,
    logLevel,
    trustProxy,
    forwardedHeader,
    rules,
    jwt: jwt && shownJwt(jwt),
    open,
    // The paths of files.
    tls,
    h2c,
    lab,
    limits: limits && finite(limits),
  }
}

/** A query of the URL may be a key. */
function shownJwt({
  secretEnv,
  keys,
  jwksUrl,
  issuer,
  audience,
  algorithms,
  cookie,
  tokenInUrl,
}: JwtSettings): object {
  const url = jwksUrl === undefined ? undefined : jwksUrl.replace(/[?#].*$/s, '')
  return { secretEnv, keys, jwksUrl: url, issuer, audience, algorithms, cookie, tokenInUrl }
}

/** JSON has no Infinity. */
function finite(amounts: RetentionRule | LimitSettings): object {
  return Object.fromEntries(
    Object.entries(amounts).map(([name, value]) => [name, value === Infinity ? 'none' : value]),
  )
}
