/** Internet addresses and networks, as text says them. Pure, and the same in every runtime. */

/** Eight groups of 16 bits. IPv4 is `::ffff:a.b.c.d`, so that a client has one address whichever way the runtime writes it. */
export type Address = readonly number[]

export interface Network {
  readonly address: Address
  /** How many bits count, of 128. */
  readonly bits: number
}

const MAPPED: Address = [0, 0, 0, 0, 0, 0xffff]

/** Without a zone (`%eth0`), a port or brackets. */
export function parseAddress(text: string): Address | undefined {
  // The longest form is `0000:0000:0000:0000:0000:ffff:255.255.255.255`.
  if (text.length > 45) return undefined
  if (!text.includes(':')) {
    const low = parseIPv4(text)
    return low && [...MAPPED, ...low]
  }
  const [left = '', right, ...more] = text.split('::')
  if (more.length > 0) return undefined
  if (right === undefined) return groupsOf(left, 8)
  const before = left === '' ? [] : groupsOf(left)
  const after = right === '' ? [] : groupsOf(right)
  if (before === undefined || after === undefined) return undefined
  // The dotted part may only be last, and `::` stands for one group at least.
  if (left.includes('.') || before.length + after.length > 7) return undefined
  return [...before, ...Array<number>(8 - before.length - after.length).fill(0), ...after]
}

function groupsOf(text: string, count?: number): Address | undefined {
  const groups: number[] = []
  const parts = text.split(':')
  for (const [index, part] of parts.entries()) {
    if (part.includes('.')) {
      const low = index === parts.length - 1 ? parseIPv4(part) : undefined
      if (low === undefined) return undefined
      groups.push(...low)
    } else if (/^[\da-f]{1,4}$/i.test(part)) groups.push(Number.parseInt(part, 16))
    else return undefined
  }
  return count === undefined || groups.length === count ? groups : undefined
}

/** Decimal only: what `010` means depends on whom one asks. */
function parseIPv4(text: string): Address | undefined {
  const match = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(text)
  if (match === null) return undefined
  const [a, b, c, d] = match.slice(1).map((part) => (/^0\d/.test(part) ? 256 : Number(part))) as [
    number,
    number,
    number,
    number,
  ]
  return Math.max(a, b, c, d) < 256 ? [a * 256 + b, c * 256 + d] : undefined
}

/** Dotted for IPv4, RFC 5952 for IPv6. */
export function formatAddress(address: Address): string {
  if (isIPv4(address)) {
    return address
      .slice(6)
      .flatMap((group) => [group >> 8, group & 255])
      .join('.')
  }
  const groups = address.map((group) => group.toString(16))
  const { at, length } = longestZeros(address)
  if (length < 2) return groups.join(':')
  return `${groups.slice(0, at).join(':')}::${groups.slice(at + length).join(':')}`
}

function longestZeros(address: Address): { readonly at: number; readonly length: number } {
  let longest = { at: 0, length: 0 }
  let at = 0
  for (const [index, group] of address.entries()) {
    if (group !== 0) at = index + 1
    else if (index + 1 - at > longest.length) longest = { at, length: index + 1 - at }
  }
  return longest
}

export function isIPv4(address: Address): boolean {
  return MAPPED.every((group, index) => address[index] === group)
}

/** `10.0.0.0/8`, `2001:db8::/32`, or an address alone. Bits behind the prefix don't count. */
export function parseNetwork(text: string): Network | undefined {
  const [host = '', prefix, ...more] = text.split('/')
  const address = parseAddress(host)
  if (address === undefined || more.length > 0) return undefined
  const dotted = !host.includes(':')
  const widest = dotted ? 32 : 128
  if (prefix === undefined) return { address, bits: 128 }
  const bits = /^\d{1,3}$/.test(prefix) ? Number(prefix) : Infinity
  return bits <= widest ? { address, bits: dotted ? 96 + bits : bits } : undefined
}

/** No network of IPv6 addresses holds an IPv4 address, unless it is one of `::ffff:0:0/96`. */
export function contains({ address, bits }: Network, candidate: Address): boolean {
  if (bits < 96 && isIPv4(candidate)) return false
  for (let index = 0, left = bits; left > 0; index++, left -= 16) {
    const ignored = Math.max(0, 16 - left)
    if ((address[index] as number) >> ignored !== (candidate[index] as number) >> ignored) return false
  }
  return true
}
