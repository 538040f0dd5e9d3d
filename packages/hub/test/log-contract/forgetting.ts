/** Channels that nobody has used for long. */
import assert from 'node:assert/strict'
import { describe } from 'node:test'
import { plain, ALL, HOUR, fact, publish, publishOne, set, texts, type Suite } from './harness.ts'

const DAY = 24 * HOUR

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
