import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, test } from 'node:test'
import { Ajv2020 } from 'ajv/dist/2020.js'
import fc from 'fast-check'
import { bytesOf, countOf, durationOf, forgetOf, ruleOf } from '../src/cli/amounts.ts'
import { ConfigError, parseConfig, type Settings } from '../src/cli/config.ts'
import { placeOf } from '../src/cli/log-place.ts'

const schema = JSON.parse(readFileSync(new URL('../config.schema.json', import.meta.url), 'utf8')) as object
const allows = new Ajv2020({ allErrors: true }).compile(schema)

const GOOD: readonly (readonly [config: unknown, settings: Settings])[] = [
  [{}, {}],
  [{ $schema: 'node_modules/@downlink/hub/config.schema.json' }, {}],
  [{ log: 'memory' }, { log: { engine: 'memory' } }],
  [{ log: 'sqlite:log.db' }, { log: { engine: 'sqlite', path: '/etc/downlink/log.db' } }],
  [{ log: 'sqlite:/var/log.db' }, { log: { engine: 'sqlite', path: '/var/log.db' } }],
  [{ durability: 'fsync' }, { durability: 'fsync' }],
  [{ durability: 'os' }, { durability: 'os' }],
  [{ retention: [] }, { retention: [] }],
  [
    { retention: [{ channels: 'orders.**', count: 1000, age: '7d', bytes: '10MB' }] },
    { retention: [{ channels: 'orders.**', count: 1000, age: 604_800_000, bytes: 10_485_760 }] },
  ],
  [
    {
      retention: [
        { channels: 'a', count: 'none' },
        { channels: '**', age: 'none', bytes: 'none' },
      ],
    },
    {
      retention: [
        { channels: 'a', count: Infinity },
        { channels: '**', age: Infinity, bytes: Infinity },
      ],
    },
  ],
  [{ retention: [{ channels: '*.a', age: '0.5s' }] }, { retention: [{ channels: '*.a', age: 500 }] }],
  [{ forget: '7d' }, { forget: 604_800_000 }],
  [{ forget: '0' }, { forget: 0 }],
  [
    { port: 0, host: '127.0.0.1' },
    { port: 0, host: '127.0.0.1' },
  ],
  [{ host: '[::1]' }, { host: '::1' }],
  [
    { origins: ['https://a.example', 'http://localhost:3000'] },
    { origins: ['https://a.example', 'http://localhost:3000'] },
  ],
  [{ compress: ['ticks.**', 'news'] }, { compress: ['ticks.**', 'news'] }],
  [{ logLevel: 'debug' }, { logLevel: 'debug' }],
  [
    { trustProxy: ['loopback', 'private', '10.0.0.7', '2001:db8::/32'], forwardedHeader: 'forwarded' },
    { trustProxy: ['loopback', 'private', '10.0.0.7', '2001:db8::/32'], forwardedHeader: 'forwarded' },
  ],
  [{ page: 'page.html' }, { page: '/etc/downlink/page.html' }],
  [{ host: '0.0.0.0' }, { host: '0.0.0.0' }],
  [{ host: '[fe80::1]' }, { host: 'fe80::1' }],
  [{ rules: [] }, { rules: [] }],
  [
    {
      rules: [
        { channels: 'news.**', allow: ['read'], to: 'anyone' },
        { channels: ['user.{sub}', 'user.{sub}.**', '$hub.**'], allow: ['read', 'end'], to: 'known' },
        { channels: '**', allow: ['read', 'publish', 'end', 'drop', 'inspect'], to: ['root', 'a b'] },
        { allow: ['inspect', 'inspect'] },
      ],
    },
    {
      rules: [
        { channels: 'news.**', allow: ['read'], to: 'anyone' },
        { channels: ['user.{sub}', 'user.{sub}.**', '$hub.**'], allow: ['read', 'end'], to: 'known' },
        { channels: '**', allow: ['read', 'publish', 'end', 'drop', 'inspect'], to: ['root', 'a b'] },
        { allow: ['inspect', 'inspect'] },
      ],
    },
  ],
  [{ jwt: {} }, { jwt: {} }],
  [
    {
      jwt: { secretEnv: 'MY_SECRET', keys: 'keys.pem', issuer: 'a', audience: ['b', 'c'], tokenInUrl: true },
    },
    {
      jwt: {
        secretEnv: 'MY_SECRET',
        keys: '/etc/downlink/keys.pem',
        issuer: ['a'],
        audience: ['b', 'c'],
        tokenInUrl: true,
      },
    },
  ],
  [
    { jwt: { jwksUrl: 'https://id.example/jwks?x=1', algorithms: ['RS256', 'EdDSA'], cookie: '__Host-my' } },
    { jwt: { jwksUrl: 'https://id.example/jwks?x=1', algorithms: ['RS256', 'EdDSA'], cookie: '__Host-my' } },
  ],
  [
    { jwt: { jwksUrl: 'http://127.0.0.1:8080/jwks', cookie: false } },
    { jwt: { jwksUrl: 'http://127.0.0.1:8080/jwks', cookie: false } },
  ],
  [{ open: true }, { open: true }],
  [{ limits: {} }, { limits: {} }],
  [
    { limits: { streams: 5, 'publishes-per-channel': 0.5, body: '2MB', wait: '90s', log: 'none' } },
    {
      limits: {
        streams: 5,
        'publishes-per-channel': 0.5,
        body: 2_097_152,
        wait: 90_000,
        log: Infinity,
      },
    },
  ],
  [
    { tls: { cert: 'cert.pem', key: '/run/key.pem' } },
    { tls: { cert: '/etc/downlink/cert.pem', key: '/run/key.pem' } },
  ],
  [{ h2c: true }, { h2c: true }],
  [{ lab: false }, { lab: false }],
]

