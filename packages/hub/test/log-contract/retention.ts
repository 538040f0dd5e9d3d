/** What retention keeps, and what it takes away. */
import assert from 'node:assert/strict'
import { describe } from 'node:test'
import { ALL, HOUR, fact, publish, set, texts, type Suite } from './harness.ts'

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
