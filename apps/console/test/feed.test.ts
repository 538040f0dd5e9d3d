import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { Feed, type Line, MOST_LINES, pretty } from '../src/model/feed.ts'
import { snippet } from '../src/model/snippets.ts'
import { preferred, WORDS } from '../src/words.ts'

const event = (id: number, data = `${id}`, type = 'message'): Line => ({
  kind: 'event',
  id: `e-${id}`,
  type,
  data,
  time: '2026-11-22T16:31:07.042Z',
})
const ids = (lines: readonly Line[]): readonly string[] => lines.map(({ id }) => id)

describe('the events of a channel', () => {
  test('are the newest that there is room for', () => {
    const feed = new Feed()
    for (let id = 0; id < MOST_LINES + 3; id++) feed.tell(event(id))
    assert.deepEqual([feed.lines.length, feed.lines[0]?.id], [MOST_LINES, 'e-3'])
  })

  test('stand still while paused, and none is missed', () => {
    const feed = new Feed()
    feed.tell(event(1))
    feed.pause()
    feed.tell(event(2))
    feed.tell(event(3))
    assert.deepEqual([ids(feed.lines), feed.held], [['e-1'], 2])
    feed.resume()
    assert.deepEqual([ids(feed.lines), feed.held], [['e-1', 'e-2', 'e-3'], 0])
  })

  test('older ones come before, each once', () => {
    const feed = new Feed()
    feed.tell(event(5))
    feed.before([event(3), event(4), event(5)])
    assert.deepEqual(ids(feed.lines), ['e-3', 'e-4', 'e-5'])
  })

  test('are found by type and text; what is no event always shows', () => {
    const feed = new Feed()
    feed.tell(event(1, 'Tea', 'paid'))
    feed.tell({ kind: 'gap', id: 'e-2', reason: 'trimmed' })
    feed.tell(event(3, 'cake', 'paid'))
    feed.tell(event(4, 'tea'))
    assert.deepEqual(ids(feed.find('paid', 'tea')), ['e-1', 'e-2'])
    assert.deepEqual(ids(feed.find('', 'tea')), ['e-1', 'e-2', 'e-4'])
    assert.deepEqual(feed.types, ['message', 'paid'])
  })

  test('JSON gets its line breaks, anything else stays', () => {
    assert.equal(pretty('{"a":[1]}'), '{\n  "a": [\n    1\n  ]\n}')
    assert.equal(pretty('{"a":'), '{"a":')
    assert.equal(pretty('17'), '17')
  })
})

test('snippets read the channel by its URL', () => {
  assert.equal(
    snippet('curl', 'https://h.example', 'a.b:c~'),
    "curl -N -H 'Accept: text/event-stream' 'https://h.example/channels/a.b:c~?last=10'",
  )
  assert.match(
    snippet('EventSource', 'https://h.example', 'a'),
    /new EventSource\("https:\/\/h.example\/channels\/a\?last=10"\)/,
  )
  assert.match(
    snippet('subscribe', 'https://h.example', 'a'),
    /subscribe\("https:\/\/h.example\/channels\/a", \{ last: 10 \}\)/,
  )
})

test('both languages say the same things', () => {
  assert.deepEqual(Object.keys(WORDS.ru), Object.keys(WORDS.en))
  assert.deepEqual(
    [preferred(['de-DE', 'ru-RU', 'en']), preferred(['fr']), preferred(['en-GB'])],
    ['ru', 'en', 'en'],
  )
})