const BAD: readonly (readonly [config: unknown, line: RegExp])[] = [
  [[], /^Expected an object$/],
  [null, /^Expected an object$/],
  [{ logg: 'memory' }, /^logg: No such member\. There are .*log, durability/],
  [{ toString: 'memory' }, /^toString: No such member/],
  [{ log: 'redis:x' }, /^log: Expected memory, or sqlite:/],
  [{ log: 'sqlite:' }, /^log: Expected memory, or sqlite:/],
  [{ log: 'sqlite:data/' }, /^log: Expected memory, or sqlite:/],
  [{ log: 1 }, /^log: Expected a string$/],
  [{ tls: 'cert.pem' }, /^tls: Expected an object$/],
  [{ tls: { cert: 'cert.pem' } }, /^tls: Expected a member "key"$/],
  [{ tls: { cert: 'cert.pem', key: '' } }, /^tls\.key: Expected the path of a file$/],
  [{ tls: { cert: 'a', key: 'b', ca: 'c' } }, /^tls\.ca: No such member/],
  [{ h2c: 'yes' }, /^h2c: Expected true or false$/],
  [{ logLevel: 'loud' }, /^logLevel: Expected silent, error, warn, info, debug$/],
  [{ trustProxy: '10.0.0.7' }, /^trustProxy: Expected a list$/],
  [{ trustProxy: ['10.0.0.7', 'all'] }, /^trustProxy\[1\]: Expected an address, a network/],
  [{ forwardedHeader: 'via' }, /^forwardedHeader: Expected x-forwarded-for or forwarded$/],
  [{ durability: 'much' }, /^durability: Expected "fsync" or "os"$/],
  [{ retention: { channels: 'a' } }, /^retention: Expected a list$/],
  [{ retention: ['a=count:1'] }, /^retention\[0\]: Expected an object$/],
  [{ retention: [{ count: 1 }] }, /^retention\[0\]: Expected a member "channels"$/],
  [{ retention: [{ channels: 'a' }, { channels: 'a..b' }] }, /^retention\[1\]\.channels: .*empty level/],
  [
    { retention: [{ channels: 'a', count: 0 }] },
    /^retention\[0\]\.count: Expected a whole number of events, 1 or more, or none/,
  ],
  [{ retention: [{ channels: 'a', count: 1.5 }] }, /^retention\[0\]\.count: /],
  [{ retention: [{ channels: 'a', count: '1000' }] }, /^retention\[0\]\.count: /],
  [{ retention: [{ channels: 'a', age: 7 }] }, /^retention\[0\]\.age: Expected a string$/],
  [{ retention: [{ channels: 'a', age: '0d' }] }, /^retention\[0\]\.age: Expected a time such as 90s/],
  [{ retention: [{ channels: 'a', age: '7 d' }] }, /^retention\[0\]\.age: Expected a time such as 90s/],
  [
    { retention: [{ channels: 'a', bytes: '10mb' }] },
    /^retention\[0\]\.bytes: Expected a size such as 512KB/,
  ],
  [
    { retention: [{ channels: 'a', size: 1 }] },
    /^retention\[0\]\.size: No such member\. There are channels, count, age, bytes$/,
  ],
  [{ forget: 7 }, /^forget: Expected a string$/],
  [{ forget: 'never' }, /^forget: Expected a time/],
  [{ port: '4080' }, /^port: Expected a whole number from 0 to 65535$/],
  [{ port: 65_536 }, /^port: Expected a whole number/],
  [{ host: '' }, /^host: Expected a name or an address/],
  [{ host: 'a/b' }, /^host: Expected a name or an address/],
  [{ host: '[localhost]' }, /^host: Expected a name or an address/],
  [{ origins: 'https://a.example' }, /^origins: Expected a list$/],
  [{ origins: ['https://a.example/'] }, /^origins\[0\]: Expected an origin/],
  [{ compress: 'ticks.**' }, /^compress: Expected a list$/],
  [{ compress: ['ticks', 'a..b'] }, /^compress\[1\]: .*empty level/],
  [{ compress: [1] }, /^compress\[0\]: Expected a string$/],
  [{ limits: [] }, /^limits: Expected an object$/],
  [{ limits: { stream: 1 } }, /^limits\.stream: No such member\. There are streams, streams-per-subject/],
  [{ limits: { streams: 0 } }, /^limits\.streams: Expected a whole number, 1 or more, or none for no limit$/],
  [{ limits: { body: 'none' } }, /^limits\.body: Expected a size such as 512KB, 10MB or 1GB$/],
  [{ limits: { wait: '7d' } }, /^limits\.wait: Expected a time such as 30s or 5m$/],
  [
    { limits: { 'publishes-per-subject': '5' } },
    /^limits\.publishes-per-subject: Expected a number a second/,
  ],
  [{ page: '' }, /^page: Expected the path of a file$/],
  [{ rules: {} }, /^rules: Expected a list$/],
  [{ rules: ['a'] }, /^rules\[0\]: Expected an object$/],
  [{ rules: [{ channels: 'a' }] }, /^rules\[0\]\.allow: Expected a list of read, publish/],
  [{ rules: [{ channels: 'a', allow: [] }] }, /^rules\[0\]\.allow: /],
  [{ rules: [{ channels: 'a', allow: ['write'] }] }, /^rules\[0\]\.allow: /],
  [{ rules: [{ allow: ['read', 'inspect'] }] }, /^rules\[0\]: Expected a member "channels"$/],
  [{ rules: [{ channels: 'a', allow: ['inspect'] }] }, /^rules\[0\]\.channels: .*leave the channels out$/],
  [{ rules: [{ channels: 'a.{sub}x', allow: ['read'] }] }, /^rules\[0\]\.channels: .*must be a whole level/],
  [{ rules: [{ channels: ['a', '**.b'], allow: ['read'] }] }, /^rules\[0\]\.channels\[1\]: /],
  [{ rules: [{ channels: [], allow: ['read'] }] }, /^rules\[0\]\.channels: Expected at least one/],
  [
    { rules: [{ channels: 'a', allow: ['read'], to: 'alice' }] },
    /^rules\[0\]\.to: Expected "anyone", "known"/,
  ],
  [{ rules: [{ channels: 'a', allow: ['read'], to: [] }] }, /^rules\[0\]\.to: /],
  [{ rules: [{ channels: 'a', allow: ['read'], for: [] }] }, /^rules\[0\]\.for: No such member/],
  [{ jwt: [] }, /^jwt: Expected an object$/],
  [{ jwt: { secret: 'x' } }, /^jwt\.secret: No such member\. There are secretEnv, /],
  [{ jwt: { secretEnv: 'my secret' } }, /^jwt\.secretEnv: Expected the name of a variable/],
  [{ jwt: { keys: '' } }, /^jwt\.keys: Expected the path of a file$/],
  [{ jwt: { jwksUrl: 'http://id.example/jwks' } }, /^jwt\.jwksUrl: Expected an https URL/],
  [{ jwt: { jwksUrl: 'https://u@id.example/jwks' } }, /^jwt\.jwksUrl: Expected an https URL/],
  [{ jwt: { issuer: '' } }, /^jwt\.issuer: Expected a text/],
  [{ jwt: { audience: ['a', 5] } }, /^jwt\.audience\[1\]: Expected a string$/],
  [{ jwt: { algorithms: [] } }, /^jwt\.algorithms: Expected a list of HS256, RS256, ES256, EdDSA$/],
  [{ jwt: { algorithms: ['none'] } }, /^jwt\.algorithms: /],
  [{ jwt: { cookie: 'a b' } }, /^jwt\.cookie: Expected the name of a cookie, or false$/],
  [{ jwt: { cookie: true } }, /^jwt\.cookie: /],
  [{ jwt: { tokenInUrl: 'yes' } }, /^jwt\.tokenInUrl: Expected true or false$/],
  [{ open: 1 }, /^open: Expected true or false$/],
]

