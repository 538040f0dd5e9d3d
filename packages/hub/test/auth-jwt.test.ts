/** Tokens: every algorithm, the confusions that tokens are attacked with, and what they claim. */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { createVerifier, type JwtOptions } from '../src/auth/authorizer.ts'
import type { Claims } from '../src/auth/claims.ts'
import { forge, hs256, pairOf, SECRET, seconds, soon, token } from './auth/tokens.ts'

const pairs = { RS256: pairOf('RS256'), ES256: pairOf('ES256'), EdDSA: pairOf('EdDSA') }

async function verify(jwt: JwtOptions, given: string, now?: () => number): Promise<Claims> {
  return (await createVerifier(jwt, now && { now })).verify(given)
}

async function refused(jwt: JwtOptions, given: string, message: RegExp, now?: () => number): Promise<void> {
  await assert.rejects(
    async () => verify(jwt, given, now),
    (error: Error & { code?: string }) => {
      assert.deepEqual([error.name, error.code], ['Refusal', 'invalid-token'], String(error))
      assert.match(error.message, message)
      assert.ok(given.length < 10 || !error.message.includes(given), 'the token is in the message')
      return true
    },
  )
}

describe('a good token is taken', () => {
  test('P17.5.1 HS256, by the secret', async () => {
    const exp = seconds() + 60
    const iat = seconds()
    assert.deepEqual(await verify({ secret: SECRET }, token({ exp, iat })), {
      subject: 'alice',
      known: true,
      claims: {},
      until: exp * 1000 + 5000,
      issued: iat * 1000,
    })
    assert.equal((await verify({ secret: randomBytes(0).toString() + SECRET }, token())).subject, 'alice')
    assert.equal((await verify({ secret: new TextEncoder().encode(SECRET) }, token())).subject, 'alice')
  })

  for (const pair of Object.values(pairs)) {
    test(`P17.5.1 ${pair.alg}, by the public key`, async () => {
      const given = forge({ alg: pair.alg, kid: 'k' }, soon(), pair.sign)
      for (const keys of [pair.jwk(), pair.jwk('k'), { keys: [pairs.RS256.jwk('x'), pair.jwk('k')] }])
        assert.equal((await verify({ keys }, given)).subject, 'alice')
    })
  }

  test('P17.5.1 Ed25519 is another name of EdDSA', async () => {
    const given = forge({ alg: 'Ed25519' }, soon(), pairs.EdDSA.sign)
    assert.equal((await verify({ keys: pairs.EdDSA.jwk() }, given)).subject, 'alice')
  })

  test('by a secret beside public keys, each for its own tokens', async () => {
    const jwt = { secret: SECRET, keys: { keys: [pairs.RS256.jwk('a'), pairs.ES256.jwk('b')] } }
    assert.equal((await verify(jwt, token())).subject, 'alice')
    for (const pair of [pairs.RS256, pairs.ES256])
      assert.equal((await verify(jwt, forge({ alg: pair.alg }, soon(), pair.sign))).subject, 'alice')
  })

  test('by whichever key fits, when neither says its name', async () => {
    const [one, other] = [pairOf('ES256'), pairOf('ES256')]
    const keys = { keys: [one.jwk(), other.jwk()] }
    for (const pair of [one, other])
      assert.equal((await verify({ keys }, forge({ alg: 'ES256' }, soon(), pair.sign))).subject, 'alice')
  })

  for (const typ of ['JWT', 'jwt', 'at+jwt', 'application/at+JWT'])
    test(`P17.5.2 of the type ${typ}`, async () => {
      assert.ok(await verify({ secret: SECRET }, forge({ alg: 'HS256', typ }, soon(), hs256(SECRET))))
    })

  test('P17.5.4 without a subject, it is known all the same', async () => {
    const given = forge({ alg: 'HS256' }, { exp: seconds() + 60 }, hs256(SECRET))
    const { subject, known } = await verify({ secret: SECRET }, given)
    assert.deepEqual([subject, known], ['', true])
  })
})

