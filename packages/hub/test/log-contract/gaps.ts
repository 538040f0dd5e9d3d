import assert from 'node:assert/strict'
import { describe } from 'node:test'
import { GAP_CHANNELS } from '../../src/log/log.ts'
import { plain, ALL, HOUR, fact, publish, publishOne, set, texts, type Suite } from './harness.ts'

const DAY = 24 * HOUR

export function retentionFacts(suite: Suite): void {
  describe('retention', () => {
    const retention = [
      { channels: 'count', count: 2 },
      { channels: 'age.*', age: 1000 },
      { channels: 'bytes', bytes: 4 },
      { channels: '*', count: 1 },
    ]
    const options = { retention }

    fact(
      suite,
      'keeps the newest by count, also within one batch',
      async (log) => {
        await publish(log, 'count', '1', '2', '3')
        assert.deepEqual(texts(await log.read(set('count'), { last: 9 }, ALL)), ['2', '3'])
        await log.append(['4', '5', '6'].map((data) => ({ channel: 'count', data })))
        assert.deepEqual(texts(await log.read(set('count'), { last: 9 }, ALL)), ['5', '6'])
      },
      options,
    )

    fact(
      suite,
      'keeps what is no older than its age, and nothing older, be it the last event',
      async (log, harness) => {
        await publish(log, 'age.a', '1')
        await harness.advance(600)
        await publish(log, 'age.b', '2')
        await harness.advance(400)
        assert.deepEqual(texts(await log.read(set('age.*'), { last: 9 }, ALL)), ['1', '2'])
        await harness.advance(1)
        assert.deepEqual(texts(await log.read(set('age.*'), { last: 9 }, ALL)), ['2'])
        await harness.advance(600)
        assert.deepEqual(texts(await log.read(set('age.*'), { last: 9 }, ALL)), [])
      },
      options,
    )

    fact(
      suite,
      'keeps the newest by bytes, and the newest of all however large',
      async (log) => {
        await publish(log, 'bytes', 'xx', 'yy')
        assert.deepEqual(texts(await log.read(set('bytes'), { last: 9 }, ALL)), ['xx', 'yy'])
        await publish(log, 'bytes', 'z')
        assert.deepEqual(texts(await log.read(set('bytes'), { last: 9 }, ALL)), ['yy', 'z'])
        await publish(log, 'bytes', 'too large')
        assert.deepEqual(texts(await log.read(set('bytes'), { last: 9 }, ALL)), ['too large'])
      },
      options,
    )

    fact(
      suite,
      'is that of the first rule that matches, for each channel by itself',
      async (log) => {
        for (const text of ['1', '2', '3']) {
          for (const channel of ['count', 'other', 'no.rule']) await publish(log, channel, text)
        }
        assert.deepEqual(texts(await log.read(set('count'), { last: 9 }, ALL)), ['2', '3'])
        assert.deepEqual(texts(await log.read(set('other'), { last: 9 }, ALL)), ['3'])
        assert.deepEqual(texts(await log.read(set('no.rule'), { last: 9 }, ALL)), ['1', '2', '3'])
      },
      options,
    )

    fact(suite, 'without rules keeps 24 hours', async (log, harness) => {
      await publish(log, 'a', '1')
      await harness.advance(DAY)
      assert.equal((await log.read(set('a'), { last: 1 }, ALL)).events.length, 1)
      await harness.advance(1)
      assert.equal((await log.read(set('a'), { last: 1 }, ALL)).events.length, 0)
    })
  })
}

