import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { bytesOf, preview, pretty } from '../src/model/event-data.ts'
import { Filter } from '../src/model/event-filter.ts'
import { type EventLine, Feed, type Line, MOST_DATA, MOST_LINES, type ToldLine } from '../src/model/feed.ts'
import { preferred, WORDS } from '../src/words.ts'
import { CHANNEL_WORDS } from '../src/words-channel.ts'

const event = (id: number, data = `${id}`, type = 'message', channel = 'a'): EventLine => ({
  kind: 'event',
  id: `e-${id}`,
  channel,
  type,
  data,
  time: '2026-11-22T16:31:07.042Z',
})
const told = (kind: ToldLine['kind'], reason = ''): ToldLine => ({ kind, id: kind, reason, channels: ['a'] })
const events = (from: number, to: number): EventLine[] =>
  Array.from({ length: to - from + 1 }, (_, index) => event(from + index))
const ids = (lines: readonly Line[]): readonly string[] => lines.map(({ id }) => id.replace('e-', ''))
const ends = (feed: Feed): readonly [string | undefined, string | undefined] => [
  ids(feed.lines)[0],
  ids(feed.lines).at(-1),
]
const feedOf = (...lines: readonly Line[]): Feed => {
  const feed = new Feed()
  for (const line of lines) feed.tell(line)
  return feed
}

describe('the window on a channel', () => {
  test('moves with the newest, and has as many as there is room for', () => {
    const feed = feedOf(...events(1, MOST_LINES + 3))
    assert.deepEqual([feed.lines.length, ...ends(feed)], [MOST_LINES, '4', `${MOST_LINES + 3}`])
  })

  test('has no more data than there is room for, yet the newest however large', () => {
    const large = 'x'.repeat(MOST_DATA / 4)
    const feed = feedOf(event(1), ...[2, 3, 4, 5, 6].map((id) => event(id, large)))
    assert.deepEqual(ids(feed.lines), ['3', '4', '5', '6'])
    feed.tell(event(7, large.repeat(5)))
    assert.deepEqual(ids(feed.lines), ['7'])
  })

  test('an event that is told again is there once', () => {
    const feed = feedOf(event(1), event(2), event(2), event(1))
    assert.deepEqual(ids(feed.lines), ['1', '2'])
    feed.follow(false)
    feed.tell(event(3))
    feed.tell(event(3))
    assert.equal(feed.came, 1)
  })

  test('stands still when it does not follow; what came is counted, and none is missed', () => {
    const feed = feedOf(event(1))
    feed.follow(false)
    feed.tell(event(2))
    feed.tell(told('gap', 'trimmed'))
    feed.tell(event(3))
    assert.deepEqual([ids(feed.lines), feed.came, feed.hasNewer], [['1'], 2, true])
    feed.follow(true)
    feed.toNewest()
    feed.tell(event(4))
    assert.deepEqual([ids(feed.lines), feed.came], [['1', '2', 'gap', '3', '4'], 0])
  })

  test('takes what was held step by step, and what comes meanwhile stays behind it', () => {
    const feed = feedOf(event(1))
    feed.follow(false)
    for (const line of events(2, 5)) feed.tell(line)
    feed.follow(true)
    feed.release(2)
    feed.tell(event(6))
    assert.deepEqual([ids(feed.lines), feed.hasNewer], [['1', '2', '3'], true])
    feed.release()
    assert.deepEqual([ids(feed.lines), feed.hasNewer], [['1', '2', '3', '4', '5', '6'], false])
  })

  test('after more than is held came, it goes on with those', () => {
    const feed = feedOf(event(1))
    feed.follow(false)
    for (const line of events(2, MOST_LINES + 10)) feed.tell(line)
    assert.deepEqual([feed.detached, feed.came], [true, MOST_LINES + 9])
    feed.toNewest()
    assert.deepEqual([feed.detached, ...ends(feed)], [false, '11', `${MOST_LINES + 10}`])
  })

  test('older ones come before, each once, with where history begins', () => {
    const feed = feedOf(event(5), event(6))
    feed.older([event(3), event(4), event(5)])
    assert.deepEqual([ids(feed.lines), feed.begin], [['3', '4', '5', '6'], undefined])
    feed.older([event(2)], told('begin'))
    assert.deepEqual([ids(feed.lines), feed.begin?.kind], [['2', '3', '4', '5', '6'], 'begin'])
  })

  test('where history begins is forgotten when the oldest line makes room', () => {
    const feed = feedOf(event(1))
    feed.older([], told('begin'))
    for (const line of events(2, MOST_LINES + 1)) feed.tell(line)
    assert.equal(feed.begin, undefined)
  })

  test('going back beyond the room lets go of the newest, which are held behind it', () => {
    const feed = feedOf(...events(5_001, 6_000))
    feed.follow(false)
    for (let to = 5_000; to > 3_500; to -= 100) feed.older(events(to - 99, to))
    assert.deepEqual([feed.lines.length, ...ends(feed), feed.detached], [2_000, '3501', '5500', false])
    feed.tell(event(6_001))
    feed.toNewest()
    assert.deepEqual([...ends(feed), feed.lines.length], ['4002', '6001', 2_000])
  })

  test('far back it is on its own, and comes to the newest page by page', () => {
    const feed = feedOf(...events(9_001, 10_000))
    feed.follow(false)
    for (let to = 9_000; to > 5_000; to -= 100) feed.older(events(to - 99, to))
    assert.deepEqual([...ends(feed), feed.detached], ['5001', '7000', true])
    feed.newer(events(7_001, 7_100), true)
    assert.deepEqual([...ends(feed), feed.detached], ['5101', '7100', true])
    feed.tell(event(10_001))
    for (let from = 7_101; feed.detached; from += 100) feed.newer(events(from, from + 99), true)
    feed.release()
    assert.deepEqual([...ends(feed), feed.hasNewer], ['8002', '10001', false])
    assert.equal(new Set(ids(feed.lines)).size, 2_000)
  })

  test('a jump shows another place, and what was the newest is there to come back to', () => {
    const feed = feedOf(...events(101, 110))
    feed.jump(events(41, 60), told('begin', 'trimmed'))
    feed.tell(event(111))
    assert.deepEqual([...ends(feed), feed.detached, feed.begin?.reason], ['41', '60', true, 'trimmed'])
    feed.newer(events(61, 105), true)
    assert.deepEqual([...ends(feed), feed.detached], ['41', '105', false])
    feed.release()
    assert.deepEqual([...ends(feed), feed.lines.length], ['41', '111', 71])
    feed.jump(events(1, 2))
    feed.jump(events(3, 4))
    feed.toNewest()
    assert.deepEqual([...ends(feed), feed.begin], ['41', '111', undefined])
  })

  test('a page without more brings it to the newest', () => {
    const feed = feedOf(event(8))
    feed.jump(events(1, 2))
    feed.newer(events(3, 9), false)
    feed.tell(event(9))
    feed.follow(true)
    feed.tell(event(10))
    assert.deepEqual([...ends(feed), feed.lines.length, feed.detached], ['1', '10', 10, false])
  })

  test('knows the types that came, and forgets all when it has to', () => {
    const feed = feedOf(event(1, '', 'paid'), event(2))
    feed.older([event(0, '', 'created')])
    assert.deepEqual(feed.types, ['created', 'message', 'paid'])
    feed.reset()
    feed.tell(event(1))
    assert.deepEqual(ids(feed.lines), ['1'])
  })
})

