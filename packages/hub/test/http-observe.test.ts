/** What an observer is told of requests, what a request is called, and whose it is behind proxies: over HTTP. */
import assert from 'node:assert/strict'
import { describe, test, type TestContext } from 'node:test'
import type { Authorize } from '../src/auth/authorize.ts'
import { Refusal } from '../src/auth/refusal.ts'
import { fetchHandler } from '../src/fetch.ts'
import { loggedPath, type RequestRecord } from '../src/http/observe.ts'
import { type HubServer, type HubServerOptions, serveHub } from '../src/http/server.ts'
import { createHub, type Hub } from '../src/hub.ts'
import type { HubOptions } from '../src/hub-options.ts'
import { ask, openStream, post } from './wire-contract/client.ts'

interface Observed {
  readonly hub: Hub
  readonly server: HubServer
  readonly refused: RequestRecord[]
  readonly answered: RequestRecord[]
  readonly errors: unknown[]
}

async function observed(
  t: TestContext,
  options: HubServerOptions = {},
  of: HubOptions = {},
): Promise<Observed> {
  const errors: unknown[] = []
  const refused: RequestRecord[] = []
  const answered: RequestRecord[] = []
  const hub = createHub({ ...of, onError: (error) => errors.push(error) })
  t.after(() => hub.close())
  const server = await serveHub(hub, {
    observe: { refused: (record) => refused.push(record), answered: (record) => answered.push(record) },
    host: '127.0.0.1',
    graceMs: 100,
    ...options,
  })
  t.after(() => server.stop())
  return { hub, server, refused, answered, errors }
}

const known: Authorize = ({ header }) => {
  const subject = header('x-subject')
  return subject === undefined ? false : { subject }
}