export function gapFacts(suite: Suite): void {
  const options = { retention: [{ channels: 'a', count: 2 }], forget: 7 * DAY }

  describe('a gap', () => {
    fact(
      suite,
      'is told when an event after the cursor was trimmed, and goes on before the oldest kept',
      async (log) => {
        const [first, second, third] = await publish(log, 'a', '1', '2', '3', '4')
        const page = await log.read(set('a'), { after: first ?? 0 }, ALL)
        assert.deepEqual(plain(page.gap), {
          reason: 'trimmed',
          channels: ['a'],
          from: first,
          to: (third ?? 0) - 1,
          upTo: second,
        })
        assert.deepEqual(texts(page), ['3', '4'])
      },
      options,
    )

    fact(
      suite,
      'is not told to a cursor that saw the last event trimmed',
      async (log) => {
        const [, second] = await publish(log, 'a', '1', '2', '3', '4')
        assert.equal((await log.read(set('a'), { after: second ?? 0 }, ALL)).gap, undefined)
      },
      options,
    )

    fact(
      suite,
      'is told to who reads from the start, but not to who asks for the last, or backward',
      async (log) => {
        const [first] = await publish(log, 'a', '1', '2', '3')
        assert.deepEqual((await log.read(set('a'), { after: 0 }, ALL)).gap?.upTo, first)
        assert.equal((await log.read(set('a'), { last: 9 }, ALL)).gap, undefined)
        assert.equal((await log.read(set('a'), { before: log.state().frontier }, ALL)).gap, undefined)
      },
      options,
    )

    fact(
      suite,
      'goes on at the frontier when nothing is kept',
      async (log, harness) => {
        const [, last] = await publish(log, 'a', '1', '2')
        await publish(log, 'b', '')
        await harness.advance(DAY + 1)
        const { frontier } = log.state()
        const page = await log.read(set('a'), { after: 0 }, ALL)
        assert.deepEqual(plain(page.gap), {
          reason: 'trimmed',
          channels: ['a'],
          from: 0,
          to: frontier,
          upTo: last,
        })
        assert.deepEqual([page.events, page.cursor], [[], frontier])
      },
      options,
    )

    fact(
      suite,
      'is no matter of a quiet channel, however far the others have moved on',
      async (log) => {
        const quiet = await publishOne(log, 'quiet', 'x')
        await publish(log, 'a', ...Array.from({ length: 50 }, String))
        const page = await log.read(set('quiet'), { after: quiet }, ALL)
        assert.deepEqual([page.gap, page.events], [undefined, []])
        assert.equal((await log.read(set('quiet'), { after: 0 }, ALL)).gap, undefined)
      },
      options,
    )

    fact(
      suite,
      'names the channels that lost events, and no others',
      async (log) => {
        await publish(log, 'c', '')
        await publish(log, 'a', '1', '2', '3')
        await publish(log, 'b', '')
        await log.drop('b')
        assert.deepEqual((await log.read(set('a', 'b', 'c'), { after: 0 }, ALL)).gap?.channels, ['a', 'b'])
        assert.deepEqual((await log.read(set('**'), { after: 0 }, ALL)).gap?.channels, ['a', 'b'])
        assert.equal((await log.read(set('c'), { after: 0 }, ALL)).gap, undefined)
      },
      options,
    )

    fact(
      suite,
      'of more channels than it lists names what was read instead',
      async (log) => {
        const names = Array.from({ length: GAP_CHANNELS + 1 }, (_, index) => `p.${index}`)
        await log.append(names.map((channel) => ({ channel, data: '' })))
        const [last, ...rest] = names
        for (const name of rest) await log.drop(name)
        assert.deepEqual((await log.read(set('p.*'), { after: 0 }, ALL)).gap?.channels, rest.sort())
        await log.drop(last ?? '')
        assert.deepEqual((await log.read(set('p.*', 'q'), { after: 0 }, ALL)).gap?.channels, ['q', 'p.*'])
      },
      options,
    )

    fact(
      suite,
      'told again has the number of its loss again, and a higher one as soon as more is lost, of any channel and below `upTo` too',
      async (log) => {
        await publish(log, 'b', 'b1', 'b2')
        await publish(log, 'a', '1', '2', '3', '4')
        const lossOf = async (after: number): Promise<number | undefined> =>
          (await log.read(set('a', 'b'), { after }, ALL)).gap?.loss
        const first = await lossOf(0)
        assert.ok(first !== undefined && (await lossOf(0)) === first && (await lossOf(1)) === first)
        await publish(log, 'b', 'b3')
        const second = await lossOf(0)
        assert.ok(second !== undefined && second > first, 'b1 is lost, which lies before what a had lost')
        await log.drop('b')
        assert.ok(((await lossOf(0)) ?? 0) > second)
      },
      { ...options, retention: [{ channels: '*', count: 2 }] },
    )

    fact(
      suite,
      'lies before a kept event of any channel read, so it is told again and no event is skipped',
      async (log) => {
        const kept = await publishOne(log, 'b', 'b1')
        const [, second] = await publish(log, 'a', '1', '2', '3', '4')
        const first = await log.read(set('a', 'b'), { after: 0 }, { events: 1, bytes: 100 })
        assert.deepEqual([first.gap?.to, first.gap?.upTo, texts(first)], [kept - 1, second, ['b1']])
        const next = await log.read(set('a', 'b'), { after: first.cursor }, ALL)
        assert.deepEqual([next.gap?.from, next.gap?.upTo, texts(next)], [kept, second, ['3', '4']])
        assert.equal((await log.read(set('a', 'b'), { after: next.cursor }, ALL)).gap, undefined)
      },
      options,
    )

    fact(
      suite,
      'of both reasons is deleted',
      async (log) => {
        await publish(log, 'b', '')
        await log.drop('b')
        await publish(log, 'a', '1', '2', '3')
        const { gap } = await log.read(set('a', 'b'), { after: 0 }, ALL)
        assert.equal(gap?.reason, 'deleted')
        assert.equal((await log.read(set('a'), { after: 0 }, ALL)).gap?.reason, 'trimmed')
      },
      options,
    )
  })
}

