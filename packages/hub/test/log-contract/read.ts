import assert from 'node:assert/strict'
import { describe } from 'node:test'
import type { Limit } from '../../src/log/log.ts'
import { ALL, fact, publish, publishOne, set, texts, type Suite } from './harness.ts'

export function readFacts(suite: Suite): void {
  describe('read after', () => {
    fact(suite, 'has the events of its channels alone, in the order of their positions', async (log) => {
      await publish(log, 'a', '1')
      await publish(log, 'b', '2')
      await publish(log, 'c', '3')
      await publish(log, 'a', '4')
      await publish(log, 'b', '5')
      assert.deepEqual(texts(await log.read(set('b', 'a'), { after: 0 }, ALL)), ['1', '2', '4', '5'])
      assert.deepEqual(texts(await log.read(set('c'), { after: 0 }, ALL)), ['3'])
    })

    fact(suite, 'has only events after the position, and moves the cursor to the frontier', async (log) => {
      const first = await publishOne(log, 'a', '1')
      await publish(log, 'a', '2')
      const last = await publishOne(log, 'b')
      const page = await log.read(set('a'), { after: first }, ALL)
      assert.deepEqual([texts(page), page.cursor, page.more], [['2'], last, false])
    })

    fact(suite, 'of a quiet or unknown channel is an empty page at the frontier, and no gap', async (log) => {
      const first = await publishOne(log, 'a')
      const last = await publishOne(log, 'b')
      const empty = { events: [], cursor: last, more: false, ends: [] }
      assert.deepEqual(await log.read(set('a'), { after: first }, ALL), empty)
      assert.deepEqual(await log.read(set('nobody'), { after: 0 }, ALL), empty)
      assert.deepEqual(await log.read(set('nobody.*'), { after: 0 }, ALL), empty)
    })

    fact(suite, 'of an empty log is an empty page at the start', async (log) => {
      assert.deepEqual(await log.read(set('a', '**'), { after: 0 }, ALL), {
        events: [],
        cursor: 0,
        more: false,
        ends: [],
      })
    })

    fact(suite, 'takes patterns, each event once', async (log) => {
      for (const channel of ['p', 'p.a', 'q', 'p.a.b', '$hub', '$hub.a']) await publish(log, channel, channel)
      const read = async (...parts: string[]): Promise<string[]> =>
        texts(await log.read(set(...parts), { after: 0 }, ALL))
      assert.deepEqual(await read('p.*'), ['p.a'])
      assert.deepEqual(await read('p.**'), ['p.a', 'p.a.b'])
      assert.deepEqual(await read('*'), ['p', 'q'])
      assert.deepEqual(await read('**'), ['p', 'p.a', 'q', 'p.a.b'])
      assert.deepEqual(await read('**', '*', 'p.*', 'p.a', 'q'), ['p', 'p.a', 'q', 'p.a.b'])
      assert.deepEqual(await read('$hub', '*.a'), ['p.a', '$hub'])
      assert.deepEqual(await read('*.*.b', 'q'), ['q', 'p.a.b'])
    })

    fact(suite, 'stops at the limit of events, and says that more are ready', async (log) => {
      const positions = await publish(log, 'a', '1', '2', '3')
      await publish(log, 'b', '')
      const two = { events: 2, bytes: 100 }
      const first = await log.read(set('a'), { after: 0 }, two)
      assert.deepEqual([texts(first), first.cursor, first.more], [['1', '2'], positions[1], true])
      const second = await log.read(set('a'), { after: first.cursor }, two)
      assert.deepEqual([texts(second), second.cursor, second.more], [['3'], log.state().frontier, false])
    })

    fact(suite, 'says that no more are ready when the limit is just filled', async (log) => {
      await publish(log, 'a', '1', '2')
      await publish(log, 'b', '')
      const page = await log.read(set('a'), { after: 0 }, { events: 2, bytes: 2 })
      assert.deepEqual([page.events.length, page.more, page.cursor], [2, false, log.state().frontier])
    })

    fact(suite, 'stops at the limit of bytes, yet has one event however large', async (log) => {
      await publish(log, 'a', 'xxxx', 'xx', 'xx', 'x', 'xxxxxxxx', 'x')
      const small: Limit = { events: 100, bytes: 4 }
      const pages: string[][] = []
      for (let after = 0, more = true; more;) {
        const page = await log.read(set('a'), { after }, small)
        pages.push(texts(page))
        after = page.cursor
        more = page.more
      }
      assert.deepEqual(pages, [['xxxx'], ['xx', 'xx'], ['x'], ['xxxxxxxx'], ['x']])
    })

    fact(suite, 'moves on page by page over many channels without a hole or a repeat', async (log) => {
      const data = Array.from({ length: 50 }, (_, index) => `${index}`)
      for (const text of data) await publish(log, `p.${Number(text) % 7}`, text)
      const seen: string[] = []
      for (let after = 0, more = true; more;) {
        const page = await log.read(set('p.*'), { after }, { events: 3, bytes: 100 })
        seen.push(...texts(page))
        after = page.cursor
        more = page.more
      }
      assert.deepEqual(seen, data)
    })
  })

  describe('read before', () => {
    fact(suite, 'has the newest events before the position, in ascending order', async (log) => {
      const positions = await publish(log, 'a', '1', '2', '3', '4')
      const page = await log.read(set('a'), { before: positions[3] ?? 0 }, { events: 2, bytes: 100 })
      assert.deepEqual(
        [texts(page), page.cursor, page.more, page.gap],
        [['2', '3'], positions[1], true, undefined],
      )
      const older = await log.read(set('a'), { before: page.cursor }, { events: 2, bytes: 100 })
      assert.deepEqual([texts(older), older.cursor, older.more], [['1'], positions[0], false])
      const none = await log.read(set('a'), { before: older.cursor }, ALL)
      assert.deepEqual([texts(none), none.cursor, none.more], [[], positions[0], false])
    })

    fact(suite, 'keeps to the limit of bytes, yet has one event however large', async (log) => {
      await publish(log, 'a', 'x', 'xxxxx', 'xx', 'xx')
      const pages: string[][] = []
      for (let before = log.state().frontier + 1, more = true; more;) {
        const page = await log.read(set('a'), { before }, { events: 100, bytes: 4 })
        pages.push(texts(page))
        before = page.cursor
        more = page.more
      }
      assert.deepEqual(pages, [['xx', 'xx'], ['xxxxx'], ['x']])
    })

    fact(suite, 'meets the events of several channels and patterns in one order', async (log) => {
      for (const channel of ['p.a', 'b', 'p.b', 'c', 'p.a']) await publish(log, channel, channel)
      const page = await log.read(
        set('b', 'p.*'),
        { before: log.state().frontier },
        { events: 2, bytes: 100 },
      )
      assert.deepEqual([texts(page), page.more], [['b', 'p.b'], true])
    })
  })

  describe('read last', () => {
    fact(suite, 'has the newest over all channels together, and the frontier as its cursor', async (log) => {
      await publish(log, 'a', '1', '2')
      await publish(log, 'b', '3')
      await publish(log, 'c', '4')
      const page = await log.read(set('a', 'b'), { last: 2 }, ALL)
      assert.deepEqual([texts(page), page.cursor, page.more], [['2', '3'], log.state().frontier, false])
    })

    fact(suite, 'has what there is when that is less', async (log) => {
      await publish(log, 'a', '1')
      assert.deepEqual(texts(await log.read(set('a'), { last: 5 }, ALL)), ['1'])
      assert.deepEqual(texts(await log.read(set('nobody'), { last: 5 }, ALL)), [])
    })

    fact(suite, 'of none is an empty page at the frontier', async (log) => {
      const last = await publishOne(log, 'a')
      const page = await log.read(set('a'), { last: 0 }, ALL)
      assert.deepEqual(page, { events: [], cursor: last, more: false, ends: [] })
    })

    fact(suite, 'has the newest that fit the limit', async (log) => {
      await publish(log, 'a', 'xx', 'xx', 'x', 'x')
      assert.deepEqual(texts(await log.read(set('a'), { last: 9 }, { events: 2, bytes: 100 })), ['x', 'x'])
      assert.deepEqual(texts(await log.read(set('a'), { last: 9 }, { events: 9, bytes: 4 })), [
        'xx',
        'x',
        'x',
      ])
      assert.deepEqual(texts(await log.read(set('a'), { last: 9 }, { events: 9, bytes: 0 })), ['x'])
    })
  })
}