describe('a token is not taken', () => {
  const signature = /signature does not hold/
  const pem = pairs.RS256.pem()

  test('P17.5.1 with the algorithm `none`, however it is written', async () => {
    for (const alg of ['none', 'None', 'NONE', '', 'nOnE'])
      for (const sign of [() => Buffer.alloc(0), hs256(SECRET)])
        await refused(
          { secret: SECRET },
          forge({ alg }, soon(), sign),
          /Expected the token's `alg` to be HS256$/,
        )
  })

  test('P17.5.1 by HS256 with a public key as the secret', async () => {
    const { n = '', x = '' } = { ...pairs.RS256.jwk(), ...pairs.EdDSA.jwk() }
    const texts = [pem, pem.trim(), JSON.stringify(pairs.RS256.jwk()), n, x]
    for (const secret of [...texts, ...texts.map((text) => Buffer.from(text, 'base64url'))]) {
      const given = forge({ alg: 'HS256' }, soon(), hs256(secret))
      await refused(
        { keys: pairs.RS256.jwk() },
        given,
        /Expected the token's `alg` to be RS256, ES256, EdDSA/,
      )
      await refused({ keys: pairs.RS256.jwk(), secret: SECRET }, given, signature)
    }
  })

  test('P17.5.1 by a secret where there are only public keys, nor the other way round', async () => {
    await refused({ keys: pairs.ES256.jwk() }, token(), /`alg`/)
    const given = forge({ alg: 'ES256' }, soon(), pairs.ES256.sign)
    await refused({ secret: SECRET }, given, /Expected the token's `alg` to be HS256$/)
  })

  test('P17.5.1 of another algorithm than its key is for', async () => {
    for (const alg of [
      'HS384',
      'HS512',
      'RS384',
      'PS256',
      'ES384',
      'ES256K',
      'RS1',
      'dir',
      'A256GCM',
      5,
      null,
      {},
    ])
      await refused(
        { secret: SECRET, keys: pairs.RS256.jwk() },
        forge({ alg }, soon(), hs256(SECRET)),
        /`alg`|JWT/,
      )
    const given = forge({ alg: 'RS256' }, soon(), pairs.ES256.sign)
    await refused({ keys: { keys: [pairs.ES256.jwk(), pairs.RS256.jwk()] } }, given, signature)
  })

  test('of an algorithm that was left out', async () => {
    const jwt: JwtOptions = { secret: SECRET, keys: pairs.RS256.jwk(), algorithms: ['RS256'] }
    await refused(jwt, token(), /Expected the token's `alg` to be RS256$/)
    assert.ok(await verify(jwt, forge({ alg: 'RS256' }, soon(), pairs.RS256.sign)))
  })

  test('P17.5.2 by a key that it brings along, or says where to get', async (t) => {
    const own = pairOf('RS256')
    const fetched = t.mock.method(globalThis, 'fetch')
    for (const header of [
      { jwk: own.jwk() },
      { jku: 'https://evil.example/jwks.json' },
      { x5u: 'https://evil.example/cert.pem' },
      { x5c: [own.pem().replace(/-----.*-----|\n/g, '')] },
      { kid: 'k', jwk: own.jwk('k') },
    ])
      await refused(
        { keys: pairs.RS256.jwk('k') },
        forge({ alg: 'RS256', ...header }, soon(), own.sign),
        signature,
      )
    assert.equal(fetched.mock.callCount(), 0)
  })

  test('P17.5.1 by tricks with `kid`: it is compared and nothing else', async () => {
    for (const kid of ['../../../dev/null', "' OR 1=1 --", '/etc/passwd', '__proto__', 'constructor', ''])
      await refused(
        { keys: pairs.RS256.jwk('k') },
        forge({ alg: 'RS256', kid }, soon(), hs256('')),
        signature,
      )
    for (const kid of [5, null, {}, ['k']])
      await refused(
        { keys: pairs.RS256.jwk('k') },
        forge({ alg: 'RS256', kid }, soon(), pairs.RS256.sign),
        /`kid`/,
      )
    const other = forge({ alg: 'RS256', kid: 'other' }, soon(), pairs.RS256.sign)
    await refused({ keys: pairs.RS256.jwk('k') }, other, signature)
  })

  test('P17.5.2 with extensions that must be understood', async () => {
    for (const header of [
      { crit: ['exp'] },
      { crit: ['exp'], exp: 1 },
      { crit: [] },
      { crit: 'b64' },
      { crit: ['x'], x: 1 },
    ])
      await refused({ secret: SECRET }, forge({ alg: 'HS256', ...header }, soon(), hs256(SECRET)), /crit|JWT/)
    const unencoded = { alg: 'HS256', b64: false, crit: ['b64'] }
    await refused({ secret: SECRET }, forge(unencoded, soon(), hs256(SECRET)), /JWT|crit|signature/)
  })

  test('P17.5.2 when it was made for something else', async () => {
    for (const typ of ['logout+jwt', 'dpop+jwt', 'secevent+jwt', 'JOSE', '', 5, null, ['JWT']])
      await refused({ secret: SECRET }, forge({ alg: 'HS256', typ }, soon(), hs256(SECRET)), /`typ`|JWT/)
  })

  test('when a part of it was changed', async () => {
    const [head = '', body = '', tail = ''] = token().split('.')
    const changed = Buffer.from(JSON.stringify(soon({ sub: 'root' }))).toString('base64url')
    for (const given of [
      `${head}.${changed}.${tail}`,
      `${head}.${body}.${tail.slice(0, -4)}`,
      `${head}.${body}.`,
      `${head}.${body}.${'A'.repeat(43)}`,
      token({}, `${SECRET}!`),
    ])
      await refused({ secret: SECRET }, given, /signature|JWT/)
  })

  test('when it is no JWT', async () => {
    const nested = '['.repeat(4000) + ']'.repeat(4000)
    for (const given of [
      'x',
      'a.b.c',
      '..',
      'a.b.c.d.e',
      forge({ alg: 'HS256' }, 'no json', hs256(SECRET)),
      forge({ alg: 'HS256' }, '[]', hs256(SECRET)),
      forge({ alg: 'HS256' }, 'null', hs256(SECRET)),
      forge({ alg: 'HS256' }, nested, hs256(SECRET)),
      forge('{}', soon(), hs256(SECRET)),
      forge('[]', soon(), hs256(SECRET)),
      forge(nested, soon(), hs256(SECRET)),
      forge('{"alg":"HS256","alg":"none"}', soon(), hs256(SECRET)),
    ])
      await refused({ secret: SECRET }, given, /JWT|`alg`/)
  })

  test('whatever it is: never anything but a refusal', async () => {
    const verifier = await createVerifier({ secret: SECRET, keys: pairs.ES256.jwk() })
    const anything = fc.oneof(
      fc.string(),
      fc.tuple(fc.json(), fc.json()).map(([header, payload]) => forge(header, payload, hs256(SECRET))),
      fc
        .record(
          {
            alg: fc.constantFrom('HS256', 'ES256', 'none'),
            typ: fc.jsonValue(),
            kid: fc.jsonValue(),
            crit: fc.jsonValue(),
            b64: fc.jsonValue(),
            zip: fc.jsonValue(),
          },
          { requiredKeys: ['alg'] },
        )
        .map((header) => forge(header, { exp: 1 }, hs256(SECRET))),
      fc
        .record(
          { sub: fc.jsonValue(), exp: fc.jsonValue(), nbf: fc.jsonValue(), downlink: fc.jsonValue() },
          { requiredKeys: [] },
        )
        .map((payload) => forge({ alg: 'HS256' }, payload, hs256(SECRET))),
    )
    await fc.assert(
      fc.asyncProperty(anything, async (given) => {
        try {
          await verifier.verify(given)
        } catch (error) {
          assert.equal((error as Error).name, 'Refusal', String(error))
        }
      }),
      { numRuns: 1_000 },
    )
  })
})

describe('times', () => {
  const at = 1_800_000_000
  const good = (claims: object, now: number): Promise<Claims> =>
    verify({ secret: SECRET }, forge({ alg: 'HS256' }, claims, hs256(SECRET)), () => now * 1000)
  const bad = (claims: object, now: number, message: RegExp): Promise<void> =>
    refused({ secret: SECRET }, forge({ alg: 'HS256' }, claims, hs256(SECRET)), message, () => now * 1000)

  test('P17.5.3 `exp` is the end, with five seconds for clocks that differ, and the grant ends then', async () => {
    assert.equal((await good({ exp: at }, at + 4)).until, (at + 5) * 1000)
    await bad({ exp: at }, at + 5, /has expired/)
    await bad({ exp: at }, at + 5000, /has expired/)
  })

  test('P17.5.3 `nbf` is the beginning, with as many', async () => {
    await good({ exp: at + 100, nbf: at }, at - 5)
    await bad({ exp: at + 100, nbf: at }, at - 6, /does not hold yet/)
  })

  test('a tolerance may be chosen', async () => {
    const given = forge({ alg: 'HS256' }, { exp: at }, hs256(SECRET))
    await refused({ secret: SECRET, clockToleranceMs: 0 }, given, /expired/, () => at * 1000)
    assert.ok(await verify({ secret: SECRET, clockToleranceMs: 60_000 }, given, () => (at + 59) * 1000))
  })

  test('P17.5.3 every token needs an end', async () => {
    await bad({ sub: 'alice' }, at, /every token needs an end/)
    for (const exp of ['1900000000', null, true, [at + 100]])
      await bad({ exp }, at, /Expected `exp` to be a number/)
    const forever = forge({ alg: 'HS256' }, '{"exp":1e400}', hs256(SECRET))
    await refused({ secret: SECRET }, forever, /`exp`/, () => at * 1000)
    assert.equal((await good({ exp: 1e300 }, at)).until, 8_640_000_000_000_000)
  })

  test('times that are no numbers are refused', async () => {
    for (const name of ['nbf', 'iat'])
      await bad({ exp: at + 100, [name]: 'now' }, at, /Expected `(nbf|iat)` to be a number of seconds/)
  })
})

describe('issuer and audience', () => {
  const jwt = { secret: SECRET, issuer: ['https://id.example', 'https://id2.example'], audience: 'downlink' }
  const right = { iss: 'https://id2.example', aud: ['other', 'downlink'] }

  test('P17.5.3 are asked for when they are configured', async () => {
    assert.ok(await verify(jwt, token(right)))
    assert.ok(await verify(jwt, token({ ...right, aud: 'downlink' })))
    await refused(jwt, token({ ...right, iss: undefined }), /another issuer/)
    await refused(jwt, token({ ...right, iss: 'https://id.example.evil' }), /another issuer/)
    await refused(jwt, token({ ...right, iss: ['https://id.example'] }), /another issuer/)
    await refused(jwt, token({ ...right, aud: undefined }), /another audience/)
    await refused(jwt, token({ ...right, aud: ['downlink2', 'down'] }), /another audience/)
    await refused(jwt, token({ ...right, aud: { downlink: true } }), /another audience/)
  })

  test('P17.5.3 a token for an audience is refused by a hub that was not told that it is one', async () => {
    await refused({ secret: SECRET }, token({ aud: 'somebody-else' }), /was not told that it is one/)
    await refused({ secret: SECRET }, token({ aud: [] }), /was not told that it is one/)
    assert.ok(await verify({ secret: SECRET }, token({ iss: 'whoever' })))
  })
})

describe('what it claims', () => {
  test('P17.5.5 is taken as it says', async () => {
    const downlink = { read: ['news.**', 'user.{sub}'], publish: [], end: ['a'], drop: ['b'], inspect: true }
    assert.deepEqual((await verify({ secret: SECRET }, token({ downlink }))).claims, downlink)
    assert.deepEqual((await verify({ secret: SECRET }, token())).claims, {})
  })

  for (const [downlink, message] of [
    ['read', /Expected the claim `downlink` to be an object/],
    [null, /to be an object/],
    [[], /to be an object/],
    [{ read: 'news.**' }, /Expected `downlink.read` to be a list/],
    [{ read: [5] }, /`downlink.read\[0\]`: Expected a name or pattern of channels as a string/],
    [{ read: ['a', 'a..b'] }, /`downlink.read\[1\]`: .*empty level/],
    [{ publish: ['user.{sub}x'] }, /`downlink.publish\[0\]`: .*whole level/],
    [{ read: Array.from({ length: 101 }, () => 'a') }, /at most 100/],
    [{ inspect: 'yes' }, /`downlink.inspect` to be true or false/],
    [{ raed: ['a'] }, /a member that this hub does not know\. There are read, publish, end, drop, inspect/],
    [JSON.parse('{"__proto__":{"inspect":true}}'), /a member that this hub does not know/],
    [JSON.parse('{"constructor":["a"]}'), /a member that this hub does not know/],
  ] as readonly (readonly [unknown, RegExp])[])
    test(`${JSON.stringify(downlink).slice(0, 60)} is refused with what is wrong`, async () => {
      await refused({ secret: SECRET }, token({ downlink }), message)
    })

  test('nothing is taken from a prototype', async () => {
    const given = forge(
      { alg: 'HS256' },
      `{"exp":${seconds() + 60},"__proto__":{"sub":"root","downlink":{"inspect":true}}}`,
      hs256(SECRET),
    )
    const { subject, claims } = await verify({ secret: SECRET }, given)
    assert.deepEqual([subject, claims], ['', {}])
    assert.equal(({} as { sub?: string }).sub, undefined)
  })

  test('P17.5.4 a subject is a short string', async () => {
    for (const sub of [5, null, ['alice'], 'a'.repeat(256)])
      await refused({ secret: SECRET }, token({ sub }), /`sub`/)
    assert.equal((await verify({ secret: SECRET }, token({ sub: 'a'.repeat(255) }))).subject.length, 255)
  })
})

describe('a token that was verified', () => {
  test('is not verified again, and gives the same claims', async () => {
    const verifier = await createVerifier({ secret: SECRET })
    const given = token()
    const first = verifier.verify(given)
    assert.ok(first instanceof Promise)
    const claims = await first
    assert.equal(verifier.verify(given), claims)
  })

  test('is verified once for all who bring it at the same time', async () => {
    const verifier = await createVerifier({ secret: SECRET })
    const given = token()
    const all = await Promise.all(Array.from({ length: 100 }, async () => verifier.verify(given)))
    assert.equal(new Set(all).size, 1)
  })

  test('is refused once it has expired', async () => {
    let now = Date.now()
    const verifier = await createVerifier({ secret: SECRET }, { now: () => now })
    const given = token()
    await verifier.verify(given)
    now += 3_606_000
    assert.throws(() => verifier.verify(given), /has expired/)
    await assert.rejects(async () => verifier.verify(given), /has expired/)
  })

  test('is forgotten when there are too many, the oldest first', async () => {
    const verifier = await createVerifier({ secret: SECRET }, { remembered: 3 })
    const tokens = ['a', 'b', 'c', 'd'].map((sub) => token({ sub }))
    for (const given of tokens) await verifier.verify(given)
    assert.deepEqual(
      tokens.toReversed().map((given) => verifier.verify(given) instanceof Promise),
      [false, false, false, true],
    )
  })

  test('P17.5.6 what was refused is not remembered as good, nor is another token of the same claims', async () => {
    const verifier = await createVerifier({ secret: SECRET })
    const given = token()
    await verifier.verify(given)
    const [head, body] = given.split('.')
    await assert.rejects(async () => verifier.verify(`${head}.${body}.${'A'.repeat(43)}`), /signature/)
    await assert.rejects(async () => verifier.verify(`${head}.${body}.${'A'.repeat(43)}`), /signature/)
  })
})

describe('what is configured is looked at first', () => {
  for (const [jwt, message] of [
    [{}, /Expected `secret`, `keys` or `jwksUrl`/],
    [
      { secret: 'short' },
      /The secret must have at least 32 bytes, got 5\. Make one with: openssl rand -base64 32/,
    ],
    [{ secret: '' }, /got 0/],
    [{ keys: {} }, /Expected an RSA key, an EC key on P-256, or an Ed25519 key/],
    [{ keys: { keys: [] } }, /Expected a JWK, or a JWK set of 1 to 50 keys/],
    [{ keys: { kty: 'oct', k: 'AAAA' } }, /Expected an RSA key/],
    [{ keys: { kty: 'RSA', n: 'AQAB', e: 'AQAB' } }, /no key that can be read|2048 bits/],
    [{ keys: { ...pairs.RS256.jwk(), alg: 'HS256' } }, /Expected its `alg` to be RS256/],
    [{ keys: { ...pairs.RS256.jwk(), use: 'enc' } }, /not for signatures/],
    [{ keys: { ...pairs.RS256.jwk(), key_ops: ['encrypt'] } }, /not for verifying/],
    [{ jwksUrl: 'https://id.example/jwks' }, /`jwksUrl` needs `audience` or `issuer`/],
    [{ jwksUrl: 'http://id.example/jwks', issuer: 'x' }, /Expected an https URL/],
    [{ jwksUrl: 'http://127.0.0.1.nip.io/jwks', issuer: 'x' }, /Expected an https URL/],
    [{ jwksUrl: 'file:///etc/passwd', issuer: 'x' }, /Expected an https URL/],
    [{ jwksUrl: 'https://u:p@id.example/jwks', issuer: 'x' }, /Expected an https URL/],
    [{ secret: SECRET, audience: '' }, /Expected `audience`/],
    [{ secret: SECRET, issuer: [5] }, /Expected `issuer`/],
    [{ secret: SECRET, algorithms: ['none'] }, /Expected `algorithms` to be a list of HS256/],
    [{ secret: SECRET, algorithms: [] }, /Expected `algorithms`/],
    [{ secret: SECRET, clockToleranceMs: -1 }, /`clockToleranceMs`/],
    [{ secret: SECRET, clockToleranceMs: Infinity }, /`clockToleranceMs`/],
    [{ secret: SECRET, cookie: 'a b' }, /`cookie`/],
  ] as readonly (readonly [JwtOptions, RegExp])[])
    test(`${JSON.stringify(jwt).slice(0, 80)} is refused`, async () => {
      await assert.rejects(createVerifier(jwt), (error: Error) => {
        assert.equal(error.name, 'KeyError')
        assert.match(error.message, message)
        return true
      })
    })

  test('an RSA key must be long enough', async () => {
    const { generateKeyPairSync } = await import('node:crypto')
    const { publicKey } = generateKeyPairSync('rsa', { modulusLength: 1024 })
    await assert.rejects(
      createVerifier({ keys: publicKey.export({ format: 'jwk' }) }),
      /at least 2048 bits, got 1024/,
    )
  })
})
