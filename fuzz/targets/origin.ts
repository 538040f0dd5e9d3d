/** `Host`, `Origin` and the headers that proxies add: who gets past the guard of a hub without rules, and who may write. */
import { crossSite } from '../../packages/hub/src/auth/cross-site.ts'
import { guard, isLoopbackAddress, isLoopbackHost } from '../../packages/hub/src/auth/guard.ts'
import { headerSafe, mutateText } from '../mutate.ts'
import { must, mustBeShort, type Target } from '../target.ts'

const HOSTS = [
  'localhost',
  'localhost:4080',
  'LOCALHOST:80',
  'app.localhost:4080',
  '127.0.0.1:4080',
  '127.255.255.254',
  '[::1]:4080',
  '[::1]',
  'example.com',
  'localhost.example.com',
  'example.com#.localhost',
  'example.com/.localhost',
  'example.com?.localhost',
  'example.com\\.localhost',
  'user@localhost',
  'localhost@example.com',
  '127.1',
  '0x7f.0.0.1',
  '127.0.0.1.example.com',
  '127.0.0.01',
  '[::ffff:127.0.0.1]',
  '[::1%25eth0]',
  'localhost.',
  '.localhost',
  'localhost:4080:80',
  '',
]
const WORDS = [
  'localhost',
  '.localhost',
  '127.0.0.1',
  '[::1]',
  'example.com',
  ':4080',
  '#',
  '/',
  '?',
  '@',
  '\\',
  '%2e',
]

export const host: Target<string> = {
  name: 'host',
  claim: 'A `Host` that passes the guard is one that a URL parser sends to this machine, too.',
  count: 1_000_000,
  short: 10_000,
  corpus: HOSTS,
  make: (random) =>
    headerSafe(random.oneIn(4) ? random.text(WORDS, 4) : mutateText(random, random.pick(HOSTS), WORDS)),
  check(value) {
    const asked = (authority: string | undefined): string | undefined =>
      guard({
        header: (name) => (name === 'host' ? value : undefined),
        headerNames: () => ['host'],
        authority,
        address: '127.0.0.1',
      })
    const refusal = asked(undefined)
    must((refusal === undefined) === isLoopbackHost(value), 'the guard says something else')
    if (refusal !== undefined) {
      mustBeShort(refusal)
      return 'refused'
    }
    must(asked('example.com') !== undefined, 'whom the request is for does not count')
    must(isLocal(value), 'a name of another machine passes')
    return 'passes'
  },
}

function isLocal(value: string): boolean {
  // What a URL parser can't take no browser sends.
  if (!URL.canParse(`http://${value}/`)) return true
  const { hostname, username, pathname, search, hash } = new URL(`http://${value}/`)
  if (username !== '' || pathname !== '/' || search !== '' || hash !== '') return false
  return (
    hostname === 'localhost' ||
    hostname.endsWith('.localhost') ||
    hostname === '[::1]' ||
    /^127\.\d+\.\d+\.\d+$/.test(hostname)
  )
}

const ADDRESSES = [
  '127.0.0.1',
  '127.255.0.1',
  '::1',
  '::ffff:127.0.0.1',
  '10.0.0.1',
  '::ffff:10.0.0.1',
  'fe80::1%lo',
  '',
  '::',
  '1270.0.0.1',
  '127.0.0.256',
]

export const address: Target<string> = {
  name: 'address',
  claim: 'An address is of this machine only when it is in 127.0.0.0/8 or ::1.',
  count: 1_000_000,
  short: 10_000,
  corpus: ADDRESSES,
  make: (random) => mutateText(random, random.pick(ADDRESSES), ['127.', '.1', '::', 'ffff:', '0']),
  check(value) {
    const local = isLoopbackAddress(value)
    const plain = value.replace(/^::ffff:/, '')
    if (local)
      must(plain === '::1' || /^127(?:\.\d{1,3}){3}$/.test(plain), 'another address is of this machine')
    else
      must(
        !/^127\.\d{1,2}\.\d{1,2}\.\d{1,2}$/.test(value) && value !== '::1',
        'an address of this machine is not',
      )
    return local ? 'here' : 'elsewhere'
  },
}

interface Write {
  readonly host: string
  /** `''`: none. */
  readonly origin: string
  readonly site: string
}

const ORIGINS = [
  '',
  'null',
  'http://localhost:4080',
  'https://localhost:4080',
  'https://named.example',
  'https://named.example.evil.example',
  'https://named.exampl',
  'http://named.example',
  'https://NAMED.example',
  'http://localhost:4080.evil.example',
  'http://evil.example/localhost:4080',
  'http://evil.example#localhost:4080',
  'http://user@localhost:4080',
  'chrome-extension://localhost:4080',
  'http://http://localhost:4080',
]
const NAMED = 'https://named.example'

export const origin: Target<Write> = {
  name: 'origin',
  claim: 'A write passes only from the page of the same host, from a named origin, or from what is no page.',
  count: 1_000_000,
  short: 10_000,
  corpus: ORIGINS.map((value) => ({ host: 'localhost:4080', origin: value, site: '' })),
  make(random) {
    const from = random.pick(ORIGINS)
    return {
      host: random.oneIn(4) ? headerSafe(mutateText(random, 'localhost:4080', WORDS)) : 'localhost:4080',
      origin: random.oneIn(3)
        ? from
        : headerSafe(mutateText(random, from, [...WORDS, 'http://', 'https://', NAMED])),
      site: random.pick(['', '', 'same-origin', 'none', 'cross-site', 'same-site', 'Same-Origin', ' none']),
    }
  },
  check({ host, origin, site }) {
    const headers: Record<string, string> = { host }
    if (origin !== '') headers['origin'] = origin
    if (site !== '') headers['sec-fetch-site'] = site
    const refusal = crossSite({ header: (name) => headers[name] }, [NAMED])
    if (refusal !== undefined) {
      mustBeShort(refusal)
      must(!isOwn(origin, host, site), 'a page of the hub itself may not write')
      return 'refused'
    }
    if (origin === NAMED) return 'named'
    must(site === '' || site === 'same-origin' || site === 'none', 'a page of another site may write')
    if (origin === '') return 'no page'
    must(/^https?:\/\//i.test(origin), 'an origin of another scheme may write')
    must(
      origin.replace(/^https?:\/\//i, '').toLowerCase() === host.toLowerCase(),
      'a page of another host may write',
    )
    return 'own'
  },
}

function isOwn(origin: string, host: string, site: string): boolean {
  return (
    host !== '' &&
    !host.includes('\n') &&
    origin === `http://${host}` &&
    (site === '' || site === 'same-origin')
  )
}
