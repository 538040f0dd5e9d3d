import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { parseCursor } from '@downlink/wire'
import fc from 'fast-check'
import { ChannelSet } from '../src/log/channel-set.ts'
import { newEpochName, resolve } from '../src/log/epoch.ts'
import { GapFinder } from '../src/log/gap.ts'
import { GAP_CHANNELS, LogError, type LogState } from '../src/log/log.ts'
import { DEFAULT_RETENTION, RetentionRules, checkForget, type RetentionRule } from '../src/log/retention.ts'
import { checkType, settle } from '../src/log/settle.ts'

describe('settle', () => {
  test('turns CRLF and CR into LF', () => {
    assert.equal(settle({ channel: 'a', data: '\r\n\r\r\n\n\ra\r' }).data, '\n\n\n\n\na\n')
  })

  test('turns lone surrogates into U+FFFD, in data and type', () => {
    const event = { channel: 'a', type: 'x\uDC00', data: '\uD83C\uDF88 \uD83C \uDF88\uD83C' }
    assert.deepEqual(settle(event), { channel: 'a', type: 'x\uFFFD', data: '🎈 \uFFFD \uFFFD\uFFFD' })
  })

  test('returns the event itself when nothing needs to change', () => {
    for (const event of [
      { channel: 'a', data: 'x\ny 🎈' },
      { channel: 'a', type: 't', data: '' },
    ]) {
      assert.equal(settle(event), event)
    }
  })

  test('adds no type, and keeps what else the event has', () => {
    assert.deepEqual(settle({ channel: 'a', data: '\r', more: 1 }), { channel: 'a', data: '\n', more: 1 })
    assert.deepEqual(settle({ channel: 'a', type: 't', data: '\r' }), { channel: 'a', type: 't', data: '\n' })
  })

  test('of what was settled changes nothing, and leaves only well-formed text without CR', () => {
    const unit = fc.constantFrom('\r', '\n', 'a', '\uD83C', '\uDF88', '\0')
    fc.assert(
      fc.property(fc.string({ unit }), (data) => {
        const settled = settle({ channel: 'a', data })
        assert.equal(settle(settled), settled)
        assert.ok(settled.data.isWellFormed() && !settled.data.includes('\r'))
      }),
    )
  })
})

