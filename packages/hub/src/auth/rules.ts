/**
 * Who may do what to which channels: rules and what a token claims, made into rights, and rights asked about channels. Pure.
 *
 * A part of a request (a name, or a pattern of a read) is covered when ONE grant covers all that it may ever match. Two grants
 * that cover it only together do not: nobody should have to add up patterns to know what a reader sees.
 */
import { coversPart } from '@downlink/wire'
import type { Action } from './authorize.ts'

export const CHANNEL_ACTIONS = ['read', 'publish', 'end', 'drop'] as const
export const RULE_ACTIONS = [...CHANNEL_ACTIONS, 'inspect'] as const

type ChannelAction = (typeof CHANNEL_ACTIONS)[number]
export type RuleAction = (typeof RULE_ACTIONS)[number]

export interface Rule {
  /**
   * Names and patterns, such as `news.**`. A level that is `{sub}` stands for the caller's subject: `user.{sub}.**`. Channels
   * that begin with `$` are the hub's own, and only granted by what begins with `$` too. Needless when only `inspect` is allowed.
   */
  readonly channels?: string | readonly string[]
  readonly allow: readonly RuleAction[]
  /** `anyone`, `known` (who has a valid token) or a list of subjects. Default `known`. */
  readonly to?: 'anyone' | 'known' | readonly string[]
}

/** What a token claims besides what the rules say: names, patterns and templates as in rules. */
export type ClaimedRights = Readonly<Partial<Record<ChannelAction, readonly string[]>>> & {
  readonly inspect?: boolean
}

export interface Caller {
  /** `''` when the token has none, and for who has no token. */
  readonly subject: string
  /** Whether there was a valid token. */
  readonly known: boolean
  readonly claims?: ClaimedRights
}

/** What a caller may do: names and patterns. */
export interface Rights {
  readonly read: readonly string[]
  readonly publish: readonly string[]
  readonly end: readonly string[]
  readonly drop: readonly string[]
  readonly inspect: boolean
}

/** What a caller may do: all that rules and token grant, together. */
export function rightsOf(rules: readonly Rule[], caller: Caller): Rights {
  const granted: Record<ChannelAction, Set<string>> = {
    read: new Set(),
    publish: new Set(),
    end: new Set(),
    drop: new Set(),
  }
  const grant = (action: ChannelAction, templates: readonly string[]): void => {
    for (const template of templates) {
      const pattern = expand(template, caller.subject)
      if (pattern !== undefined) granted[action].add(pattern)
    }
  }
  let inspect = caller.claims?.inspect === true
  for (const rule of rules) {
    if (!isFor(rule, caller)) continue
    for (const action of rule.allow) {
      if (action === 'inspect') inspect = true
      else grant(action, listOf(rule.channels))
    }
  }
  for (const action of CHANNEL_ACTIONS) grant(action, caller.claims?.[action] ?? [])
  const { read, publish, end, drop } = granted
  return { read: [...read], publish: [...publish], end: [...end], drop: [...drop], inspect }
}

/** Whether these rights are enough for a request. With no channels: whether there is any that it could be about. */
export function covers(rights: Rights, action: Action, parts: readonly string[]): boolean {
  return action === 'health' || missing(rights, action, parts) === undefined
}

/** The first part that is not covered; `''` when that is the action itself. */
export function missing(rights: Rights, action: Action, parts: readonly string[]): string | undefined {
  switch (action) {
    case 'health':
      return undefined
    case 'inspect':
      return rights.inspect ? undefined : ''
    default: {
      const granted = rights[action]
      const inspects = action === 'read' && rights.inspect
      if (parts.length === 0) return granted.length > 0 || inspects ? undefined : ''
      return parts.find(
        (part) =>
          !granted.some((rule) => coversPart(rule, part)) &&
          // Who may look inside of the hub may read what it says of itself.
          !(inspects && part.startsWith('$')),
      )
    }
  }
}

function isFor({ to = 'known' }: Rule, { subject, known }: Caller): boolean {
  if (to === 'anyone') return true
  if (to === 'known') return known
  return known && to.includes(subject)
}

export const SUBJECT = '{sub}'
/** A level of a channel's name. A dot or a star would make more of it than one level, a dollar a channel of the hub's own. */
const LEVEL = /^[A-Za-z0-9_\-~:]+$/
const LONGEST = 255

/** A template with the caller's subject in it; undefined when that is no level, and so the template matches nothing. */
export function expand(template: string, subject: string): string | undefined {
  if (!template.includes(SUBJECT)) return template
  if (!LEVEL.test(subject)) return undefined
  const pattern = template
    .split('.')
    .map((level) => (level === SUBJECT ? subject : level))
    .join('.')
  return pattern.length <= LONGEST ? pattern : undefined
}

function listOf(channels: string | readonly string[] | undefined): readonly string[] {
  return channels === undefined ? [] : typeof channels === 'string' ? [channels] : channels
}
