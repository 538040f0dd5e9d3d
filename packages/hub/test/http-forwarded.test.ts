/** Whose request it is, behind proxies: pure, and as properties. */
import assert from 'node:assert/strict'
import { BlockList, isIP } from 'node:net'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { type ForwardedHeader, networksOf, Proxies } from '../src/http/forwarded.ts'
import { contains, formatAddress, parseAddress, parseNetwork } from '../src/http/ip.ts'

const anyIPv4 = fc.ipV4()
const anyIPv6 = fc.ipV6().filter((text) => isIP(text) === 6)
/** What strangers write into a header: pieces of the grammars, torn. */
const mess = fc
  .array(
    fc.oneof(
      fc.constantFrom(
        'for=',
        'For=',
        'by=_x',
        ',',
        ', ',
        ';',
        '"',
        '\\',
        '\\"',
        '[',
        ']',
        ':',
        ' ',
        '\t',
        '=',
        '\u0080',
      ),
      fc.constantFrom(
        'unknown',
        '_h',
        '127.0.0.1',
        '10.1.1.1',
        '"[::1]"',
        'for="10.0.0.1',
        'a="b,for=1.2.3.4;x="',
      ),
      anyIPv4,
      fc.string({ maxLength: 5 }),
    ),
    { maxLength: 12 },
  )
  .map((pieces) => pieces.join(''))

describe('addresses', () => {
  test('are those that Node takes for one, whatever the text', () => {
    const text = fc.oneof(
      anyIPv4,
      fc.ipV6(),
      fc
        .array(
          fc.constantFrom('0', '1', 'ffff', '12345', ':', '::', '.', '255', '256', '01', 'g', '1.2.3.4'),
          {
            maxLength: 16,
          },
        )
        .map((pieces) => pieces.join('')),
    )
    fc.assert(
      fc.property(text, (text) => assert.equal(parseAddress(text) !== undefined, isIP(text) !== 0, text)),
      { numRuns: 2_000 },
    )
  })

  test('are written as they are read, and IPv6 as URLs write it', () => {
    fc.assert(fc.property(anyIPv4, (text) => formatAddress(parseAddress(text) ?? []) === text))
    fc.assert(
      fc.property(anyIPv6, (text) => {
        const written = formatAddress(parseAddress(text) ?? [])
        assert.deepEqual(parseAddress(written), parseAddress(text))
        if (!written.includes('.')) assert.equal(`[${written}]`, new URL(`http://[${text}]`).hostname)
      }),
    )
    assert.equal(formatAddress(parseAddress('::FFFF:192.0.2.1') ?? []), '192.0.2.1')
    assert.equal(formatAddress(parseAddress('2001:DB8:0:0:1:0:0:1') ?? []), '2001:db8::1:0:0:1')
    assert.equal(formatAddress(parseAddress('::') ?? []), '::')
  })

  test('lie in the networks that they lie in for Node', () => {
    for (const [address, family, widest] of [
      [anyIPv4, 'ipv4', 32],
      [anyIPv6, 'ipv6', 128],
    ] as const) {
      // Of the same network often enough: the candidate differs from it in one bit.
      const near = fc.tuple(
        address,
        fc.integer({ min: 0, max: widest }),
        fc.integer({ min: 0, max: widest - 1 }),
      )
      fc.assert(
        fc.property(near, ([base, bits, flipped]) => {
          const groups = [...(parseAddress(base) ?? [])]
          const bit = 128 - widest + flipped
          groups[bit >> 4] = (groups[bit >> 4] as number) ^ (0x8000 >> (bit & 15))
          const other = formatAddress(groups)
          if (family === 'ipv6' && (isIP(other) !== 6 || base.includes('.'))) return
          const list = new BlockList()
          list.addSubnet(base, bits, family)
          const network = parseNetwork(`${base}/${bits}`)
          assert.ok(network)
          for (const text of [base, other]) {
            const own = contains(network, parseAddress(text) ?? [])
            assert.equal(own, list.check(text, family), `${text} in ${base}/${bits}`)
          }
        }),
        { numRuns: 1_000 },
      )
    }
    const all6 = parseNetwork('8000::/1')
    assert.ok(all6 && !contains(all6, parseAddress('192.0.2.1') ?? []))
  })
})

