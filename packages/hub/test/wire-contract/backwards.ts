/** Reading backwards: `before`. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Page } from '@downlink/wire'
import { ask, askPage, post, problemOf } from './client.ts'
import { type Face, fresh, shared } from './face.ts'

const ndjson = { 'content-type': 'application/x-ndjson' }
const lines = (...data: readonly unknown[]): string =>
  data.map((one) => JSON.stringify({ data: one })).join('\n')
const texts = ({ events }: Page): readonly string[] => events.map(({ data }) => data)
const idsOf = ({ events }: Page): readonly string[] => events.map(({ id }) => id)

export function backwardsFacts(face: Face): void {
  describe('reading backwards', () => {
    const hub = shared(face, {
      limits: { pageBytes: 1000 },
      retention: [{ channels: 'few.*', count: 3 }, { channels: 'many.*' }],
    })
    const at = (path: string): string => `${hub.url}/channels/${path}`

    test('P3.5.1 P3.5.3 page by page it comes to the oldest, each event once and in order', async () => {
      const channel = fresh()
      const ids = await post(at(channel), lines(1, 2, 3, 4, 5, 6, 7, 8), ndjson)
      const pages: Page[] = []
      let previous = ids.at(-1)
      while (previous !== undefined) {
        const page = await askPage(at(`${channel}?before=${previous}&limit=3`))
        pages.unshift(page)
        assert.equal(page.more, page.previous !== undefined)
        if (page.more) assert.equal(page.previous, page.events[0]?.id)
        previous = page.previous
      }
      assert.deepEqual(pages.map(texts), [['1'], ['2', '3', '4'], ['5', '6', '7']])
      assert.deepEqual(pages.flatMap(idsOf), ids.slice(0, -1))
      assert.ok(pages.every(({ gap }) => gap === undefined))
    })

    test('P3.5.1 the members of its events are those of any page', async () => {
      const channel = fresh()
      await post(at(`${channel}?type=paid`), 'one\ntwo')
      const [id] = await post(at(channel), 'x')
      const page = await askPage(at(`${channel}?before=${id}`))
      assert.deepEqual(page.events, (await askPage(at(channel))).events.slice(0, 1))
    })

    test('P3.5.1 it reads patterns and several channels in the one order', async () => {
      const root = fresh('root')
      const other = fresh()
      for (const [channel, data] of [
        [`${root}.a`, '1'],
        [other, '2'],
        [`${root}.b`, '3'],
        [fresh(), 'of nobody here'],
        [`${root}.a`, '4'],
      ] as const)
        await post(at(channel), data)
      const [id] = await post(at(fresh()), 'the end')
      const page = await askPage(at(`${root}.*,${other}?before=${id}&limit=3`))
      assert.deepEqual([texts(page), page.more], [['2', '3', '4'], true])
    })

    test('P3.5.1 P3.4.2 a page holds what fits, the newest of it, and one event however large', async () => {
      const channel = fresh()
      const sizes = [10, 5000, 400, 400, 400]
      await post(at(channel), lines(...sizes.map((size) => 'x'.repeat(size))), ndjson)
      let [previous] = (await post(at(channel), 'end')) as [string | undefined]
      const pages: number[][] = []
      while (previous !== undefined) {
        const page: Page = await askPage(at(`${channel}?before=${previous}`))
        pages.push(page.events.map(({ data }) => data.length))
        previous = page.previous
      }
      assert.deepEqual(pages, [[400, 400], [400], [5000], [10]])
    })

    test('P3.5.3 from its cursor one reads forward to the event that it was asked for', async () => {
      const channel = fresh()
      const ids = await post(at(channel), lines(1, 2, 3, 4), ndjson)
      for (const id of ids) {
        const { cursor } = await askPage(at(`${channel}?before=${id}&limit=1`))
        assert.deepEqual(idsOf(await askPage(at(`${channel}?after=${cursor}&limit=1`))), [id])
      }
    })

    test('P3.5.4 where history begins it says whether there was more', async () => {
      const [few, many] = [fresh('few.x'), fresh('many.x')]
      const ids = await post(at(few), lines(1, 2, 3, 4, 5), ndjson)
      const newest = ids.at(-1)
      const part = await askPage(at(`${few}?before=${newest}&limit=1`))
      assert.deepEqual([texts(part), part.gap, part.previous], [['4'], undefined, ids[3]])
      const begin = await askPage(at(`${few}?before=${part.previous}&limit=1`))
      assert.deepEqual([texts(begin), begin.more, begin.previous], [['3'], false, undefined])
      assert.deepEqual([begin.gap?.reason, begin.gap?.channels], ['trimmed', [few]])
      assert.match(begin.gap?.from ?? '', /-0$/)
      // Of what went one is told also when nothing older is kept at all.
      const gone = await askPage(at(`${few}?before=${ids[1]}`))
      assert.deepEqual([gone.events, gone.more, gone.gap?.reason], [[], false, 'trimmed'])
      const [, last] = await post(at(many), lines(1, 2), ndjson)
      assert.equal((await askPage(at(`${many}?before=${last}`))).gap, undefined)
    })

    test('P3.5.4 of an erased channel it says so, and nothing of one that never was', async () => {
      const [erased, never] = [fresh('many.x'), fresh('many.x')]
      await post(at(erased), 'x')
      await ask(at(erased), { method: 'DELETE' })
      const [id] = await post(at(erased), 'anew')
      const { events, gap, previous } = await askPage(at(`${erased}?before=${id}`))
      assert.deepEqual([events, gap?.reason, gap?.channels, previous], [[], 'deleted', [erased], undefined])
      assert.equal((await askPage(at(`${never}?before=${id}`))).gap, undefined)
    })

    test('P3.5.5 before a cursor that says nothing here is a gap, and the newest events', async () => {
      const channel = fresh()
      const ids = await post(at(channel), lines(1, 2, 3), ndjson)
      const epoch = ids[0]?.split('-')[0]
      for (const foreign of ['other1epoch-1', `${epoch}-9007199254740991`]) {
        const page = await askPage(at(`${channel}?before=${foreign}&limit=2`))
        assert.deepEqual([texts(page), page.previous], [['2', '3'], ids[1]])
        assert.deepEqual(page.gap, {
          reason: 'unknown',
          channels: [channel],
          from: foreign,
          to: page.cursor,
        })
      }
    })

    test('P3.5.6 P8.4.2 ended are the channels whose end lies before it', async () => {
      const [ended, open] = [fresh(), fresh()]
      const [first] = await post(at(ended), 'x')
      await post(at(`${ended}?end`), 'last')
      const [id] = await post(at(open), 'x')
      assert.deepEqual((await askPage(at(`${ended},${open}?before=${id}`))).ended, [ended])
      assert.equal((await askPage(at(`${ended},${open}?before=${first}`))).ended, undefined)
    })

    for (const wrong of ['', 'start', 'now', 'x', 'a-01', `a-${'9'.repeat(20)}`]) {
      test(`P3.5.1 ${JSON.stringify(wrong)} is nothing to read before`, async () => {
        const problem = problemOf(await ask(at(`x?before=${wrong}`)), 400, 'invalid-cursor')
        assert.equal(problem['parameter'], 'before')
      })
    }

    const stream = { accept: 'text/event-stream' }
    for (const [query, headers, named] of [
      ['&after=e-1', {}, /`after`/],
      ['&after=start', {}, /`after`/],
      ['&last=5', {}, /`last`/],
      ['&wait=0', {}, /`wait`/],
      ['&wait=5&transport=poll', {}, /`wait`/],
      ['&transport=long-poll', {}, /long poll/],
      ['&transport=sse', {}, /Server-Sent/],
      ['', stream, /Server-Sent/],
      ['', { 'last-event-id': 'e-1' }, /`Last-Event-ID`/],
    ] as const) {
      test(`P3.5.2 before goes with limit alone: not with ${query} ${JSON.stringify(headers)}`, async () => {
        const problem = problemOf(
          await ask(at(`x?before=e-1${query}`), { headers }),
          400,
          'invalid-parameter',
        )
        assert.equal(problem['parameter'], 'before')
        assert.match(String(problem['detail']), named)
      })
    }

    test('P3.5.2 what has no effect on a page has none here, and what is preferred is passed over', async () => {
      const channel = fresh()
      const [, id] = await post(at(channel), lines(1, 2), ndjson)
      const page = async (query: string, headers = {}): Promise<readonly string[]> =>
        texts(await askPage(at(`${channel}?before=${id}${query}`), headers))
      assert.deepEqual(await page('&fields=time&event=channel&data=event'), ['1'])
      assert.deepEqual(await page('', { 'last-event-id': '' }), ['1'])
      assert.deepEqual(await page('&transport=poll', stream), ['1'])
      const got = await ask(at(`${channel}?before=${id}`), { headers: { prefer: 'wait=5' } })
      assert.equal(got.headers['preference-applied'], undefined)
      assert.match(got.headers.etag ?? '', /^W\//)
    })

    test('P4.2.2 it has an ETag, by which it is 304 while its events are the same', async () => {
      const channel = fresh()
      const [, , id] = await post(at(channel), lines(1, 2, 3), ndjson)
      const url = at(`${channel}?before=${id}`)
      const { headers } = await ask(url)
      const again = { headers: { 'if-none-match': headers.etag ?? '' } }
      await post(at(channel), 'newer')
      assert.equal((await ask(url, again)).status, 304)
      await ask(at(channel), { method: 'DELETE' })
      assert.equal((await ask(url, again)).status, 200)
    })

    test('P15.3.2 a full page of it that only its URL decides may be kept by anyone', async () => {
      const [channel, few] = [fresh(), fresh('few.x')]
      const ids = await post(at(channel), lines(1, 2, 3), ndjson)
      const control = async (path: string): Promise<string | undefined> =>
        (await ask(at(path))).headers['cache-control']
      const own = 'private, no-cache'
      assert.equal(await control(`${channel}?transport=poll&before=${ids[2]}&limit=2`), 'public, max-age=60')
      assert.equal(await control(`${channel}?transport=poll&before=${ids[2]}&limit=3`), own)
      assert.equal(await control(`${channel}?transport=poll&before=${ids[2]}`), own)
      assert.equal(await control(`${channel}?before=${ids[2]}&limit=2`), own)
      assert.equal(await control(`${channel}?transport=poll&before=other-1&limit=2`), own)
      const fewIds = await post(at(few), lines(1, 2, 3, 4, 5), ndjson)
      assert.equal(await control(`${few}?transport=poll&before=${fewIds[4]}&limit=2`), own)
    })
  })
}