describe('an observer', () => {
  test('is told of a refusal by the name that its answer has', async (t) => {
    const { server, refused } = await observed(t, { authorize: known })
    const got = await ask(`${server.url}/channels/a.b?after=start`, {
      headers: { accept: 'application/json' },
    })
    assert.equal(got.status, 401)
    const { instance } = JSON.parse(got.text) as { instance: string }
    const [{ ms, ...record } = { ms: -1 }] = refused
    assert.deepEqual(record, {
      id: got.headers['x-request-id'],
      method: 'GET',
      path: '/channels/a.b',
      status: 401,
      code: 'unauthorized',
      address: '127.0.0.1',
    })
    assert.ok(ms >= 0 && ms < 60_000)
    assert.equal(instance, `urn:downlink:request:${String(got.headers['x-request-id'])}`)
    await ask(`${server.url}/channels/a`)
    assert.notEqual(refused[1]?.id, refused[0]?.id)
  })

  test('is told who asked, where the rules know', async (t) => {
    const { server, refused, answered } = await observed(t, { authorize: known })
    await ask(`${server.url}/channels/$hub`, { method: 'POST', body: 'x', headers: { 'x-subject': 'ada' } })
    await ask(`${server.url}/channels/a?access_token=T`, { headers: { 'x-subject': 'grace' } })
    await post(`${server.url}/channels/a?access_token=T`, 'x', { 'x-subject': 'joan' })
    assert.deepEqual(
      refused.map(({ status, subject }) => [status, subject]),
      // The name is no target, whoever asks: nobody was asked for.
      [[403, undefined]],
    )
    assert.deepEqual(
      answered.map(({ method, status, code, subject }) => [method, status, code, subject]),
      [
        ['GET', 200, undefined, 'grace'],
        ['POST', 200, undefined, 'joan'],
      ],
    )
  })

  test('is told who was refused, which the answer does not say', async (t) => {
    const authorize: Authorize = () => new Refusal('forbidden', 'Not for you', { subject: 'mallory' })
    const { server, refused } = await observed(t, { authorize })
    const got = await ask(`${server.url}/channels/a?last=1`)
    assert.equal(got.status, 403)
    assert.doesNotMatch(JSON.stringify(got), /mallory/)
    assert.deepEqual(
      refused.map(({ code, subject }) => [code, subject]),
      [['forbidden', 'mallory']],
    )
  })

  test('is told of streams when they open, of long polls when they are answered', async (t) => {
    const { server, hub, answered } = await observed(t)
    using stream = await openStream(`${server.url}/channels/a`)
    await stream.next()
    assert.deepEqual(
      answered.splice(0).map(({ path, status }) => [path, status]),
      [['/channels/a', 200]],
    )
    const waiting = ask(`${server.url}/channels/b?wait=60&after=now`)
    while (hub.delivery.waiting === 0) await new Promise(setImmediate)
    assert.equal(answered.length, 0)
    await hub.publish('b', 'x')
    await waiting
    assert.deepEqual(
      answered.map(({ path, status }) => [path, status]),
      [['/channels/b', 200]],
    )
  })

  test('is told of a stream that was refused for the time being, though its answer is 200', async (t) => {
    const { server, refused } = await observed(t, {}, { limits: { readers: 0 } })
    const headers = { accept: 'text/event-stream' }
    const got = await ask(`${server.url}/channels/a`, { headers })
    assert.equal(got.status, 200)
    assert.deepEqual(
      refused.map(({ id, status, code }) => [id, status, code]),
      [[got.headers['x-request-id'], 200, 'overload']],
    )
  })

  test('is told of a long poll that fails after it has waited', async (t) => {
    const { server, hub, refused } = await observed(t)
    const waiting = ask(`${server.url}/channels/b?wait=60&after=now`)
    while (hub.delivery.waiting === 0) await new Promise(setImmediate)
    const broken = Promise.reject(new Error('gone'))
    broken.catch(() => {})
    hub.log.read = () => broken
    hub.delivery.recent.reset(hub.log.state().frontier + 1)
    await hub.publish('b', 'x')
    const got = await waiting
    assert.equal(got.status, 500)
    assert.deepEqual(
      refused.map(({ id, path, status, code }) => [id, path, status, code]),
      [[got.headers['x-request-id'], '/channels/b', 500, 'internal']],
    )
  })

  test('is told of a hub that is not ready', async (t) => {
    const { server, hub, refused } = await observed(t)
    hub.drain()
    await ask(`${server.url}/readyz`)
    assert.deepEqual(
      refused.map(({ path, status, code }) => [path, status, code]),
      [['/readyz', 503, undefined]],
    )
  })

  test('that throws spoils no answer, and the hub hears of it', async (t) => {
    const fail = (): never => {
      throw new Error('the log is broken')
    }
    const { server, errors } = await observed(t, { observe: { refused: fail, answered: fail } })
    assert.equal((await ask(`${server.url}/channels/a`)).status, 200)
    assert.equal((await ask(`${server.url}/nowhere`)).status, 404)
    assert.deepEqual(errors.map(String), ['Error: the log is broken', 'Error: the log is broken'])
  })

  test('costs nothing of an answer that nobody asked about: no name is made', async (t) => {
    const { server } = await observed(t, { observe: {} })
    const got = await ask(`${server.url}/channels/a`)
    assert.equal(got.headers['x-request-id'], undefined)
    const first = await ask(`${server.url}/nowhere`)
    assert.match(String(first.headers['x-request-id']), /^\w{8}\.1$/)
  })

  test('works on the fetch face too', async (t) => {
    const hub = createHub()
    t.after(() => hub.close())
    const refused: RequestRecord[] = []
    const proxies = { trusted: ['10.0.0.0/8'] }
    const handle = fetchHandler(hub, {
      authorize: known,
      proxies,
      observe: { refused: (one) => refused.push(one) },
    })
    const headers = { 'x-forwarded-for': '6.6.6.6, 192.0.2.1', 'x-request-id': 'from-proxy' }
    const got = await handle(new Request('http://hub.example/channels/a?last=1', { headers }), {
      address: '10.1.1.1',
    })
    assert.equal(got.headers.get('x-request-id'), 'from-proxy')
    const [{ ms: _, ...record } = { ms: 0 }] = refused
    assert.deepEqual(record, {
      id: 'from-proxy',
      method: 'GET',
      path: '/channels/a',
      status: 401,
      code: 'unauthorized',
      address: '192.0.2.1',
    })
  })
})

