import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import type { Log } from '../../src/log/log.ts'
import { ALL, fact, HOUR, type LogHarness, publish, publishOne, set, type Suite } from './harness.ts'
import { change, RULES, runs, take } from './steps.ts'

/** Its version when there is nothing left for it to do; undefined when it never has one. */
async function atRest(harness: LogHarness): Promise<number | undefined> {
  for (let looks = 0; looks < 20; looks++) {
    const version = harness.log.version()
    if (version !== undefined) return version
    await harness.advance(0)
  }
  return undefined
}

export function versionFacts(suite: Suite): void {
  const { version: reason } = suite.without

  describe('the version', () => {
    test('a log at rest has one, and it stays', { skip: reason ?? false }, async () => {
      const harness = await suite.open({})
      try {
        const empty = await atRest(harness)
        assert.equal(typeof empty, 'number')
        assert.equal(harness.log.version(), empty)
        await publish(harness.log, 'a', '1')
        assert.equal(typeof (await atRest(harness)), 'number')
      } finally {
        await harness.close()
      }
    })

    for (const [what, act] of [
      ['an append', (log) => publishOne(log, 'a', '3')],
      ['an append to a channel that nobody knows', (log) => publishOne(log, 'new', '3')],
      ['an end with an event', (log) => log.append([{ channel: 'a', data: '' }], { end: ['a'] })],
      ['an end alone', (log) => log.append([], { end: ['a'] })],
      ['an end of a channel that nobody knows', (log) => log.append([], { end: ['new'] })],
      ['a drop', (log) => log.drop('a')],
      ['a drop of a channel that has ended', (log) => log.drop('ended')],
      ['an append that trims by count', (log) => publishOne(log, 'count', '3')],
      ['an append that trims by bytes', (log) => publishOne(log, 'bytes', '345')],
      ['what grew too old', (_, harness) => harness.pass(HOUR + 1)],
      ['what grew too old, when the log has seen to it', (_, harness) => harness.advance(HOUR + 1)],
    ] as readonly (readonly [string, (log: Log, harness: LogHarness) => unknown])[]) {
      fact(
        suite,
        `is another after ${what}`,
        async (log, harness) => {
          await publish(log, 'a', '1', '2')
          await publish(log, 'count', '1', '2')
          await publish(log, 'bytes', '12', '3')
          await publish(log, 'age', '1')
          await log.append([{ channel: 'ended', data: '' }], { end: ['ended'] })
          const before = await atRest(harness)
          await act(log, harness)
          const after = log.version()
          assert.ok(before === undefined || after === undefined || after !== before, `${before} twice`)
        },
        {
          retention: [
            { channels: 'count', count: 2 },
            { channels: 'bytes', bytes: 4 },
            { channels: 'age', age: HOUR },
            { channels: '**', age: Infinity },
          ],
        },
      )
    }

    for (const move of ['pass', 'advance'] as const) {
      fact(
        suite,
        `is another after a channel was forgotten, ${move === 'pass' ? 'when nobody looked' : 'when the log has seen to it'}`,
        async (log, harness) => {
          await publish(log, 'gone', '1')
          await log.drop('gone')
          const before = await atRest(harness)
          await harness[move](HOUR + 1)
          const after = log.version()
          assert.ok(before === undefined || after === undefined || after !== before, `${before} twice`)
        },
        { forget: HOUR },
      )
    }

    fact(suite, 'is the same after reads, lists, repeats and refusals', async (log, harness) => {
      const idempotency = { key: 'k', fingerprint: 'f' }
      await log.append([{ channel: 'a', data: '1' }], { idempotency, end: ['a'] })
      const before = await atRest(harness)
      await log.read(set('a', 'b.**'), { after: 0 }, ALL)
      await log.channels(set('**'), '', 10)
      await log.append([{ channel: 'a', data: '1' }], { idempotency, end: ['a'] })
      await log.append([], { end: ['a'] })
      await assert.rejects(log.append([{ channel: 'a', data: '2' }]))
      assert.equal(await log.drop('nobody'), false)
      assert.equal(await atRest(harness), before)
    })

    test('whatever happens: as long as it is the same number, a read says the same', async () => {
      const property = fc.asyncProperty(fc.array(change, { maxLength: 30 }), async (steps) => {
        const harness = await suite.open({ retention: RULES, forget: 4_000 })
        const told = async (): Promise<unknown> => [
          await harness.log.read(set('**', '$hub'), { after: 0 }, ALL),
          await harness.log.channels(set('**', '$hub'), '', 10_000),
        ]
        try {
          let before = { version: harness.log.version(), told: await told() }
          for (const step of steps) {
            if (step.step === 'advance') harness.pass(step.ms)
            else await take(harness, step)
            const version = harness.log.version()
            const now = { version, told: await told() }
            if (version !== undefined && version === before.version) assert.deepEqual(now.told, before.told)
            // What is read in between may have changed what there is to read.
            before = { version: harness.log.version(), told: now.told }
          }
        } finally {
          await harness.close()
        }
      })
      await fc.assert(property, runs(150 * suite.share))
    })
  })
}
