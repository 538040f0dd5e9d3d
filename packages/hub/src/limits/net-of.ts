/** Whom an address stands for. Pure. */

/**
 * What is counted as one address: an IPv4 address, also when it came as IPv6 (`::ffff:192.0.2.1`); of IPv6 the first 64 bits,
 * since one customer commonly has all of the rest (RFC 6177). What is no address stands for itself.
 */
export function netOf(address: string): string {
  if (!address.includes(':')) return address
  const plain = address.split('%', 1)[0] as string
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(plain)
  if (mapped) return mapped[1] as string
  const [before = '', after] = plain.toLowerCase().split('::', 2)
  const head = before === '' ? [] : before.split(':')
  const tail = after === undefined || after === '' ? [] : after.split(':')
  const missing = after === undefined ? 0 : Math.max(0, 8 - head.length - tail.length)
  const groups = [...head, ...Array.from({ length: missing }, () => '0'), ...tail].slice(0, 4)
  return `${groups.map((group) => group.replace(/^0+(?=.)/, '')).join(':')}::/64`
}
