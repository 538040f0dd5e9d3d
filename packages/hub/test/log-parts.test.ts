import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { matchesPattern } from '@downlink/wire'
import fc from 'fast-check'
import { ChannelIndex } from '../src/log/channel-index.ts'
import { ChannelSet } from '../src/log/channel-set.ts'
import { IdempotencyKeys } from '../src/log/idempotency.ts'
import { PositionQueue, merge } from '../src/log/position-queue.ts'

const NAMES = ['a', 'p', 'p.a', 'p.b', 'p.a.c', 'p-a', 'q.a', '$h', '$h.a', 'b.a', 'pp.a']

describe('a channel index', () => {
  const set = fc
    .uniqueArray(fc.constantFrom(...NAMES, '*', '**', 'p.*', 'p.**', '*.a', '$h.*', 'nobody.**'), {
      minLength: 1,
      maxLength: 4,
    })
    .map((parts) => new ChannelSet(parts))
  const step = fc.oneof(
    fc.record({ toggle: fc.constantFrom(...NAMES) }),
    // So many at once that they are sorted in.
    fc.record({ crowd: fc.constantFrom('p.', 'x.') }),
    fc.record({ look: set, after: fc.constantFrom('', 'p.', 'p.a', 'z') }),
  )

  test('finds and orders what came and went as a plain search does', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
        const index = new ChannelIndex<{ name: string }>()
        const here = new Map<string, { name: string }>()
        const toggle = (name: string): void => {
          if (here.delete(name)) return index.remove(name)
          const channel = { name }
          here.set(name, channel)
          index.add(channel)
        }
        for (const step of steps) {
          if ('toggle' in step) toggle(step.toggle)
          else if ('crowd' in step) for (let at = 0; at < 600; at++) toggle(`${step.crowd}${at}`)
          else {
            const expected = [...here.keys()].filter((name) => step.look.has(name)).sort()
            const found = [...index.in(step.look)].map((channel) => channel.name)
            assert.deepEqual(found.sort(), expected)
            const listed = [...index.inOrder(step.look, step.after)].map((channel) => channel.name)
            assert.deepEqual(
              listed,
              expected.filter((name) => name > step.after),
            )
            const matched = [...here.keys()].filter((name) =>
              step.look.patterns.some((pattern) => matchesPattern(pattern, name)),
            )
            assert.ok(index.candidates(step.look.patterns) >= matched.length)
          }
        }
        assert.equal(index.size, here.size)
        for (const [name, channel] of here) assert.equal(index.get(name), channel)
      }),
    )
  })

  test('judges by the prefix of a pattern how many it may match', () => {
    const index = new ChannelIndex<{ name: string }>()
    for (let at = 0; at < 2000; at++) index.add({ name: `${at % 2 === 0 ? 'p' : 'q'}.${at}` })
    assert.equal(index.candidates(['p.*']), 1000)
    assert.equal(index.candidates(['p.*', 'q.**']), 2000)
    assert.equal(index.candidates(['**']), 2000)
    assert.equal(index.candidates(['r.*']), 0)
    assert.equal(index.candidates([]), 0)
  })
})

describe('a queue by position', () => {
  test('does what an array does, whatever is pushed, taken and sought', () => {
    const step = fc.oneof(
      fc.record({ push: fc.integer({ min: 0, max: 3 }) }),
      fc.record({ shift: fc.integer({ min: 1, max: 60 }) }),
      fc.record({ retain: fc.integer({ min: 2, max: 5 }) }),
      fc.record({ pushMany: fc.integer({ min: 1, max: 100 }) }),
    )
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
        const queue = new PositionQueue<{ position: number }>()
        let array: { position: number }[] = []
        let newest = 0
        const push = (by: number): void => {
          const item = { position: (newest += by) }
          queue.push(item)
          array.push(item)
        }
        for (const step of steps) {
          if ('push' in step) push(step.push)
          if ('pushMany' in step) for (let at = 0; at < step.pushMany; at++) push(2)
          if ('shift' in step)
            for (let at = 0; at < step.shift; at++) assert.equal(queue.shift(), array.shift())
          if ('retain' in step) {
            queue.retain((item) => item.position % step.retain !== 0)
            array = array.filter((item) => item.position % step.retain !== 0)
          }
          assert.deepEqual([queue.length, queue.first, queue.last], [array.length, array[0], array.at(-1)])
          for (const position of [-1, 0, newest >> 1, newest - 1, newest, newest + 1]) {
            const index = array.findIndex((item) => item.position > position)
            assert.equal(queue.indexAfter(position), index < 0 ? array.length : index)
          }
          assert.equal(queue.at(-1), undefined)
          assert.equal(queue.at(array.length), undefined)
          assert.equal(queue.at(array.length >> 1), array[array.length >> 1])
        }
      }),
    )
  })

  test('merges several into one order, forward and backward from anywhere', () => {
    const lists = fc.array(fc.array(fc.nat({ max: 200 }), { maxLength: 20 }), { maxLength: 12 })
    fc.assert(
      fc.property(lists, fc.nat({ max: 210 }), (lists, from) => {
        const queues = lists.map((list) => {
          const queue = new PositionQueue<{ position: number }>()
          for (const position of list.toSorted((one, other) => one - other)) queue.push({ position })
          return queue
        })
        const all = lists.flat().sort((one, other) => one - other)
        const positions = (direction: 'forward' | 'backward'): number[] =>
          Array.from(merge(queues, from, direction), (item) => item.position)
        assert.deepEqual(
          positions('forward'),
          all.filter((position) => position > from),
        )
        assert.deepEqual(positions('backward'), all.filter((position) => position < from).reverse())
      }),
    )
  })
})

describe('idempotency keys', () => {
  test('beyond the most that are kept, the oldest goes first', () => {
    const keys = new IdempotencyKeys(2)
    const appended = { epoch: 'e', positions: [1], repeated: false }
    for (const key of ['k1', 'k2', 'k3']) keys.remember({ key, fingerprint: 'f' }, appended, 0)
    const known = ['k1', 'k2', 'k3'].map((key) => keys.find({ key, fingerprint: 'f' }, 0)?.repeated)
    assert.deepEqual(known, [undefined, true, true])
  })
})
