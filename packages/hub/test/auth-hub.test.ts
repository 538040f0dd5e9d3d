/** Tokens and the rest of a hub together: streams that end with them, tickets for them, revocation of them. */
import assert from 'node:assert/strict'
import { type IncomingMessage, request } from 'node:http'
import type { ServerHttp2Stream } from 'node:http2'
import { describe, test, type TestContext } from 'node:test'
import { readEventStream, subscribe } from '@downlink/client'
import { type AuthorizerOptions, createAuthorizer } from '../src/auth.ts'
import { type Connection, H2Request } from '../src/http/h2-request.ts'
import { SECRET, seconds, token } from './auth/tokens.ts'
import { type RunningHub, startHub } from './cli/hub.ts'

async function guarded(t: TestContext, options: AuthorizerOptions = {}): Promise<RunningHub> {
  const rules = [
    { channels: 'user.{sub}.**', allow: ['read', 'publish'] },
    { channels: 'news', allow: ['read'], to: 'anyone' },
    { allow: ['inspect'], to: ['root'] },
  ] as const
  const authorize = await createAuthorizer({ rules, jwt: { secret: SECRET }, ...options })
  return startHub(t, {}, { authorize })
}

/** With each of these, in order. */
async function statusWith(url: string, authorization: readonly string[]): Promise<number> {
  // In a list nothing is joined, nor added.
  const fields = ['host', new URL(url).host, ...authorization.flatMap((value) => ['authorization', value])]
  const response = await new Promise<IncomingMessage>((resolve) =>
    request(url, { headers: fields, agent: false }, resolve).end(),
  )
  response.resume()
  return response.statusCode ?? 0
}

const bearer = (given: string): { authorization: string } => ({ authorization: `Bearer ${given}` })
const accept = 'text/event-stream'

