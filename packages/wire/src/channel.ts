import { WireError } from './error.ts'
import { quote } from './quote.ts'

const MAX_LENGTH = 255
const STAR = 42
const OUTSIDE_NAME = /[^A-Za-z0-9_\-~:.]/
const OUTSIDE_PATTERN = /[^A-Za-z0-9_\-~:.*]/

/** Whether a text that names what to read is a pattern (it has a `*`) and not the name of one channel. */
export function isPattern(text: string): boolean {
  return text.includes('*')
}

/**
 * Returns the name when it is one: 1-255 characters of `A-Z a-z 0-9 _ - ~ : .`, where `.` separates levels and no level
 * is empty. A `$` may stand at the very beginning: such names are the hub's own, and who may use them is not decided here.
 *
 * @throws {WireError} `invalid-channel`
 */
export function checkChannel(name: string): string {
  const problem =
    typeof name === 'string' && name.includes('*')
      ? 'has a "*": patterns are for reading only, name one channel'
      : problemOf(name, OUTSIDE_NAME)
  if (problem === undefined) return name
  throw new WireError('invalid-channel', `Expected a channel name, got ${quote(name)}, which ${problem}`)
}

/**
 * Returns the pattern when it is one: like a channel name, but a level may be `*` (exactly one level), and the last may be
 * `**` (one or more levels). A plain name is a pattern too: it matches itself.
 *
 * @throws {WireError} `invalid-pattern`
 */
export function checkPattern(pattern: string): string {
  const problem = problemOf(pattern, OUTSIDE_PATTERN) ?? problemOfStars(pattern)
  if (problem === undefined) return pattern
  throw new WireError(
    'invalid-pattern',
    `Expected a channel pattern, got ${quote(pattern)}, which ${problem}`,
  )
}

/**
 * Whether a channel's name matches a pattern; both have been checked. As in MQTT, a `*` or `**` in the first level never
 * matches a name that begins with `$`. Called for each event: one pass over both texts, and nothing is allocated.
 */
export function matchesPattern(pattern: string, name: string): boolean {
  if (name.startsWith('$') && !pattern.startsWith('$')) return false
  let at = 0
  for (let i = 0; i < pattern.length; i++) {
    if (pattern.charCodeAt(i) !== STAR) {
      if (pattern.charCodeAt(i) !== name.charCodeAt(at)) return false
      at++
      continue
    }
    if (pattern.charCodeAt(i + 1) === STAR) return true
    const dot = name.indexOf('.', at)
    at = dot === -1 ? name.length : dot
  }
  return at === name.length
}

/**
 * Whether a rule (a name or a pattern) covers all that a part of a read (a name or a pattern) may ever match; both have been
 * checked. `orders.**` covers `orders.*.done` and `orders.7`, `*` does not cover `**`.
 */
export function coversPart(rule: string, part: string): boolean {
  if (!isPattern(part)) return matchesPattern(rule, part)
  if (part.startsWith('$') && !rule.startsWith('$')) return false
  const wanted = part.split('.')
  const levels = rule.split('.')
  for (const [index, level] of levels.entries()) {
    const want = wanted[index]
    if (want === undefined) return false
    // The first level of a pattern never stands for a name of the hub's own.
    if (level === '**') return true
    if (want === '**' || (level !== '*' && level !== want)) return false
  }
  return levels.length === wanted.length
}

/** Whether there may be a channel that both match, each a name or a pattern; both have been checked. */
export function partsMeet(one: string, other: string): boolean {
  if (one.startsWith('$') !== other.startsWith('$')) return false
  const levels = one.split('.')
  const others = other.split('.')
  for (let index = 0; ; index++) {
    const level = levels[index]
    const another = others[index]
    if (level === undefined || another === undefined) return level === another
    if (level === '**' || another === '**') return true
    if (level !== another && level !== '*' && another !== '*') return false
  }
}

function problemOf(text: string, outside: RegExp): string | undefined {
  if (typeof text !== 'string') return 'is not a string'
  if (text === '') return 'is empty: give it 1 to 255 characters'
  if (text.length > MAX_LENGTH) return `is longer than ${MAX_LENGTH} characters: shorten it`
  const bare = text.startsWith('$') ? text.slice(1) : text
  const wrong = outside.exec(bare)
  if (wrong !== null) {
    if (wrong[0] === '$') return 'has a "$" that is not its first character: remove it'
    return `has ${quote(wrong[0])}: use only A-Z a-z 0-9 _ - ~ : and "." between levels`
  }
  if (text.split('.').includes(''))
    return 'has an empty level: put at least one character before, between and after dots'
  return undefined
}

function problemOfStars(pattern: string): string | undefined {
  const levels = pattern.split('.')
  for (let i = 0; i < levels.length; i++) {
    const level = levels[i]
    if (level === undefined || !level.includes('*') || level === '*') continue
    if (level !== '**') return 'has a "*" beside other characters: "*" must be a whole level, as in "a.*.b"'
    if (i < levels.length - 1)
      return 'has a "**" before its last level: put it last, or use "*" for one level'
  }
  return undefined
}
