/** Tickets: what a bare EventSource, which has no headers, shows in place of a token. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Grant } from '../../src/auth/authorize.ts'
import { ask, type EventStream, type Got, openStream, post, problemOf } from './client.ts'
import { type Face, fresh, type Running, shared, untilCounts } from './face.ts'
import { type Asked, token } from './rules.ts'

/** Longer than any of these tests takes. */
const HOUR = 3_600_000

interface Issued {
  readonly ticket: string
  readonly expires: number
}

export function askTicket(
  hub: Running,
  body: object | undefined,
  authorization: string | undefined,
  headers: Record<string, string> = {},
): Promise<Got> {
  return ask(`${hub.url}/tickets`, {
    method: 'POST',
    headers: { ...(authorization !== undefined && { authorization }), ...headers },
    ...(body && { body: JSON.stringify(body) }),
  })
}

export function issued(got: Got): Issued {
  assert.equal(got.status, 200, got.text)
  assert.equal(got.headers['content-type'], 'application/json')
  assert.equal(got.headers['cache-control'], 'no-store')
  return JSON.parse(got.text) as Issued
}

export async function ticketFor(
  hub: Running,
  channels: readonly string[],
  more: Omit<Grant, 'subject'> = {},
): Promise<string> {
  return issued(await askTicket(hub, { channels }, token('alice', ['read'], '', more))).ticket
}

function streamBy(
  hub: Running,
  ticket: string,
  channels: string,
  more = '',
  headers = {},
): Promise<EventStream> {
  return openStream(`${hub.url}/channels/${channels}?ticket=${ticket}${more}`, headers)
}

/** The whole answer of a request for a stream that gets none. */
function refusal(hub: Running, ticket: string, channels: string, headers = {}): Promise<Got> {
  return ask(`${hub.url}/channels/${channels}?ticket=${ticket}`, {
    headers: { accept: 'text/event-stream', ...headers },
  })
}

async function opened(stream: EventStream): Promise<string> {
  const event = await stream.next()
  assert.equal(event?.type, 'downlink:open')
  return event.lastEventId
}

