import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  checkChannel,
  checkPattern,
  coversPart,
  isPattern,
  matchesPattern,
  partsMeet,
  WireError,
} from '../src/index.ts'

test('accepts channel names', () => {
  const longest = 'a'.repeat(255)
  for (const name of [
    'a',
    'orders',
    'orders.42',
    'A-Z_a~z:0.9',
    '-',
    '~',
    ':',
    '$hub',
    '$hub.clients',
    '$',
    longest,
  ]) {
    assert.equal(checkChannel(name), name)
    assert.equal(checkPattern(name), name, 'a name is a pattern of itself')
    assert.equal(isPattern(name), false)
  }
})

const WRONG_EVERYWHERE = [
  ['nothing', '', /empty: give it 1 to 255/],
  ['256 characters', 'a'.repeat(256), /longer than 255/],
  ['an empty level between', 'a..b', /empty level/],
  ['an empty first level', '.a', /empty level/],
  ['an empty last level', 'a.', /empty level/],
  ['only a dot', '.', /empty level/],
  ['an empty level after $', '$hub..a', /empty level/],
  ['a space', 'a b', /has " ": use only/],
  ['a slash', 'a/b', /has "\/"/],
  ['a comma', 'a,b', /has ","/],
  ['a percent sign', 'a%20b', /has "%"/],
  ['a line end', 'a\n', /has "\\u000a"/],
  ['a letter that is not ASCII', 'zürich', /has "\\u00fc"/],
  ['$ later on', 'a$', /"\$" that is not its first character/],
  ['$ twice', '$$', /"\$" that is not its first character/],
  ['$ at the start of a later level', 'a.$b', /"\$" that is not its first character/],
] as const

for (const [name, text, message] of WRONG_EVERYWHERE) {
  test(`refuses ${name} in names and patterns, and says how to mend it`, () => {
    assert.throws(() => checkChannel(text), { name: 'WireError', code: 'invalid-channel', message })
    assert.throws(() => checkPattern(text), { name: 'WireError', code: 'invalid-pattern', message })
  })
}

test('a pattern is no channel name', () => {
  for (const pattern of ['*', 'a.*', '**', 'a.**', 'a*b']) {
    assert.throws(() => checkChannel(pattern), {
      code: 'invalid-channel',
      message: /patterns are for reading only/,
    })
    assert.equal(isPattern(pattern), true)
  }
})

test('accepts patterns', () => {
  for (const pattern of ['*', '**', 'a.*', '*.a', 'a.*.b', '*.*', 'a.**', '*.**', '$hub.**', '$hub.*']) {
    assert.equal(checkPattern(pattern), pattern)
  }
})

for (const [text, message] of [
  ['a*b', /whole level/],
  ['a*', /whole level/],
  ['*a.b', /whole level/],
  ['$*', /whole level|has/],
  ['***', /whole level/],
  ['a.**b', /whole level/],
  ['**.a', /put it last/],
  ['a.**.b', /put it last/],
  ['**.**', /put it last/],
  ['*..a', /empty level/],
] as const) {
  test(`refuses the pattern ${text}`, () => {
    assert.throws(() => checkPattern(text), { code: 'invalid-pattern', message })
  })
}

test('refuses what is no string', () => {
  for (const value of [undefined, null, 42, ['a'], {}] as unknown as string[]) {
    assert.throws(() => checkChannel(value), {
      code: 'invalid-channel',
      message: /not a string/,
    })
    assert.throws(() => checkPattern(value), {
      code: 'invalid-pattern',
      message: /not a string/,
    })
  }
})

test('any text is a name or an error of one short printable line', () => {
  fc.assert(
    fc.property(fc.oneof(fc.string({ unit: 'binary', maxLength: 400 }), fc.string()), (text) => {
      for (const check of [checkChannel, checkPattern]) {
        try {
          assert.equal(check(text), text)
        } catch (error) {
          assert.ok(error instanceof WireError)
          assert.match(error.message, /^[ -~…]{1,500}$/)
        }
      }
    }),
    { numRuns: 1000 },
  )
})

for (const [pattern, matching, others] of [
  ['orders', ['orders'], ['orders.42', 'order', 'orderss', 'Orders', '$orders']],
  ['*', ['a', 'orders'], ['a.b', '$a']],
  ['**', ['a', 'a.b', 'a.b.c'], ['$a', '$a.b']],
  ['orders.*', ['orders.42', 'orders.a-b'], ['orders', 'orders.42.paid', 'order.42', 'ordersX42']],
  ['orders.**', ['orders.42', 'orders.42.paid'], ['orders', 'orders2.a', 'ordersX']],
  ['*.paid', ['orders.paid', 'a.paid'], ['paid', 'a.b.paid', '$a.paid', 'orders.paid.x', 'orders.paidx']],
  ['a.*.c', ['a.b.c', 'a.bb.c'], ['a.c', 'a.b.c.d', 'a.b.b.c', 'a.b']],
  ['*.*', ['a.b'], ['a', 'a.b.c', '$a.b']],
  ['*.**', ['a.b', 'a.b.c'], ['a', '$a.b']],
  ['$hub.*', ['$hub.clients'], ['$hub', 'hub.clients', '$hub.a.b']],
  ['$hub.**', ['$hub.clients', '$hub.a.b'], ['$hub', 'hub.clients']],
] as const) {
  test(`${pattern} matches what it should, and nothing else`, () => {
    for (const name of matching) assert.equal(matchesPattern(pattern, name), true, name)
    for (const name of others) assert.equal(matchesPattern(pattern, name), false, name)
  })
}

