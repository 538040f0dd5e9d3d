/** Channel names and patterns, against definitions that are slow and hard to get wrong. */
import {
  checkChannel,
  checkPattern,
  coversPart,
  isPattern,
  matchesPattern,
  partsMeet,
  WireError,
} from '@downlink/wire'
import { mutateText, NASTY } from '../mutate.ts'
import type { Random } from '../random.ts'
import { must, outcome, type Target } from '../target.ts'

const CORPUS = [
  'orders',
  'orders.42',
  'A-Z_a~z:0.9',
  '$hub.clients',
  '$',
  '$*',
  '$**',
  '$.a',
  'a.$b',
  'a..b',
  '.',
  '',
  'a.*',
  'a.**',
  '**',
  '*.*',
  '*.**',
  'a.*.b',
  'a*',
  '***',
  '**.a',
  'a.**.b',
  'zürich',
  'a\n',
  'a'.repeat(255),
  'a'.repeat(256),
  `${'a.'.repeat(127)}a`,
  `${'*.'.repeat(127)}*`,
]
const LETTERS = 'ABYZabyz0189_-~:'.split('')

export const names: Target<string> = {
  name: 'names',
  claim: 'A text is a name, a pattern, or refused with the code for it; no name is a pattern with a star.',
  count: 1_000_000,
  short: 20_000,
  corpus: CORPUS,
  make(random) {
    if (random.oneIn(3)) return random.text([...LETTERS, '.', '.', '*', '$'], random.oneIn(20) ? 300 : 10)
    if (random.oneIn(10)) return random.text([...NASTY, 'a', '.'], 10)
    return mutateText(random, random.oneIn(2) ? random.pick(CORPUS) : somePattern(random), [
      '.',
      '*',
      '.**',
      '$',
    ])
  },
  check(text) {
    const name = outcome(() => checkChannel(text), WireError)
    const pattern = outcome(() => checkPattern(text), WireError)
    if ('value' in name) must(name.value === text, 'a name is changed')
    else must(name.code === 'invalid-channel', 'the code is another')
    if ('value' in pattern) must(pattern.value === text, 'a pattern is changed')
    else must(pattern.code === 'invalid-pattern', 'the code is another')
    must('value' in name === isName(text), 'what is a name is decided otherwise')
    must('value' in pattern === isRight(text), 'what is a pattern is decided otherwise')
    if ('value' in name) {
      must(!isPattern(text) && matchesPattern(text, text) && coversPart(text, text), 'a name is not itself')
      must(
        encodeURIComponent(text).replaceAll('%24', '$').replaceAll('%3A', ':') === text,
        'it is not safe in a path',
      )
      return 'name'
    }
    return 'value' in pattern ? 'pattern' : 'refused'
  },
}

interface Pair {
  readonly rule: string
  readonly part: string
}

export const patterns: Target<Pair> = {
  name: 'patterns',
  claim:
    'A rule covers a part of a read just when it matches every name that the part may ever match; two meet where one name matches both.',
  count: 1_000_000,
  short: 20_000,
  corpus: ['**', '*', '*.*', '*.**', 'a.**', 'a.*', '$hub.**', '$hub', 'a'].flatMap((rule, _, all) =>
    all.map((part) => ({ rule, part })),
  ),
  make(random) {
    const part = somePattern(random)
    const rule = random.oneIn(2) ? somePattern(random) : widened(random, part)
    return { rule, part }
  },
  check({ rule, part }) {
    // Made smaller, it may be none.
    if (!isRight(rule) || !isRight(part)) return 'no patterns'
    const covers = coversPart(rule, part)
    let all = true
    for (const name of witnesses(part, rule)) {
      must(
        matchesPattern(part, name) && naiveMatch(part, name),
        'a pattern does not match what it stands for',
      )
      const matches = matchesPattern(rule, name)
      must(matches === naiveMatch(rule, name), 'what a pattern matches is decided otherwise')
      all &&= matches
    }
    must(
      covers === all,
      covers ? 'a rule covers what it does not match' : 'a rule does not cover what it matches',
    )
    const meet = partsMeet(rule, part)
    must(meet === partsMeet(part, rule), 'one meets the other, and not the other the one')
    must(meet === haveCommonName(rule, part), 'whether two meet is decided otherwise')
    must(meet || !covers, 'what covers a part does not meet it')
    return covers ? 'covers' : meet ? 'meet' : 'do not meet'
  },
}

function isName(text: string): boolean {
  return !text.includes('*') && isRight(text)
}

function isRight(text: string): boolean {
  if (text.length > 255) return false
  const levels = text.split('.')
  return levels.every((level, index) => {
    if (level === '*') return true
    if (level === '**') return index === levels.length - 1
    // A `$` is a character of the first level, also its only one.
    const own = index === 0 && level.startsWith('$')
    return level !== '' && (own ? level.slice(1) : level).split('').every((letter) => OF_NAMES.has(letter))
  })
}

const OF_NAMES = new Set('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-~:')

/** Level by level, from the words of the protocol. */
function naiveMatch(pattern: string, name: string): boolean {
  const wanted = pattern.split('.')
  const levels = name.split('.')
  if (pattern.startsWith('*') && name.startsWith('$')) return false
  const rest = wanted.at(-1) === '**' ? wanted.slice(0, -1) : undefined
  if (rest === undefined && wanted.length !== levels.length) return false
  if (rest !== undefined && levels.length <= rest.length) return false
  return (rest ?? wanted).every((level, index) => level === '*' || level === levels[index])
}

/**
 * Names that stand for all that a part matches: a level that no rule has in place of each star, and one level or more of them
 * for two. A rule that matches these matches all, since nothing in it can tell them from others.
 */
function* witnesses(part: string, rule: string): Generator<string> {
  const plain = part.split('.').map((level) => (level === '*' ? 'unheard~of' : level))
  if (plain.at(-1) !== '**') return yield plain.join('.')
  for (let more = 1; more <= rule.split('.').length + 1; more++)
    yield [...plain.slice(0, -1), ...Array<string>(more).fill('unheard~of')].join('.')
}

/** One for each length: of each level the word that one of them wants, or else any. */
function haveCommonName(one: string, other: string): boolean {
  const levels = one.split('.')
  const others = other.split('.')
  const word = (level: string | undefined): string | undefined => (level?.startsWith('*') ? undefined : level)
  for (let length = 1; length <= Math.max(levels.length, others.length) + 1; length++) {
    const name = Array.from({ length }, (_, at) => word(levels[at]) ?? word(others[at]) ?? 'unheard~of').join(
      '.',
    )
    if (naiveMatch(one, name) && naiveMatch(other, name)) return true
  }
  return false
}

/** Of few words, so that two of them have to do with each other. */
function somePattern(random: Random): string {
  const levels = [
    random.pick(['a', 'b', '*', '$hub', 'orders', '$']),
    ...random.list(4, () => random.pick(['a', 'b', '*', '7'])),
  ]
  if (random.oneIn(3)) levels.push('**')
  if (random.oneIn(12)) levels.shift()
  return levels.join('.') || '**'
}

function widened(random: Random, part: string): string {
  const levels = part.split('.')
  const at = random.below(levels.length)
  if (random.oneIn(2)) return [...levels.slice(0, at), '**'].join('.')
  return levels.map((level, index) => (index === at && level !== '**' ? '*' : level)).join('.')
}
