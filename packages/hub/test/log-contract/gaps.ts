/** What was lost is told: to whom, of which channels, and why. */
import assert from 'node:assert/strict'
import { describe } from 'node:test'
import { GAP_CHANNELS } from '../../src/log/log.ts'
import { plain, ALL, HOUR, fact, publish, publishOne, set, texts, type Suite } from './harness.ts'

const DAY = 24 * HOUR

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
