/** Cursors: what is one is decided by a definition of its own here, and nothing else is ever taken for one. */
import { formatCursor, parseCursor, WireError } from '@downlink/wire'
import { mutateText, NASTY } from '../mutate.ts'
import type { Random } from '../random.ts'
import { must, outcome, type Target } from '../target.ts'

const LETTERS = 'ABCXYZabcxyz0189'
const CORPUS = [
  'k3Zq-42',
  '0-0',
  'a-9007199254740991',
  'a-9007199254740992',
  'a-9007199254740993',
  `${'a'.repeat(32)}-1`,
  `${'a'.repeat(33)}-1`,
  'a-01',
  'a--1',
  'a-1-2',
  'a-1e3',
  'a-0x1',
  'a- 1',
  'a-1\n',
  '',
  '-',
  'start',
  'now',
  '٣-٣',
  'a-٣',
]

export const cursor: Target<string> = {
  name: 'cursor',
  claim: 'A text is refused, or is the one cursor that is written the same again.',
  count: 10_000_000,
  short: 40_000,
  corpus: CORPUS,
  make(random) {
    if (random.oneIn(2)) return rightOne(random)
    if (random.oneIn(8)) return random.text([...NASTY, '-', 'a', '1'], 12)
    return mutateText(random, random.oneIn(3) ? random.pick(CORPUS) : rightOne(random), ['-', 'a-1', '-0'])
  },
  check(text) {
    const parsed = outcome(() => parseCursor(text), WireError)
    if ('code' in parsed) {
      must(parsed.code === 'invalid-cursor', 'the code is another')
      must(!isCursor(text), 'a cursor is refused')
      return 'refused'
    }
    must(isCursor(text), 'what is no cursor is taken')
    must(formatCursor(parsed.value) === text, 'it is written otherwise')
    return 'taken'
  },
}

function isCursor(text: string): boolean {
  const parts = text.split('-')
  if (parts.length !== 2) return false
  const [epoch, position] = parts as [string, string]
  if (epoch.length < 1 || epoch.length > 32) return false
  for (const letter of epoch)
    if (!isOneOf(letter, '0', '9') && !isOneOf(letter.toLowerCase(), 'a', 'z')) return false
  // K, which is the sign of the unit, and not the letter.
  if (epoch.includes('\u212a')) return false
  if (position === '' || position.split('').some((digit) => !isOneOf(digit, '0', '9'))) return false
  return BigInt(position) <= 2n ** 53n - 1n && String(BigInt(position)) === position
}

function isOneOf(letter: string, first: string, last: string): boolean {
  return letter.length === 1 && letter >= first && letter <= last
}

function rightOne(random: Random): string {
  const epoch = random.pick(['', 'k3Zq']) + random.text(LETTERS, 12)
  const position = random.below(2 ** (1 + random.below(53)))
  return `${epoch === '' ? 'e' : epoch}-${position}`
}

/** Cursors as an engine might have them, right and wrong. */
export const position: Target<{ readonly epoch: string; readonly position: number }> = {
  name: 'position',
  claim: 'A cursor that can be written is read again as it was; of all others none is written.',
  count: 1_000_000,
  short: 10_000,
  corpus: [
    { epoch: 'a', position: -0 },
    { epoch: 'a', position: Number.NaN },
    { epoch: 'a', position: Infinity },
    { epoch: 'a', position: 2 ** 53 },
    { epoch: 'a\n', position: 1 },
  ],
  make(random) {
    return {
      epoch: random.oneIn(2) ? `e${random.text(LETTERS, 40)}` : random.text([...NASTY, 'a'], 4),
      position: random.pick([1, -1, 0.5, 1e6]) * random.below(2 ** random.below(54)),
    }
  },
  check(given) {
    const written = outcome(() => formatCursor(given), WireError)
    if ('code' in written) {
      must(written.code === 'invalid-cursor', 'the code is another')
      return 'refused'
    }
    const { epoch, position } = parseCursor(written.value)
    must(epoch === given.epoch && position === given.position, 'it is read otherwise')
    must(/^[A-Za-z0-9-]{1,49}$/.test(written.value), 'it is not safe in a URL')
    return 'written'
  },
}