describe('networks of proxies', () => {
  test('are addresses, networks, and two words', () => {
    for (const text of [
      '10.0.0.7',
      '10.0.0.0/8',
      '2001:db8::/32',
      '::1',
      '::ffff:10.0.0.1',
      'loopback',
      'private',
    ])
      assert.ok(networksOf(text).length > 0, text)
    const loopback = new Proxies({ trusted: ['loopback'] })
    for (const peer of ['127.0.0.1', '127.9.9.9', '::1', '::ffff:127.0.0.1'])
      assert.ok(loopback.trusts(peer), peer)
    for (const peer of ['10.0.0.1', '::2', '', 'localhost', undefined])
      assert.ok(!loopback.trusts(peer), peer)
    const local = new Proxies({ trusted: ['private', 'fe80::/10'] })
    for (const peer of [
      '10.1.2.3',
      '172.31.0.1',
      '192.168.1.1',
      'fd00::1',
      'fe80::1%eth0',
      '::ffff:10.0.0.1',
    ])
      assert.ok(local.trusts(peer), peer)
    for (const peer of ['172.32.0.1', '127.0.0.1', '2001:db8::1']) assert.ok(!local.trusts(peer), peer)
  })

  for (const text of [
    '',
    'all',
    '*',
    '0.0.0.0/0',
    '::/0',
    '::ffff:0:0/96',
    '10.0.0.0/33',
    '10.0.0.0/-1',
    '10.0.0.0/',
    '10.0.0.0/8/8',
    '10.0.0',
    '010.0.0.1',
    '[::1]',
    'fe80::1%eth0',
    '10.0.0.0/08x',
    'constructor',
    `1.2.3.4${' '.repeat(500)}`,
  ])
    test(`${JSON.stringify(text.slice(0, 20))} is none`, () => {
      assert.throws(() => new Proxies({ trusted: [text] }), { code: 'invalid-option', message: /^.{0,200}$/ })
    })
})

