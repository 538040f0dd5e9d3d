/** Who may do what: rules, the guard of a hub without any, writes of other sites, CORS. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { type Ask, ask, type Got, openStream, post, problemOf } from './client.ts'
import { type Face, fresh, shared } from './face.ts'
import { bytes, RawConnection } from './raw.ts'
import { type Asked, token } from './rules.ts'

export function accessFacts(face: Face): void {
  describe('rules', () => {
    const hub = shared(face, { rules: true })
    const all = token('alice', ['read', 'publish', 'end', 'drop', 'health', 'inspect'])

    const routes: readonly [method: string, path: string, asks: readonly string[]][] = [
      ['GET', '/channels/b,a,c.*', ['read a,b,c.*']],
      ['HEAD', '/channels/a', ['read a']],
      ['POST', '/channels/b,a', ['publish b,a']],
      ['POST', '/channels/ending?end', ['publish ending', 'end ending']],
      ['DELETE', '/channels/a', ['drop a']],
      ['GET', '/channels?match=a', ['read ', 'read a']],
      ['GET', '/healthz', ['health ']],
      ['GET', '/readyz', ['health ']],
      ['GET', '/metrics', ['inspect ']],
      ['OPTIONS', '/channels/a', []],
      ['OPTIONS', '/metrics', []],
    ]
    for (const [method, path, asks] of routes) {
      test(`P13.3.1 ${method} ${path} asks ${asks.join(' and ') || 'nothing'}`, async () => {
        await post(`${hub.url}/channels/a`, 'x', { authorization: all })
        await hub.command({ do: 'asked' })
        const got = await ask(hub.url + path, { method, headers: { authorization: all } })
        assert.ok(got.status < 300, got.text)
        const asked = (await hub.command({ do: 'asked' })) as Asked[]
        assert.deepEqual(
          asked.map(({ action, channels }) => `${action} ${channels.join(',')}`),
          asks,
        )
      })

      if (asks.length === 0) continue
      test(`P13.3.2 ${method} ${path} is refused with 401 to whoever does not say who, else with 403`, async () => {
        const nobody = await ask(hub.url + path, { method })
        assert.equal(nobody.headers['www-authenticate'], 'Bearer')
        const wrong = await ask(hub.url + path, { method, headers: { authorization: token('bob', []) } })
        assert.equal(wrong.headers['www-authenticate'], 'Bearer error="insufficient_scope"')
        if (method === 'HEAD') return assert.deepEqual([nobody.status, wrong.status], [401, 403])
        problemOf(nobody, 401, 'unauthorized')
        problemOf(wrong, 403, 'forbidden')
      })
    }

    test('P13.3.1 ?end needs the right to end besides', async () => {
      const headers = { authorization: token('alice', ['publish']) }
      const channel = fresh()
      problemOf(
        await ask(`${hub.url}/channels/${channel}?end`, { method: 'POST', headers, body: 'x' }),
        403,
        'forbidden',
      )
      await post(`${hub.url}/channels/${channel}`, 'x', headers)
    })

    test('P13.3.3 a request is allowed for all its channels or refused', async () => {
      const headers = { authorization: token('alice', ['read', 'publish'], 'mine') }
      problemOf(await ask(`${hub.url}/channels/mine,yours`, { headers }), 403, 'forbidden')
      problemOf(
        await ask(`${hub.url}/channels/mine,yours`, { method: 'POST', headers, body: 'x' }),
        403,
        'forbidden',
      )
    })

    test('P13.3.1 rules may answer later', async () => {
      const yes = { authorization: token('async-alice', ['read']) }
      assert.equal((await ask(`${hub.url}/channels/x`, { headers: yes })).status, 200)
      using stream = await openStream(`${hub.url}/channels/x`, yes)
      assert.equal((await stream.next())?.type, 'downlink:open')
      const no = { authorization: token('async-bob', []) }
      problemOf(await ask(`${hub.url}/channels/x`, { headers: no }), 403, 'forbidden')
    })

    test('P13.2.1 P14.2.1 rules that throw are a fault of the hub, which a bare EventSource survives', async () => {
      const headers = { authorization: 'Bearer throw' }
      const got = await ask(`${hub.url}/channels/x`, { headers })
      problemOf(got, 500, 'internal')
      assert.doesNotMatch(got.text, /secret/)
      using stream = await openStream(`${hub.url}/channels/x`, headers)
      assert.equal(stream.status, 200)
      await stream.ended
      assert.match(stream.text, /^retry: \d+\n: internal: /)
      const reports = (await hub.command({ do: 'reports' })) as string[]
      assert.ok(reports.every((report) => report.includes('the secret inside of the rules')))
      assert.equal(reports.length, 2)
    })

    test('P14.2.3 a refusal by the rules keeps its status on SSE', async () => {
      const accept = 'text/event-stream'
      problemOf(await ask(`${hub.url}/channels/x`, { headers: { accept } }), 401, 'unauthorized')
    })

    test('P15.3.2 where not everyone may read, nothing is public', async () => {
      const channel = fresh()
      const headers = { authorization: all }
      const [id] = await post(`${hub.url}/channels/${channel}`, 'x', headers)
      await post(`${hub.url}/channels/${channel}`, 'y', headers)
      const got = await ask(`${hub.url}/channels/${channel}?transport=poll&after=${id}&limit=1`, { headers })
      assert.equal(got.headers['cache-control'], 'private, no-cache')
    })

    test('P17.1.1 a hub with rules asks for no loopback name', async () => {
      const headers = { authorization: all, host: 'hub.example', 'x-forwarded-for': '203.0.113.9' }
      assert.equal((await ask(`${hub.url}/channels/x`, { headers })).status, 200)
    })
  })

  describe('the guard', () => {
    const hub = shared(face, { handler: { origins: ['https://app.example'] } })
    const read = (headers: NonNullable<Ask['headers']>): Promise<Got> =>
      ask(`${hub.url}/channels/x`, { headers })

    for (const host of [
      'localhost',
      'LOCALHOST:1',
      'app.localhost:80',
      '127.0.0.1',
      '127.9.8.7:99',
      '[::1]',
      '[::1]:80',
    ]) {
      test(`P17.1.2 Host: ${host} passes`, async () => {
        assert.equal((await read({ host })).status, 200)
      })
    }
    for (const host of [
      'example.com',
      'localhost.example',
      'xlocalhost',
      '127.0.0.1.nip.io',
      '10.0.0.1',
      '[::2]',
      '0.0.0.0',
      '128.0.0.1',
    ]) {
      test(`P17.1.2 P17.1.5 Host: ${host} is refused`, async () => {
        const { detail } = problemOf(await read({ host }), 403, 'guard')
        assert.match(String(detail), /Host/)
        assert.match(String(detail), /authorize/)
      })
    }

    const skip = face.cannot?.['absolute-target'] ?? false
    test(
      'P17.1.2 a request target that names another authority is refused, whatever Host says',
      { skip },
      async () => {
        for (const authority of ['evil.example', 'localhost@evil.example', 'localhost.evil.example:80']) {
          using connection = new RawConnection(hub.url)
          connection.send(bytes(`GET http://${authority}/channels/x`, { Connection: 'close' }))
          const { status } = await connection.answer()
          assert.ok(status === 403 || status === 400, `${status} for ${authority}`)
        }
      },
    )

    for (const name of ['Forwarded', 'Via', 'X-Forwarded-For', 'X-Forwarded-Proto', 'X-Forwarded-Anything']) {
      test(`P17.1.3 a request with ${name} is refused, whatever it asks for`, async () => {
        for (const [method, path] of [
          ['GET', '/channels/x'],
          ['POST', '/channels/x'],
          ['DELETE', '/channels/x'],
          ['GET', '/channels'],
          ['GET', '/healthz'],
          ['GET', '/metrics'],
          ['OPTIONS', '/channels/x'],
        ] as const) {
          const got = await ask(hub.url + path, { method, headers: { [name]: 'for=203.0.113.9' } })
          assert.match(String(problemOf(got, 403, 'guard')['detail']), new RegExp(name, 'i'))
        }
      })
    }
  })

  for (const rules of [false, true]) {
    describe(`writes of other sites, ${rules ? 'with' : 'without'} rules`, () => {
      const hub = shared(face, { rules, handler: { origins: ['https://app.example'] } })
      const authorization = token('alice', ['publish', 'drop', 'read'])
      const write = (headers: Record<string, string>, method = 'POST'): Promise<Got> =>
        ask(`${hub.url}/channels/x`, { method, headers: { authorization, ...headers }, body: 'x' })

      test('P17.2.1 P17.2.2 pass when they are of the same origin, of a named one, or of no page', async () => {
        for (const headers of [
          {},
          { origin: hub.url },
          { origin: hub.url, 'sec-fetch-site': 'same-origin' },
          { 'sec-fetch-site': 'none' },
          { origin: 'https://app.example', 'sec-fetch-site': 'cross-site' },
        ] as Record<string, string>[])
          assert.equal((await write(headers)).status, 200, JSON.stringify(headers))
      })

      test('P17.2.1 P17.2.2 P17.2.3 are refused when they are of another', async () => {
        for (const headers of [
          { origin: 'null' },
          { origin: 'https://evil.example' },
          { origin: 'https://app.example.evil' },
          { origin: 'http://app.example' },
          { origin: hub.url.replace(/\d+$/, '1') },
          { 'sec-fetch-site': 'cross-site' },
          { 'sec-fetch-site': 'same-site' },
          { origin: hub.url, 'sec-fetch-site': 'cross-site' },
        ] as Record<string, string>[])
          for (const method of ['POST', 'DELETE']) problemOf(await write(headers, method), 403, 'cross-site')
      })

      test('P17.2.1 reads may come from anywhere', async () => {
        const headers = { authorization, origin: 'https://evil.example', 'sec-fetch-site': 'cross-site' }
        const got = await ask(`${hub.url}/channels/x`, { headers })
        assert.equal(got.status, 200)
        assert.equal(got.headers['access-control-allow-origin'], undefined)
      })
    })
  }

  describe('CORS', () => {
    const origin = 'https://app.example'
    const hub = shared(face, {
      handler: { origins: [origin, 'http://localhost:5173'] },
      limits: { readers: 0 },
    })
    const cors = (got: Got): Record<string, unknown> =>
      Object.fromEntries(Object.entries(got.headers).filter(([name]) => name.startsWith('access-control-')))
    const exposed = {
      'access-control-allow-origin': origin,
      'access-control-allow-credentials': 'true',
      'access-control-expose-headers': 'ETag, Retry-After, Preference-Applied, Location, X-Request-Id',
    }

    test('P16.1.2 to a named origin every answer has its headers, errors and refusals too', async () => {
      const channel = fresh()
      await post(`${hub.url}/channels/${channel}`, 'x')
      const { headers } = await ask(`${hub.url}/channels/${channel}`)
      for (const [path, what, status] of [
        [`/channels/${channel}`, {}, 200],
        [`/channels/${channel}`, { headers: { 'if-none-match': String(headers.etag) } }, 304],
        [`/channels/${channel}?wait=0`, {}, 200],
        ['/channels/a..b', {}, 400],
        ['/nowhere', {}, 404],
        ['/channels', {}, 200],
        ['/channels/x?wait=1', {}, 503],
        ['/channels/x', { headers: { accept: 'text/event-stream' } }, 200],
        ['/channels/x', { method: 'POST', body: 'x' }, 200],
        ['/channels/x', { method: 'OPTIONS' }, 204],
        ['/channels/x', { method: 'PUT' }, 405],
      ] as readonly [string, Ask, number][]) {
        const got = await ask(hub.url + path, { ...what, headers: { origin, ...what.headers } })
        assert.deepEqual([got.status, cors(got)], [status, exposed], path)
        assert.match(got.headers['vary'] ?? '', /\bOrigin\b/)
      }
    })

    test('P16.1.1 to no other origin is anything said', async () => {
      for (const other of [
        'https://app.example:444',
        'http://app.example',
        'https://APP.example',
        'null',
        'https://evil.example',
      ])
        assert.deepEqual(cors(await ask(`${hub.url}/channels/x`, { headers: { origin: other } })), {})
      assert.deepEqual(cors(await ask(`${hub.url}/channels/x`)), {})
    })

    test('P16.2.1 a preflight of a named origin is told all that may be asked', async () => {
      for (const [path, methods] of [
        ['/channels/x', 'GET, HEAD, POST, DELETE, OPTIONS'],
        ['/channels', 'GET, HEAD, OPTIONS'],
      ] as const) {
        const got = await ask(hub.url + path, {
          method: 'OPTIONS',
          headers: {
            origin,
            'access-control-request-method': 'POST',
            'access-control-request-headers': 'last-event-id',
          },
        })
        assert.deepEqual([got.status, got.text], [204, ''])
        assert.deepEqual(cors(got), {
          ...exposed,
          'access-control-allow-methods': methods,
          'access-control-allow-headers':
            'Accept, Authorization, Cache-Control, Content-Type, Idempotency-Key, If-None-Match, Last-Event-ID, Prefer',
          'access-control-max-age': '600',
        })
      }
    })

    test('P16.2.2 a preflight of another origin is a plain OPTIONS', async () => {
      const got = await ask(`${hub.url}/channels/x`, {
        method: 'OPTIONS',
        headers: { origin: 'https://evil.example', 'access-control-request-method': 'POST' },
      })
      assert.deepEqual([got.status, cors(got)], [204, {}])
      assert.equal(got.headers['allow'], 'GET, HEAD, POST, DELETE, OPTIONS')
    })
  })

  describe('CORS with rules', () => {
    const hub = shared(face, { rules: true, handler: { origins: ['https://app.example'] } })

    test('P13.3.1 P16.2.1 a preflight asks nothing, and a 401 can be seen by its page', async () => {
      const headers = { origin: 'https://app.example', 'access-control-request-method': 'POST' }
      assert.equal((await ask(`${hub.url}/channels/x`, { method: 'OPTIONS', headers })).status, 204)
      assert.deepEqual(await hub.command({ do: 'asked' }), [])
      const got = await ask(`${hub.url}/channels/x`, { headers: { origin: 'https://app.example' } })
      assert.equal(got.headers['access-control-allow-origin'], 'https://app.example')
      problemOf(got, 401, 'unauthorized')
    })
  })
}