test('what createAuthorizer can’t take is a HubError that says what to set', async () => {
  for (const [options, message] of [
    [
      { rules: [{ channels: 'a', allow: ['write'] }] },
      /^rules\[0\]\.allow: Expected a list of read, publish/,
    ],
    [{ jwt: { secret: 'short' } }, /^The secret must have at least 32 bytes/],
    [{ jwt: {} }, /^Expected `secret`, `keys` or `jwksUrl`/],
    [{ jwt: { keys: 'no-such.pem' } }, /no-such\.pem can't be read/],
  ] as readonly (readonly [object, RegExp])[])
    await assert.rejects(createAuthorizer(options), { name: 'HubError', code: 'invalid-option', message })
})

describe('a hub with tokens', () => {
  test('P17.8.6 ends a stream with its token, and subscribe() goes on with a new one, at its cursor', async (t) => {
    const { hub, url } = await guarded(t, { jwt: { secret: SECRET, clockToleranceMs: 0 } })
    const publish = (...data: string[]): Promise<unknown> =>
      hub.publish(
        'user.alice.inbox',
        data.map((text) => ({ data: text })),
      )
    await publish('0', '1')
    let tokens = 0
    const updates = subscribe(`${url}/channels/user.alice.inbox`, {
      transport: 'sse',
      after: 'start',
      headers: async () => {
        tokens++
        if (tokens === 2) await publish('2', '3')
        return bearer(token({ exp: seconds() + (tokens === 1 ? 2 : 60) }))
      },
    })
    t.after(() => updates.close())
    const got: string[] = []
    for await (const { data } of updates) {
      got.push(data)
      if (got.length === 4) break
    }
    assert.deepEqual([got, tokens], [['0', '1', '2', '3'], 2])
  })

  test('P17.6.1 gives tickets for what the token may read, and for no more', async (t) => {
    const { hub, url } = await guarded(t)
    await hub.publish('user.alice.inbox', { data: 'mine' })
    const ask = (body: object): Promise<Response> =>
      fetch(`${url}/tickets`, { method: 'POST', headers: bearer(token()), body: JSON.stringify(body) })
    const { ticket } = (await (await ask({})).json()) as { ticket: string }
    const read = (channel: string): Promise<Response> =>
      fetch(`${url}/channels/${channel}?ticket=${ticket}&last=1`, { headers: { accept } })
    const stream = await read('user.alice.inbox,news')
    assert.equal(stream.status, 200)
    const events = readEventStream(stream.body)
    t.after(() => events.return())
    assert.equal((await events.next()).value?.type, 'downlink:open')
    assert.equal((await events.next()).value?.data, 'mine')
    assert.equal((await read('user.bob.inbox')).status, 403)
    assert.equal((await ask({ channels: ['user.*.inbox'] })).status, 403)
    const nobody = { method: 'POST', body: '{"channels":["user.alice.inbox"]}' }
    assert.equal((await fetch(`${url}/tickets`, nobody)).status, 401)
  })

  test('P17.4.4 gives no ticket for a cookie that a page of another site sends', async (t) => {
    const { url } = await guarded(t)
    const status = async (headers: Record<string, string>): Promise<number> => {
      const cookie = `__Host-downlink=${token()}`
      return (await fetch(`${url}/tickets`, { method: 'POST', headers: { cookie, ...headers } })).status
    }
    assert.equal(await status({ 'sec-fetch-site': 'same-origin' }), 200)
    assert.equal(await status({ 'sec-fetch-site': 'cross-site' }), 403)
    assert.equal(await status({ origin: 'https://evil.example' }), 403)
  })

  test('P12.3.3 refuses the tokens of before a revocation, and takes those of after it', async (t) => {
    const { url } = await guarded(t)
    const disconnect = (given: string): Promise<Response> =>
      fetch(`${url}/disconnect`, {
        method: 'POST',
        headers: bearer(given),
        body: '{"subject":"alice","revoke":true}',
      })
    const read = async (given: string): Promise<number> =>
      (await fetch(`${url}/channels/user.alice.inbox`, { headers: bearer(given) })).status
    const [old, undated] = [token({ iat: seconds() - 10 }), token()]
    assert.deepEqual([await read(old), await read(undated)], [200, 200])
    assert.equal((await disconnect(old)).status, 403)
    assert.equal((await disconnect(token({ sub: 'root' }))).status, 200)
    assert.deepEqual([await read(old), await read(undated)], [401, 401])
    assert.equal(await read(token({ iat: seconds() + 2 })), 200)
  })

  test('the same Idempotency-Key of two subjects is two publishes', async (t) => {
    const { url } = await guarded(t, { rules: [{ channels: 'a', allow: ['publish'] }] })
    const publish = async (sub: string): Promise<Response> =>
      fetch(`${url}/channels/a`, {
        method: 'POST',
        headers: { ...bearer(token({ sub })), 'idempotency-key': 'k' },
        body: sub,
      })
    for (const sub of ['alice', 'bob']) {
      const answer = await publish(sub)
      assert.deepEqual([answer.status, answer.headers.has('idempotent-replayed')], [200, false])
    }
    assert.equal((await publish('alice')).headers.get('idempotent-replayed'), 'true')
  })

  test('asks for no token where anyone may, but takes no wrong one either', async (t) => {
    const { url } = await guarded(t)
    const read = async (headers: Record<string, string>): Promise<number> =>
      (await fetch(`${url}/channels/news`, { headers })).status
    assert.deepEqual(
      [
        await read({}),
        await read(bearer(token())),
        await read(bearer('x')),
        await read({ authorization: 'Basic dTpw' }),
      ],
      [200, 200, 401, 200],
    )
  })

  test('P17.4.1 refuses two `Authorization`, whichever is good', async (t) => {
    const authorize = await createAuthorizer({ jwt: { secret: SECRET } })
    const { url } = await startHub(t, {}, { authorize })
    const good = `Bearer ${token({ downlink: { read: ['a'] } })}`
    assert.equal(await statusWith(`${url}/channels/a`, [good]), 200)
    for (const pair of [
      [good, 'Bearer x'],
      ['Bearer x', good],
      [good, good],
    ])
      assert.equal(await statusWith(`${url}/channels/a`, pair), 400)
  })

  test('P17.4.1 sees both over HTTP/2 too', () => {
    // Node's own client sends no two of them.
    const fields = [':method', 'GET', 'authorization', 'a', 'x', 'y', 'authorization', 'b']
    const connection = { address: '127.0.0.1', scheme: 'http', headLimit: 1000 } as Connection
    const made = new H2Request({} as ServerHttp2Stream, { authorization: 'a' }, fields, connection)
    assert.equal(made.header('authorization'), 'a, b')
  })

  test('P17.8.5 is healthy for all, whatever token they bring', async (t) => {
    const { url } = await guarded(t)
    for (const path of ['/healthz', '/readyz'])
      for (const headers of [{}, bearer('x'), bearer(token({ exp: 1 }))] as Record<string, string>[])
        assert.equal((await fetch(url + path, { headers })).status, 200)
  })

  test('P17.8.6 tells at `/` and `/metrics` what to send', async (t) => {
    const { url } = await guarded(t)
    const answer = await fetch(`${url}/metrics`)
    assert.deepEqual([answer.status, answer.headers.get('www-authenticate')], [401, 'Bearer'])
    assert.match(
      await answer.text(),
      /"detail":"To inspect this hub, say who you are: send a token in `Authorization: Bearer …`/,
    )
  })
})