test('a path is told in visible ASCII, bounded, without what was meant to be a query', () => {
  assert.equal(loggedPath('/channels/a%2Cb'), '/channels/a%2Cb')
  assert.equal(loggedPath('/channels/\u009b31m\u00e9 "'), '/channels/%9B31m%E9%20"')
  assert.equal(loggedPath('/channels/\r\n\u001b\u2028'), '/channels/%D%A%1B%2028')
  assert.equal(loggedPath('/channels/a%3Fticket=SECRET'), '/channels/a...')
  assert.equal(loggedPath('/channels/a%3fticket=SECRET'), '/channels/a...')
  const long = loggedPath(`/${'x'.repeat(199)}%3Fticket=SECRET`)
  assert.equal(long, `/${'x'.repeat(199)}...`)
})

describe('behind proxies', () => {
  const addresses: (string | undefined)[] = []
  const authorize: Authorize = ({ address }) => {
    addresses.push(address)
    return { subject: 'ada' }
  }
  const asked = async (server: HubServer, headers: Record<string, string>): Promise<string | undefined> => {
    addresses.length = 0
    assert.equal((await ask(`${server.url}/channels/a`, { headers })).status, 200)
    return addresses[0]
  }

  test('rules, readers and records see the client’s address', async (t) => {
    const { server, hub, answered } = await observed(t, { authorize, proxies: { trusted: ['loopback'] } })
    const headers = { 'x-forwarded-for': '6.6.6.6, 192.0.2.1', forwarded: 'for=6.6.6.7' }
    assert.equal(await asked(server, headers), '192.0.2.1')
    assert.equal(answered[0]?.address, '192.0.2.1')
    using stream = await openStream(`${server.url}/channels/a`, headers)
    await stream.next()
    assert.deepEqual(
      [...hub.delivery.list()].map(({ address }) => address),
      ['192.0.2.1'],
    )
  })

  test('one header is believed, the other is not', async (t) => {
    const proxies = { trusted: ['127.0.0.1'], header: 'forwarded' } as const
    const { server } = await observed(t, { authorize, proxies })
    assert.equal(await asked(server, { forwarded: 'for=192.0.2.1' }), '192.0.2.1')
    assert.equal(await asked(server, { 'x-forwarded-for': '192.0.2.1' }), '127.0.0.1')
  })

  test('nobody is believed who is not named, neither on the address nor on the name of the request', async (t) => {
    for (const proxies of [undefined, { trusted: ['10.0.0.0/8'] }]) {
      const { server, answered } = await observed(t, { authorize, ...(proxies && { proxies }) })
      const headers = { 'x-forwarded-for': '192.0.2.1', 'x-request-id': 'mine' }
      assert.equal(await asked(server, headers), '127.0.0.1')
      assert.match(String(answered[0]?.id), /^\w{8}\.1$/)
    }
  })

  for (const id of ['', 'a b', 'x'.repeat(65), 'ä', 'a"b', 'a, b', 'a:b'])
    test(`a request is not called ${JSON.stringify(id.slice(0, 9))} by a trusted proxy`, async (t) => {
      const { server } = await observed(t, { authorize: known, proxies: { trusted: ['loopback'] } })
      const got = await ask(`${server.url}/channels/a`, {
        headers: { 'x-request-id': Buffer.from(id).toString('latin1') },
      })
      assert.match(String(got.headers['x-request-id']), /^\w{8}\.1$/)
    })

  test('without rules the guard is as strict as ever', async (t) => {
    const { server, refused } = await observed(t, { proxies: { trusted: ['loopback'] } })
    const got = await ask(`${server.url}/channels/a`, { headers: { 'x-forwarded-for': '127.0.0.1' } })
    assert.equal(got.status, 403)
    assert.deepEqual(
      refused.map(({ code, address }) => [code, address]),
      [['guard', '127.0.0.1']],
    )
  })

  test('what names no proxy is refused when the handler is made', async (t) => {
    const hub = createHub()
    t.after(() => hub.close())
    assert.throws(() => fetchHandler(hub, { proxies: { trusted: ['everybody'] } }), {
      code: 'invalid-option',
    })
  })
})
