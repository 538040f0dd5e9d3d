/** `X-Forwarded-For`, `Forwarded` and addresses: a client can't make itself another's address. */
import { isIP } from 'node:net'
import { Proxies } from '../../packages/hub/src/http/forwarded.ts'
import { formatAddress, parseAddress } from '../../packages/hub/src/http/ip.ts'
import { headerSafe, mutateText, NASTY } from '../mutate.ts'
import { must, type Target } from '../target.ts'

const PEER = '10.0.0.7'
const CLIENT = '203.0.113.9'
const byX = new Proxies({ trusted: ['private', 'loopback'] })
const byForwarded = new Proxies({ trusted: ['private', 'loopback'], header: 'forwarded' })

const LINES = [
  '',
  '198.51.100.1',
  '198.51.100.1, 10.0.0.8',
  'unknown, 10.0.0.8',
  '127.0.0.1',
  '[2001:db8::1]:80, 192.168.0.1:99',
  'for=198.51.100.1;proto=http, for=10.0.0.8',
  'for="[2001:db8::1]:80";by=10.0.0.1',
  'for="_hidden, for=1.2.3.4"',
  'for="a\\"b, for=1.2.3.4',
  'for=1.2.3.4;for=5.6.7.8',
  'by=10.0.0.1',
  ','.repeat(40),
  '10.0.0.1,'.repeat(40),
]
const WORDS = [
  'for=',
  '"',
  '\\',
  ',',
  ';',
  '10.0.0.1',
  '127.0.0.1',
  '1.2.3.4',
  '[',
  ']',
  '::1',
  ':80',
  'by=',
  ' ',
]

export const forwarded: Target<string> = {
  name: 'forwarded',
  claim:
    'Whatever a client sends, what the trusted proxy appends to it is what counts; of an untrusted one nothing does.',
  count: 1_000_000,
  short: 10_000,
  corpus: LINES,
  make: (random) =>
    headerSafe(
      random.oneIn(3)
        ? random.text([...WORDS, ...NASTY.slice(0, 2)], 14)
        : mutateText(random, random.pick(LINES), WORDS),
    ),
  check(line) {
    must(byX.clientOf(CLIENT, line) === CLIENT, 'who is not trusted is believed')
    must(
      byX.clientOf(PEER, `${line}, ${CLIENT}`) === CLIENT,
      'a client has another address than its proxy says',
    )
    must(
      byForwarded.clientOf(PEER, `${line}, for=${CLIENT}`) === CLIENT,
      'a client has another address than its proxy says',
    )
    must(
      byForwarded.clientOf(PEER, `${line}, for="[2001:db8::9]:80";proto=https`) === '2001:db8::9',
      'of a quoted one, too',
    )
    const clients = [byX.clientOf(PEER, line), byForwarded.clientOf(PEER, line)]
    for (const client of clients) must(client !== undefined && isIP(client) !== 0, 'it is no address')
    return clients.every((client) => client === PEER) ? 'the proxy' : 'a client'
  },
}

const ADDRESSES = [
  '127.0.0.1',
  '::1',
  '::',
  '::ffff:192.0.2.1',
  '2001:db8::1',
  '1:2:3:4:5:6:7:8',
  '1::8',
  '0:0:1::',
  'fe80::1',
  '::1.2.3.4',
  '1.2.3',
  '010.0.0.1',
  '256.1.1.1',
  '1:2:3:4:5:6:7:8:9',
  '1::2::3',
  ':1',
  '::ffff:c000:201',
]

export const addresses: Target<string> = {
  name: 'addresses',
  claim: 'A text is an address just when Node says so, and is written as a URL parser writes it.',
  count: 1_000_000,
  short: 10_000,
  corpus: ADDRESSES,
  make: (random) => mutateText(random, random.pick(ADDRESSES), ['::', ':', '.', '0', 'ffff', '1', 'a']),
  check(text) {
    const address = parseAddress(text)
    // A zone is no part of it here.
    must(
      (address !== undefined) === (isIP(text) !== 0 && !text.includes('%')),
      'what is an address is decided otherwise',
    )
    if (address === undefined) return 'none'
    const written = formatAddress(address)
    must(String(parseAddress(written)) === String(address), 'it is read otherwise than it is written')
    if (!text.includes(':')) must(written === text, 'an IPv4 address is changed')
    else if (!written.includes('.'))
      must(new URL(`http://[${text}]/`).hostname === `[${written}]`, 'it is written otherwise than in a URL')
    return text.includes(':') ? 'IPv6' : 'IPv4'
  },
}
