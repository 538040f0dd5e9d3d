/** The configuration file of `downlink serve`. `config.schema.json` says the same to editors. */
import { readFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { LIMIT_NAMES } from '../limits/names.ts'
import type { RetentionRule } from '../log/retention.ts'
import { checkChannels, forgetOf, limitOf } from './amounts.ts'
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
import { Failure, reasonOf } from './failure.ts'
import { EXPECTED_PLACE, type LogPlace, placeOf } from './log-place.ts'
import { authMembers, type AuthSettings } from './serve-auth.ts'
import type { TlsSettings } from './serve-tls.ts'
import { limitOfJson, type LimitSettings } from './serve-limits.ts'
import { logLevelValue, type LogSettings } from './serve-log.ts'
import { forwardedHeaderValue, proxiesValue, type TrustSettings } from './serve-proxy.ts'
import { hostValue, originsValue, portValue } from './values.ts'

export { ConfigError } from './config-values.ts'

export type Durability = 'fsync' | 'os'

/** What the flags of `downlink serve` and the file can both say. */
export interface Settings extends AuthSettings, TlsSettings, LogSettings, TrustSettings {
  readonly log?: LogPlace
  readonly durability?: Durability
  readonly retention?: readonly RetentionRule[]
  /** Milliseconds. */
  readonly forget?: number
  readonly port?: number
  readonly host?: string
  readonly origins?: readonly string[]
  readonly compress?: readonly string[]
  readonly page?: string
  /** Whether the console has its Lab. */
  readonly lab?: boolean
  readonly limits?: LimitSettings
}

/** Paths in the file are meant from its own folder. @throws {Failure} that names the file and the place in it */
export function readConfig(path: string): Settings {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    throw new Failure(`The configuration ${path} can't be read: ${reasonOf(error)}`, { cause: error })
  }
  try {
    return parseConfig(text, dirname(path))
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    throw new Failure(`${path}: ${error.message}`, { cause: error })
  }
}

const LIMIT_MEMBERS: Readonly<Record<string, Read>> = Object.fromEntries(
  LIMIT_NAMES.map((name): [string, Read] => [
    name,
    (amount, at) => said(at, () => limitOfJson(name, amount)),
  ]),
)

/** @param folder What relative paths start from. @throws {ConfigError} */
export function parseConfig(text: string, folder: string): Settings {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    throw new ConfigError(`Expected JSON (${(error as Error).message})`)
  }
  const members: Readonly<Record<string, Read>> = {
    // For editors.
    $schema: stringOf,
    log: (log, place) => logOf(log, place, folder),
    durability: durabilityOf,
    retention: (rules, place) => listOf(rules, place, ruleOf),
    forget: (forget, place) => said(place, () => forgetOf(stringOf(forget, place))),
    port: (port, place) => said(place, () => portValue(typeof port === 'number' ? String(port) : '')),
    host: (host, place) => said(place, () => hostValue(stringOf(host, place))),
    origins: (origins, place) => listOf(origins, place, originOf),
    compress: (parts, place) =>
      listOf(parts, place, (part, at) => said(at, () => checkChannels(stringOf(part, at)))),
    logLevel: (level, place) => said(place, () => logLevelValue(stringOf(level, place))),
    trustProxy: (proxies, place) =>
      listOf(proxies, place, (proxy, at) => said(at, () => proxiesValue(stringOf(proxy, at))[0])),
    forwardedHeader: (header, place) => said(place, () => forwardedHeaderValue(stringOf(header, place))),
    page: (page, place) => resolve(folder, nonEmpty(page, place)),
    lab: booleanOf,
    ...authMembers(folder),
    tls: (tls, place) => tlsOf(tls, place, folder),
    h2c: booleanOf,
    limits: (limits, place) => objectOf(limits, place, LIMIT_MEMBERS),
  }
  const { $schema: _, ...settings } = objectOf(value, '', members)
  return settings
}

function logOf(value: unknown, place: string, folder: string): LogPlace {
  const log = placeOf(stringOf(value, place))
  if (log === undefined) throw new ConfigError(`${place}: ${EXPECTED_PLACE}`)
  return log.engine === 'sqlite' ? { ...log, path: resolve(folder, log.path) } : log
}

function durabilityOf(value: unknown, place: string): Durability {
  if (value === 'fsync' || value === 'os') return value
  throw new ConfigError(`${place}: Expected "fsync" or "os"`)
}

/** `{ "cert": "fullchain.pem", "key": "privkey.pem" }` */
function tlsOf(value: unknown, place: string, folder: string): TlsSettings['tls'] {
  const file: Read = (path, at) => resolve(folder, nonEmpty(path, at))
  const tls = objectOf(value, place, { cert: file, key: file })
  for (const name of ['cert', 'key'])
    if (tls[name] === undefined) throw new ConfigError(`${place}: Expected a member "${name}"`)
  return tls as unknown as TlsSettings['tls']
}

function originOf(value: unknown, place: string): string {
  return said(place, () => originsValue(stringOf(value, place))[0] as string)
}

/** `{ "channels": "orders.**", "count": 1000, "age": "7d", "bytes": "10MB" }` */
function ruleOf(value: unknown, place: string): RetentionRule {
  const members: Readonly<Record<string, Read>> = {
    channels: (channels, at) => said(at, () => checkChannels(stringOf(channels, at))),
    count: (count, at) =>
      said(at, () =>
        limitOf('count', count === 'none' ? count : typeof count === 'number' ? String(count) : ''),
      ),
    age: (age, at) => said(at, () => limitOf('age', stringOf(age, at))),
    bytes: (bytes, at) => said(at, () => limitOf('bytes', stringOf(bytes, at))),
  }
  const rule = objectOf(value, place, members)
  if (rule['channels'] === undefined) throw new ConfigError(`${place}: Expected a member "channels"`)
  return rule as unknown as RetentionRule
}