export function dropFacts(suite: Suite): void {
  describe('drop', () => {
    fact(suite, 'erases the events, and tells readers before it a gap', async (log) => {
      const [first] = await publish(log, 'a', '1', '2')
      assert.equal(await log.drop('a'), true)
      const mark = log.state().frontier
      const page = await log.read(set('a'), { after: first ?? 0 }, ALL)
      assert.deepEqual(page.events, [])
      assert.deepEqual(plain(page.gap), {
        reason: 'deleted',
        channels: ['a'],
        from: first,
        to: mark,
        upTo: mark,
      })
      assert.equal((await log.read(set('a'), { after: mark }, ALL)).gap, undefined)
    })

    fact(suite, 'tells also a reader who had seen every event', async (log) => {
      const last = await publishOne(log, 'a')
      await log.drop('a')
      assert.equal((await log.read(set('a'), { after: last }, ALL)).gap?.reason, 'deleted')
    })

    fact(suite, 'takes the end away, and the name can be used again', async (log) => {
      const { positions } = await log.append([{ channel: 'a', data: '1' }], { end: ['a'] })
      await log.drop('a')
      const mark = log.state().frontier
      assert.deepEqual((await log.read(set('a'), { after: 0 }, ALL)).ends, [])
      assert.deepEqual((await log.read(set('*'), { after: 0 }, ALL)).ends, [])
      const again = await publishOne(log, 'a', '2')
      const page = await log.read(set('a'), { after: 0 }, ALL)
      assert.deepEqual([texts(page), page.events[0]?.previous], [['2'], positions[0]])
      assert.deepEqual(plain(page.gap), {
        reason: 'deleted',
        channels: ['a'],
        from: 0,
        to: again - 1,
        upTo: mark,
      })
      await log.append([], { end: ['a'] })
      assert.equal((await log.read(set('*'), { after: 0 }, ALL)).ends.length, 1)
    })

    fact(suite, 'of a channel that nobody knows is false, and changes nothing', async (log) => {
      await publish(log, 'a', '')
      const { frontier } = log.state()
      assert.equal(await log.drop('b'), false)
      assert.equal(log.state().frontier, frontier)
    })

    fact(suite, 'again, with nothing appended since, changes nothing', async (log) => {
      await publish(log, 'a', '')
      await log.drop('a')
      const { frontier } = log.state()
      assert.equal(await log.drop('a'), true)
      assert.equal(log.state().frontier, frontier)
    })

    fact(suite, 'leaves the other channels alone', async (log) => {
      await publish(log, 'a', '1')
      await publish(log, 'b', '2')
      await log.drop('a')
      const page = await log.read(set('b'), { after: 0 }, ALL)
      assert.deepEqual([texts(page), page.gap], [['2'], undefined])
      assert.deepEqual(texts(await log.read(set('**'), { after: 0 }, ALL)), ['2'])
    })

    fact(
      suite,
      'of some of very many channels leaves the events of the others, in every way of reading',
      async (log) => {
        const names = Array.from({ length: 120 }, (_, index) => `p.${index}`)
        for (const round of ['1', '2', '3']) {
          await log.append(names.map((channel) => ({ channel, data: `${channel} ${round}` })))
        }
        for (const name of names.slice(20)) await log.drop(name)
        await publish(log, 'p.50', 'p.50 again')
        const kept = ['1', '2', '3'].flatMap((round) => names.slice(0, 20).map((name) => `${name} ${round}`))
        kept.push('p.50 again')
        const pattern = set('p.*')
        assert.deepEqual(texts(await log.read(pattern, { after: 0 }, ALL)), kept)
        assert.deepEqual(texts(await log.read(pattern, { last: 50 }, ALL)), kept.slice(-50))
        assert.deepEqual(
          texts(await log.read(pattern, { before: log.state().frontier }, ALL)),
          kept.slice(0, -1),
        )
      },
    )

    fact(suite, 'of a trimmed channel turns its gap to deleted', async (log, harness) => {
      await publish(log, 'a', '')
      await harness.advance(DAY + 1)
      assert.equal((await log.read(set('a'), { after: 0 }, ALL)).gap?.reason, 'trimmed')
      await log.drop('a')
      assert.equal((await log.read(set('a'), { after: 0 }, ALL)).gap?.reason, 'deleted')
    })
  })
}