/** The rules again, by levels. */
function matchesByLevels(pattern: string, name: string): boolean {
  const wanted = pattern.split('.')
  const levels = name.split('.')
  if (wanted[0]?.startsWith('*') && name.startsWith('$')) return false
  if (wanted.at(-1) === '**') {
    return (
      levels.length >= wanted.length &&
      wanted.slice(0, -1).every((level, i) => level === '*' || level === levels[i])
    )
  }
  return levels.length === wanted.length && wanted.every((level, i) => level === '*' || level === levels[i])
}

test('matching agrees with the rules taken level by level', (t) => {
  const level = fc.constantFrom('a', 'b', 'ab', 'a-')
  const first = fc.constantFrom('', '', '', '$')
  const name = fc
    .tuple(first, fc.array(level, { minLength: 1, maxLength: 4 }))
    .map(([mark, levels]) => mark + levels.join('.'))
  const pattern = fc
    .tuple(
      first,
      fc.array(fc.oneof(level, fc.constant('*')), { maxLength: 4 }),
      fc.constantFrom('a', '*', '**'),
    )
    .map(([mark, levels, last]) =>
      [...levels, last].map((text, i) => (i === 0 && !text.startsWith('*') ? mark + text : text)).join('.'),
    )
  let matched = 0
  fc.assert(
    fc.property(pattern, name, (wanted, given) => {
      checkPattern(wanted)
      checkChannel(given)
      const expected = matchesByLevels(wanted, given)
      if (expected) matched++
      assert.equal(matchesPattern(wanted, given), expected, `${wanted} and ${given}`)
    }),
    { numRuns: 5000 },
  )
  t.diagnostic(`${matched} of 5000 match`)
  assert.ok(matched > 200)
})

/** Names and patterns of few letters, so that they meet. */
const level = fc.constantFrom('a', 'b', '*')
const part = fc
  .tuple(fc.constantFrom('', '', '$'), fc.array(level, { minLength: 1, maxLength: 4 }), fc.boolean())
  .map(([dollar, levels, all]) =>
    [...levels.slice(0, all ? 3 : 4), ...(all ? ['**'] : [])].join('.').replace(/^(?=[ab])/, dollar),
  )
const letters = fc.array(fc.constantFrom('a', 'b', 'c'), { minLength: 8, maxLength: 8 })

test('a rule that covers a part matches every name that the part matches', () => {
  fc.assert(
    fc.property(part, part, letters, fc.integer({ min: 1, max: 4 }), (rule, wanted, fill, more) => {
      if (!coversPart(rule, wanted)) return
      const rest = [...fill]
      const many = rest.splice(0, more).join('.')
      const channel = wanted.replace('**', many).replaceAll('*', () => rest.pop() as string)
      assert.ok(matchesPattern(wanted, channel))
      assert.ok(matchesPattern(rule, channel), `${rule} covers ${wanted}, but does not match ${channel}`)
    }),
    { numRuns: 5_000 },
  )
})

test('of a part that a rule does not cover there is a name that the rule does not match', () => {
  fc.assert(
    fc.property(part, part, (rule, wanted) => {
      const shown = namesOf(wanted).some((channel) => !matchesPattern(rule, channel))
      assert.equal(coversPart(rule, wanted), !shown, `${rule} of ${wanted}`)
    }),
    { numRuns: 2_000 },
  )
})

/** Names that a part matches: with a letter no rule has in the place of each star, and with more levels than any rule has. */
function namesOf(wanted: string): string[] {
  if (!wanted.endsWith('**')) return [wanted.replaceAll('*', 'z')]
  const stem = wanted.slice(0, -2).replaceAll('*', 'z')
  return Array.from({ length: 6 }, (_, more) => `${stem}z${'.z'.repeat(more)}`)
}

for (const [rule, wanted, covered] of [
  ['a', 'a', true],
  ['a', '*', false],
  ['*', 'a', true],
  ['*', '*', true],
  ['*', '**', false],
  ['**', '*.a', true],
  ['**', '$a', false],
  ['**', '$a.*', false],
  ['$a.**', '$a.*', true],
  ['orders.**', 'orders.*.done', true],
  ['orders.**', 'orders', false],
  ['orders.*', 'orders.**', false],
  ['orders.*', 'orders.7.done', false],
  ['orders.**', 'orders.**', true],
  ['*.done', 'orders.*', false],
] as const) {
  test(`the rule ${rule} ${covered ? 'covers' : 'does not cover'} ${wanted}`, () => {
    assert.equal(coversPart(rule, wanted), covered)
  })
}

test('partsMeet says whether there may be a channel that both match', () => {
  const levels = ['a', 'b', '$a']
  const rest = ['a', 'b']
  const names: string[] = []
  for (const one of levels) {
    names.push(one)
    for (const two of rest) {
      names.push(`${one}.${two}`)
      for (const three of rest) names.push(`${one}.${two}.${three}`)
    }
  }
  const parts = [
    ...names.filter((name) => name.split('.').length < 3),
    '*',
    '**',
    '*.*',
    'a.*',
    'a.**',
    '*.a',
    '*.**',
    '*.*.b',
    'a.*.b',
    '$a.*',
    '$a.**',
    'b.*.*',
    'a.b.**',
    '*.a.**',
  ]
  for (const one of parts) {
    for (const other of parts) {
      const meet = names.some((name) => matchesPattern(one, name) && matchesPattern(other, name))
      assert.equal(partsMeet(one, other), meet, `${one} and ${other}`)
    }
  }
})
