/** Polls and long polls: pages, limits, caches, waiting. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { ask, askPage, post } from './client.ts'
import { type Face, fresh, shared, untilCounts } from './face.ts'
import { requestHttp2, sessionTo, speaksHttp2 } from './http2.ts'
import { dial } from './raw.ts'

const VARY = 'Accept, Accept-Encoding, Prefer, Last-Event-ID, Origin, Authorization, Cookie'
const ndjson = { 'content-type': 'application/x-ndjson' }
const lines = (count: number, data: unknown = 'x'): string => `${JSON.stringify({ data })}\n`.repeat(count)

export function pageFacts(face: Face): void {
  describe('pages', () => {
    const hub = shared(face, { limits: { pageBytes: 1000 } })
    const at = (path: string): string => `${hub.url}/channels/${path}`

    test('P4.1.1 P7.1.1 a poll is a page with these members, and nothing else', async () => {
      const channel = fresh()
      const [id] = await post(at(`${channel}?type=paid`), 'one\ntwo')
      await post(at(channel), '')
      const got = await ask(at(channel))
      assert.equal(got.status, 200)
      assert.equal(got.headers['content-type'], 'application/json')
      const page = JSON.parse(got.text) as { events: { time: string }[]; retry: number; cursor: string }
      assert.deepEqual(Object.keys(page), ['events', 'cursor', 'more', 'retry'])
      assert.deepEqual(page.events[0], {
        id,
        channel,
        type: 'paid',
        data: 'one\ntwo',
        time: page.events[0]?.time,
      })
      assert.partialDeepStrictEqual(page.events[1], { type: 'message', data: '' })
      assert.match(page.events[0]?.time ?? '', /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
      assert.ok(page.retry >= 2000 && page.retry <= 4000)
    })

    test('P15.1.1 P15.3.1 a poll has the headers of a page that is anybody’s own', async () => {
      const { headers } = await ask(at(fresh()))
      assert.equal(headers['cache-control'], 'private, no-cache')
      assert.equal(headers['vary'], VARY)
      assert.equal(headers['x-content-type-options'], 'nosniff')
    })

    test('P3.4.1 P4.1.2 P7.2.2 page by page of limit events, more says whether to ask on', async () => {
      const channel = fresh()
      const ids = await post(at(channel), lines(7), ndjson)
      const seen: string[] = []
      let page = await askPage(at(`${channel}?after=start&limit=3`))
      const sizes = [page.events.length]
      seen.push(...page.events.map((event) => event.id))
      while (page.more) {
        assert.equal(page.cursor, page.events.at(-1)?.id)
        page = await askPage(at(`${channel}?after=${page.cursor}&limit=3`))
        sizes.push(page.events.length)
        seen.push(...page.events.map((event) => event.id))
      }
      assert.deepEqual(seen, ids)
      assert.deepEqual(sizes, [3, 3, 1])
    })

    test('P3.4.1 a page has at most 100 events unless asked for up to 1,000', async () => {
      const channel = fresh()
      await post(at(channel), lines(1000, ''), ndjson)
      const size = async (query: string): Promise<number> =>
        (await askPage(at(channel + query))).events.length
      assert.equal(await size('?after=start'), 100)
      assert.equal(await size('?after=start&limit=1000'), 1000)
      assert.equal(await size('?limit=7'), 7)
      assert.equal(await size('?last=150'), 150)
    })

    test('P3.4.1 last with a smaller limit holds the oldest of the last, and more', async () => {
      const channel = fresh()
      const ids = await post(at(channel), lines(9), ndjson)
      const page = await askPage(at(`${channel}?last=5&limit=2`))
      assert.deepEqual([page.events.map((event) => event.id), page.more], [ids.slice(4, 6), true])
      const next = await askPage(at(`${channel}?after=${page.cursor}`))
      assert.deepEqual([next.events.map((event) => event.id), next.more], [ids.slice(6), false])
    })

    test('P3.4.2 a page ends before it grows too large, but holds one event however large', async () => {
      const channel = fresh()
      const sizes = [400, 400, 400, 5000, 10]
      await post(
        at(channel),
        sizes.map((size) => JSON.stringify({ data: 'x'.repeat(size) })).join('\n'),
        ndjson,
      )
      const pages: number[][] = []
      let page = await askPage(at(`${channel}?after=start`))
      pages.push(page.events.map(({ data }) => data.length))
      while (page.more) {
        page = await askPage(at(`${channel}?after=${page.cursor}`))
        pages.push(page.events.map(({ data }) => data.length))
      }
      assert.deepEqual(pages, [[400, 400], [400], [5000], [10]])
    })

    test('P4.1.3 without a start, more is false', async () => {
      const channel = fresh()
      await post(at(channel), lines(5), ndjson)
      const page = await askPage(at(`${channel}?limit=2`))
      assert.deepEqual([page.events.length, page.more], [2, false])
    })

    test('P7.2.1 the cursor of an empty page is the frontier', async () => {
      const [quiet, busy] = [fresh(), fresh()]
      const [id] = await post(at(busy), 'x')
      const page = await askPage(at(`${quiet}?after=start`))
      assert.deepEqual([page.events, page.cursor, page.more], [[], id, false])
    })
  })

  describe('caches', () => {
    const hub = shared(face)
    const at = (path: string): string => `${hub.url}/channels/${path}`

    test('P4.2.1 the ETag stays when only the frontier moves', async () => {
      const [channel, other] = [fresh(), fresh()]
      const [id] = await post(at(channel), 'x')
      const before = await ask(at(`${channel}?after=${id}`))
      await post(at(other), 'x')
      const after = await ask(at(`${channel}?after=${id}`))
      assert.match(before.headers.etag ?? '', /^W\/"[\x21\x23-\x7e]+"$/)
      assert.equal(after.headers.etag, before.headers.etag)
      assert.notEqual((JSON.parse(after.text) as { cursor: string }).cursor, id)
    })

    test('P4.2.1 the ETag changes by events, by a gap, and by an end', async () => {
      const channel = fresh()
      const tags = new Set<string | undefined>()
      const look = async (): Promise<unknown> =>
        tags.add((await ask(at(`${channel}?after=start`))).headers.etag)
      await look()
      await post(at(channel), 'x')
      await look()
      await post(at(channel), 'y')
      await look()
      await post(at(`${channel}?end`), '')
      await look()
      await ask(at(channel), { method: 'DELETE' })
      await look()
      assert.equal(tags.size, 5)
    })

    test('P4.2.1 the ETag of a gap stays when only the frontier moves', async () => {
      const channel = fresh()
      await post(at(channel), 'x')
      await ask(at(channel), { method: 'DELETE' })
      const before = await ask(at(`${channel}?after=start`))
      assert.ok(before.text.includes('"deleted"'))
      await post(at(fresh()), 'x')
      assert.equal((await ask(at(`${channel}?after=start`))).headers.etag, before.headers.etag)
    })

    test('P4.2.2 If-None-Match with the tag, weak, strong, among others or *, is 304 with the headers of the 200', async () => {
      const channel = fresh()
      await post(at(channel), 'x')
      const { headers } = await ask(at(channel))
      const etag = headers.etag ?? ''
      for (const given of [etag, etag.replace('W/', ''), `"other", ${etag}`, '*']) {
        const got = await ask(at(channel), { headers: { 'if-none-match': given } })
        assert.deepEqual([got.status, got.text], [304, ''], given)
        for (const name of ['etag', 'cache-control', 'vary'] as const)
          assert.equal(got.headers[name], headers[name])
      }
      for (const given of ['"other"', 'W/"x"', etag.slice(0, -2), 'nonsense'])
        assert.equal((await ask(at(channel), { headers: { 'if-none-match': given } })).status, 200, given)
    })

    test('P15.3.2 a full page that only its URL decides may be kept by anyone', async () => {
      const channel = fresh()
      const [first] = await post(at(channel), lines(4), ndjson)
      const control = async (query: string, headers = {}): Promise<string | undefined> =>
        (await ask(at(channel + query), { headers })).headers['cache-control']
      assert.equal(await control(`?transport=poll&after=${first}&limit=2`), 'public, max-age=60')
      const own = 'private, no-cache'
      assert.equal(await control(`?after=${first}&limit=2`), own)
      assert.equal(await control(`?transport=poll&limit=2`), own)
      assert.equal(await control(`?transport=poll&after=start&limit=2`), own)
      assert.equal(await control(`?transport=poll&after=${first}`), own)
      assert.equal(await control(`?transport=poll&after=${first}&limit=4`), own)
      assert.equal(await control(`?transport=poll&after=${first}&limit=2`, { 'last-event-id': first }), own)
      assert.equal(await control(`?transport=poll&after=other-1&limit=2`), own)
    })
  })

  describe('long polls', () => {
    const hub = shared(face)
    const at = (path: string): string => `${hub.url}/channels/${path}`

    test('P5.1.2 one waits for the first event of its channels', async () => {
      const channel = fresh()
      const answer = askPage(at(`${channel}?wait=60`))
      await untilCounts(hub, { readers: 0, waiting: 1 })
      await post(at(fresh()), 'other')
      const [id] = await post(at(channel), 'first')
      const page = await answer
      assert.deepEqual(
        page.events.map((event) => event.id),
        [id],
      )
      await untilCounts(hub, { readers: 0, waiting: 0 })
    })

    test('P5.1.2 one is answered at once when there is something after its start', async () => {
      const channel = fresh()
      await post(at(channel), 'x')
      assert.equal((await askPage(at(`${channel}?wait=60&after=start`))).events.length, 1)
      assert.equal((await askPage(at(`${channel}?wait=60&last=1`))).events.length, 1)
      assert.equal((await askPage(at(`${channel}?wait=60&after=other-1`))).gap?.reason, 'unknown')
    })

    test('P5.1.2 one is answered when a channel ends, and is erased', async () => {
      const [ending, erased] = [fresh(), fresh()]
      await post(at(erased), 'x')
      const end = askPage(at(`${ending},${fresh()}?wait=60`))
      const erase = askPage(at(`${erased}?wait=60`))
      await untilCounts(hub, { readers: 0, waiting: 2 })
      await post(at(`${ending}?end`), '')
      assert.deepEqual((await end).ended, [ending])
      await ask(at(erased), { method: 'DELETE' })
      const { gap } = await erase
      assert.deepEqual([gap?.reason, gap?.channels], ['deleted', [erased]])
    })

    test('P5.1.2 P8.4.4 one on channels that are all ended is answered at once', async () => {
      const channel = fresh()
      await post(at(`${channel}?end`), 'x')
      const page = await askPage(at(`${channel}?wait=60`))
      assert.deepEqual([page.events, page.ended, page.more], [[], [channel], false])
    })

    test('P5.1.2 P5.1.3 after its wait one is answered with an empty page, with wait=0 at once', async () => {
      for (const wait of [0, 1]) {
        const page = await askPage(at(`${fresh()}?wait=${wait}`))
        assert.deepEqual([page.events, page.more, page.gap], [[], false, undefined])
      }
    })

    test('P5.1.4 Preference-Applied only where Prefer decided, with the number after clamping', async () => {
      const channel = fresh()
      const [id] = await post(at(channel), 'x')
      await post(at(channel), 'y')
      const applied = async (query: string, prefer: string): Promise<string | undefined> => {
        const { headers } = await ask(at(`${channel}?after=${id}${query}`), { headers: { prefer } })
        return headers['preference-applied'] as string | undefined
      }
      assert.equal(await applied('', 'wait=5'), 'wait=5')
      assert.equal(await applied('', 'wait=90'), 'wait=60')
      assert.equal(await applied('&wait=3', 'wait=5'), undefined)
      assert.equal(await applied('&transport=poll', 'wait=5'), undefined)
      assert.equal(await applied('&transport=long-poll', 'wait=soon'), undefined)
    })

    test('P5.1.5 P15.2.1 one has no ETag, is never 304, and is kept by nobody', async () => {
      const got = await ask(at(`${fresh()}?wait=0`), { headers: { 'if-none-match': '*' } })
      assert.equal(got.status, 200)
      assert.equal(got.headers.etag, undefined)
      assert.equal(got.headers['cache-control'], 'no-store, no-transform')
      assert.equal(got.headers['x-accel-buffering'], 'no')
      assert.equal(got.headers['vary'], VARY)
    })

    test('P19.1.1 the place of a client whose connection breaks while it waits is free again', async () => {
      const url = at(`${fresh()}?wait=60`)
      const cut = speaksHttp2(url) ? waitOnHttp2(url) : waitOnHttp1(hub.url, url)
      await untilCounts(hub, { readers: 0, waiting: 1 })
      cut()
      await untilCounts(hub, { readers: 0, waiting: 0 })
    })
  })
}

function waitOnHttp1(origin: string, url: string): () => void {
  const { socket, cut } = dial(origin)
  socket.on('error', () => {})
  socket.write(`GET ${url.slice(origin.length)} HTTP/1.1\r\nHost: localhost\r\n\r\n`)
  return cut
}

function waitOnHttp2(url: string): () => void {
  requestHttp2(url, {}).catch(() => {})
  const session = sessionTo(new URL(url).origin)
  return () => session.destroy()
}
