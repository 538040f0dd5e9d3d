/** A channel that is erased, and used again. */
import assert from 'node:assert/strict'
import { describe } from 'node:test'
import { plain, ALL, HOUR, fact, publish, publishOne, set, texts, type Suite } from './harness.ts'

const DAY = 24 * HOUR

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