describe('the configuration file', () => {
  for (const [config, settings] of GOOD) {
    test(`${JSON.stringify(config)} is good, for the schema too`, () => {
      assert.deepEqual(parseConfig(JSON.stringify(config), '/etc/downlink'), settings)
      assert.ok(allows(config), JSON.stringify(allows.errors))
    })
  }

  for (const [config, line] of BAD) {
    test(`${JSON.stringify(config)} is refused with its place, by the schema too`, () => {
      assert.throws(
        () => parseConfig(JSON.stringify(config), '/'),
        (error) => {
          assert.ok(error instanceof ConfigError)
          assert.match(error.message, line)
          assert.doesNotMatch(error.message, /\n/)
          return true
        },
      )
      assert.equal(allows(config), false)
    })
  }

  test('what is no JSON is refused with its place', () => {
    assert.throws(() => parseConfig('{"log":', '/'), /^ConfigError: Expected JSON \(.*\)$/)
  })

  test('no JSON whatever makes it fail in another way', () => {
    fc.assert(
      fc.property(fc.json(), (text) => {
        try {
          parseConfig(text, '/')
        } catch (error) {
          assert.ok(error instanceof ConfigError, String(error))
        }
      }),
    )
  })

  test('the schema and the parser agree on members of any value', () => {
    const name = fc.constantFrom(...Object.keys((schema as { properties: object }).properties))
    const text = fc.constantFrom(
      '7d',
      '0',
      '1s',
      'none',
      'os',
      'memory',
      'sqlite:a',
      'localhost',
      '::1',
      '10MB',
      '',
    )
    const value = fc.oneof(fc.jsonValue({ maxDepth: 2 }), text, fc.integer({ min: -1, max: 70_000 }))
    fc.assert(
      fc.property(name, value, (member, given) => {
        const config = { [member]: given }
        let parsed = true
        try {
          parseConfig(JSON.stringify(config), '/')
        } catch {
          parsed = false
        }
        assert.equal(allows(JSON.parse(JSON.stringify(config))), parsed, JSON.stringify(config))
      }),
      { numRuns: 2_000 },
    )
  })
})

