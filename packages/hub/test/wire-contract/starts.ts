/** Where a read starts, and how it is negotiated. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { ask, askPage, openStream, post, problemOf } from './client.ts'
import { type Face, fresh, shared } from './face.ts'

export function startFacts(face: Face): void {
  describe('where a read starts', () => {
    const hub = shared(face)
    const at = (path: string): string => `${hub.url}/channels/${path}`
    const data = async (path: string, headers = {}): Promise<readonly string[]> =>
      (await askPage(at(path), headers)).events.map((event) => event.data)

    test('P3.2.1 Last-Event-ID decides before after, after before last', async () => {
      const channel = fresh()
      const [one, two] = await post(at(channel), '{"data":1}\n{"data":2}\n{"data":3}', ndjson)
      assert.deepEqual(await data(`${channel}?after=${one}`, { 'last-event-id': two }), ['3'])
      assert.deepEqual(await data(`${channel}?last=3`, { 'last-event-id': two }), ['3'])
      assert.deepEqual(await data(`${channel}?after=${one}&last=1`), ['2', '3'])
      assert.deepEqual(await data(`${channel}?after=${one}`, { 'last-event-id': '' }), ['2', '3'])
    })

    test('P3.2.2 start is before everything, now after everything', async () => {
      const channel = fresh()
      await post(at(channel), 'one')
      assert.deepEqual(await data(`${channel}?after=start`), ['one'])
      const page = await askPage(at(`${channel}?after=now`))
      assert.deepEqual(page.events, [])
      await post(at(channel), 'two')
      assert.deepEqual(await data(`${channel}?after=${page.cursor}`), ['two'])
    })

    test('P3.2.3 last is the newest N events over all channels together', async () => {
      const [a, b] = [fresh(), fresh()]
      for (const [channel, text] of [
        [a, '1'],
        [b, '2'],
        [b, '3'],
        [a, '4'],
      ] as const)
        await post(at(channel), text)
      assert.deepEqual(await data(`${a},${b}?last=3`), ['2', '3', '4'])
      assert.deepEqual(await data(`${a},${b}?last=0`), [])
      assert.deepEqual(await data(`${a},${b}?last=1000`), ['1', '2', '3', '4'])
    })

    test('P3.2.5 with nothing said a poll gets the newest 100 events, long poll and SSE start at now', async () => {
      const channel = fresh()
      const batch = Array.from({ length: 101 }, (_, n) => JSON.stringify({ data: n })).join('\n')
      await post(at(channel), batch, ndjson)
      const events = await data(channel)
      assert.deepEqual([events.length, events[0], events.at(-1)], [100, '1', '100'])
      assert.deepEqual(await data(`${channel}?wait=0`), [])
      using stream = await openStream(at(channel))
      await stream.next()
      await post(at(channel), 'new')
      assert.equal((await stream.next())?.data, 'new')
    })

    for (const wrong of [
      '',
      'x',
      'epoch-',
      '-1',
      'a-01',
      'a-1x',
      'START',
      `a-${'9'.repeat(20)}`,
      `${'e'.repeat(33)}-1`,
    ]) {
      test(`P3.2.6 ${JSON.stringify(wrong)} is no cursor: refused in after, a gap in Last-Event-ID`, async () => {
        const problem = problemOf(await ask(at(`x?after=${wrong}`)), 400, 'invalid-cursor')
        assert.equal(problem['parameter'], 'after')
        if (wrong === '') return
        const channel = fresh()
        await post(at(channel), 'kept')
        const page = await askPage(at(channel), { 'last-event-id': wrong })
        assert.equal(page.gap?.reason, 'unknown')
        assert.equal(page.gap.from, null)
        assert.deepEqual(page.gap.channels, [channel])
        assert.deepEqual(
          page.events.map((event) => event.data),
          ['kept'],
        )
      })
    }

    test('P3.2.7 P8.2.3 P8.3.3 a cursor of another epoch, and one of the future, is a gap, and reading goes on from the oldest', async () => {
      const channel = fresh()
      const [id = ''] = await post(at(channel), 'kept')
      const epoch = id.split('-')[0]
      for (const cursor of ['other1epoch-1', `${epoch}-9007199254740991`]) {
        for (const [query, headers] of [
          [`?after=${cursor}`, {}],
          ['', { 'last-event-id': cursor }],
        ] as const) {
          const page = await askPage(at(channel + query), headers)
          assert.equal(page.gap?.reason, 'unknown')
          assert.equal(page.gap.from, cursor)
          assert.deepEqual(page.gap.channels, [channel])
          assert.deepEqual(
            page.events.map((event) => event.id),
            [id],
          )
          const again = await askPage(at(`${channel}?after=${page.gap.to}`))
          assert.deepEqual(
            again.events.map((event) => event.id),
            [id],
          )
        }
      }
    })

    test('P1.2.3 a cursor of one channel is good for another', async () => {
      const [a, b] = [fresh(), fresh()]
      await post(at(b), 'before')
      const [id] = await post(at(a), 'a')
      await post(at(b), 'after')
      const page = await askPage(at(`${b}?after=${id}`))
      assert.deepEqual(
        page.events.map((event) => event.data),
        ['after'],
      )
      assert.equal(page.gap, undefined)
    })
  })

  describe('how a read is negotiated', () => {
    const hub = shared(face)
    const at = (path: string): string => `${hub.url}/channels/${path}`
    const form = async (query: string, headers: Record<string, string>): Promise<string> => {
      using stream = await openStream(at(`x${query}`), { accept: '', ...headers })
      if (stream.status !== 200) return String(stream.status)
      if (stream.headers['content-type'] === 'text/event-stream') return 'sse'
      return stream.headers['etag'] === undefined ? 'long-poll' : 'poll'
    }
    const cases: readonly [string, string, Record<string, string>, string][] = [
      ['1', '?transport=sse', { accept: 'application/json' }, 'sse'],
      ['1', '?transport=poll', { accept: 'text/event-stream' }, 'poll'],
      ['1', '?transport=poll', { accept: 'text/html' }, 'poll'],
      ['1', '?transport=poll&wait=0', {}, 'poll'],
      ['1', '?transport=long-poll&wait=0', {}, 'long-poll'],
      ['2', '', { accept: 'text/event-stream' }, 'sse'],
      ['2', '', { accept: 'TEXT/Event-Stream' }, 'sse'],
      ['2', '', { accept: 'text/html, text/event-stream;q=0.5' }, 'sse'],
      ['2', '', { accept: 'application/json, text/event-stream' }, 'sse'],
      ['2', '', { accept: 'application/json, text/event-stream;q=0.9' }, 'poll'],
      ['2', '', { accept: 'application/json;q=0.5, text/event-stream;q=0.5' }, 'sse'],
      ['2', '', { accept: '*/*, text/event-stream;q=0.9' }, 'poll'],
      ['2', '', { accept: 'text/event-stream;q=0, application/json' }, 'poll'],
      ['2', '?wait=0', { accept: 'text/event-stream' }, 'sse'],
      ['3', '?wait=0', { accept: '*/*' }, 'long-poll'],
      ['3', '', { prefer: 'wait=0' }, 'long-poll'],
      ['3', '', { prefer: 'respond-async, wait=0; foo=bar' }, 'long-poll'],
      ['4', '', { prefer: 'wait=soon' }, 'poll'],
      ['4', '', {}, 'poll'],
      ['4', '', { accept: '*/*' }, 'poll'],
      ['4', '', { accept: 'text/*;q=1, */*;q=0.1' }, 'poll'],
      ['4', '', { accept: 'application/*' }, 'poll'],
    ]
    for (const [row, query, headers, expected] of cases) {
      test(`P3.3.1 row ${row}: ${query || 'no parameter'} with ${JSON.stringify(headers)} is ${expected}`, async () => {
        assert.equal(await form(query, headers), expected)
      })
    }

    for (const accept of [
      'text/html',
      'text/*',
      'application/json;q=0',
      'text/event-stream;q=0',
      'image/*, text/html',
    ]) {
      test(`P3.3.3 Accept: ${accept} is 406`, async () => {
        problemOf(await ask(at('x'), { headers: { accept } }), 406, 'not-acceptable')
      })
    }

    test('P3.3.3 an error is problem+json whatever Accept says', async () => {
      problemOf(
        await ask(at('x?limit=0'), { headers: { accept: 'text/event-stream' } }),
        400,
        'invalid-parameter',
      )
    })
  })
}

const ndjson = { 'content-type': 'application/x-ndjson' }
