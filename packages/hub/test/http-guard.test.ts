/** The guard of a hub without rules, and writes of other sites, without sockets. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { crossSite } from '../src/auth/cross-site.ts'
import { fetchHandler } from '../src/fetch.ts'
import { createHub } from '../src/hub.ts'
import { guard, isLoopbackAddress, isLoopbackHost } from '../src/auth/guard.ts'

const guarded = (headers: Record<string, string>, address?: string): string | undefined =>
  guard({ header: (name) => headers[name], headerNames: () => Object.keys(headers), address })

describe('the guard', () => {
  for (const host of [
    'localhost',
    'LocalHost',
    'localhost:4080',
    'localhost:',
    'a.localhost',
    'a.b.localhost:1',
    '127.0.0.1',
    '127.255.255.255:8',
    '[::1]',
    '[::1]:1',
  ])
    test(`P17.1.2 ${host} is this machine`, () => assert.ok(isLoopbackHost(host)))

  for (const host of [
    '',
    ':80',
    'localhost.',
    'localhost.example',
    'notlocalhost',
    '.localhost.example',
    '127.0.0.1.example',
    '127.1',
    '127.0.0.256',
    '127.0.0.1:80:90',
    '0127.0.0.1',
    '::1',
    '[::]',
    '[::1',
    '[::ffff:127.0.0.1]',
    '128.0.0.1',
    'user@localhost',
    'localhost/x',
    '2130706433',
    'localhost, evil.example',
    ' localhost',
    'evil.example#.localhost',
    'evil.example/.localhost',
    'evil.example?.localhost',
    'evil.example\\.localhost',
    'evil.example .localhost',
  ])
    test(`P17.1.2 ${JSON.stringify(host)} is not`, () => assert.ok(!isLoopbackHost(host)))

  test('P17.1.4 a peer’s address is looked at where it is known', () => {
    const headers = { host: 'localhost' }
    for (const address of ['127.0.0.1', '127.1.2.3', '::1', '::ffff:127.0.0.1', undefined])
      assert.equal(guarded(headers, address), undefined, address)
    for (const address of ['10.0.0.1', '::', 'fe80::1', '::ffff:10.0.0.1', '', '127.0.0.1.example']) {
      assert.match(guarded(headers, address) ?? '', /this machine/)
      assert.ok(!isLoopbackAddress(address))
    }
  })

  test('P17.1.2 P17.1.3 a missing Host and headers of proxies are refused with what was found and what to set', () => {
    assert.match(guarded({}) ?? '', /Host.*authorize/)
    for (const name of ['forwarded', 'via', 'x-forwarded-for', 'x-forwarded-'])
      assert.match(guarded({ host: 'localhost', [name]: '' }) ?? '', new RegExp(`${name}.*authorize`))
    for (const name of ['x-forwarde', 'viaduct', 'x-real-ip'])
      assert.equal(guarded({ host: 'localhost', [name]: 'x' }), undefined)
  })
})

describe('writes of other sites', () => {
  const origins = ['https://app.example']
  const refused = (headers: Record<string, string>): boolean =>
    crossSite({ header: (name) => ({ host: 'Hub.example:8080', ...headers })[name] }, origins) !== undefined

  test('P17.2.1 the scheme is left out, the port is not', () => {
    assert.ok(!refused({ origin: 'https://hub.example:8080' }))
    assert.ok(!refused({ origin: 'http://HUB.example:8080' }))
    for (const origin of [
      'http://hub.example',
      'http://hub.example:80',
      'http://hub.example:8080.evil',
      'http://x.hub.example:8080',
      'null',
      '',
      'hub.example:8080',
      'file://hub.example:8080',
    ])
      assert.ok(refused({ origin }), origin)
  })

  test('P17.2.2 Sec-Fetch-Site is believed, unless the origin is named', () => {
    for (const site of ['same-origin', 'none']) assert.ok(!refused({ 'sec-fetch-site': site }))
    for (const site of ['cross-site', 'same-site', '', 'anything']) {
      assert.ok(refused({ 'sec-fetch-site': site }), site)
      assert.ok(!refused({ 'sec-fetch-site': site, origin: 'https://app.example' }), site)
    }
  })

  test('P17.2.1 a missing Host is no origin’s own', () => {
    assert.notEqual(
      crossSite({ header: (name) => (name === 'origin' ? 'http://hub.example' : undefined) }, []),
      undefined,
    )
  })
})

test('`authorize` may take its request apart', async (t) => {
  const hub = createHub()
  t.after(() => hub.close())
  const handle = fetchHandler(hub, { authorize: ({ header, method }) => header('x-pass') === method })
  const url = 'http://hub.example/channels/a'
  assert.equal((await handle(new Request(url, { headers: { 'x-pass': 'GET' } }))).status, 200)
  assert.equal((await handle(new Request(url))).status, 401)
})