export function forgetFacts(suite: Suite): void {
  const options = { retention: [{ channels: 'kept', age: Infinity }], forget: 7 * DAY }
  const listed = async (log: Parameters<Parameters<typeof fact>[2]>[0]): Promise<string[]> =>
    (await log.channels(set('**'), '', 100)).map((info) => info.name)

  describe('a channel that has been empty and idle for `forget`', () => {
    fact(
      suite,
      'is forgotten, and not before',
      async (log, harness) => {
        await publish(log, 'a', '')
        await publish(log, 'kept', '')
        await harness.advance(DAY + 1)
        await harness.advance(7 * DAY - 1)
        assert.deepEqual(await listed(log), ['a', 'kept'])
        assert.deepEqual((await log.read(set('a'), { after: 0 }, ALL)).gap?.reason, 'trimmed')
        await harness.advance(1)
        assert.deepEqual(await listed(log), ['kept'])
        assert.equal(await log.drop('a'), false)
      },
      options,
    )

    fact(
      suite,
      'leaves a horizon: a cursor before it is a gap `unknown` for a name that nobody remembers, and for a pattern',
      async (log, harness) => {
        await publish(log, 'before', '')
        const last = await publishOne(log, 'a')
        const kept = await publishOne(log, 'kept', 'x')
        await harness.advance(DAY + 1)
        await harness.advance(7 * DAY)
        const gap = { reason: 'unknown', from: last - 1, to: kept, upTo: last }
        assert.deepEqual(plain((await log.read(set('a'), { after: last - 1 }, ALL)).gap), {
          ...gap,
          channels: ['a'],
        })
        assert.deepEqual(plain((await log.read(set('never'), { after: last - 1 }, ALL)).gap), {
          ...gap,
          channels: ['never'],
        })
        const page = await log.read(set('a', '*'), { after: last - 1 }, ALL)
        assert.deepEqual(plain(page.gap), { ...gap, channels: ['a', '*'], to: kept - 1 })
        assert.deepEqual(texts(page), ['x'])
        assert.equal((await log.read(set('a', '*'), { after: last }, ALL)).gap, undefined)
        assert.equal((await log.read(set('kept'), { after: 0 }, ALL)).gap, undefined)
      },
      options,
    )

    fact(
      suite,
      'tells the gap also when its name is in use again',
      async (log, harness) => {
        const [first, second] = await publish(log, 'a', '1', '2')
        await harness.advance(DAY + 1)
        await harness.advance(7 * DAY)
        const again = await publishOne(log, 'a', '3')
        const page = await log.read(set('a'), { after: first ?? 0 }, ALL)
        assert.deepEqual(plain(page.gap), {
          reason: 'unknown',
          channels: ['a'],
          from: first,
          to: again - 1,
          upTo: second,
        })
        assert.deepEqual([texts(page), page.events[0]?.previous], [['3'], 0])
        assert.equal((await log.read(set('a'), { after: second ?? 0 }, ALL)).gap, undefined)
      },
      options,
    )

    fact(
      suite,
      'is forgotten with its end, and can be used again',
      async (log, harness) => {
        await log.append([], { end: ['a'] })
        const end = log.state().frontier
        await harness.advance(7 * DAY - 1)
        assert.equal((await log.read(set('a'), { after: end }, ALL)).ends.length, 1)
        await harness.advance(1)
        assert.deepEqual((await log.read(set('a', '*'), { after: 0 }, ALL)).ends, [])
        assert.equal((await log.read(set('a'), { after: 0 }, ALL)).gap?.upTo, end)
        await publish(log, 'a', '')
      },
      options,
    )

    fact(
      suite,
      'is forgotten with its drop',
      async (log, harness) => {
        await publish(log, 'a', '')
        await log.drop('a')
        const mark = log.state().frontier
        await harness.advance(7 * DAY)
        assert.deepEqual(await listed(log), [])
        assert.deepEqual((await log.read(set('a'), { after: 0 }, ALL)).gap?.reason, 'unknown')
        assert.deepEqual((await log.read(set('a'), { after: mark }, ALL)).gap, undefined)
      },
      options,
    )

    fact(
      suite,
      'is not forgotten when it was used again in time',
      async (log, harness) => {
        await publish(log, 'kept', '1')
        await log.drop('kept')
        await publish(log, 'kept', '2')
        await harness.advance(7 * DAY)
        assert.deepEqual(await listed(log), ['kept'])
        assert.deepEqual(texts(await log.read(set('kept'), { last: 9 }, ALL)), ['2'])
      },
      options,
    )

    fact(
      suite,
      'begins its time anew with each activity',
      async (log, harness) => {
        await log.append([], { end: ['a'] })
        await harness.advance(6 * DAY)
        await log.drop('a')
        await harness.advance(6 * DAY)
        await log.append([], { end: ['a'] })
        await harness.advance(6 * DAY)
        assert.deepEqual(await listed(log), ['a'])
        await harness.advance(DAY)
        assert.deepEqual(await listed(log), [])
      },
      options,
    )
  })
}
