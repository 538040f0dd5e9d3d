/** What `downlink serve` can be told of the proxies in front of it. */
import { type Command, InvalidArgumentError, Option } from 'commander'
import { HubError } from '../errors.ts'
import { type ForwardedHeader, networksOf, type ProxySettings } from '../http/forwarded.ts'
import { Failure } from './failure.ts'

export const FORWARDED_HEADERS = ['x-forwarded-for', 'forwarded'] as const

/** What the flags and the configuration file can both say. */
export interface TrustSettings {
  readonly trustProxy?: readonly string[]
  readonly forwardedHeader?: ForwardedHeader
}

export function addProxyFlags(command: Command): Command {
  return command
    .option(
      '--trust-proxy <network>',
      'a proxy in front of the hub, or a network of them, such as 10.0.0.7, 10.0.0.0/8, loopback or private: their word is ' +
        "taken for the client's address and for X-Request-Id (repeatable; default: none)",
      proxiesValue,
    )
    .addOption(
      new Option(
        '--forwarded-header <name>',
        "where they say the client's address; the other header is ignored (default: x-forwarded-for)",
      ).choices(FORWARDED_HEADERS),
    )
}

/** @throws {InvalidArgumentError} */
export function proxiesValue(text: string, before: readonly string[] = []): readonly string[] {
  try {
    networksOf(text)
  } catch (error) {
    if (!(error instanceof HubError)) throw error
    throw new InvalidArgumentError(error.message)
  }
  return [...before, text]
}

/** @throws {InvalidArgumentError} */
export function forwardedHeaderValue(text: string): ForwardedHeader {
  const header = FORWARDED_HEADERS.find((one) => one === text)
  if (header !== undefined) return header
  throw new InvalidArgumentError(`Expected ${FORWARDED_HEADERS.join(' or ')}`)
}

/** @throws {Failure} */
export function proxyOptions({ trustProxy: trusted, forwardedHeader: header }: TrustSettings): {
  readonly proxies?: ProxySettings
} {
  if (trusted !== undefined) return { proxies: { trusted, ...(header && { header }) } }
  if (header === undefined) return {}
  throw new Failure('--forwarded-header is for proxies that are trusted: say which with --trust-proxy')
}
