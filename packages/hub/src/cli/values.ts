/** The values that options take: from text to what is meant, or a line that says what was expected. Pure. */
import { checkChannel, checkPattern, parseCursor, WireError } from '@downlink/wire'
import { InvalidArgumentError } from 'commander'
import { isLoopbackHost } from '../auth/guard.ts'
import type { RetentionRule } from '../log/retention.ts'
import { AmountError, checkChannels, forgetOf, ruleOf } from './amounts.ts'
import { EXPECTED_PLACE, type LogPlace, placeOf } from './log-place.ts'

export const DEFAULT_HUB = 'http://localhost:4080'

function wholeNumber(least: number, most: number): (text: string) => number {
  return (text) => {
    const value = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN
    if (value >= least && value <= most) return value
    throw new InvalidArgumentError(`Expected a whole number from ${least} to ${most}`)
  }
}

export const portValue: (text: string) => number = wholeNumber(0, 65_535)
export const lastValue: (text: string) => number = wholeNumber(0, 1_000)

const HOST = /^(?:[A-Za-z0-9]([A-Za-z0-9.-]{0,252}[A-Za-z0-9])?|[0-9A-Fa-f.]*:[0-9A-Fa-f.]*:[0-9A-Fa-f:.]*)$/

/** A name or an address, IPv6 with or without brackets. Whether the hub may listen there depends on the rules. */
export function hostValue(text: string): string {
  const name = text.replace(/^\[(.*:.*)\]$/, '$1')
  if (HOST.test(name)) return name
  throw new InvalidArgumentError('Expected a name or an address such as localhost, 0.0.0.0 or ::')
}

export function isLoopback(host: string): boolean {
  return isLoopbackHost(host.includes(':') ? `[${host}]` : host)
}

/** The name of a variable of the environment: what it holds is not said on a command line, which other users see. */
export function envNameValue(text: string): string {
  if (/^[A-Za-z_][A-Za-z0-9_]{0,99}$/.test(text)) return text
  throw new InvalidArgumentError('Expected the name of a variable of the environment, not what it holds')
}

export function logValue(text: string): LogPlace {
  const place = placeOf(text)
  if (place !== undefined) return place
  throw new InvalidArgumentError(EXPECTED_PLACE)
}

/** The path of a log on disk. */
export function sqliteValue(text: string): string {
  const place = placeOf(text)
  if (place?.engine === 'sqlite') return place.path
  throw new InvalidArgumentError(
    'Expected sqlite: and the path of a file, such as sqlite:./data/log.db: only a log on disk can be looked into',
  )
}

export function retentionValue(
  text: string,
  before: readonly RetentionRule[] = [],
): readonly RetentionRule[] {
  return [...before, amountFrom(text, ruleOf)]
}

export function forgetValue(text: string): number {
  return amountFrom(text, forgetOf)
}

export function partsValue(text: string, before: readonly string[] = []): readonly string[] {
  return [...before, amountFrom(text, checkChannels)]
}

export function originsValue(text: string, before: readonly string[] = []): readonly string[] {
  const url = URL.parse(text)
  if (url !== null && url.origin === text && /^https?:$/.test(url.protocol)) return [...before, text]
  throw new InvalidArgumentError(
    'Expected an origin, such as https://app.example: no path, no slash at the end',
  )
}

/** Where the hub is, without a slash at the end; it may be mounted below a path. */
export function hubValue(text: string): string {
  const url = URL.parse(text)
  if (url === null || !/^https?:$/.test(url.protocol)) {
    throw new InvalidArgumentError(`Expected a URL such as ${DEFAULT_HUB}`)
  }
  if (url.search !== '' || url.hash !== '') {
    throw new InvalidArgumentError('Expected a URL without ? and #')
  }
  if (url.username !== '' || url.password !== '') {
    throw new InvalidArgumentError(
      "Expected a URL without a password: set DOWNLINK_TOKEN, or use --header 'Authorization: …'",
    )
  }
  return `${url.origin}${url.pathname.replace(/\/+$/, '')}`
}

/** `fetch` refuses some of these on each request, which would look like a hub that is away. */
const CONNECTION = new Set([
  'connection',
  'content-length',
  'expect',
  'keep-alive',
  'transfer-encoding',
  'upgrade',
])

export type HeaderList = readonly (readonly [name: string, value: string])[]

export function headersValue(text: string, before: HeaderList = []): HeaderList {
  const match = /^([^:]*):\s*(.*)$/.exec(text)
  const [, name = '', value = ''] = match ?? []
  if (CONNECTION.has(name.toLowerCase())) {
    throw new InvalidArgumentError('This header is for the connection to say, not for you')
  }
  try {
    // The runtime knows what a header may be; an empty name is none.
    void new Headers([[name, value]])
  } catch {
    throw new InvalidArgumentError("Expected 'Name: value'")
  }
  return [...before, [name, value]]
}

/** `CURSOR`, `start` or `now`. */
export function afterValue(text: string): string {
  if (text !== 'start' && text !== 'now') {
    checked(() => parseCursor(text), 'Expected a cursor (the id of an event), start or now')
  }
  return text
}

/** A cursor and nothing else. */
export function afterCursorValue(text: string): string {
  checked(() => parseCursor(text), 'Expected a cursor: the id of an event')
  return text
}

/** One name, or several with commas. */
export function channelValue(text: string): string {
  for (const name of text.split(',')) checked(() => checkChannel(name))
  return text
}

/** Names and patterns, as arguments of their own or with commas. */
export function channelsValue(text: string, before: readonly string[] = []): readonly string[] {
  const parts = text.split(',')
  for (const part of parts) checked(() => checkPattern(part))
  return [...before, ...parts.filter((part) => !before.includes(part))]
}

export function typeValue(text: string): string {
  if (text.startsWith('downlink:')) {
    throw new InvalidArgumentError('Types that begin with "downlink:" are the hub\'s own')
  }
  // oxlint-disable-next-line no-control-regex -- NUL is one of the three
  if (text !== '' && Buffer.byteLength(text) <= 255 && !/[\r\n\u0000]/.test(text)) return text
  throw new InvalidArgumentError('Expected 1 to 255 bytes on one line')
}

function checked(check: () => unknown, message?: string): void {
  try {
    check()
  } catch (error) {
    if (!(error instanceof WireError)) throw error
    throw new InvalidArgumentError(message ?? error.message)
  }
}

function amountFrom<T>(text: string, read: (text: string) => T): T {
  try {
    return read(text)
  } catch (error) {
    if (!(error instanceof AmountError)) throw error
    throw new InvalidArgumentError(error.message)
  }
}
