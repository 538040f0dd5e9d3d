/** How much of a channel is kept. Pure: rules and names in, limits out. */
import { checkChannel, checkPattern, isPattern, matchesPattern } from '@downlink/wire'
import { LogError } from './log.ts'

/** What a channel keeps: the oldest events beyond any of the three are trimmed. */
export interface Retention {
  /** Events, at least 1. */
  readonly count: number
  /** Milliseconds: an event older than this is trimmed, even if it is the channel's last. */
  readonly age: number
  /** UTF-16 units of data. The newest event of a channel stays, even when it alone is larger. */
  readonly bytes: number
}

/** A field left out has the engine's default; `Infinity` lifts that limit. */
export interface RetentionRule extends Partial<Retention> {
  /** A channel name or a pattern. */
  readonly channels: string
}

/**
 * Of a log in memory: holds for a channel that no rule matches, and for what a rule leaves out. 10,000 events, 24 hours,
 * 64 Mi UTF-16 units.
 */
export const DEFAULT_RETENTION: Retention = { count: 10_000, age: 24 * 3_600_000, bytes: 64 * 1024 * 1024 }

/**
 * Of a log on disk, the same: 1,000,000 events, 30 days, 1 Gi UTF-16 units. A disk holds a hundred times what memory does, and who
 * chose a durable log means to come back after more than a day.
 */
export const DURABLE_RETENTION: Retention = {
  count: 1_000_000,
  age: 30 * 24 * 3_600_000,
  bytes: 1024 * 1024 * 1024,
}

/** An empty channel is remembered this long after its last activity: 7 days, in milliseconds. */
export const DEFAULT_FORGET = 7 * 24 * 3_600_000

/** As JSON, which has no `Infinity`: a limit that there is not is left out. */
export function finite(retention: Retention): Partial<Retention> {
  return Object.fromEntries(Object.entries(retention).filter(([, value]) => value < Infinity))
}

/** Rules in the order in which they are asked: the first that matches a channel holds for it, whole. */
export class RetentionRules {
  readonly #rules: readonly { readonly channels: string; readonly retention: Retention }[]
  readonly #defaults: Retention

  /** @throws {LogError} `retention-invalid`, for the first rule that can't be kept. */
  constructor(rules: readonly RetentionRule[] = [], defaults: Retention = DEFAULT_RETENTION) {
    this.#defaults = defaults
    this.#rules = rules.map((rule, index) => ({
      channels: checkChannels(rule, index),
      retention: complete(rule, index, defaults),
    }))
  }

  /** The same object for all channels under one rule. */
  for(channel: string): Retention {
    for (const { channels, retention } of this.#rules) {
      if (channels === channel || matchesPattern(channels, channel)) return retention
    }
    return this.#defaults
  }
}

/**
 * Returns the time after which an empty channel is forgotten, in milliseconds.
 *
 * @throws {LogError} `retention-invalid`
 */
export function checkForget(forget: number): number {
  if (forget >= 0) return forget
  throw new LogError('retention-invalid', `Expected \`forget\` to be milliseconds, 0 or more, got ${forget}`)
}

function complete(rule: RetentionRule, index: number, defaults: Retention): Retention {
  const { count = defaults.count, age = defaults.age, bytes = defaults.bytes } = rule
  const whole = { count, age, bytes }
  return {
    count: checkAmount(whole, index, 'count', 'a whole number of events, 1 or more', 1),
    age: checkAmount(whole, index, 'age', 'milliseconds, more than 0', Number.MIN_VALUE),
    bytes: checkAmount(whole, index, 'bytes', 'UTF-16 units of data, more than 0', Number.MIN_VALUE),
  }
}

function checkAmount(
  rule: Retention,
  index: number,
  field: keyof Retention,
  what: string,
  least: number,
): number {
  const value = rule[field]
  const whole = field !== 'count' || value === Infinity || Number.isInteger(value)
  if (typeof value === 'number' && value >= least && whole) return value
  const message = `Expected \`${field}\` of retention rule ${index + 1} to be ${what} (Infinity for no limit), got ${String(value)}`
  throw new LogError('retention-invalid', message)
}

function checkChannels(rule: RetentionRule, index: number): string {
  try {
    return isPattern(rule.channels) ? checkPattern(rule.channels) : checkChannel(rule.channels)
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause)
    throw new LogError('retention-invalid', `Retention rule ${index + 1} names no channels: ${why}`, {
      cause,
    })
  }
}
