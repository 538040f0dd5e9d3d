import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import type { ChannelSet } from '../../src/log/channel-set.ts'
import { GAP_CHANNELS } from '../../src/log/log.ts'
import type { EndMark, LogEvent, LogPage, LogRecord, Position } from '../../src/log/log.ts'
import { Listener, set, type LogHarness, type Suite } from './harness.ts'
import { RULES, change, crowd, parts, runs, somewhere, take } from './steps.ts'

const turn = fc.record({
  step: fc.constant('turn' as const),
  reader: fc.nat({ max: 3 }),
  pages: fc.integer({ min: 1, max: 3 }),
})

const scenario = fc.record({
  readers: fc.array(fc.record({ parts, begin: fc.double({ min: 0, max: 1, noNaN: true }) }), {
    minLength: 1,
    maxLength: 4,
  }),
  limit: fc.record({ events: fc.integer({ min: 1, max: 4 }), bytes: fc.integer({ min: 0, max: 20 }) }),
  crowds: fc.array(fc.constantFrom(0, 0, 95, 500), { maxLength: 2 }),
  before: fc.array(change, { maxLength: 20 }),
  steps: fc.array(fc.oneof({ weight: 2, arbitrary: change }, { weight: 1, arbitrary: turn }), {
    maxLength: 40,
  }),
})

/** Reads page by page, and holds each against everything that ever happened. */
class Reader {
  readonly #harness: LogHarness
  readonly #history: () => readonly LogRecord[]
  readonly #set: ChannelSet
  readonly #ended = new Set<EndMark>()
  #cursor: Position

  constructor(harness: LogHarness, history: () => readonly LogRecord[], set: ChannelSet, cursor: Position) {
    this.#harness = harness
    this.#history = history
    this.#set = set
    this.#cursor = cursor
  }

  /** Returns whether there is more. */
  async turn(limit: { events: number; bytes: number }): Promise<boolean> {
    const after = this.#cursor
    const page = await this.#harness.log.read(this.#set, { after }, limit)
    this.#checkOrder(page, after)
    this.#checkWhole(page, after)
    this.#checkGap(page, after)
    this.#checkEnds(page)
    this.#cursor = page.cursor
    return page.more
  }

  #checkOrder({ events, cursor, more }: LogPage, after: Position): void {
    const positions = [after, ...events.map((event) => event.position)]
    for (const [index, position] of positions.entries()) {
      assert.ok(index === 0 || position > (positions[index - 1] as number), 'in order, each once')
    }
    assert.ok(cursor >= (positions.at(-1) as number) && cursor <= this.#harness.log.state().frontier)
    assert.ok(!more || cursor > after, 'more means moving on')
  }

  /** Every event up to the cursor, or an explicit gap. */
  #checkWhole({ events, cursor, gap }: LogPage, after: Position): void {
    const seen = new Set(events.map((event) => event.position))
    for (const event of this.#happened(after, cursor)) {
      if (event.kind !== 'event' || seen.delete(event.position)) continue
      assert.ok(gap && event.position <= gap.upTo, `event ${event.position} is gone without a gap`)
    }
    assert.deepEqual([...seen], [], 'nothing that never happened')
  }

  #checkGap({ events, gap }: LogPage, after: Position): void {
    if (!gap) return
    assert.equal(gap.from, after)
    assert.ok(gap.to >= after && gap.to <= this.#harness.log.state().frontier && gap.upTo > after)
    assert.ok(events.every((event: LogEvent) => event.position > gap.to))
    if (gap.reason === 'unknown') return
    const lost = this.#happened(after, gap.upTo).filter((record) => record.kind !== 'end')
    assert.equal(lost.at(-1)?.position, gap.upTo, 'a gap is up to what was lost')
    const listed = gap.channels.every((channel) => lost.some((record) => record.channel === channel))
    // Not all of these are lost, so that there are more than can be listed does not follow; but it must be possible.
    const tooMany = new Set(lost.map((record) => record.channel)).size > GAP_CHANNELS
    if (!listed) assert.deepEqual([tooMany, gap.channels], [true, this.#set.parts])
    if (gap.reason === 'deleted') assert.ok(lost.some((record) => record.kind === 'drop'))
  }

  #checkEnds({ ends, cursor }: LogPage): void {
    for (const end of ends) {
      assert.ok(end.position <= cursor && this.#set.has(end.channel))
      assert.ok(this.#history().some((record) => record.kind === 'end' && record.position === end.position))
      if (!this.#set.hasName(end.channel)) {
        assert.ok(!this.#ended.has(end), 'by pattern an end is told once')
        this.#ended.add(end)
      }
    }
  }

  #happened(after: Position, upTo: Position): LogRecord[] {
    return this.#history().filter(
      ({ channel, position }) => position > after && position <= upTo && this.#set.has(channel),
    )
  }
}

export function promiseFacts(suite: Suite): void {
  describe('every event, or an explicit gap', () => {
    test('for readers of any channels, from any cursor, at any pace, whatever happens meanwhile', async () => {
      const property = fc.asyncProperty(scenario, async ({ readers, limit, crowds, before, steps }) => {
        // So short that channels are forgotten, and come again, within a few steps.
        const harness = await suite.open({
          retention: [...RULES, { channels: '**', age: 2000 }],
          forget: 1200,
        })
        try {
          const listener = new Listener(harness.log)
          await listener.tail.follow(set('**', '$hub'))
          for (const size of crowds) await harness.log.append(crowd(size))
          for (const step of before) await take(harness, step)
          const { frontier } = harness.log.state()
          const reading = readers.map(
            ({ parts, begin }) =>
              new Reader(harness, () => listener.records, set(...parts), somewhere(begin, frontier)),
          )
          for (const step of steps) {
            if (step.step !== 'turn') await take(harness, step)
            else await read(harness, listener, reading[step.reader % reading.length], step.pages, limit)
          }
          for (const reader of reading) await read(harness, listener, reader, Infinity, limit)
        } finally {
          await harness.close()
        }
      })
      await fc.assert(property, runs(200 * suite.share))
    })
  })
}

async function read(
  harness: LogHarness,
  listener: Listener,
  reader: Reader | undefined,
  pages: number,
  limit: { events: number; bytes: number },
): Promise<void> {
  await listener.upTo(harness.log.state().frontier)
  for (let page = 0; page < pages; page++) {
    if (!(await reader?.turn(limit))) return
  }
}