describe('the client’s address', () => {
  const proxies = new Proxies({ trusted: ['10.0.0.0/8', 'fd00::/8'] })
  const standard = new Proxies({ trusted: ['10.0.0.0/8', 'fd00::/8'], header: 'forwarded' })

  for (const [header, client] of [
    ['192.0.2.1', '192.0.2.1'],
    ['192.0.2.1:5000', '192.0.2.1'],
    ['2001:DB8::1', '2001:db8::1'],
    ['[2001:db8::1]', '2001:db8::1'],
    ['[2001:db8::1]:80', '2001:db8::1'],
    ['::ffff:192.0.2.1', '192.0.2.1'],
    ['198.51.100.1, 192.0.2.1', '192.0.2.1'],
    ['198.51.100.1,192.0.2.1 , 10.0.0.9, fd00::1', '192.0.2.1'],
    // All are trusted: it is the first of them who asks.
    ['10.0.0.3, 10.0.0.2', '10.0.0.3'],
    ['garbage, 192.0.2.1', '192.0.2.1'],
    [`${'x,'.repeat(5000)}192.0.2.1`, '192.0.2.1'],
    // A trusted proxy does not say, or not so that it can be read.
    ['', '10.0.0.1'],
    [',', '10.0.0.1'],
    ['192.0.2.1,', '10.0.0.1'],
    ['unknown', '10.0.0.1'],
    ['_hidden', '10.0.0.1'],
    ['192.0.2.1, unknown, 10.0.0.2', '10.0.0.1'],
    ['192.0.2.1:port', '10.0.0.1'],
    ['192.0.2.256', '10.0.0.1'],
    ['192.0.2.1 192.0.2.2', '10.0.0.1'],
    ['[192.0.2.1]', '10.0.0.1'],
    ['fe80::1%eth0', '10.0.0.1'],
    ['for=192.0.2.1', '10.0.0.1'],
    ['1'.repeat(2000), '10.0.0.1'],
    ['10.0.0.2, '.repeat(40) + '10.0.0.3', '10.0.0.1'],
  ] as const)
    test(`X-Forwarded-For: ${header.slice(0, 40)} from a trusted proxy: ${client}`, () => {
      assert.equal(proxies.clientOf('10.0.0.1', header), client)
    })

  for (const [header, client] of [
    ['for=192.0.2.1', '192.0.2.1'],
    ['For="192.0.2.1:47011"', '192.0.2.1'],
    ['for="192.0.2.1:_port"', '192.0.2.1'],
    ['for="[2001:db8::1]:80"', '2001:db8::1'],
    ['for="[2001:db8::1]"', '2001:db8::1'],
    ['for=[2001:db8::1]:80', '2001:db8::1'],
    ['proto=https;for=192.0.2.1;by="10.0.0.1";host="a,b"', '192.0.2.1'],
    ['for=192.0.2.1; proto=https', '192.0.2.1'],
    ['for="\\1\\92.0.2.1"', '192.0.2.1'],
    ['for=198.51.100.1, for=192.0.2.1;by=x, for=10.0.0.2', '192.0.2.1'],
    ['for=192.0.2.1;ext="for=8.8.8.8,for=9.9.9.9"', '192.0.2.1'],
    ['for=192.0.2.1;ext="a\\",for=9.9.9.9;b=\\""', '192.0.2.1'],
    ['for="198.51.100.1, for=192.0.2.1', '192.0.2.1'],
    ['for=192.0.2.1;ext="a, for="[2001:db8::7]"', '2001:db8::7'],
    ['', '10.0.0.1'],
    [',for=', '10.0.0.1'],
    [',', '10.0.0.1'],
    ['for=192.0.2.1,', '10.0.0.1'],
    ['for=unknown', '10.0.0.1'],
    ['for=_hidden', '10.0.0.1'],
    ['for="_gazonk:80"', '10.0.0.1'],
    ['for=192.0.2.1, by=10.0.0.2', '10.0.0.1'],
    ['for=192.0.2.1;for=192.0.2.2', '10.0.0.1'],
    ['for=192.0.2.1;', '10.0.0.1'],
    ['for="192.0.2.1', '10.0.0.1'],
    ['192.0.2.1', '10.0.0.1'],
    ['for = 192.0.2.1', '10.0.0.1'],
    [`for=192.0.2.1;x="${'y'.repeat(2000)}"`, '10.0.0.1'],
  ] as const)
    test(`Forwarded: ${header.slice(0, 60)} from a trusted proxy: ${client}`, () => {
      assert.equal(standard.clientOf('10.0.0.1', header), client)
    })

  test('is the peer’s, whatever it sends, when the peer is no trusted proxy', () => {
    const peer = fc.oneof(anyIPv4, anyIPv6, fc.constant('')).filter((text) => !proxies.trusts(text))
    fc.assert(
      fc.property(peer, mess, (peer, sent) => {
        assert.equal(proxies.clientOf(peer, sent), peer)
        assert.equal(standard.clientOf(peer, sent), peer)
      }),
    )
    assert.equal(proxies.clientOf(undefined, '192.0.2.1'), undefined)
    assert.equal(proxies.clientOf('10.0.0.1', undefined), '10.0.0.1')
  })

  const client = fc.oneof(anyIPv4, anyIPv6).filter((text) => !proxies.trusts(text))
  const trusted = fc.array(
    fc.oneof(
      fc.nat(255).map((n) => `10.0.0.${n}`),
      fc.nat(255).map((n) => `fd00::${n.toString(16)}`),
    ),
    { maxLength: 5 },
  )
  /** As proxies write it: with a port or without, and for `Forwarded` quoted, with more pairs and commas in quotes. */
  const port = fc.option(fc.nat(65_535), { nil: undefined })
  const bare = (address: string, port: number | undefined): string => {
    if (port === undefined) return address
    return `${address.includes(':') ? `[${address}]` : address}:${port}`
  }
  const more = fc.constantFrom(
    '',
    ';proto=https',
    ';host="a,b"',
    ';x="a,for=6.6.6.6;y=";z=";,"',
    ';s="\\"for=1.1.1.1,\\\\"',
  )
  const paired = (address: string, port: number | undefined, more: string): string => {
    const host = address.includes(':') ? `[${address}]` : address
    return `for="${host}${port === undefined ? '' : `:${port}`}"${more}`
  }

  for (const [name, header] of [
    ['x-forwarded-for', proxies],
    ['forwarded', standard],
  ] as const satisfies readonly (readonly [ForwardedHeader, Proxies])[]) {
    test(`is the one that the outermost trusted proxy saw, whatever the client wrote into ${name}`, () => {
      const sent = fc.option(mess, { nil: undefined })
      const style = fc.tuple(port, more)
      fc.assert(
        fc.property(
          client,
          sent,
          trusted,
          fc.array(style, { minLength: 6, maxLength: 6 }),
          (client, sent, hops, styles) => {
            const elements = [client, ...hops].map((address, index) => {
              const [port, more] = styles[index] ?? [undefined, '']
              return name === 'forwarded' ? paired(address, port, more) : bare(address, port)
            })
            const value = [...(sent === undefined ? [] : [sent]), ...elements].join(', ')
            const expected = formatAddress(parseAddress(client) ?? [])
            assert.equal(header.clientOf('10.9.9.9', value), expected, value)
          },
        ),
        { numRuns: 3_000 },
      )
    })
  }

  test('is found in linear time, whatever stands in the header', () => {
    for (const long of [
      'for=',
      ',',
      ', ',
      '"',
      '\\"',
      'for="',
      'a=b;',
      ' ',
      '\t',
      'for=1.2.3.4;',
      '[',
      ':',
    ].map((piece) => piece.repeat(100_000))) {
      const begun = performance.now()
      for (const value of [long, `${long}x`, `x="${long}`, `for=${long}`])
        for (const one of [proxies, standard]) one.clientOf('10.0.0.1', value)
      assert.ok(performance.now() - begun < 500, long.slice(0, 8))
    }
  })
})