describe('what is shown', () => {
  const found = (feed: Feed, type: string, text: string): readonly string[] =>
    ids(new Filter(type, text).of(feed))

  test('is found by type, and by text in data and channel; what is no event always shows', () => {
    const feed = feedOf(event(1, 'Tea', 'paid'), told('gap', 'trimmed'), event(3, 'cake', 'paid'))
    feed.tell(event(4, 'tea', 'message', 'b'))
    assert.deepEqual(found(feed, 'paid', 'tea'), ['1', 'gap'])
    assert.deepEqual(found(feed, '', 'tea'), ['1', 'gap', '4'])
    assert.deepEqual(found(feed, '', 'B'), ['gap', '4'])
    assert.deepEqual(found(feed, '', ''), ['1', 'gap', '3', '4'])
  })

  test('text is taken as it is, not as a pattern', () => {
    const feed = feedOf(event(1, 'a.c [x] (y'), event(2, 'abc'))
    for (const text of ['a.c', '[x]', '(y']) assert.deepEqual(found(feed, '', text), ['1'], text)
    assert.deepEqual(found(feed, '', String.raw`\d`), [])
  })

  test('history begins above all lines, filtered or not', () => {
    const feed = feedOf(event(2, 'x'))
    feed.older([event(1, 'y')], told('begin'))
    assert.deepEqual(found(feed, '', 'x'), ['begin', '2'])
  })

  test('JSON gets its line breaks, anything else stays; the preview is one line', () => {
    assert.equal(pretty('{"a":[1]}'), '{\n  "a": [\n    1\n  ]\n}')
    for (const text of ['{"a":', '17', '"x"', '']) assert.equal(pretty(text), text)
    assert.equal(preview(' one\n\t two '), 'one two')
    assert.equal(bytesOf(event(1, 'é漢')), 5)
  })
})

test('both languages say the same things', () => {
  for (const words of [WORDS, CHANNEL_WORDS]) assert.deepEqual(Object.keys(words.ru), Object.keys(words.en))
  assert.deepEqual(
    [preferred(['de-DE', 'ru-RU', 'en']), preferred(['fr']), preferred(['en-GB'])],
    ['ru', 'en', 'en'],
  )
})
