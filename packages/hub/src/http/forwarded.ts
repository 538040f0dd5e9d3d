/**
 * Which address is the client's, behind proxies: what each trusted proxy says of whom it was asked by is believed, from the hub
 * outwards, and nothing else. Pure.
 *
 * The header is taken apart from its end, and only so far as trusted proxies have written it: what stands before is the client's
 * own, and must not even be able to make a mess of the rest.
 */
import { HubError } from '../errors.ts'
import {
  type Address,
  contains,
  formatAddress,
  isIPv4,
  type Network,
  parseAddress,
  parseNetwork,
} from './ip.ts'

export type ForwardedHeader = 'x-forwarded-for' | 'forwarded'

export interface ProxySettings {
  /**
   * Addresses and networks of proxies: `10.0.0.7`, `10.0.0.0/8`, `2001:db8::/32`; `loopback`; `private` (10/8, 172.16/12, 192.168/16,
   * fc00::/7). Each must append to the header, or set it anew.
   */
  readonly trusted: readonly string[]
  /**
   * Where they say whom they were asked by. The other header is ignored, as a proxy that writes one passes the client's other on.
   * Default `x-forwarded-for`.
   */
  readonly header?: ForwardedHeader
}

/** Trusted proxies that one request may have passed. */
const HOPS = 32
/** UTF-16 units of what one proxy may say. */
const ELEMENT_LENGTH = 1024
/** Addresses whose trust is remembered: those of proxies come again and again. */
const REMEMBERED = 256

const WORDS: Readonly<Record<string, readonly string[]>> = {
  loopback: ['127.0.0.0/8', '::1'],
  private: ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', 'fc00::/7'],
}

export const EXPECTED_PROXY = 'Expected an address, a network such as 10.0.0.0/8, loopback or private'

/** @throws {HubError} `invalid-option` */
export function networksOf(text: string): readonly Network[] {
  if (Object.hasOwn(WORDS, text)) return (WORDS[text] as readonly string[]).flatMap(networksOf)
  const network = parseNetwork(text)
  // Who trusts everybody lets every client choose its address.
  if (network !== undefined && network.bits > (isIPv4(network.address) ? 96 : 0)) return [network]
  throw new HubError(
    'invalid-option',
    `${EXPECTED_PROXY}, got ${JSON.stringify(text.length > 60 ? `${text.slice(0, 60)}…` : text)}`,
  )
}

export class Proxies {
  readonly header: ForwardedHeader
  readonly #networks: readonly Network[]
  readonly #known = new Map<string, boolean>()

  /** @throws {HubError} `invalid-option` */
  constructor({ trusted, header = 'x-forwarded-for' }: ProxySettings) {
    this.header = header
    this.#networks = trusted.flatMap(networksOf)
  }

  /** @param peer As the runtime says it. */
  trusts(peer: string | undefined): boolean {
    if (peer === undefined) return false
    const known = this.#known.get(peer)
    if (known !== undefined) return known
    const address = parseAddress(withoutZone(peer))
    const trusted = address !== undefined && this.#trusts(address)
    if (this.#known.size >= REMEMBERED) this.#known.clear()
    this.#known.set(peer, trusted)
    return trusted
  }

  /**
   * The right-most address that is no trusted proxy's; the left-most one when all are. The peer's own, when a trusted proxy does
   * not say, or nothing that can be read (`unknown`, a name of its own).
   *
   * @param peer As the runtime says it.
   * @param header The value of `this.header`; several joined by commas.
   */
  clientOf(peer: string | undefined, header: string | undefined): string | undefined {
    if (header === undefined || !this.trusts(peer)) return peer
    const elementOf = this.header === 'forwarded' ? lastForwarded : lastXForwardedFor
    let client = peer
    let end = header.length
    for (let hop = 0; hop < HOPS && end >= 0; hop++) {
      const element = elementOf(header, end)
      const address = element && nodeAddress(element.node)
      if (element === undefined || address === undefined) return peer
      client = formatAddress(address)
      if (!this.#trusts(address)) return client
      end = element.start - 1
    }
    return end < 0 ? client : peer
  }

  #trusts(address: Address): boolean {
    return this.#networks.some((network) => contains(network, address))
  }
}

/** The runtime adds to a link-local address by which interface it came. */
function withoutZone(peer: string): string {
  const mark = peer.indexOf('%')
  return mark < 0 ? peer : peer.slice(0, mark)
}

interface Element {
  readonly node: string
  /** Where it begins in the header, behind its comma. */
  readonly start: number
}

function lastXForwardedFor(header: string, end: number): Element | undefined {
  const start = end === 0 ? 0 : header.lastIndexOf(',', end - 1) + 1
  return end - start > ELEMENT_LENGTH ? undefined : { node: header.slice(start, end).trim(), start }
}

/**
 * RFC 7239 section 4. The shortest end that is an element: where a comma lies in a quoted string, what follows it has an odd number
 * of quotes and is none.
 */
function lastForwarded(header: string, end: number): Element | undefined {
  const least = Math.max(0, end - ELEMENT_LENGTH)
  for (let comma = end; comma >= least;) {
    comma = comma === 0 ? -1 : header.lastIndexOf(',', comma - 1)
    const start = comma + 1
    const node = start < least ? undefined : forOf(header.slice(start, end))
    if (node !== undefined) return { node, start }
  }
  return undefined
}

/** `name=value`, the value a token or quoted. Colons and brackets without quotes are not by the book, but common. */
const PAIR = /[ \t]*([!#$%&'*+.^_`|~\w-]+)=(?:([!#$%&'*+.^_`|~\w:[\]-]+)|"((?:[^"\\]|\\[^])*)")[ \t]*(;|$)/y

/** The value of `for`. Undefined: this is no element, or it does not say `for` once. */
function forOf(element: string): string | undefined {
  let node: string | undefined
  PAIR.lastIndex = 0
  for (;;) {
    const match = PAIR.exec(element)
    if (match === null) return undefined
    const [, name = '', token, quoted, separator] = match
    if (name.toLowerCase() === 'for') {
      if (node !== undefined) return undefined
      node = token ?? (quoted as string).replace(/\\([^])/g, '$1')
    }
    if (separator === '') return node
  }
}

/** `192.0.2.1`, `192.0.2.1:80`, `2001:db8::1`, `[2001:db8::1]`, `[2001:db8::1]:80`; the port may be made up (`_x`). */
function nodeAddress(node: string): Address | undefined {
  const [, bracketed, dotted] = /^(?:\[([\da-f:.]+)\]|([\d.]+))(?::(?:\d{1,5}|_[\w.-]+))?$/i.exec(node) ?? []
  if (bracketed !== undefined) return bracketed.includes(':') ? parseAddress(bracketed) : undefined
  return parseAddress(dotted ?? node)
}
