/** How a token may come: header, cookie, URL; and which requests a cookie does not count for. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { crossSite } from '../src/auth/cross-site.ts'
import { type CredentialOptions, tokenOf } from '../src/auth/credentials.ts'

interface Given extends Record<string, string> {}

function request(headers: Given, accessToken?: string): Parameters<typeof tokenOf>[0] {
  const all: Given = { host: 'hub.example', ...headers }
  const header = (name: string): string | undefined => all[name]
  return { header, accessToken, crossSite: () => crossSite({ header }, ['https://app.example']) }
}

const take = (headers: Given, options: CredentialOptions = {}, accessToken?: string): string | undefined =>
  tokenOf(request(headers, accessToken), options)

function refused(
  code: string,
  message: RegExp,
  headers: Given,
  options: CredentialOptions = {},
  accessToken?: string,
): void {
  assert.throws(() => take(headers, options, accessToken), { name: 'Refusal', code, message })
}

describe('`Authorization`', () => {
  test('P17.4.1 is `Bearer`, however it is written, and the token', () => {
    for (const scheme of ['Bearer', 'bearer', 'BEARER'])
      assert.equal(take({ authorization: `${scheme} a.b-c_d~e+f/g==` }), 'a.b-c_d~e+f/g==')
  })

  test('P17.4.1 of another scheme is somebody else’s', () => {
    for (const authorization of ['Basic dTpw', 'Bearerer x', 'Digest Bearer x', '', 'xBearer y'])
      assert.equal(take({ authorization }), undefined, authorization)
  })

  test('P17.4.1 that is not one token is refused', () => {
    for (const authorization of [
      'Bearer',
      'Bearer ',
      'Bearer a b',
      'Bearer a, Bearer b',
      'Bearer a,b',
      'Bearer "a"',
      'Bearer a=b',
      'Bearer é',
      'Bearer, x',
      'Bearer\tx',
    ])
      refused('invalid-credentials', /one token, once/, { authorization })
  })

  test('P17.4.5 of more than 8,192 characters is refused', () => {
    assert.equal(take({ authorization: `Bearer ${'a'.repeat(8_192)}` })?.length, 8_192)
    refused('invalid-token', /at most 8192/, { authorization: `Bearer ${'a'.repeat(8_193)}` })
    refused('invalid-token', /at most 8192/, { cookie: `__Host-downlink=${'a'.repeat(8_193)}` })
  })
})

describe('the URL', () => {
  test('P17.4.3 is no place for a token, unless that was allowed', () => {
    refused('invalid-credentials', /no token in the URL.*`Authorization: Bearer …`/, {}, {}, 'x')
    refused('invalid-credentials', /in the URL/, { authorization: 'Bearer y' }, {}, 'x')
    assert.equal(take({}, { tokenInUrl: true }, 'x'), 'x')
  })

  test('P17.4.3 and the header both are too much', () => {
    refused(
      'invalid-credentials',
      /send one of them/,
      { authorization: 'Bearer x' },
      { tokenInUrl: true },
      'x',
    )
  })
})

describe('the cookie', () => {
  const cookie = '__Host-downlink=t.o.k'

  test('P17.4.2 counts among others, and only by its whole name', () => {
    for (const header of [
      cookie,
      `a=b; ${cookie}; c=d`,
      `a=b;${cookie}`,
      '__Host-downlink="t.o.k"',
      ` ${cookie} `,
    ])
      assert.equal(take({ cookie: header }), 't.o.k', header)
    for (const header of [
      '__host-downlink=x',
      'x__Host-downlink=x',
      '__Host-downlink2=x',
      'a=__Host-downlink=x',
      'downlink=x',
      '__Host-downlink',
      '__Host-downlink=',
      '',
    ])
      assert.equal(take({ cookie: header }), undefined, header)
  })

  test('P17.4.2 that comes twice is refused: one of them may be another’s', () => {
    refused('invalid-credentials', /came twice/, { cookie: `${cookie}; __Host-downlink=other` })
  })

  test('P17.4.2 gives way to what was said on purpose', () => {
    assert.equal(take({ cookie, authorization: 'Bearer x' }), 'x')
    assert.equal(take({ cookie }, { tokenInUrl: true }, 'x'), 'x')
    const origin = 'https://evil.example'
    assert.equal(take({ cookie, authorization: 'Bearer x', origin, 'sec-fetch-site': 'cross-site' }), 'x')
  })

  test('P17.4.4 of pages of the hub’s own origin, of named ones, and of no page counts', () => {
    for (const headers of [
      {},
      { origin: 'https://hub.example' },
      { origin: 'https://hub.example', 'sec-fetch-site': 'same-origin' },
      { 'sec-fetch-site': 'same-origin' },
      { 'sec-fetch-site': 'none' },
      { origin: 'https://app.example', 'sec-fetch-site': 'cross-site' },
    ] as Given[])
      assert.equal(take({ cookie, ...headers }), 't.o.k', JSON.stringify(headers))
  })

  test('P17.4.4 of pages of other sites is refused, for reads as for writes', () => {
    for (const headers of [
      { origin: 'https://evil.example' },
      { origin: 'null' },
      { origin: 'https://hub.example:444' },
      { 'sec-fetch-site': 'cross-site' },
      { 'sec-fetch-site': 'same-site' },
      { 'sec-fetch-site': '' },
      { origin: 'https://hub.example', 'sec-fetch-site': 'same-site' },
      { origin: 'https://app.example.evil', 'sec-fetch-site': 'cross-site' },
    ] as Given[])
      refused('cross-site', /name their origin in `origins`/, { cookie, ...headers })
  })

  test('P17.4.2 may have another name, which without `__Host-` counts on loopback only', () => {
    assert.equal(take({ cookie: '__Host-my=x' }, { cookie: '__Host-my' }), 'x')
    assert.equal(take({ cookie }, { cookie: '__Host-my' }), undefined)
    for (const host of ['localhost:4080', '127.0.0.1', '[::1]:1'])
      assert.equal(take({ cookie: 'my=x', host }, { cookie: 'my' }), 'x')
    for (const name of ['my', '__Secure-my', '__host-my'])
      refused('invalid-credentials', /on loopback only.*`__Host-`/, { cookie: `${name}=x` }, { cookie: name })
  })

  test('may be left out altogether', () => {
    assert.equal(take({ cookie, 'sec-fetch-site': 'cross-site' }, { cookie: false }), undefined)
  })

  test('whatever a request says, a token is taken from the place that it stands in, or refused', () => {
    const name = fc.constantFrom('__Host-downlink', 'a', '__Host-downlink2', '')
    const value = fc.string({ maxLength: 5 })
    const cookies = fc.array(fc.tuple(name, value).map(([one, other]) => `${one}=${other}`))
    fc.assert(
      fc.property(
        fc.oneof(
          cookies.map((list) => list.join('; ')),
          fc.string(),
        ),
        (header) => {
          let token: string | undefined
          try {
            token = take({ cookie: header })
          } catch (error) {
            assert.equal((error as Error).name, 'Refusal')
            return
          }
          if (token !== undefined) assert.ok(header.includes('__Host-downlink') && header.includes(token))
        },
      ),
    )
  })
})
