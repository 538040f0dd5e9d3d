/** What flags and configuration say about limits (docs/limits.md): from text to amounts, and to the options of each part. Pure. */
import { InvalidArgumentError, Option } from 'commander'
import type { HttpLimits } from '../http/http-limits.ts'
import type { HubLimits } from '../hub-options.ts'
import {
  isLimitName,
  LIMIT_NAMES,
  type LimitName,
  LIMITS,
  type LimitSpec,
  type Unit,
} from '../limits/names.ts'
import { AmountError, bytesOf, durationOf } from './amounts.ts'

/** Bytes, milliseconds, numbers, numbers a second; Infinity for none. */
export type LimitSettings = Readonly<Partial<Record<LimitName, number>>>

const EXPECTED: Readonly<Record<Unit, string>> = {
  count: 'a whole number, 1 or more',
  bytes: 'a size such as 512KB, 10MB or 1GB',
  time: 'a time such as 30s or 5m',
  rate: 'a number a second, more than 0',
}

export function limitOption(): Option {
  return new Option(
    '--limit <limit>',
    "a limit, as 'streams=20000', 'body=4MB', 'wait=30s' or 'publishes-per-subject=none' (repeatable; " +
      'docs/limits.md has all of them)',
  ).argParser(limitValue)
}

export function limitValue(text: string, before: LimitSettings = {}): LimitSettings {
  const [, name = '', amount = ''] = /^([^=]*)=(.*)$/.exec(text) ?? []
  if (!isLimitName(name)) {
    throw new InvalidArgumentError(
      `Expected a limit such as streams=20000. There are ${LIMIT_NAMES.join(', ')}`,
    )
  }
  try {
    return { ...before, [name]: limitOfText(name, amount) }
  } catch (error) {
    if (!(error instanceof AmountError)) throw error
    throw new InvalidArgumentError(error.message)
  }
}

/** @throws {AmountError} */
export function limitOfText(name: LimitName, text: string): number {
  const { unit, none }: LimitSpec = LIMITS[name]
  if (none && text === 'none') return Infinity
  const amount = amountOf(unit, text)
  if (amount > 0) return amount
  throw expected(unit, none)
}

/** In JSON, counts and rates are numbers. @throws {AmountError} */
export function limitOfJson(name: LimitName, value: unknown): number {
  const { unit, none }: LimitSpec = LIMITS[name]
  const written = unit === 'bytes' || unit === 'time'
  if (written || value === 'none') return limitOfText(name, typeof value === 'string' ? value : '')
  if (typeof value === 'number' && value > 0 && value < 1e15 && (unit === 'rate' || Number.isInteger(value)))
    return value
  throw expected(unit, none)
}

function amountOf(unit: Unit, text: string): number {
  switch (unit) {
    case 'bytes':
      return orNothing(() => bytesOf(text))
    case 'time':
      // Timers run for some weeks at most.
      return /^\d{1,4}(?:\.\d{1,3})?[sm]$/.test(text) ? orNothing(() => durationOf(text)) : 0
    case 'count':
      return /^\d{1,15}$/.test(text) ? Number(text) : 0
    case 'rate':
      return /^\d{1,9}(?:\.\d{1,3})?$/.test(text) ? Number(text) : 0
  }
}

function orNothing(read: () => number): number {
  try {
    return read()
  } catch (error) {
    if (error instanceof AmountError) return 0
    throw error
  }
}

function expected(unit: Unit, none: boolean): AmountError {
  return new AmountError(`Expected ${EXPECTED[unit]}${none ? ', or none for no limit' : ''}`)
}

export interface LimitOptions {
  readonly hub: Partial<HubLimits>
  readonly http: Partial<HttpLimits>
  /** Bytes; undefined when nothing was said. */
  readonly log: number | undefined
}

/** As `createHub`, `serveHub` and the logs take them. */
export function limitOptions(settings: LimitSettings = {}): LimitOptions {
  const of = (part: 'hub' | 'http'): Record<string, number> => {
    const options: Record<string, number> = {}
    for (const name of LIMIT_NAMES) {
      const amount = settings[name]
      if (amount !== undefined && LIMITS[name].of === part) options[LIMITS[name].option] = amount
    }
    return options
  }
  return { hub: of('hub'), http: of('http'), log: settings.log }
}
