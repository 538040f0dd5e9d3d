/** Looking: the listing, health, metrics; methods and paths. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { ask, openStream, post, problemOf } from './client.ts'
import { type Face, fresh, shared } from './face.ts'
import { token } from './rules.ts'

interface Listing {
  readonly channels: readonly {
    readonly name: string
    readonly head: string
    readonly oldest?: string
    readonly oldestTime?: string
    readonly newestTime?: string
    readonly events: number
    readonly bytes: number
    readonly ended: boolean
    readonly retention?: object
  }[]
  readonly next?: string
}

export function lookFacts(face: Face): void {
  describe('the listing', () => {
    const hub = shared(face, { retention: [{ channels: 'short.**', age: 1000 }] })
    const list = async (query: string): Promise<Listing> => {
      const got = await ask(`${hub.url}/channels${query}`)
      assert.equal(got.status, 200, got.text)
      return JSON.parse(got.text) as Listing
    }

    const retention = { count: 10_000, age: 24 * 3_600_000, bytes: 64 * 1024 * 1024 }

    test('P12.1.2 a channel is listed with its head, its oldest, their times, its counts and its end', async () => {
      const root = fresh('root')
      const [id] = await post(`${hub.url}/channels/${root}.kept`, 'héllo')
      const [gone] = await post(`${hub.url}/channels/${root}.dropped`, 'x')
      await ask(`${hub.url}/channels/${root}.dropped`, { method: 'DELETE' })
      await post(`${hub.url}/channels/${root}.never?end`, '')
      const { events } = JSON.parse((await ask(`${hub.url}/channels/${root}.kept`)).text)
      const [{ time }] = events
      const times = { oldestTime: time, newestTime: time }
      assert.deepEqual(await list(`?match=${root}.*`), {
        channels: [
          { name: `${root}.dropped`, head: gone, events: 0, bytes: 0, ended: false, retention },
          {
            name: `${root}.kept`,
            head: id,
            oldest: id,
            ...times,
            events: 1,
            bytes: 5,
            ended: false,
            retention,
          },
          {
            name: `${root}.never`,
            head: id?.replace(/\d+$/, '0'),
            events: 0,
            bytes: 0,
            ended: true,
            retention,
          },
        ],
      })
    })

    test('P12.1.2 what is kept of a channel at most is told', async () => {
      await post(`${hub.url}/channels/short.x`, 'x')
      const { channels } = await list('?match=short.x')
      assert.deepEqual(channels[0]?.retention, { ...retention, age: 1000 })
    })

    test('P12.1.1 P12.1.3 page by page, by name in the order of UTF-16 units, next as long as there is more', async () => {
      const root = fresh('root')
      const names = ['a', 'B', '_', '~', '0', 'a.b', 'a-b', ':'].map((name) => `${root}.${name}`).sort()
      for (const name of names) await post(`${hub.url}/channels/${name}`, 'x')
      const seen: string[] = []
      let page = await list(`?match=${root}.**&limit=3`)
      const sizes = [page.channels.length]
      seen.push(...page.channels.map(({ name }) => name))
      while (page.next !== undefined) {
        page = await list(`?match=${root}.**&limit=3&after=${encodeURIComponent(page.next)}`)
        sizes.push(page.channels.length)
        seen.push(...page.channels.map(({ name }) => name))
      }
      assert.deepEqual([seen, sizes], [names, [3, 3, 2]])
    })

    test('P12.1.1 match takes names and patterns with commas, by default everything', async () => {
      const [a, b] = [fresh('list'), fresh('list')]
      await post(`${hub.url}/channels/${a},${b},${b}.sub`, 'x')
      const names = async (query: string): Promise<readonly string[]> =>
        (await list(query)).channels.map(({ name }) => name)
      assert.deepEqual(await names(`?match=${a},${b}.*`), [a, `${b}.sub`])
      assert.ok((await names('?limit=1000')).includes(a))
    })

    test('P12.2.4 P12.1.1 its parameters are checked, and it is nobody’s to keep', async () => {
      for (const [query, code] of [
        ['?limit=0', 'invalid-parameter'],
        ['?limit=1001', 'invalid-parameter'],
        ['?match=', 'invalid-channel'],
        ['?match=a*', 'invalid-pattern'],
        ['?prefix=x', 'unknown-parameter'],
      ] as const)
        problemOf(await ask(`${hub.url}/channels${query}`), 400, code)
      assert.equal((await ask(`${hub.url}/channels`)).headers['cache-control'], 'private, no-cache')
    })
  })

  describe('the listing with rules', () => {
    const hub = shared(face, { rules: true })

    test('P12.1.1 P13.3.1 only what the asker may read is listed, page by page, and no other name is told', async () => {
      const publish = { authorization: token('', ['publish']) }
      const mine = Array.from({ length: 5 }, (_, n) => `mine.${n}`)
      const names = [...mine, ...Array.from({ length: 150 }, (_, n) => `hidden.${n}`), 'zoo']
      for (let from = 0; from < names.length; from += 60)
        await post(`${hub.url}/channels/${names.slice(from, from + 60).join(',')}`, 'x', publish)
      for (const subject of ['alice', 'async-alice']) {
        const headers = { authorization: token(subject, ['read'], 'mine.') }
        const seen: string[] = []
        let query = '?limit=2'
        for (;;) {
          const got = await ask(`${hub.url}/channels${query}`, { headers })
          assert.doesNotMatch(got.text, /hidden|zoo/)
          const { channels, next } = JSON.parse(got.text) as Listing
          seen.push(...channels.map(({ name }) => name))
          if (next === undefined) break
          query = `?limit=2&after=${next}`
        }
        assert.deepEqual(seen, mine)
      }
    })
  })

  describe('health, methods and paths', () => {
    const hub = shared(face)

    test('P12.2.1 P12.2.2 /healthz and /readyz of a hub that is well', async () => {
      for (const path of ['/healthz', '/readyz']) {
        const got = await ask(hub.url + path)
        assert.deepEqual([got.status, got.text], [200, '{"status":"ok"}\n'])
        assert.equal(got.headers['cache-control'], 'no-store')
        problemOf(await ask(`${hub.url}${path}?x=1`), 400, 'unknown-parameter')
      }
    })

    test('P12.2.3 /metrics is in the text format, and counts the open streams', async () => {
      using stream = await openStream(`${hub.url}/channels/x`)
      await stream.next()
      const got = await ask(`${hub.url}/metrics`)
      assert.match(got.headers['content-type'] ?? '', /^text\/plain; version=0\.0\.4/)
      assert.match(got.text, /^downlink_streams 1$/m)
      assert.match(got.text, /^downlink_http_requests_total\{method="GET",status="200"\} [1-9]/m)
      assert.equal(got.headers['cache-control'], 'no-store')
    })

    test('P13.2.1 what is not here is 404', async () => {
      for (const path of ['/', '/nowhere', '/channel', '/channels2', '/Channels/x', '/healthz/'])
        problemOf(await ask(hub.url + path), 404, 'not-found')
    })

    const CHANNEL = 'GET, HEAD, POST, DELETE, OPTIONS'
    const LOOK = 'GET, HEAD, OPTIONS'
    for (const [path, allow] of [
      ['/channels/x', CHANNEL],
      ['/channels', LOOK],
      ['/healthz', LOOK],
      ['/readyz', LOOK],
      ['/metrics', LOOK],
    ] as const) {
      test(`P18.4.2 P18.4.3 ${path} knows ${allow}`, async () => {
        const options = await ask(hub.url + path, { method: 'OPTIONS' })
        assert.deepEqual([options.status, options.headers['allow'], options.text], [204, allow, ''])
        const others = ['PUT', 'PATCH', ...(allow === LOOK ? ['POST', 'DELETE'] : [])]
        for (const method of others) {
          const got = await ask(hub.url + path, { method })
          problemOf(got, 405, 'method-not-allowed')
          assert.equal(got.headers['allow'], allow)
        }
      })
    }

    test(
      'P18.4.2 a method that no path knows is 405 or 501',
      { skip: face.cannot?.['odd-methods'] ?? false },
      async () => {
        problemOf(await ask(`${hub.url}/channels/x`, { method: 'TRACE' }), 405, 'method-not-allowed')
        problemOf(await ask(`${hub.url}/channels/x`, { method: 'PROPFIND' }), 501, 'not-implemented')
      },
    )

    test('P18.4.1 HEAD is GET without the body, and never waits', async () => {
      const channel = fresh()
      await post(`${hub.url}/channels/${channel}`, 'x')
      for (const path of [
        `/channels/${channel}`,
        `/channels/${channel}?wait=60`,
        '/channels',
        '/healthz',
        '/nowhere',
        '/channels/a..b',
      ]) {
        const head = await ask(hub.url + path, { method: 'HEAD' })
        const get = path.includes('wait') ? undefined : await ask(hub.url + path)
        assert.equal(head.text, '')
        if (get === undefined) assert.equal(head.status, 200)
        else {
          assert.equal(head.status, get.status)
          for (const name of ['content-type', 'cache-control', 'etag', 'vary'])
            assert.equal(head.headers[name], get.headers[name], `${name} of ${path}`)
        }
      }
    })

    test('P18.1.5 a body of GET, HEAD or DELETE is ignored', async () => {
      const channel = fresh()
      await post(`${hub.url}/channels/${channel}`, 'x')
      assert.equal(
        (await ask(`${hub.url}/channels/${channel}`, { method: 'DELETE', body: 'ignored' })).status,
        204,
      )
    })
  })
}