export function ticketFacts(face: Face): void {
  describe('tickets', () => {
    const hub = shared(face, {
      rules: true,
      delivery: { retryMs: 1 },
      limits: { ticketsPerSubject: 1_000 },
      handler: { origins: ['https://app.example'] },
    })
    const writer = { authorization: token('alice', ['publish']) }

    test('P17.6.1 P17.6.4 a ticket in the URL opens a stream of its channels, and authorize is asked once', async () => {
      const channel = fresh()
      await hub.command({ do: 'asked' })
      const ticket = await ticketFor(hub, [channel, 'orders.*'])
      using stream = await streamBy(hub, ticket, `${channel},orders.7`)
      await opened(stream)
      await post(`${hub.url}/channels/${channel}`, 'hello', writer)
      assert.equal((await stream.next())?.data, 'hello')
      const asked = ((await hub.command({ do: 'asked' })) as Asked[]).filter(
        ({ action }) => action === 'read',
      )
      assert.deepEqual(asked, [{ action: 'read', channels: [channel, 'orders.*'] }])
    })

    test('P17.6.1 without channels it is for all that the grant names', async () => {
      const read = ['mine.**', 'news']
      const { ticket, expires } = issued(
        await askTicket(hub, undefined, token('alice', ['read'], '', { read })),
      )
      assert.equal(expires, HOUR)
      using stream = await streamBy(hub, ticket, 'mine.a,mine.*.b,news')
      await opened(stream)
      problemOf(await refusal(hub, ticket, 'mine.a,other'), 403, 'forbidden')
      problemOf(await refusal(hub, ticket, '*'), 403, 'forbidden')
    })

    test('P17.6.1 needs channels where the grant names none', async () => {
      problemOf(await askTicket(hub, undefined, token('alice', ['read'])), 400, 'invalid-json')
      problemOf(await askTicket(hub, {}, token('alice', ['read'])), 400, 'invalid-json')
      problemOf(
        await askTicket(hub, { channels: [] }, token('alice', ['read'], '', { read: ['a'] })),
        400,
        'invalid-json',
      )
    })

    test('P17.6.2 says how long it lasts: as long as the token, at most an hour', async () => {
      const until = Date.now() + 20_000
      const short = issued(await askTicket(hub, { channels: ['a'] }, token('alice', ['read'], '', { until })))
      assert.ok(short.expires > 10_000 && short.expires <= 20_000, `${short.expires}`)
      const long = token('alice', ['read'], '', { until: Date.now() + 2 * HOUR })
      assert.equal(issued(await askTicket(hub, { channels: ['a'] }, long)).expires, HOUR)
    })

    test('P17.6.1 is refused to whoever may not read these, or does not say who', async () => {
      const got = await askTicket(hub, { channels: ['mine', 'yours'] }, token('alice', ['read'], 'mine'))
      problemOf(got, 403, 'forbidden')
      problemOf(await askTicket(hub, { channels: ['a'] }, undefined), 401, 'unauthorized')
    })

    for (const [what, body] of [
      ['no JSON', '{'],
      ['no object', '["a"]'],
      ['null', 'null'],
      ['no array of texts', '{"channels":[1]}'],
      ['a text', '{"channels":"a"}'],
      ['an unknown member', '{"chanels":["a"]}'],
      ['a prototype', '{"__proto__":{"channels":["a"]}}'],
      ['no UTF-8', Uint8Array.of(0x22, 0xff, 0x22)],
    ] as const) {
      test(`P17.6.1 a body that is ${what} is refused`, async () => {
        const headers = { authorization: token('alice', ['read']) }
        problemOf(await ask(`${hub.url}/tickets`, { method: 'POST', headers, body }), 400, 'invalid-json')
      })
    }

    test('P17.6.1 what names no channels, or too many for a URL, is refused', async () => {
      const all = token('alice', ['read'])
      problemOf(await askTicket(hub, { channels: ['a..b'] }, all), 400, 'invalid-channel')
      problemOf(await askTicket(hub, { channels: ['a*'] }, all), 400, 'invalid-pattern')
      const long = Array.from({ length: 64 }, (_, n) => `${n}${'x'.repeat(200)}`)
      problemOf(await askTicket(hub, { channels: long }, all), 400, 'too-many-channels')
    })

    test('P17.6.1 knows POST and OPTIONS, and no parameter', async () => {
      const headers = { authorization: token('alice', ['read']) }
      const got = await ask(`${hub.url}/tickets`, { headers })
      problemOf(got, 405, 'method-not-allowed')
      assert.equal(got.headers['allow'], 'POST, OPTIONS')
      problemOf(
        await ask(`${hub.url}/tickets?x=1`, { method: 'POST', headers, body: '{"channels":["a"]}' }),
        400,
        'unknown-parameter',
      )
      const options = await ask(`${hub.url}/tickets`, { method: 'OPTIONS' })
      assert.deepEqual([options.status, options.headers['allow']], [204, 'POST, OPTIONS'])
    })

    test('P16.2.1 P17.2.1 pages of named origins may ask for one, others may not', async () => {
      const origin = 'https://app.example'
      const headers = { origin, 'access-control-request-method': 'POST' }
      const preflight = await ask(`${hub.url}/tickets`, { method: 'OPTIONS', headers })
      assert.equal(preflight.headers['access-control-allow-methods'], 'POST, OPTIONS')
      const all = token('alice', ['read'])
      const got = await askTicket(hub, { channels: ['a'] }, all, { origin, 'sec-fetch-site': 'cross-site' })
      issued(got)
      assert.equal(got.headers['access-control-allow-origin'], origin)
      const evil = await askTicket(hub, { channels: ['a'] }, all, { origin: 'https://evil.example' })
      problemOf(evil, 403, 'cross-site')
    })

    test('P17.6.3 opens nothing but a stream', async () => {
      const ticket = await ticketFor(hub, ['**'])
      for (const [path, method, accept] of [
        ['/channels/a', 'GET', 'application/json'],
        ['/channels/a', 'HEAD', 'text/event-stream'],
        ['/channels/a', 'POST', '*/*'],
        ['/channels/a', 'DELETE', '*/*'],
        ['/channels', 'GET', '*/*'],
        ['/tickets', 'POST', '*/*'],
        ['/disconnect', 'POST', '*/*'],
        ['/metrics', 'GET', '*/*'],
      ] as const) {
        const got = await ask(`${hub.url}${path}?ticket=${ticket}`, { method, headers: { accept } })
        assert.equal(got.status, 400, `${method} ${path}`)
        if (method !== 'HEAD') assert.equal(problemOf(got, 400, 'invalid-parameter')['parameter'], 'ticket')
      }
      for (const more of ['&transport=long-poll', '&transport=poll', '&wait=1'])
        problemOf(await ask(`${hub.url}/channels/a?ticket=${ticket}${more}`), 400, 'invalid-parameter')
    })

    test('P17.6.3 what is no ticket of this hub is refused, always with the same words', async () => {
      const good = await ticketFor(hub, ['a'])
      const [header = '', , iv = '', text = '', tag = ''] = good.split('.')
      const flip = (part: string): string => `${part.startsWith('A') ? 'B' : 'A'}${part.slice(1)}`
      const bad = [
        '',
        'x',
        good.slice(1),
        good.slice(0, -1),
        `${good}A`,
        [header, '', flip(iv), text, tag].join('.'),
        [header, '', iv, flip(text), tag].join('.'),
        [header, '', iv, text, flip(tag)].join('.'),
        [header, 'AAAA', iv, text, tag].join('.'),
        // Another header that says the same, and one that says there is no secret.
        [Buffer.from('{"enc":"A256GCM","alg":"dir"}').toString('base64url'), '', iv, text, tag].join('.'),
        [Buffer.from('{"alg":"none"}').toString('base64url'), '', iv, text, tag].join('.'),
        [header, '', iv, 'A'.repeat(5_000), tag].join('.'),
        `${Buffer.from('{"alg":"none"}').toString('base64url')}.${Buffer.from('{}').toString('base64url')}.`,
        '%00',
        encodeURIComponent('{"id":"x"}'),
      ]
      const details = new Set<unknown>()
      for (const ticket of bad) {
        const got = await refusal(hub, ticket, 'a')
        assert.equal(got.headers['www-authenticate'], 'Bearer error="invalid_token"')
        details.add(problemOf(got, 401, 'invalid-ticket')['detail'])
        if (ticket.length > 20) assert.ok(!got.text.includes(ticket.slice(0, 20)))
      }
      assert.equal(details.size, 1)
      problemOf(await refusal(hub, `${good}&ticket=${good}`, 'a'), 400, 'repeated-parameter')
      problemOf(await refusal(hub, `${good}&access_token=x`, 'a'), 400, 'invalid-credentials')
    })

    test('P17.6.3 a ticket counts, whatever token comes beside it', async () => {
      const ticket = await ticketFor(hub, ['mine'])
      const authorization = token('bob', ['read'])
      problemOf(await refusal(hub, ticket, 'yours', { authorization }), 403, 'forbidden')
      problemOf(await refusal(hub, 'x', 'yours', { authorization }), 401, 'invalid-ticket')
    })

    test('P17.6.5 a newer stream ends the older one cleanly, and events are lost to neither', async () => {
      const channel = fresh()
      const ticket = await ticketFor(hub, [channel])
      using older = await streamBy(hub, ticket, channel)
      const cursor = await opened(older)
      await post(`${hub.url}/channels/${channel}`, '1', writer)
      assert.equal((await older.next())?.data, '1')
      using newer = await streamBy(hub, ticket, channel, '', { 'last-event-id': cursor })
      await older.ended
      await opened(newer)
      assert.equal((await newer.next())?.data, '1')
      await untilCounts(hub, { readers: 1, waiting: 0 })
    })

    test('P17.6.6 whoever was ended so and comes back shows that two have the ticket: it is void for both', async () => {
      const channel = fresh()
      const ticket = await ticketFor(hub, [channel])
      using owner = await streamBy(hub, ticket, channel)
      const cursor = await opened(owner)
      using thief = await streamBy(hub, ticket, channel, '', { 'last-event-id': cursor })
      await opened(thief)
      await owner.ended
      problemOf(await refusal(hub, ticket, channel, { 'last-event-id': cursor }), 401, 'invalid-ticket')
      await thief.ended
      problemOf(await refusal(hub, ticket, channel, { 'last-event-id': cursor }), 401, 'invalid-ticket')
      using again = await streamBy(hub, await ticketFor(hub, [channel]), channel)
      await opened(again)
    })

    test('P17.6.7 a ticket that another one replaces is void, and its stream ends', async () => {
      const channel = fresh()
      const first = await ticketFor(hub, [channel])
      using stream = await streamBy(hub, first, channel)
      await opened(stream)
      // Nobody can make void what is not theirs.
      const bob = token('bob', ['read'])
      issued(await askTicket(hub, { channels: ['a'], replaces: first }, bob))
      issued(await askTicket(hub, { channels: ['a'], replaces: 'x' }, bob))
      await post(`${hub.url}/channels/${channel}`, '1', writer)
      assert.equal((await stream.next())?.data, '1')
      const alice = token('alice', ['read'])
      const second = issued(await askTicket(hub, { channels: [channel], replaces: first }, alice))
      await stream.ended
      problemOf(await refusal(hub, first, channel), 401, 'invalid-ticket')
      using next = await streamBy(hub, second.ticket, channel)
      await opened(next)
    })

    test('P6.4.4 P17.6.2 a stream is told in time that its ticket ends, ends with it, and never comes again', async () => {
      const channel = fresh()
      const until = Date.now() + 1_500
      const ticket = await ticketFor(hub, [channel], { until })
      using stream = await streamBy(hub, ticket, channel)
      await opened(stream)
      const told = await stream.next()
      assert.equal(told?.type, 'downlink:expire')
      const { expires } = JSON.parse(told.data) as { expires: number }
      assert.ok(expires > 100 && expires < 1_500, told.data)
      await post(`${hub.url}/channels/${channel}`, 'still', writer)
      assert.equal((await stream.next())?.data, 'still')
      await stream.ended
      assert.equal(await stream.next(), undefined)
      assert.ok(Date.now() < until)
      await new Promise((resolve) => setTimeout(resolve, until - Date.now() + 5))
      const got = await refusal(hub, ticket, channel, { 'last-event-id': told.lastEventId })
      problemOf(got, 401, 'invalid-ticket')
    })
  })

  describe('tickets in a hurry', () => {
    const hub = shared(face, { rules: true, limits: { ticketsPerSubject: 2 } })

    test('P17.6.1 a subject may have so many a second', async () => {
      for (let n = 0; n < 4; n++) await ticketFor(hub, ['a'])
      const got = await askTicket(hub, { channels: ['a'] }, token('alice', ['read']))
      problemOf(got, 429, 'too-fast')
      assert.equal(got.headers['retry-after'], '1')
      issued(await askTicket(hub, { channels: ['a'] }, token('bob', ['read'])))
    })
  })

  describe('rights that end', () => {
    const hub = shared(face, { rules: true })

    test('P13.3.4 one that has ended allows nothing', async () => {
      const authorization = token('alice', ['read', 'publish', 'drop', 'inspect'], '', {
        until: Date.now() - 1,
      })
      for (const [method, path] of [
        ['GET', '/channels/a'],
        ['GET', '/channels/a?wait=1'],
        ['GET', '/channels/a?transport=sse'],
        ['POST', '/channels/a'],
        ['DELETE', '/channels/a'],
        ['GET', '/metrics'],
        ['POST', '/disconnect'],
      ] as const) {
        const got = await ask(hub.url + path, { method, headers: { authorization } })
        problemOf(got, 401, 'expired')
        assert.equal(got.headers['www-authenticate'], 'Bearer error="invalid_token"')
      }
      problemOf(await askTicket(hub, { channels: ['a'] }, authorization), 401, 'expired')
    })

    test('P6.6.5 a stream ends with it, cleanly, and a long poll is answered', async () => {
      const authorization = token('alice', ['read'], '', { until: Date.now() + 1_000 })
      const page = ask(`${hub.url}/channels/a?wait=60`, { headers: { authorization } })
      using stream = await openStream(`${hub.url}/channels/a`, { authorization })
      await stream.ended
      assert.match(stream.text, /\n\n$/)
      assert.equal((await page).status, 200)
    })
  })

  describe('tickets without rules', () => {
    const hub = shared(face)

    test('P17.6.1 there are none: everybody may read', async () => {
      problemOf(await askTicket(hub, { channels: ['a'] }, undefined), 404, 'not-found')
      problemOf(await ask(`${hub.url}/channels/a?ticket=x`), 400, 'unknown-parameter')
    })
  })
}
