/** Where keys come from: a file that changes, and a JWKS URL that rotates, is away, or is asked by strangers. */
import assert from 'node:assert/strict'
import { renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test, type TestContext } from 'node:test'
import { createVerifier, type JwtOptions } from '../src/auth/authorizer.ts'
import type { Verifier } from '../src/auth/jwt.ts'
import { keysIn } from '../src/auth/keys-file.ts'
import { REMOTE } from '../src/auth/keys-remote.ts'
import { forge, type JwksServer, jwksServer, type Pair, pairOf, SECRET, token } from './auth/tokens.ts'
import { folderOf } from './cli/folder.ts'

const [rsa, ec, ed, ec2] = [pairOf('RS256'), pairOf('ES256'), pairOf('EdDSA'), pairOf('ES256')]

/** A verifier at a time of the test's own; tokens hold for two days from its beginning. */
async function clocked(
  jwt: JwtOptions,
): Promise<{ verifier: Verifier; warnings: string[]; pass: (ms: number) => void; sign: typeof sign }> {
  let now = Date.now()
  const end = Math.floor(now / 1000) + 2 * 86_400
  const warnings: string[] = []
  const onWarning = (message: string): void => void warnings.push(message)
  const verifier = await createVerifier(jwt, { now: () => now, onWarning })
  const sign = (pair: Pair, kid?: string, sub = 'alice'): string =>
    forge({ alg: pair.alg, ...(kid !== undefined && { kid }) }, { sub, exp: end, iss: 'id' }, pair.sign)
  return { verifier, warnings, pass: (ms) => void (now += ms), sign }
}

async function codeOf(verifier: Verifier, given: string): Promise<string> {
  try {
    await verifier.verify(given)
    return 'good'
  } catch (error) {
    return (error as { code?: string }).code ?? String(error)
  }
}

