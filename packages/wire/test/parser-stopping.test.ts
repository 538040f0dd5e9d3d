/** How a parser stops, the same for both, and how one that has `reset()` goes on. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { createParser, type Parser, type StreamEvent, WireError } from '../src/index.ts'
import { PARSERS } from './recorder.ts'
import { bytesOf, chunksOf } from './stream-corpus.ts'

const withCode = (code: string) => (error: unknown) => error instanceof WireError && error.code === code

for (const create of PARSERS) {
  describe(create.name, () => {
    test('an event that is too large comes after the events before it, and stops the parser', () => {
      for (const size of [1, 3, 1000]) {
        const data: string[] = []
        const parser = create({ onEvent: (event) => data.push(event.data), maxEventSize: 20 })
        const feedAll = () => {
          for (const chunk of chunksOf(
            bytesOf('data: a\n\ndata: 12345678901234567890\n\ndata: b\n\n'),
            size,
          )) {
            parser.feed(chunk)
          }
        }
        assert.throws(feedAll, withCode('event-too-large'))
        assert.throws(() => parser.feed(bytesOf('data: c\n\n')), withCode('event-too-large'))
        parser.end()
        assert.throws(() => parser.feed(bytesOf('data: c\n\n')), withCode('event-too-large'))
        assert.deepEqual(data, ['a'])
        if (!('reset' in parser)) continue
        parser.reset()
        parser.feed(bytesOf('data: d\n\n'))
        assert.deepEqual(data, ['a', 'd'])
      }
    })

    for (const [what, endless] of [
      ['a line', 'x'],
      ['data lines', 'data\n'],
      ['comments', ':\n:a\n'],
    ] as const) {
      test(`${what} without end: the parser holds no more than its limit`, () => {
        const parser = create({ onEvent: () => {}, maxEventSize: 1000 })
        let fed = 0
        const feedForever = () => {
          for (; fed < 100_000; fed += endless.length) parser.feed(bytesOf(endless))
        }
        assert.throws(feedForever, withCode('event-too-large'))
        assert.ok(fed < 6000, `${fed} bytes taken`)
      })
    }

    test('many events in one chunk that is larger than the limit are all delivered', () => {
      let events = 0
      const parser = create({ onEvent: () => events++, maxEventSize: 10 })
      parser.feed(bytesOf('data: a\n\n'.repeat(50_000)))
      assert.equal(events, 50_000)
    })

    test('what a callback throws comes out of feed, and no more is fed', () => {
      const data: string[] = []
      const parser = create({
        onEvent(event) {
          data.push(event.data)
          if (event.data === 'b') throw new RangeError('mine')
        },
      })
      assert.throws(() => parser.feed(bytesOf('data: a\n\ndata: b\n\ndata: c\n\n')), RangeError)
      assert.throws(() => parser.feed(bytesOf('data: d\n\n')), withCode('parser-stopped'))
      assert.deepEqual(data, ['a', 'b'])
      if (!('reset' in parser)) return
      parser.reset()
      parser.feed(bytesOf('data: e\n\n'))
      assert.deepEqual(data, ['a', 'b', 'e'])
    })

    test('feed inside a callback is refused: it would mix two chunks', () => {
      const parser: Pick<Parser, 'feed'> = create({ onEvent: () => parser.feed(bytesOf('data: b\n\n')) })
      assert.throws(() => parser.feed(bytesOf('data: a\n\n')), withCode('parser-stopped'))
    })
  })
}

for (const callback of ['onEvent', 'onId', 'onComment', 'onRetry'] as const) {
  test(`reset inside ${callback} stops the chunk, and a new stream may be fed there`, () => {
    const events: StreamEvent[] = []
    let stopped = false
    const stop = () => {
      if (stopped) return
      stopped = true
      parser.reset()
      parser.feed(bytesOf('\uFEFFdata: new\n\ndata: unfinished'))
    }
    const parser: Parser = createParser({
      onEvent(event) {
        if (callback === 'onEvent') stop()
        events.push(event)
      },
      ...(callback === 'onEvent' ? {} : { [callback]: stop }),
    })
    parser.feed(bytesOf(': c\nretry: 1\nid: 1\ndata: old\n\ndata: older\n\n'))
    parser.feed(bytesOf('\n\n'))
    const data = events.map((event) => event.data)
    assert.deepEqual(data, callback === 'onEvent' ? ['new', 'old', 'unfinished'] : ['new', 'unfinished'])
  })
}
