/** Rules as people write them, checked: a config file, or an embedder's options. Pure. */
import { checkPattern, WireError } from '@downlink/wire'
import { type Rule, RULE_ACTIONS, type RuleAction, SUBJECT } from './rules.ts'

/** The rule can't be meant. The message names the place: `rules[2].allow: Expected …`. */
export class RuleError extends Error {
  override readonly name = 'RuleError'
}

/** Returns the name, pattern or template when it is one. @throws {RuleError} */
export function checkTemplate(template: unknown): string {
  if (typeof template !== 'string') throw new RuleError('Expected a name or pattern of channels as a string')
  const levels = template.split('.')
  try {
    checkPattern(levels.map((level) => (level === SUBJECT ? 'x' : level)).join('.'))
    return template
  } catch (error) {
    if (!(error instanceof WireError)) throw error
    const hint = template.includes(SUBJECT) ? ' (`{sub}` must be a whole level, as in `user.{sub}.**`)' : ''
    throw new RuleError(error.message + hint)
  }
}

/** @throws {RuleError} */
export function checkRules(rules: unknown): readonly Rule[] {
  if (!Array.isArray(rules)) throw new RuleError('rules: Expected a list')
  return rules.map((rule: unknown, index) => checkRule(rule, `rules[${index}]`))
}

const MEMBERS = ['channels', 'allow', 'to']

function checkRule(rule: unknown, place: string): Rule {
  if (typeof rule !== 'object' || rule === null || Array.isArray(rule)) {
    throw new RuleError(`${place}: Expected an object`)
  }
  for (const member of Object.keys(rule)) {
    if (!MEMBERS.includes(member)) {
      throw new RuleError(`${place}.${member}: No such member. There are ${MEMBERS.join(', ')}`)
    }
  }
  const { channels, allow, to } = rule as { channels?: unknown; allow?: unknown; to?: unknown }
  const allowed = checkAllow(allow, `${place}.allow`)
  const templates = checkChannels(channels, `${place}.channels`)
  const inspectOnly = allowed.every((action) => action === 'inspect')
  if (inspectOnly && templates !== undefined) {
    throw new RuleError(`${place}.channels: \`inspect\` is for the whole hub: leave the channels out`)
  }
  if (!inspectOnly && templates === undefined) throw new RuleError(`${place}: Expected a member "channels"`)
  return {
    allow: allowed,
    ...(templates && { channels: templates }),
    ...(to !== undefined && { to: checkTo(to, `${place}.to`) }),
  }
}

function checkAllow(allow: unknown, place: string): readonly RuleAction[] {
  const actions: readonly unknown[] = RULE_ACTIONS
  if (Array.isArray(allow) && allow.length > 0 && allow.every((action) => actions.includes(action))) {
    return allow as readonly RuleAction[]
  }
  throw new RuleError(`${place}: Expected a list of ${RULE_ACTIONS.join(', ')}`)
}

function checkChannels(channels: unknown, place: string): string | readonly string[] | undefined {
  if (channels === undefined) return undefined
  if (!Array.isArray(channels)) return at(place, () => checkTemplate(channels))
  if (channels.length === 0) throw new RuleError(`${place}: Expected at least one name or pattern`)
  return channels.map((channel: unknown, index) => at(`${place}[${index}]`, () => checkTemplate(channel)))
}

function checkTo(to: unknown, place: string): 'anyone' | 'known' | readonly string[] {
  if (to === 'anyone' || to === 'known') return to
  if (Array.isArray(to) && to.length > 0 && to.every((one) => typeof one === 'string' && one !== ''))
    return to as readonly string[]
  throw new RuleError(`${place}: Expected "anyone", "known" or a list of subjects such as ["alice"]`)
}

function at<T>(place: string, check: () => T): T {
  try {
    return check()
  } catch (error) {
    if (!(error instanceof RuleError)) throw error
    throw new RuleError(`${place}: ${error.message}`)
  }
}