describe('amounts', () => {
  test('times and sizes have units', () => {
    assert.deepEqual(
      ['90s', '15m', '12h', '7d', '1.5h'].map(durationOf),
      [90_000, 900_000, 43_200_000, 604_800_000, 5_400_000],
    )
    assert.deepEqual(
      ['4096B', '512KB', '10MB', '1.5GB'].map(bytesOf),
      [4096, 524_288, 10_485_760, 1_610_612_736],
    )
    assert.deepEqual([countOf('1'), forgetOf('0'), forgetOf('1d')], [1, 0, 86_400_000])
    for (const text of ['', '7', 'd', '-1d', '0s', '1w', '7D', ' 7d', '1e3s', '0.0001s'])
      assert.throws(() => durationOf(text), /Expected a time/)
    for (const text of ['', '7', '10Mb', '-1KB', '0MB', '0.1B'])
      assert.throws(() => bytesOf(text), /Expected a size/)
    for (const text of ['', '0', '1.5', '-1', '1e3'])
      assert.throws(() => countOf(text), /Expected a whole number/)
  })

  test('a rule names channels and limits', () => {
    assert.deepEqual(ruleOf('orders.**=count:1000,age:7d,bytes:10MB'), {
      channels: 'orders.**',
      count: 1000,
      age: 604_800_000,
      bytes: 10_485_760,
    })
    assert.deepEqual(ruleOf('a:b.c=age:none'), { channels: 'a:b.c', age: Infinity })
    assert.deepEqual(ruleOf('a=none'), { channels: 'a', count: Infinity, age: Infinity, bytes: Infinity })
    for (const text of [
      '',
      'a',
      'a=',
      '=count:1',
      'a=count:1,',
      'a=count',
      'a=count:1,count:2',
      'a=size:1',
      'a=toString:1',
      'a=7d',
    ]) {
      assert.throws(() => ruleOf(text), { name: 'AmountError' }, text)
    }
  })
})

test('a log lives in memory, or in the file of a path', () => {
  assert.deepEqual(placeOf('memory'), { engine: 'memory' })
  assert.deepEqual(placeOf('sqlite:./a b/log.db'), { engine: 'sqlite', path: './a b/log.db' })
  for (const text of ['', 'sqlite', 'sqlite:', 'sqlite:a/', 'sqlite:a\0', 'Memory', 'file:a'])
    assert.equal(placeOf(text), undefined)
})