describe('checkType', () => {
  test('returns a type of 1 to 255 bytes', () => {
    for (const type of [
      'a',
      'downlink',
      ' downlink:x',
      'Downlink:x',
      'x'.repeat(255),
      'é'.repeat(127),
      '漢'.repeat(85),
    ]) {
      assert.equal(checkType(type), type)
    }
  })

  const refused: [why: string, type: string, message: RegExp][] = [
    ['no byte', '', /leave the type out/],
    ['more than 255 bytes', 'x'.repeat(256), /at most 255 bytes/],
    ['more than 255 bytes in fewer characters', 'é'.repeat(128), /at most 255 bytes/],
    ['more than 255 bytes, with surrogates', '🎈'.repeat(64), /at most 255 bytes/],
    ['a CR', 'a\rb', /"a\\u000db"/],
    ['an LF', 'a\n', /"a\\u000a"/],
    ['a NUL', '\0', /"\\u0000"/],
    ["the hub's prefix", 'downlink:', /the hub's own/],
    ["a name of the hub's", 'downlink:gap', /the hub's own/],
  ]
  for (const [why, type, message] of refused) {
    test(`refuses a type with ${why}`, () => {
      assert.throws(() => checkType(type), { name: 'LogError', code: 'invalid-type', message })
    })
  }
})

describe('retention rules', () => {
  test('the first that matches holds, by name or pattern', () => {
    const rules = new RetentionRules([
      { channels: 'p.a', count: 1 },
      { channels: 'p.*', count: 2 },
      { channels: '**', count: 3 },
    ])
    assert.deepEqual(
      ['p.a', 'p.b', 'p.a.b', 'p', '$hub'].map((name) => rules.for(name).count),
      [1, 2, 3, 3, DEFAULT_RETENTION.count],
    )
  })

  test('what a rule leaves out has the default, and Infinity lifts it', () => {
    const rules = new RetentionRules([{ channels: 'a', age: 5, bytes: Infinity }])
    assert.deepEqual(rules.for('a'), { count: 10_000, age: 5, bytes: Infinity })
    assert.deepEqual(rules.for('b'), { count: 10_000, age: 86_400_000, bytes: 67_108_864 })
  })

  test('channels under one rule share one object', () => {
    const rules = new RetentionRules([{ channels: 'p.*', age: 5 }])
    assert.equal(rules.for('p.a'), rules.for('p.b'))
    assert.equal(rules.for('a'), rules.for('b'))
  })

  const refused: [rule: RetentionRule, message: RegExp][] = [
    [{ channels: 'a..b' }, /Retention rule 2 names no channels: /],
    [{ channels: 'a*b' }, /Retention rule 2 names no channels: /],
    [{ channels: 'a', count: 0 }, /`count` of retention rule 2 .* got 0$/],
    [{ channels: 'a', count: 1.5 }, /`count` of retention rule 2 .* got 1.5$/],
    [{ channels: 'a', age: 0 }, /`age` of retention rule 2 .* got 0$/],
    [{ channels: 'a', age: Number.NaN }, /`age` of retention rule 2 .* got NaN$/],
    [{ channels: 'a', bytes: -1 }, /`bytes` of retention rule 2 .* got -1$/],
    [{ channels: 'a', bytes: '9' as unknown as number }, /`bytes` of retention rule 2 .* got 9$/],
  ]
  for (const [rule, message] of refused) {
    test(`refuse ${JSON.stringify(rule)}`, () => {
      const rules = [{ channels: 'fine' }, rule]
      assert.throws(() => new RetentionRules(rules), { name: 'LogError', code: 'retention-invalid', message })
    })
  }

  test('`forget` is 0 or more, Infinity included', () => {
    assert.deepEqual([0, 1, Infinity].map(checkForget), [0, 1, Infinity])
    for (const wrong of [-1, Number.NaN]) {
      assert.throws(
        () => checkForget(wrong),
        (error) => error instanceof LogError && error.code === 'retention-invalid',
      )
    }
  })
})

describe('a gap', () => {
  const none = { trimmedTo: 0, deletedTo: 0, unknownTo: 0, loss: 1 }
  const set = new ChannelSet(['a', 'b', 'p.*'])

  test('is none when nothing after the position is lost', () => {
    const finder = new GapFinder(set, 5)
    finder.channel('a', { trimmedTo: 5, deletedTo: 4, unknownTo: 3, loss: 1 })
    finder.forgotten('b', { position: 5, loss: 1 })
    finder.forgottenByPattern({ position: 5, loss: 1 })
    assert.equal(finder.gap(9), undefined)
  })

  test('has the strongest reason and the highest position of all channels', () => {
    const reasonOf = (...losses: Partial<typeof none>[]): unknown[] => {
      const finder = new GapFinder(set, 5)
      for (const [index, loss] of losses.entries()) finder.channel(`p.${index}`, { ...none, ...loss })
      const gap = finder.gap(9)
      return [gap?.reason, gap?.upTo, gap?.channels.length]
    }
    assert.deepEqual(reasonOf({ trimmedTo: 6 }), ['trimmed', 6, 1])
    assert.deepEqual(reasonOf({ trimmedTo: 8, deletedTo: 7 }), ['deleted', 8, 1])
    assert.deepEqual(reasonOf({ trimmedTo: 8, deletedTo: 5 }), ['trimmed', 8, 1])
    assert.deepEqual(reasonOf({ deletedTo: 9 }, { unknownTo: 6 }, { trimmedTo: 7 }), ['unknown', 9, 3])
  })

  test('has the number of the newest loss in it, of those after the position', () => {
    const finder = new GapFinder(set, 5)
    finder.channel('a', { ...none, trimmedTo: 6, loss: 4 })
    finder.channel('b', { ...none, trimmedTo: 8, loss: 2 })
    finder.channel('p.1', { ...none, trimmedTo: 5, loss: 9 })
    assert.equal(finder.gap(9)?.loss, 4)
    finder.forgottenByPattern({ position: 6, loss: 7 })
    assert.equal(finder.gap(9)?.loss, 7)
  })

  test('goes on no earlier than where the reader is', () => {
    const finder = new GapFinder(set, 5)
    finder.channel('a', { ...none, trimmedTo: 6 })
    assert.deepEqual([finder.gap(3)?.to, finder.gap(8)?.to], [5, 8])
  })

  test('names forgotten channels that were read by name, and the whole read when a pattern may have matched them', () => {
    const finder = new GapFinder(set, 5)
    finder.forgotten('b', { position: 7, loss: 3 })
    assert.deepEqual(finder.gap(9), { reason: 'unknown', channels: ['b'], from: 5, to: 9, upTo: 7, loss: 3 })
    finder.forgottenByPattern({ position: 7, loss: 3 })
    assert.deepEqual(finder.gap(9)?.channels, ['a', 'b', 'p.*'])
  })

  test('names the whole read when more channels are lost than it lists', () => {
    const finder = new GapFinder(set, 0)
    for (let index = 0; index < GAP_CHANNELS; index++) finder.channel(`p.${index}`, { ...none, trimmedTo: 1 })
    assert.equal(finder.gap(9)?.channels.length, GAP_CHANNELS)
    finder.channel('a', { ...none, trimmedTo: 1 })
    assert.deepEqual(finder.gap(9)?.channels, ['a', 'b', 'p.*'])
  })
})

describe('an epoch', () => {
  test('has a name that a cursor can carry, from the randomness given', () => {
    for (const random of [() => 0, () => 0.5, () => 1 - Number.EPSILON]) {
      const name = newEpochName(random)
      assert.equal(newEpochName(random), name)
      assert.equal(parseCursor(`${name}-1`).epoch, name)
    }
    assert.equal(new Set(Array.from({ length: 1000 }, () => newEpochName(Math.random))).size, 1000)
  })

  const state: LogState = {
    epochs: [
      { name: 'C', parent: { name: 'B', upTo: 30 } },
      { name: 'B', parent: { name: 'A', upTo: 50 } },
      { name: 'A', parent: { name: 'older', upTo: 10 } },
    ],
    frontier: 40,
  }
  const facts: [cursor: string, position: number, expected: unknown, why: string][] = [
    ['C', 0, { position: 0 }, 'the start'],
    ['C', 40, { position: 40 }, 'the present epoch, at the frontier'],
    ['C', 41, { gap: 'unknown' }, 'the present epoch, in the future'],
    ['B', 30, { position: 30 }, 'the parent, as far as it is continued'],
    ['B', 31, { gap: 'epoch' }, 'the parent, after that'],
    ['A', 30, { position: 30 }, 'the grandparent, as far as both are continued'],
    ['A', 31, { gap: 'epoch' }, 'the grandparent, where only its own child continues it'],
    ['A', 51, { gap: 'epoch' }, 'the grandparent, where nobody does'],
    ['older', 10, { position: 10 }, 'one that is only known as a parent'],
    ['older', 11, { gap: 'epoch' }, 'one that is only known as a parent, after what is continued'],
    ['nobody', 0, { gap: 'unknown' }, 'an epoch that nobody knows'],
  ]
  for (const [epoch, position, expected, why] of facts) {
    test(`makes of the cursor ${epoch}-${position}, ${why}: ${JSON.stringify(expected)}`, () => {
      assert.deepEqual(resolve(state, { epoch, position }), expected)
    })
  }

  test('without ancestors knows only itself', () => {
    const alone: LogState = { epochs: [{ name: 'A' }], frontier: 0 }
    assert.deepEqual(resolve(alone, { epoch: 'A', position: 0 }), { position: 0 })
    assert.deepEqual(resolve(alone, { epoch: 'A', position: 1 }), { gap: 'unknown' })
    assert.deepEqual(resolve(alone, { epoch: 'B', position: 0 }), { gap: 'unknown' })
  })
})
