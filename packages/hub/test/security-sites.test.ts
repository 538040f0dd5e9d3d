/**
 * Pages of other sites, and names that lead here (DNS rebinding): what a browser would send along is sent, to a hub with rules that
 * takes cookies for an answer, and to one without rules. The header table is in `http-guard.test.ts` and `wire-contract/access.ts`.
 */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { fetchHandler } from '../src/fetch.ts'
import { createHub, type Hub } from '../src/hub.ts'
import { type HubServer, serveHub } from '../src/http/server.ts'
import { ask, type Ask, openStream, problemOf } from './wire-contract/client.ts'

const COOKIE = { cookie: 'session=valid' }
/** As browsers name a page that is none of ours: another site, a sandbox or a file, another port, and look-alikes. */
const ORIGINS = [
  'https://evil.example',
  'null',
  'http://localhost:1',
  'https://app.example.evil.example',
  'https://app.example:8443',
  'http://app.example',
  'https://APP.example',
  'https://app.example/',
  'https://user@app.example',
  '*',
  '',
  'file://',
  'https://app.example, https://evil.example',
]

describe('a page of another site', () => {
  let hub: Hub
  let server: HubServer
  before(async () => {
    hub = createHub()
    server = await serveHub(hub, {
      host: '127.0.0.1',
      origins: ['https://app.example'],
      // Cookies are what a browser sends along by itself.
      authorize: ({ header }) => header('cookie') === COOKIE.cookie,
    })
    await hub.publish('private', 'x')
  })
  after(async () => {
    await server.stop()
    await hub.close()
  })

  for (const origin of ORIGINS)
    test(`from ${JSON.stringify(origin)} writes nothing, by any request that needs no preflight`, async () => {
      for (const type of [
        'text/plain',
        'application/x-www-form-urlencoded',
        'text/plain;charset=UTF-8',
        '',
      ]) {
        for (const [method, query] of [
          ['POST', ''],
          ['POST', '?end'],
          ['POST', '?type=x'],
          ['DELETE', ''],
        ] as const) {
          const what: Ask = {
            method,
            body: '{"data":1}',
            headers: { ...COOKIE, origin, 'content-type': type },
          }
          problemOf(await ask(`${server.url}/channels/private${query}`, what), 403, 'cross-site')
        }
      }
      const [info] = await hub.channels('private')
      assert.deepEqual([info?.events, info?.ended], [1, false])
    })

  for (const site of ['cross-site', 'same-site'])
    test(`without an origin but ${site} writes nothing`, async () => {
      const headers = { ...COOKIE, 'sec-fetch-site': site }
      for (const method of ['POST', 'DELETE'])
        problemOf(
          await ask(`${server.url}/channels/private`, { method, body: 'x', headers }),
          403,
          'cross-site',
        )
    })

  for (const origin of ORIGINS)
    test(`from ${JSON.stringify(origin)} may see nothing: no answer says that it may`, async () => {
      for (const path of [
        '/channels/private',
        '/channels',
        '/metrics',
        '/healthz',
        '/nowhere',
        '/channels/a..b',
      ])
        for (const method of ['GET', 'HEAD', 'OPTIONS', 'POST', 'PUT']) {
          const asked = {
            'access-control-request-method': 'GET',
            'access-control-request-headers': 'authorization',
          }
          const headers = { ...COOKIE, origin, ...(method === 'OPTIONS' && asked) }
          const got = await ask(server.url + path, { method, headers })
          const allowed = Object.keys(got.headers).filter((name) => name.startsWith('access-control'))
          assert.deepEqual(allowed, [], `${method} ${path}`)
          assert.match(String(got.headers.vary), /Origin/)
          // Nothing that a script or style tag of a page would take for its own.
          assert.equal(got.headers['x-content-type-options'], 'nosniff')
        }
      using stream = await openStream(`${server.url}/channels/private`, { ...COOKIE, origin })
      assert.deepEqual([stream.status, stream.headers['access-control-allow-origin']], [200, undefined])
    })

  test('that is named is allowed by its name, never by a wildcard, which would not go with cookies', async () => {
    const { headers } = await ask(`${server.url}/channels/private`, {
      headers: { ...COOKIE, origin: 'https://app.example' },
    })
    assert.deepEqual(
      [headers['access-control-allow-origin'], headers['access-control-allow-credentials']],
      ['https://app.example', 'true'],
    )
  })
})

test('an origin that stands for many pages can’t be named', async (t) => {
  const hub = createHub()
  t.after(() => hub.close())
  for (const origin of [
    '*',
    'null',
    '',
    'https://app.example/',
    'https://*.example',
    'app.example',
    'file://',
  ])
    assert.throws(() => fetchHandler(hub, { origins: [origin] }), { code: 'invalid-option' }, origin)
})

describe('a name that leads to this machine', () => {
  let hub: Hub
  let server: HubServer
  before(async () => {
    hub = createHub()
    server = await serveHub(hub, { host: '127.0.0.1' })
  })
  after(async () => {
    await server.stop()
    await hub.close()
  })

  for (const host of [
    'evil.example',
    'evil.example:4080',
    '127.0.0.1.evil.example',
    'localhost.evil.example',
    '0.0.0.0',
    '0',
  ])
    test(`as ${host} reads and writes nothing without rules, also when the page is of the same origin`, async () => {
      const headers = { host, origin: `http://${host}`, 'sec-fetch-site': 'same-origin' }
      for (const [method, path] of [
        ['GET', '/channels/a'],
        ['GET', '/channels'],
        ['GET', '/metrics'],
        ['GET', '/'],
        ['POST', '/channels/a'],
        ['DELETE', '/channels/a'],
        ['OPTIONS', '/channels/a'],
      ] as const)
        problemOf(await ask(server.url + path, { method, headers }), 403, 'guard')
      assert.deepEqual(await hub.channels(), [])
    })
})
