/** A log that has reached its limit. */
import assert from 'node:assert/strict'
import { describe } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Log, LogError } from '../../src/log/log.ts'
import { ALL, fact, HOUR, publishOne, refusal, set, type Suite } from './harness.ts'

const FULL = 1024 * 1024
const DATA = 'x'.repeat(10_000)

/** Appends to channels of their own until the log is full. @returns how many events there are */
async function fill(log: Log): Promise<number> {
  for (let count = 0; count < 1_000; count++) {
    try {
      await log.append([{ channel: `c${count}`, data: DATA }])
    } catch (error) {
      assert.ok(error instanceof LogError && error.code === 'log-full', String(error))
      assert.match(error.message, /limit of 1048576 bytes/)
      return count
    }
  }
  assert.fail('It was never full')
}

/** What is erased or too old may go a little at a time. */
async function appendsAgain(log: Log, data: string): Promise<void> {
  const patience = Date.now() + 10_000
  for (;;) {
    try {
      await log.append([{ channel: 'again', data }])
      return
    } catch (error) {
      if (!(error instanceof LogError && error.code === 'log-full') || Date.now() > patience) throw error
      await sleep(5)
    }
  }
}

export function fullFacts(suite: Suite): void {
  describe('a full log', () => {
    const options = { fullBytes: FULL, retention: [{ channels: '**', age: HOUR }] }

    fact(
      suite,
      'is full at its limit, and not before',
      async (log) => {
        const count = await fill(log)
        const most = FULL / DATA.length
        assert.ok(count <= most && count > most * 0.7, `${count} events`)
      },
      options,
    )

    fact(
      suite,
      'refuses a batch whole, and takes ends, which are no data',
      async (log) => {
        await fill(log)
        const { frontier } = log.state()
        await assert.rejects(
          log.append([
            { channel: 'small', data: '' },
            { channel: 'large', data: 'x'.repeat(FULL) },
          ]),
          refusal('log-full'),
        )
        assert.equal(log.state().frontier, frontier)
        await log.append([], { end: ['c0'] })
        assert.equal((await log.channels(set('c0'), '', 1))[0]?.ended, true)
      },
      options,
    )

    fact(
      suite,
      'is read, listed and healthy as before',
      async (log) => {
        const count = await fill(log)
        const page = await log.read(set('**'), { after: 0 }, { events: ALL.events, bytes: 2 ** 24 })
        assert.equal(page.events.length, count)
        assert.equal((await log.channels(set('**'), '', 1_000)).length, count)
        assert.deepEqual(await log.health(), { ok: true })
      },
      options,
    )

    fact(
      suite,
      'has room again when channels were erased',
      async (log) => {
        const count = await fill(log)
        for (let n = 0; n < count / 2; n++) assert.equal(await log.drop(`c${n}`), true)
        await appendsAgain(log, 'x'.repeat(FULL / 4))
      },
      options,
    )

    fact(
      suite,
      'has room again when events were trimmed',
      async (log, harness) => {
        await fill(log)
        await harness.advance(HOUR + 1)
        await appendsAgain(log, 'x'.repeat(FULL / 2))
      },
      options,
    )

    fact(
      suite,
      'still knows the key of what it took',
      async (log) => {
        const idempotency = { key: 'k', fingerprint: 'f' }
        const { positions } = await log.append([{ channel: 'a', data: DATA }], { idempotency })
        await fill(log)
        const again = await log.append([{ channel: 'a', data: DATA }], { idempotency })
        assert.deepEqual([again.repeated, again.positions], [true, positions])
      },
      options,
    )

    fact(
      suite,
      'takes what fits',
      async (log) => {
        await fill(log)
        await log.drop('c0')
        await appendsAgain(log, '')
        await publishOne(log, 'again', '')
      },
      options,
    )

    fact(
      suite,
      'tells how much it takes',
      async (log) => {
        await fill(log)
        assert.ok((log.size?.() ?? 0) > FULL * 0.7)
      },
      options,
    )
  })
}
