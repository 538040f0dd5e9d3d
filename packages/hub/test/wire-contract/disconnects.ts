/** `POST /disconnect`: whoever looks after the hub ends streams and waits. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { ask, askPage, type EventStream, type Got, openStream, post, problemOf } from './client.ts'
import { counts, type Face, fresh, shared, untilCounts } from './face.ts'
import { token } from './rules.ts'
import { askTicket, issued } from './tickets.ts'

export function disconnectFacts(face: Face): void {
  describe('disconnecting', () => {
    const hub = shared(face, { rules: true })
    const admin = token('admin', ['inspect'])
    const disconnect = (body: unknown, authorization = admin): Promise<Got> =>
      ask(`${hub.url}/disconnect`, {
        method: 'POST',
        headers: { authorization },
        body: typeof body === 'string' ? body : JSON.stringify(body),
      })
    const disconnected = async (body: unknown): Promise<unknown> => {
      const got = await disconnect(body)
      assert.equal(got.status, 200, got.text)
      return JSON.parse(got.text)
    }
    const reads = async (channels: string, subject: string): Promise<EventStream> => {
      const stream = await openStream(`${hub.url}/channels/${channels}`, {
        authorization: token(subject, ['read']),
      })
      await stream.next()
      return stream
    }

    test('P12.3.1 needs the right to inspect', async () => {
      problemOf(await disconnect({ subject: 'alice' }, token('alice', ['read', 'publish'])), 403, 'forbidden')
      const got = await ask(`${hub.url}/disconnect`, { method: 'POST', body: '{"subject":"alice"}' })
      problemOf(got, 401, 'unauthorized')
      problemOf(
        await ask(`${hub.url}/disconnect`, { headers: { authorization: admin } }),
        405,
        'method-not-allowed',
      )
    })

    test('P12.3.2 ends the streams and waits of a subject cleanly, nothing lost, and of nobody else', async () => {
      const channel = fresh()
      using alices = await reads(channel, 'alice')
      using bobs = await reads(channel, 'bob')
      const polled = ask(`${hub.url}/channels/${channel}?wait=60`, {
        headers: { authorization: token('alice', ['read']) },
      })
      await untilCounts(hub, { readers: 2, waiting: 1 })
      const others = [ask, ask].map(() =>
        ask(`${hub.url}/channels/other?wait=60`, { headers: { authorization: token('alice', ['read']) } }),
      )
      await untilCounts(hub, { readers: 2, waiting: 3 })
      const [id] = await post(`${hub.url}/channels/${channel}`, '1', {
        authorization: token('x', ['publish']),
      })
      assert.equal((await polled).status, 200)
      assert.deepEqual(await disconnected({ subject: 'alice' }), { disconnected: 3 })
      await alices.ended
      const last = await alices.next()
      assert.deepEqual([last?.data, last?.lastEventId], ['1', id])
      for (const got of await Promise.all(others)) assert.equal(got.status, 200)
      assert.equal((await bobs.next())?.data, '1')
      await untilCounts(hub, { readers: 1, waiting: 0 })
      // Who still may comes back.
      using back = await reads(channel, 'alice')
      assert.equal(back.status, 200)
    })

    test('P12.3.2 ends whatever reads a channel, or one that a pattern matches', async () => {
      const stem = fresh('stem')
      const all = [
        await reads(`${stem}.a`, 'alice'),
        await reads(`${stem}.*`, 'bob'),
        await reads(`${stem}.b,other`, 'carol'),
        await reads('other', 'dora'),
      ]
      try {
        assert.deepEqual(await disconnected({ channel: `${stem}.a` }), { disconnected: 2 })
        await Promise.all([all[0]?.ended, all[1]?.ended])
        assert.deepEqual(await disconnected({ channel: `${stem}.**` }), { disconnected: 1 })
        await all[2]?.ended
        assert.deepEqual(await disconnected({ channel: 'nobody' }), { disconnected: 0 })
      } finally {
        for (const stream of all) stream.close()
      }
    })

    test('P12.3.2 ends one, by its number', async () => {
      assert.deepEqual(await disconnected({ reader: 987_654_321 }), { disconnected: 0 })
    })

    test('P12.3.3 refuses what it gave a subject until now, tickets too, when asked to', async () => {
      const channel = fresh()
      const before = Date.now() - 1_000
      const old = token('mallory', ['read'], '', { issued: before })
      const undated = token('mallory', ['read'])
      const { ticket } = issued(await askTicket(hub, { channels: [channel] }, old))
      using byTicket = await openStream(`${hub.url}/channels/${channel}?ticket=${ticket}`)
      await byTicket.next()
      using byToken = await openStream(`${hub.url}/channels/${channel}`, { authorization: old })
      await byToken.next()
      assert.deepEqual(await disconnected({ subject: 'mallory', revoke: true }), { disconnected: 2 })
      await Promise.all([byTicket.ended, byToken.ended])
      for (const authorization of [old, undated]) {
        const got = await ask(`${hub.url}/channels/${channel}`, { headers: { authorization } })
        problemOf(got, 401, 'revoked')
        assert.equal(got.headers['www-authenticate'], 'Bearer error="invalid_token"')
        problemOf(await askTicket(hub, { channels: [channel] }, authorization), 401, 'revoked')
      }
      const accept = 'text/event-stream'
      const got = await ask(`${hub.url}/channels/${channel}?ticket=${ticket}`, { headers: { accept } })
      problemOf(got, 401, 'revoked')
      const anew = token('mallory', ['read'], '', { issued: Date.now() + 1 })
      await askPage(`${hub.url}/channels/${channel}`, { authorization: anew })
      await askPage(`${hub.url}/channels/${channel}`, { authorization: token('alice', ['read']) })
    })

    for (const body of [
      '',
      '{}',
      '{"subject":"a","channel":"b"}',
      '{"subject":1}',
      '{"channel":["a"]}',
      '{"reader":"1"}',
      '{"reader":1.5}',
      '{"reader":1,"revoke":true}',
      '{"subject":"a","revoke":"yes"}',
      '{"subject":"a","until":1}',
    ]) {
      test(`P12.3.1 ${body || 'nothing'} says not what to end`, async () => {
        problemOf(await disconnect(body), 400, 'invalid-json')
      })
    }

    test('P12.3.1 P12.3.3 what is no pattern ends nothing, and nobody has no rights', async () => {
      problemOf(await disconnect({ channel: 'a*' }), 400, 'invalid-pattern')
      problemOf(await disconnect({ subject: '', revoke: true }), 400, 'invalid-json')
      assert.equal((await counts(hub)).waiting, 0)
    })
  })
}