describe('a file of keys', () => {
  test('may be PEM, several of them, a JWK or a JWK set', async () => {
    for (const [text, algorithms] of [
      [rsa.pem(), ['RS256']],
      [`# comment\n${rsa.pem()}\n${ec.pem()}${ed.pem()}`, ['RS256', 'ES256', 'EdDSA']],
      [JSON.stringify(ec.jwk('k')), ['ES256']],
      [` \n${JSON.stringify({ keys: [ed.jwk('a'), rsa.jwk('b')] })}`, ['EdDSA', 'RS256']],
    ] as const)
      assert.deepEqual(
        (await keysIn(text)).map(({ algorithm }) => algorithm),
        algorithms,
      )
  })

  for (const [what, text, message] of [
    ['nothing', '', /Expected PEM, a JWK or a JWK set, got neither/],
    ['half of a PEM', rsa.pem().slice(0, 100), /got neither/],
    [
      'a PEM of nonsense',
      '-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----',
      /no public key that can be read/,
    ],
    ['broken JSON', '{"keys":', /got neither/],
    [
      'a private key',
      rsa.privateKey.export({ format: 'pem', type: 'pkcs8' }),
      /private key: the hub needs only the public one/,
    ],
    ['a private JWK', JSON.stringify(ec.privateKey.export({ format: 'jwk' })), /private key/],
    ['a secret', '{"kty":"oct","k":"AAAA"}', /a secret: give it in the environment/],
    [
      'one bad key among good ones',
      `${ec.pem()}-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----`,
      /^Key 2|no public key/,
    ],
    ['no keys', '{"keys":[]}', /1 to 50 keys/],
  ] as const)
    test(`${what} is refused`, async () => {
      await assert.rejects(keysIn(String(text)), { name: 'KeyError', message })
    })

  test('a file that is away is named', async () => {
    await assert.rejects(createVerifier({ keys: '/no/such/keys.pem' }), /\/no\/such\/keys\.pem can't be read/)
  })

  async function inFile(t: TestContext): Promise<Awaited<ReturnType<typeof clocked>> & { path: string }> {
    const path = join(folderOf(t), 'keys.pem')
    writeFileSync(path, ec.pem())
    return { ...(await clocked({ keys: path })), path }
  }

  test('P17.7.1 is read again when it has changed: a new key counts at once, an old one no more', async (t) => {
    const { verifier, pass, sign, path } = await inFile(t)
    assert.equal(await codeOf(verifier, sign(ec)), 'good')
    assert.equal(await codeOf(verifier, sign(ec2)), 'invalid-token')
    writeFileSync(`${path}.new`, ec2.pem())
    renameSync(`${path}.new`, path)
    pass(1_001)
    assert.equal(await codeOf(verifier, sign(ec2)), 'good')
    // Remembered as good, by a key that is gone.
    assert.equal(await codeOf(verifier, sign(ec)), 'invalid-token')
  })

  test('that breaks, or goes away, is told once, and the keys of before go on', async (t) => {
    const { verifier, pass, sign, path, warnings } = await inFile(t)
    for (const [act, message] of [
      [() => writeFileSync(path, 'nonsense'), /keys\.pem: Expected PEM.*\. The keys of before go on$/],
      [() => rmSync(path), /keys\.pem can't be read: .*The keys of before go on$/],
    ] as const) {
      act()
      for (let time = 0; time < 3; time++) {
        pass(1_001)
        // A token of another key makes it look, and waits for that.
        assert.equal(await codeOf(verifier, sign(ec2)), 'invalid-token')
        assert.equal(await codeOf(verifier, sign(ec)), 'good')
      }
      assert.equal(warnings.length, 1)
      assert.match(warnings.splice(0).join(), message)
    }
    writeFileSync(path, ec2.pem())
    pass(1_001)
    assert.equal(await codeOf(verifier, sign(ec2)), 'good')
  })
})

describe('a JWKS URL', () => {
  test('is asked when its keys are first needed, once, whatever it has besides', async (t) => {
    const others = [
      { kty: 'oct', k: 'AAAA', kid: 'x' },
      { kty: 'EC', crv: 'P-521', x: 'a', y: 'b' },
      { ...rsa.jwk('enc'), use: 'enc' },
      { kty: 'nonsense' },
    ]
    const server = await jwksServer(t, { keys: [...others, rsa.jwk('a'), ed.jwk('b')] })
    const { verifier, sign } = await clocked({ jwksUrl: server.url, issuer: 'id' })
    assert.equal(server.asked, 0)
    const codes = [sign(rsa, 'a'), sign(ed, 'b'), sign(rsa)].map((given) => codeOf(verifier, given))
    assert.deepEqual(await Promise.all(codes), ['good', 'good', 'good'])
    assert.equal(server.asked, 1)
  })

  test('a secret that it publishes is no key', async (t) => {
    const k = Buffer.from(SECRET).toString('base64url')
    const server = await jwksServer(t, { keys: [{ kty: 'oct', k, alg: 'HS256' }, rsa.jwk()] })
    const { verifier } = await clocked({ jwksUrl: server.url, issuer: 'id' })
    assert.equal(await codeOf(verifier, token({ iss: 'id' })), 'invalid-token')
    assert.equal(server.asked, 0)
  })

  test('P17.7.1 rotates: a token of a new key makes the hub look, and a key that is gone counts no more', async (t) => {
    const server = await jwksServer(t, { keys: [ec.jwk('old')] })
    const { verifier, pass, sign } = await clocked({ jwksUrl: server.url, issuer: 'id' })
    assert.equal(await codeOf(verifier, sign(ec, 'old')), 'good')
    server.answer = { keys: [ec.jwk('old'), ec2.jwk('new')] }
    pass(REMOTE.cooldown)
    assert.equal(await codeOf(verifier, sign(ec2, 'new')), 'good')
    assert.equal(await codeOf(verifier, sign(ec, 'old')), 'good')
    assert.equal(server.asked, 2)
    server.answer = { keys: [ec2.jwk('new')] }
    pass(REMOTE.fresh - 1)
    assert.equal(await codeOf(verifier, sign(ec, 'old')), 'good')
    assert.equal(server.asked, 2)
    pass(1)
    assert.equal(await codeOf(verifier, sign(ec, 'old')), 'invalid-token')
    assert.equal(await codeOf(verifier, sign(ec2, 'new')), 'good')
    assert.equal(server.asked, 3)
  })

  test('keys that stay the same are not verified with again', async (t) => {
    const server = await jwksServer(t, { keys: [ec.jwk()] })
    const { verifier, pass, sign } = await clocked({ jwksUrl: server.url, issuer: 'id' })
    const given = sign(ec)
    const claims = await verifier.verify(given)
    pass(REMOTE.fresh)
    assert.equal(await verifier.verify(given), claims)
    assert.equal(server.asked, 2)
  })

  test('P17.7.1 strangers with keys that nobody knows can’t make the hub hammer it', async (t) => {
    const server = await jwksServer(t, { keys: [ec.jwk('k')] })
    const { verifier, pass, sign } = await clocked({ jwksUrl: server.url, issuer: 'id' })
    await verifier.verify(sign(ec, 'k'))
    for (let index = 0; index < 20; index++) {
      assert.equal(await codeOf(verifier, sign(ec2, `kid-${index}`)), 'invalid-token')
      assert.equal(await codeOf(verifier, sign(ec2, 'k', `mallory-${index}`)), 'invalid-token')
      pass(1_000)
    }
    assert.equal(server.asked, 1)
    pass(REMOTE.cooldown)
    await Promise.all(Array.from({ length: 20 }, (_, index) => codeOf(verifier, sign(ec2, `again-${index}`))))
    assert.equal(server.asked, 2)
  })

  for (const [what, answer] of [
    ['a failure', (res) => void res.writeHead(500).end()],
    ['a connection that breaks', (res) => void res.destroy()],
    ['no JSON', (res) => void res.end('<html>')],
    ['no keys', (res) => void res.end('{"keys":[]}')],
    ['no set', (res) => void res.end('[]')],
    ['only keys of other kinds', (res) => void res.end('{"keys":[{"kty":"oct","k":"AAAA"}]}')],
    ['far too much', { keys: [ec.jwk()], more: 'x'.repeat(600_000) }],
    [
      'far too many keys',
      (res) => void res.end(JSON.stringify({ keys: Array.from({ length: 51 }, () => ec.jwk()) })),
    ],
  ] as readonly (readonly [string, JwksServer['answer']])[])
    test(`P17.7.3 ${what} in its place is \`keys-unavailable\`, until there are keys`, async (t) => {
      const server = await jwksServer(t, answer)
      const { verifier, pass, sign, warnings } = await clocked({ jwksUrl: server.url, issuer: 'id' })
      for (let time = 0; time < 5; time++) assert.equal(await codeOf(verifier, sign(ec)), 'keys-unavailable')
      assert.equal(server.asked, 1)
      assert.equal(warnings.length, 1)
      assert.match(warnings[0] ?? '', /can't be had \(.*\): those known go on for a day$/)
      server.answer = { keys: [ec.jwk()] }
      pass(REMOTE.retry)
      assert.equal(await codeOf(verifier, sign(ec)), 'good')
      assert.match(warnings[1] ?? '', /can be had again$/)
    })

  test('its redirects are not followed, wherever they lead', async (t) => {
    const server = await jwksServer(t, (res) => {
      if (server.asked === 1) res.writeHead(302, { location: server.url }).end()
      else res.end(JSON.stringify({ keys: [ec.jwk()] }))
    })
    const { verifier, sign } = await clocked({ jwksUrl: server.url, issuer: 'id' })
    assert.equal(await codeOf(verifier, sign(ec)), 'keys-unavailable')
    assert.equal(server.asked, 1)
  })

  test('P17.7.2 P17.7.3 while it is away the keys known so far go on for a day, then it is `keys-unavailable`', async (t) => {
    const server = await jwksServer(t, { keys: [ec.jwk('k')] })
    const { verifier, pass, sign, warnings } = await clocked({ jwksUrl: server.url, issuer: 'id' })
    assert.equal(await codeOf(verifier, sign(ec, 'k')), 'good')
    server.answer = (res) => void res.writeHead(503).end()
    for (let passed = 0; passed < REMOTE.stale - 3_600_000; passed += 3_600_000) {
      pass(3_600_000)
      assert.equal(await codeOf(verifier, sign(ec, 'k')), 'good')
      assert.equal(await codeOf(verifier, sign(ec, 'k', `of hour ${passed}`)), 'good')
      // It may be by a key that can't be asked for: no 401, which would be for good.
      assert.equal(await codeOf(verifier, sign(ec2, 'new')), 'keys-unavailable')
    }
    pass(3_600_000)
    assert.equal(await codeOf(verifier, sign(ec, 'k')), 'keys-unavailable')
    assert.equal(await codeOf(verifier, sign(ec, 'k', 'late')), 'keys-unavailable')
    assert.equal(warnings.length, 1)
    server.answer = { keys: [ec.jwk('k')] }
    pass(REMOTE.retry)
    assert.equal(await codeOf(verifier, sign(ec, 'k')), 'good')
  })

  test('one that hangs is waited for once, not by each who comes', async (t) => {
    const server = await jwksServer(t, { keys: [ec.jwk('k')] })
    const { verifier, pass, sign } = await clocked({ jwksUrl: server.url, issuer: 'id' })
    const given = sign(ec, 'k')
    await verifier.verify(given)
    t.mock.method(AbortSignal, 'timeout', () => {
      const abort = new AbortController()
      setImmediate(() => abort.abort(new Error('too late')))
      return abort.signal
    })
    server.answer = () => {}
    pass(REMOTE.fresh)
    assert.equal(await codeOf(verifier, given), 'good')
    // From now on nobody waits: the answer is there at once.
    pass(REMOTE.retry)
    assert.equal((verifier.verify(given) as { subject?: string }).subject, 'alice')
  })

  test('a token by the secret never waits for it', async (t) => {
    const server = await jwksServer(t, () => {})
    const { verifier } = await clocked({ secret: SECRET, jwksUrl: server.url, issuer: 'id' })
    assert.equal(await codeOf(verifier, token({ iss: 'id' })), 'good')
    assert.equal(await codeOf(verifier, token({ iss: 'id' }, `${SECRET}!`)), 'invalid-token')
    assert.equal(server.asked, 0)
  })
})
