/** What becomes of a stream in time: heartbeats, cursors, gaps, ends, age. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { ask, askPage, type EventStream, openStream, post } from './client.ts'
import { type Face, fresh, shared, untilCounts } from './face.ts'

const ndjson = { 'content-type': 'application/x-ndjson' }

/** The next event, as type, id and parsed data. */
async function control(stream: EventStream): Promise<[string, string, unknown]> {
  const event = await stream.next()
  assert.ok(event, 'the stream is over')
  return [event.type, event.lastEventId, JSON.parse(event.data) as unknown]
}

export function streamLifeFacts(face: Face): void {
  describe('fresh cursors', () => {
    const hub = shared(face, { delivery: { heartbeatMs: 30, cursorMs: 1 } })
    const at = (path: string): string => `${hub.url}/channels/${path}`

    test('P6.4.2 a quiet reader is sent fresh cursors', async () => {
      const [quiet, busy] = [fresh(), fresh()]
      using stream = await openStream(at(quiet))
      await stream.next()
      const [id] = await post(at(busy), 'x')
      for (;;) {
        const [type, cursor, data] = await control(stream)
        assert.deepEqual([type, data], ['downlink:cursor', {}])
        if (cursor === id) break
      }
      const page = await askPage(at(`${busy}?after=${id}`))
      assert.deepEqual([page.events, page.gap], [[], undefined])
    })
  })

  describe('heartbeats', () => {
    const hub = shared(face, { delivery: { heartbeatMs: 30 } })

    test('P6.2.1 P6.5.1 a heartbeat is a colon and LF, and the opening tells how often', async () => {
      using stream = await openStream(`${hub.url}/channels/${fresh()}`)
      assert.deepEqual((await control(stream))[2], { heartbeat: 30 })
      await stream.heard(3)
      assert.match(stream.text.slice(stream.text.indexOf('\n\n') + 2), /^(:\n){3,}$/)
    })
  })

  describe('the age of a stream', () => {
    const hub = shared(face, { delivery: { heartbeatMs: 15, maxAgeMs: 120 } })

    test('P6.6.1 a stream ends by itself, after a whole block', async () => {
      const channel = fresh()
      using stream = await openStream(`${hub.url}/channels/${channel}`)
      const [id] = await post(`${hub.url}/channels/${channel}`, 'x')
      await stream.ended
      assert.match(stream.text, /\n$/)
      assert.ok(stream.text.includes(`id: ${id}\ndata: x\n\n`))
      await untilCounts(hub, { readers: 0, waiting: 0 })
    })
  })

  describe('gaps', () => {
    const hub = shared(face, { retention: [{ channels: '*.short', count: 2 }] })
    const at = (path: string): string => `${hub.url}/channels/${path}`

    test('P8.2.1 what retention removed is a gap trimmed, on every transport the same', async () => {
      const channel = `${fresh()}.short`
      const ids = await post(at(channel), '{"data":1}\n{"data":2}\n{"data":3}\n{"data":4}', ndjson)
      const page = await askPage(at(`${channel}?after=${ids[0]}`))
      assert.deepEqual(page.gap, { reason: 'trimmed', channels: [channel], from: ids[0], to: ids[1] })
      assert.deepEqual(
        page.events.map(({ id }) => id),
        ids.slice(2),
      )
      const waited = await askPage(at(`${channel}?after=${ids[0]}&wait=60`))
      assert.deepEqual([waited.gap, waited.events], [page.gap, page.events])
      using stream = await openStream(at(channel), { 'last-event-id': ids[0] ?? '' })
      const [, open, gap, ...events] = await stream.take(4).then((all) => [undefined, ...all])
      assert.equal(open?.lastEventId, ids[0])
      assert.deepEqual([gap?.type, gap?.lastEventId], ['downlink:gap', ids[1]])
      assert.deepEqual(JSON.parse(gap?.data ?? ''), page.gap)
      assert.deepEqual(
        events.map((event) => event?.lastEventId),
        ids.slice(2),
      )
    })

    test('P8.2.5 P8.2.1 start is told what was removed; a cursor after it is told nothing', async () => {
      const channel = `${fresh()}.short`
      const ids = await post(at(channel), '{"data":1}\n{"data":2}\n{"data":3}', ndjson)
      assert.equal((await askPage(at(`${channel}?after=start`))).gap?.reason, 'trimmed')
      assert.equal((await askPage(at(`${channel}?after=${ids[0]}`))).gap, undefined)
      await post(at(fresh()), 'the hub moves on')
      assert.equal((await askPage(at(`${channel}?after=${ids[0]}`))).gap, undefined)
    })

    test('P3.2.3 last tells no gap', async () => {
      const channel = `${fresh()}.short`
      await post(at(channel), '{"data":1}\n{"data":2}\n{"data":3}', ndjson)
      assert.equal((await askPage(at(`${channel}?last=10`))).gap, undefined)
      using stream = await openStream(at(`${channel}?last=10`))
      assert.deepEqual(
        (await stream.take(3)).map(({ type }) => type),
        ['downlink:open', 'message', 'message'],
      )
    })

    test('P8.2.2 erasing a channel tells its live readers, who have read everything, and those who come back', async () => {
      const channel = fresh()
      const [id = ''] = await post(at(channel), 'x')
      using stream = await openStream(at(`${channel}?after=${id}`))
      await stream.next()
      assert.equal((await ask(at(channel), { method: 'DELETE' })).status, 204)
      const [type, to, gap] = await control(stream)
      assert.equal(type, 'downlink:gap')
      assert.partialDeepStrictEqual(gap, { reason: 'deleted', channels: [channel], to })
      const [next] = await post(at(channel), 'again')
      assert.equal((await stream.next())?.lastEventId, next)

      using resumed = await openStream(at(channel), { 'last-event-id': id })
      await resumed.next()
      assert.partialDeepStrictEqual((await control(resumed))[2], {
        reason: 'deleted',
        channels: [channel],
        from: id,
      })
      assert.equal((await resumed.next())?.lastEventId, next)
    })

    test('P6.2.3 a stream whose cursor is another hub’s opens without an id, then tells the gap', async () => {
      const channel = fresh()
      const [id] = await post(at(channel), 'x')
      for (const [cursor, from] of [
        ['other1epoch-7', 'other1epoch-7'],
        ['garbage', null],
      ] as const) {
        using stream = await openStream(at(channel), { 'last-event-id': cursor })
        const [open, gap, event] = await stream.take(3)
        assert.equal(open?.lastEventId, '')
        assert.doesNotMatch(stream.text.slice(0, stream.text.indexOf('\n\n')), /^id:/m)
        assert.partialDeepStrictEqual(JSON.parse(gap?.data ?? ''), {
          reason: 'unknown',
          channels: [channel],
          from,
        })
        assert.equal(event?.lastEventId, id)
      }
    })
  })

  describe('ends', () => {
    const hub = shared(face)
    const at = (path: string): string => `${hub.url}/channels/${path}`
    const sse = { accept: 'text/event-stream' }

    test('P8.4.1 P6.6.2 a reader gets everything up to the end, then the end, then the stream closes', async () => {
      const channel = fresh()
      using stream = await openStream(at(channel))
      await stream.next()
      const [id] = await post(at(`${channel}?end`), 'last words')
      assert.equal((await stream.next())?.data, 'last words')
      assert.deepEqual(await control(stream), ['downlink:end', id, { channel }])
      assert.equal(await stream.next(), undefined)
    })

    test('P6.6.2 the stream closes only when all its channels are ended', async () => {
      const [a, b] = [fresh(), fresh()]
      using stream = await openStream(at(`${a},${b}`))
      await stream.next()
      await post(at(`${a}?end`), '')
      assert.deepEqual((await control(stream))[2], { channel: a })
      await post(at(b), 'still here')
      assert.equal((await stream.next())?.data, 'still here')
      await post(at(`${b}?end`), '')
      assert.deepEqual((await control(stream))[2], { channel: b })
      assert.equal(await stream.next(), undefined)
    })

    test('P6.2.4 ends at or before the start are told first', async () => {
      const [ended, open] = [fresh(), fresh()]
      await post(at(`${ended}?end`), 'x')
      using stream = await openStream(at(`${ended},${open}`))
      await stream.next()
      assert.deepEqual((await control(stream))[2], { channel: ended })
      await post(at(open), 'live')
      assert.equal((await stream.next())?.data, 'live')
    })

    test('P8.4.3 a pattern never ends', async () => {
      const root = fresh('root')
      using stream = await openStream(at(`${root}.*`))
      await stream.next()
      await post(at(`${root}.a?end`), '')
      assert.deepEqual((await control(stream))[2], { channel: `${root}.a` })
      await post(at(`${root}.b`), 'on it goes')
      assert.equal((await stream.next())?.data, 'on it goes')
      using again = await openStream(at(`${root}.a,${root}.*`))
      assert.equal(again.status, 200)
    })

    test('P6.6.3 an SSE request that starts past all ends is 204, and one that has something to get is not', async () => {
      const channel = fresh()
      const [one, two] = await post(at(`${channel}?end`), '{"data":1}\n{"data":2}', ndjson)
      const over = await ask(at(channel), { headers: { ...sse, 'last-event-id': two ?? '' } })
      assert.deepEqual([over.status, over.text, over.headers['cache-control']], [204, '', 'no-store'])
      assert.equal((await ask(at(`${channel}?transport=sse`))).status, 204)
      assert.equal(
        (await ask(at(`${channel},${fresh()}?after=start`), { method: 'HEAD', headers: sse })).status,
        200,
      )

      using behind = await openStream(at(channel), { 'last-event-id': one ?? '' })
      assert.deepEqual(
        (await behind.take(3)).map(({ type }) => type),
        ['downlink:open', 'message', 'downlink:end'],
      )
      assert.equal(await behind.next(), undefined)
      using last = await openStream(at(`${channel}?last=1`))
      assert.equal((await last.take(2))[1]?.lastEventId, two)
      using gap = await openStream(at(channel), { 'last-event-id': 'garbage' })
      assert.equal((await gap.take(2))[1]?.type, 'downlink:gap')
    })

    test('P8.4.2 ended of a page: all named ones at or before its cursor, of a pattern those within it', async () => {
      const root = fresh('root')
      const [a, b] = [`${root}.a`, `${root}.b`]
      const ids = await post(at(`${a}?end`), '{"data":1}\n{"data":2}', ndjson)
      await post(at(b), 'x')
      assert.deepEqual((await askPage(at(`${a},${b}?after=start&limit=1`))).ended, undefined)
      assert.deepEqual((await askPage(at(`${a},${b}?after=start`))).ended, [a])
      assert.deepEqual((await askPage(at(`${a}?after=${ids[1]}`))).ended, [a])
      assert.deepEqual((await askPage(at(`${root}.*?after=${ids[0]}`))).ended, [a])
      assert.equal((await askPage(at(`${root}.*?after=${ids[1]}`))).ended, undefined)
    })

    test('P11.2.3 an erased channel is not ended any more', async () => {
      const channel = fresh()
      await post(at(`${channel}?end`), 'x')
      await ask(at(channel), { method: 'DELETE' })
      using stream = await openStream(at(channel))
      await stream.next()
      await post(at(channel), 'anew')
      assert.equal((await stream.next())?.data, 'anew')
      assert.equal((await askPage(at(channel))).ended, undefined)
    })
  })
}
