/** Rules and claims against a naive oracle: which of all the channels of a small world a caller reaches. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { matchesPattern } from '@downlink/wire'
import fc from 'fast-check'
import type { Action } from '../src/auth/authorize.ts'
import { checkRules, checkTemplate } from '../src/auth/check-rules.ts'
import { type Caller, covers, expand, missing, type Rights, rightsOf, type Rule } from '../src/auth/rules.ts'

const ANYBODY: Caller = { subject: '', known: false }
const known = (subject: string, claims = {}): Caller => ({ subject, known: true, claims })

describe('rights', () => {
  const rules: readonly Rule[] = [
    { channels: 'news.**', allow: ['read'], to: 'anyone' },
    { channels: ['user.{sub}', 'user.{sub}.**'], allow: ['read', 'end'] },
    { channels: 'orders.*', allow: ['publish'], to: ['shop', 'till'] },
    { allow: ['inspect'], to: ['root'] },
  ]

  test('P17.8.1 are all that the rules for a caller say, and what the token claims besides', () => {
    assert.deepEqual(rightsOf(rules, ANYBODY), {
      read: ['news.**'],
      publish: [],
      end: [],
      drop: [],
      inspect: false,
    })
    assert.deepEqual(
      rightsOf(rules, known('shop', { read: ['desk.{sub}', 'news.**'], drop: ['orders.*'] })),
      {
        read: ['news.**', 'user.shop', 'user.shop.**', 'desk.shop'],
        publish: ['orders.*'],
        end: ['user.shop', 'user.shop.**'],
        drop: ['orders.*'],
        inspect: false,
      },
    )
    assert.equal(rightsOf(rules, known('root')).inspect, true)
    assert.equal(rightsOf(rules, known('alice', { inspect: true })).inspect, true)
  })

  test('a subject is not taken from who has no valid token', () => {
    assert.deepEqual(rightsOf(rules, { subject: 'shop', known: false }).publish, [])
    assert.deepEqual(rightsOf([{ channels: 'a', allow: ['read'], to: [''] }], ANYBODY).read, [])
  })

  test('one action does not bring another', () => {
    const rights = rightsOf([{ channels: 'a', allow: ['publish'] }], known('x'))
    assert.deepEqual(
      (['read', 'publish', 'end', 'drop', 'inspect', 'health'] as const).filter((action) =>
        covers(rights, action, ['a']),
      ),
      ['publish', 'health'],
    )
  })

  test('P17.8.4 a request that names no channel needs any grant of its action', () => {
    assert.equal(covers(rightsOf(rules, ANYBODY), 'read', []), true)
    assert.equal(covers(rightsOf([], known('x')), 'read', []), false)
    assert.equal(covers(rightsOf(rules, ANYBODY), 'publish', []), false)
  })

  test('what is not covered is named', () => {
    assert.equal(missing(rightsOf(rules, ANYBODY), 'read', ['news.a', 'user.bob', 'c']), 'user.bob')
    assert.equal(missing(rightsOf(rules, ANYBODY), 'inspect', []), '')
  })
})

describe('the hub’s own channels', () => {
  const rights = (read: readonly string[], inspect = false): Rights =>
    rightsOf([], known('x', { read, inspect }))

  test('P17.8.4 are not granted by patterns that do not name them', () => {
    for (const part of ['$hub', '$hub.readers', '$hub.**', '$hub.*'])
      for (const grant of ['**', '*', '*.**', '*.*', '*.readers'])
        assert.equal(covers(rights([grant]), 'read', [part]), false, `${grant} ${part}`)
  })

  test('P17.8.4 are granted by what names them, or to read by `inspect`', () => {
    assert.equal(covers(rights(['$hub.**']), 'read', ['$hub.readers', '$hub.*']), true)
    assert.equal(covers(rights(['$hub.*']), 'read', ['$other.x']), false)
    assert.equal(covers(rights([], true), 'read', ['$hub.readers', '$hub.**']), true)
    assert.equal(covers(rights([], true), 'read', ['$hub.readers', 'a']), false)
    assert.equal(covers(rights([], true), 'drop', ['$hub.readers']), false)
  })
})

describe('{sub}', () => {
  test('P17.8.3 stands for the subject as one level', () => {
    assert.equal(expand('user.{sub}.**', 'alice'), 'user.alice.**')
    assert.equal(expand('{sub}', 'a:b~c-D_9'), 'a:b~c-D_9')
    assert.equal(expand('{sub}.{sub}', 'a'), 'a.a')
    assert.equal(expand('news', ''), 'news')
  })

  for (const subject of [
    '',
    '*',
    '**',
    'a.b',
    '.',
    'a.*',
    'alice*',
    '$hub',
    'a b',
    'é',
    'a/b',
    'a\n',
    'a,b',
    '{sub}',
    '$&',
  ])
    test(`P17.8.3 never matches for the subject ${JSON.stringify(subject)}`, () => {
      for (const template of ['{sub}', 'user.{sub}', '{sub}.**', 'user.{sub}.**', '$hub.{sub}'])
        assert.equal(expand(template, subject), undefined)
    })

  test('never matches when the whole becomes longer than a name may be', () => {
    assert.equal(expand('user.{sub}', 'a'.repeat(250))?.length, 255)
    assert.equal(expand('user.{sub}', 'a'.repeat(251)), undefined)
  })

  test('whatever the subject, it stays within its level', () => {
    const level = fc.constantFrom('a', 'user', '*', '{sub}', '$hub')
    const template = fc.tuple(fc.array(level, { minLength: 1, maxLength: 4 }), fc.constantFrom('', '.**'))
    fc.assert(
      fc.property(template, fc.string({ unit: 'binary' }), ([levels, tail], subject) => {
        const pattern = expand(levels.join('.') + tail, subject)
        if (pattern === undefined || !levels.includes('{sub}')) return
        const made = pattern.split('.')
        const expected = [...levels, ...(tail ? ['**'] : [])]
        assert.equal(made.length, expected.length)
        for (const [index, want] of expected.entries()) {
          if (want === '{sub}') assert.match(made[index] ?? '', /^[^.*$]+$/)
          else assert.equal(made[index], want)
        }
      }),
    )
  })
})

describe('a pattern is covered by one grant or not at all', () => {
  test('P17.8.2 two grants that cover it only together do not', () => {
    const rights = rightsOf([], known('x', { read: ['a.b', 'a.c', 'a.*.**'] }))
    assert.equal(covers(rights, 'read', ['a.**']), false)
    assert.equal(covers(rights, 'read', ['a.*']), false)
    assert.equal(covers(rights, 'read', ['a.*.c', 'a.b']), true)
  })

  // Every channel of up to four levels of two names, beside those of the hub's own.
  const worlds = (levels: number): string[] =>
    levels === 0
      ? []
      : ['a', 'b'].flatMap((one) => [one, ...worlds(levels - 1).map((rest) => `${one}.${rest}`)])
  const channels = [...worlds(4), '$a', ...worlds(4).map((name) => `$a.${name}`)]
  const level = fc.constantFrom('a', 'b', '*')
  const pattern = fc
    .tuple(
      fc.constantFrom('', '', '', '$'),
      fc.array(level, { minLength: 1, maxLength: 3 }),
      fc.constantFrom('', '.**'),
      fc.constantFrom(false, false, false, false, true),
    )
    .map(([dollar, levels, tail, all]) =>
      all
        ? '**'
        : dollar === '$'
          ? `$a${tail === '' ? `.${levels.join('.')}` : tail}`
          : levels.join('.') + tail,
    )
  const reach = (part: string): string[] => channels.filter((name) => matchesPattern(part, name))

  test('P17.8.2 whoever may read parts reaches only channels that some grant of theirs reaches (the oracle enumerates)', () => {
    let yes = 0
    fc.assert(
      fc.property(
        fc.array(pattern, { maxLength: 4 }),
        fc.array(pattern, { minLength: 1, maxLength: 3 }),
        (grants, parts) => {
          const rights = rightsOf([], known('x', { read: grants }))
          // Four levels tell `a.*.*` from `a.*.**`: no pattern here has more than three.
          const oracle = parts.every((part) =>
            grants.some((grant) => reach(part).every((name) => matchesPattern(grant, name))),
          )
          const said = covers(rights, 'read', parts)
          if (said) yes++
          assert.equal(said, oracle)
        },
      ),
      { numRuns: 5_000 },
    )
    assert.ok(yes > 200, `only ${yes} of the cases were covered`)
  })

  test('rules say the same as claims, for whom they are', () => {
    const to = fc.constantFrom('anyone' as const, 'known' as const, ['alice'], ['bob', 'carol'])
    const action = fc.constantFrom('read' as const, 'publish' as const, 'end' as const, 'drop' as const)
    const rule = fc.record({ channels: pattern, allow: fc.array(action, { minLength: 1 }), to })
    const caller = fc.constantFrom(ANYBODY, known(''), known('alice'), known('bob'))
    fc.assert(
      fc.property(fc.array(rule), caller, action, pattern, (rules, who, asked, part) => {
        const oracle = rules.some(
          ({ channels: grant, allow, to: whom }) =>
            allow.includes(asked) &&
            (whom === 'anyone' || (who.known && (whom === 'known' || whom.includes(who.subject)))) &&
            reach(part).every((name) => matchesPattern(grant, name)),
        )
        assert.equal(covers(rightsOf(rules, who), asked satisfies Action, [part]), oracle)
      }),
      { numRuns: 3_000 },
    )
  })
})

describe('rules are checked', () => {
  test('good ones are taken as they are', () => {
    const rules = [
      { channels: '**', allow: ['read', 'publish', 'end', 'drop', 'inspect'], to: ['root'] },
      { channels: ['a', 'user.{sub}.**', '$hub.**'], allow: ['read'], to: 'anyone' },
      { allow: ['inspect'], to: 'known' },
    ]
    assert.deepEqual(checkRules(rules), rules)
    assert.deepEqual(checkRules([]), [])
  })

  for (const [rules, line] of [
    [{}, /^rules: Expected a list$/],
    [['a'], /^rules\[0\]: Expected an object$/],
    [[{ channels: 'a' }], /^rules\[0\]\.allow: Expected a list of read, publish, end, drop, inspect$/],
    [[{ channels: 'a', allow: [] }], /^rules\[0\]\.allow: /],
    [[{ channels: 'a', allow: 'read' }], /^rules\[0\]\.allow: /],
    [[{ channels: 'a', allow: ['write'] }], /^rules\[0\]\.allow: /],
    [[{ channels: 'a', allow: ['health'] }], /^rules\[0\]\.allow: /],
    [[{ allow: ['read'] }], /^rules\[0\]: Expected a member "channels"$/],
    [[{ allow: ['inspect'] }, { allow: ['read', 'inspect'] }], /^rules\[1\]: Expected a member "channels"$/],
    [[{ channels: '**', allow: ['inspect'] }], /^rules\[0\]\.channels: .*leave the channels out$/],
    [[{ channels: [], allow: ['read'] }], /^rules\[0\]\.channels: Expected at least one/],
    [[{ channels: ['a', 'a..b'], allow: ['read'] }], /^rules\[0\]\.channels\[1\]: .*empty level/],
    [
      [{ channels: 'user.{sub}x', allow: ['read'] }],
      /^rules\[0\]\.channels: .*`\{sub\}` must be a whole level/,
    ],
    [[{ channels: 'user.{name}', allow: ['read'] }], /^rules\[0\]\.channels: Expected a channel pattern/],
    [[{ channels: 1, allow: ['read'] }], /^rules\[0\]\.channels: Expected a name or pattern/],
    [
      [{ channels: 'a', allow: ['read'], to: 'alice' }],
      /^rules\[0\]\.to: Expected "anyone", "known" or a list/,
    ],
    [[{ channels: 'a', allow: ['read'], to: [] }], /^rules\[0\]\.to: /],
    [[{ channels: 'a', allow: ['read'], to: [''] }], /^rules\[0\]\.to: /],
    [
      [{ channels: 'a', allow: ['read'], For: [''] }],
      /^rules\[0\]\.For: No such member\. There are channels, allow, to$/,
    ],
    [
      JSON.parse('[{"channels":"a","allow":["read"],"__proto__":{}}]'),
      /^rules\[0\]\.__proto__: No such member/,
    ],
  ] as readonly (readonly [unknown, RegExp])[])
    test(`${JSON.stringify(rules)} is refused with its place`, () => {
      assert.throws(() => checkRules(rules), { name: 'RuleError', message: line })
    })

  test('a template is a name or a pattern, with {sub} for whole levels', () => {
    for (const template of ['a', '**', 'a.*', '{sub}', 'a.{sub}.**', '$hub.{sub}']) checkTemplate(template)
    for (const template of ['', 'a.', '{sub', '{sub}{sub}', 'a{sub}', '**.{sub}', '${sub}'])
      assert.throws(() => checkTemplate(template), { name: 'RuleError' }, template)
  })
})
