/** The pure parts of sharing: what follows what, and what concerns whom. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { matchesPattern } from '@downlink/wire'
import fc from 'fast-check'
import { newsFor, reached } from '../../src/share/chain.ts'
import { itemFor, meet, placeOf } from '../../src/share/parts.ts'
import type { Item } from '../../src/subscribe/source.ts'

const event = (position: number, channel = 'a'): Item => {
  const id = `e-${position}`
  return { kind: 'event', id, value: { id, channel, type: 'message', data: String(position) } }
}
const eventsOf = (items: readonly Item[] = []): string[] =>
  items.flatMap((item) => (item.kind === 'event' ? [item.value.data] : []))

test('only cursors of one epoch have an order', () => {
  assert.equal(reached('e-9', 'e-10'), true)
  assert.equal(reached('e-10', 'e-10'), true)
  assert.equal(reached('e-11', 'e-10'), false)
  assert.equal(reached('f-9', 'e-10'), false)
  assert.equal(reached('opaque', 'opaque'), true)
  assert.equal(reached('opaque', 'other'), false)
})

test('whatever is told, twice, late, or not at all, a reader takes each event once or knows of a hole', () => {
  const told = fc.array(fc.tuple(fc.nat(30), fc.nat(6)), { maxLength: 40 })
  fc.assert(
    fc.property(told, fc.nat(10), (spans, start) => {
      let last = start
      const seen: string[] = []
      for (const [prev, length] of spans) {
        const items = Array.from({ length }, (_, index) => event(prev + 1 + index))
        const news = newsFor(`e-${last}`, `e-${prev}`, items)
        // As a reader that polls what is missing.
        if (!news) assert.ok(prev > last)
        seen.push(...eventsOf(news))
        if (news) last = Math.max(last, prev + length)
      }
      const all = Array.from({ length: last - start }, (_, index) => String(start + 1 + index))
      assert.deepEqual(seen, all)
    }),
  )
})

test('an end passes also when its cursor is one the reader has polled beyond, and does not set it back', () => {
  const end: Item = { kind: 'end', id: 'e-5', value: { channel: 'a' } }
  assert.deepEqual(newsFor('e-8', 'e-4', [event(5), end, event(9)]), [{ ...end, id: '' }, event(9)])
  assert.deepEqual(newsFor('e-5', 'e-5', [end]), [end])
})

test('over a change of the epoch it goes on where it stands, and from elsewhere there is a hole', () => {
  const gap: Item = {
    kind: 'gap',
    id: 'f-2',
    value: { reason: 'epoch', channels: [], from: 'e-5', to: 'f-2' },
  }
  const after: Item = { kind: 'cursor', id: 'f-3' }
  assert.deepEqual(newsFor('e-5', 'e-5', [gap, after]), [gap, after])
  assert.deepEqual(newsFor('f-2', 'e-5', [gap, after]), [{ ...gap, id: '' }, after])
  assert.equal(newsFor('g-1', 'e-5', [gap, after]), undefined)
})

const level = fc.constantFrom('a', 'b', 'c')
const name = fc
  .tuple(fc.boolean(), fc.array(level, { minLength: 1, maxLength: 4 }))
  .map(([own, levels]) => (own ? '$' : '') + levels.join('.'))
const pattern = fc
  .tuple(
    fc.boolean(),
    fc.array(fc.oneof(level, fc.constant('*')), { minLength: 1, maxLength: 3 }),
    fc.boolean(),
  )
  .map(([own, levels, more]) => {
    const all = more ? [...levels, '**'] : levels
    return own && !all[0]?.startsWith('*') ? `$${all.join('.')}` : all.join('.')
  })

test('a part concerns the channels that the hub would match with it', () => {
  fc.assert(
    fc.property(pattern, name, (part, channel) => meet(part, channel) === matchesPattern(part, channel)),
  )
})

test('two parts meet whenever one channel matches both', () => {
  fc.assert(
    fc.property(pattern, pattern, name, (one, other, channel) => {
      fc.pre(matchesPattern(one, channel) && matchesPattern(other, channel))
      return meet(one, other) && meet(other, one)
    }),
  )
})

test('of what does not concern a reader only the cursor is left', () => {
  assert.deepEqual(itemFor(['b.*'], event(3, 'a')), { kind: 'cursor', id: 'e-3' })
  assert.deepEqual(itemFor(['*'], event(3, 'a')), event(3, 'a'))
  const value = { reason: 'trimmed', channels: ['a', 'b.1', 'b.**'], from: 'e-1', to: 'e-4' } as const
  assert.deepEqual(itemFor(['b.*'], { kind: 'gap', id: 'e-4', value }), {
    kind: 'gap',
    id: 'e-4',
    value: { ...value, channels: ['b.1', 'b.**'] },
  })
  assert.deepEqual(itemFor(['c'], { kind: 'gap', id: 'e-4', value }), { kind: 'cursor', id: 'e-4' })
})

test('URLs that differ in their channels and their start only are one place', () => {
  const one = placeOf('https://hub.test/x/channels/a,b%2Cc.*?after=e-1&token=1')
  assert.deepEqual(one?.parts, ['a', 'b', 'c.*'])
  assert.equal(one?.common, placeOf('https://hub.test/x/channels/$hub.readers?last=3&token=1')?.common)
  assert.notEqual(one?.common, placeOf('https://hub.test/x/channels/a?token=2')?.common)
  assert.equal(one?.with(['a', '$hub.*']), 'https://hub.test/x/channels/a,$hub.*?token=1')
  assert.equal(placeOf('https://hub.test/events'), undefined)
})
