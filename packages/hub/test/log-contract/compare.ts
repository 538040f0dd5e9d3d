import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import type { From } from '../../src/log/log.ts'
import { ALL, HOUR, Listener, plain, set, type LogHarness, type Suite } from './harness.ts'
import { Model } from './model.ts'
import { RULES, change, crowd, parts, runs, somewhere, take, type Change, type Outcome } from './steps.ts'

interface Read {
  readonly step: 'read'
  readonly parts: readonly string[]
  readonly from: 'after' | 'before' | 'last'
  readonly where: number
  readonly limit: { readonly events: number; readonly bytes: number }
}

const read: fc.Arbitrary<Read> = fc.record({
  step: fc.constant('read' as const),
  parts,
  from: fc.constantFrom('after', 'before', 'last'),
  where: fc.double({ min: 0, max: 1, noNaN: true }),
  limit: fc.oneof(
    fc.record({ events: fc.integer({ min: 1, max: 5 }), bytes: fc.integer({ min: 0, max: 12 }) }),
    fc.constant(ALL),
  ),
})

const scenario = fc.record({
  crowds: fc.array(fc.constantFrom(0, 0, 0, 95, 700), { maxLength: 2 }),
  steps: fc.array(fc.oneof(change, read), { minLength: 1, maxLength: 40 }),
})

/** The log beside the model. What the model must not work out itself, the positions, it takes from the tail. */
class Pair {
  readonly harness: LogHarness
  readonly model = new Model(RULES)
  readonly #listener: Listener
  readonly #answers = new Map<string, { fingerprint: string; outcome: Outcome; time: number }>()
  #told = 0

  constructor(harness: LogHarness, listener: Listener) {
    this.harness = harness
    this.#listener = listener
  }

  async change(change: Change): Promise<void> {
    const expected = this.#expect(change)
    const outcome = await take(this.harness, change)
    await this.#listener.upTo(this.harness.log.state().frontier)
    const told = this.#listener.records.slice(this.#told)
    this.#told += told.length
    this.model.happened(told, this.harness.now)
    assert.equal(this.harness.log.state().frontier, this.model.frontier)
    if (typeof expected === 'string') {
      assert.equal(outcome.error?.code, expected)
      assert.deepEqual(told, [])
      return
    }
    if (expected) {
      assert.deepEqual(outcome, expected)
      assert.deepEqual(told, [])
      return
    }
    assert.equal(outcome.error, undefined)
    if (change.step !== 'append') return
    const events = told.flatMap((record) => (record.kind === 'event' ? record : []))
    assert.deepEqual(
      events.map(({ channel, data }) => ({ channel, data })),
      change.batch,
    )
    assert.deepEqual(
      events.map((event) => event.position),
      outcome.appended?.positions,
    )
    for (const channel of change.end) assert.ok(this.model.ended(channel))
    if (change.key === undefined) return
    const fingerprint = JSON.stringify(change.batch)
    this.#answers.set(change.key, { fingerprint, outcome, time: this.harness.now })
  }

  async read({ parts, from, where, limit }: Read): Promise<void> {
    const channels = set(...parts)
    const { frontier } = this.model
    const begin: From =
      from === 'after'
        ? { after: somewhere(where, frontier) }
        : from === 'before'
          ? { before: somewhere(where, frontier) + 1 }
          : { last: Math.floor(where * 9) }
    const page = await this.harness.log.read(channels, begin, limit)
    const found = { ...page, ...(page.gap && { gap: plain(page.gap) }) }
    assert.deepEqual(found, this.model.page(channels, begin, limit))
  }

  async list(): Promise<void> {
    const all = set('**', '$hub')
    const expected = this.model.names.map((name) => this.model.info(name))
    assert.deepEqual(await this.harness.log.channels(all, '', 10_000), expected)
  }

  /** The code of a refusal, or a known answer, or nothing when something is to happen. */
  #expect(change: Change): string | Outcome | undefined {
    if (change.step !== 'append') return undefined
    const known = change.key === undefined ? undefined : this.#answers.get(change.key)
    if (known && this.harness.now - known.time <= 24 * HOUR) {
      if (known.fingerprint !== JSON.stringify(change.batch)) return 'idempotency-mismatch'
      assert.ok(known.outcome.appended)
      return { appended: { ...known.outcome.appended, repeated: true } }
    }
    return change.batch.some((event) => this.model.ended(event.channel)) ? 'channel-ended' : undefined
  }
}

export function modelFacts(suite: Suite): void {
  describe('beside a naive model', () => {
    test('whatever happens, it reads and lists the same', async () => {
      const property = fc.asyncProperty(scenario, async ({ crowds, steps }) => {
        const harness = await suite.open({ retention: RULES, forget: Infinity })
        try {
          const listener = new Listener(harness.log)
          await listener.tail.follow(set('**', '$hub'))
          const pair = new Pair(harness, listener)
          await pair.change({ step: 'append', batch: [{ channel: 'q.needle', data: 'hay' }], end: [] })
          for (const size of crowds) await pair.change({ step: 'append', batch: crowd(size), end: [] })
          for (const step of steps) {
            if (step.step === 'read') await pair.read(step)
            else await pair.change(step)
          }
          await pair.list()
        } finally {
          await harness.close()
        }
      })
      await fc.assert(property, runs(150 * suite.share))
    })
  })
}
