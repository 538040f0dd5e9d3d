/** Times and sizes as people write them, and retention rules made of them. Pure. */
import { checkPattern, isPattern, checkChannel, WireError } from '@downlink/wire'
import type { RetentionRule } from '../log/retention.ts'

const SECONDS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3_600, d: 86_400 }
const BYTES: Readonly<Record<string, number>> = { B: 1, KB: 1024, MB: 1024 ** 2, GB: 1024 ** 3 }

/** What was written can't be meant. The message says what was expected, without a full stop. */
export class AmountError extends Error {
  override readonly name = 'AmountError'
}

/** Milliseconds of `90s`, `15m`, `12h`, `7d`, `1.5h`. @throws {AmountError} */
export function durationOf(text: string): number {
  const [, number = '', unit = ''] = /^(\d{1,9}(?:\.\d{1,3})?)([smhd])$/.exec(text) ?? []
  const ms = Number(number) * (SECONDS[unit] ?? Number.NaN) * 1000
  if (ms > 0) return ms
  throw new AmountError('Expected a time such as 90s, 15m, 12h or 7d')
}

/** A time, or 0. @throws {AmountError} */
export function forgetOf(text: string): number {
  if (/^0[smhd]?$/.test(text)) return 0
  return durationOf(text)
}

/** Of `10MB`, `1.5GB`, `512KB`, `4096B`; of 1,024 each. @throws {AmountError} */
export function bytesOf(text: string): number {
  const [, number = '', unit = ''] = /^(\d{1,9}(?:\.\d{1,3})?)(B|KB|MB|GB)$/.exec(text) ?? []
  const bytes = Math.floor(Number(number) * (BYTES[unit] ?? Number.NaN))
  if (bytes > 0) return bytes
  throw new AmountError('Expected a size such as 512KB, 10MB or 1GB')
}

/** @throws {AmountError} */
export function countOf(text: string): number {
  const count = /^\d{1,15}$/.test(text) ? Number(text) : 0
  if (count > 0) return count
  throw new AmountError('Expected a whole number of events, 1 or more')
}

const LIMITS: Readonly<Record<string, (text: string) => number>> = {
  count: countOf,
  age: durationOf,
  bytes: bytesOf,
}

/** One of the three limits of a rule; `none` lifts it. @throws {AmountError} */
export function limitOf(name: string, text: string): number {
  if (text === 'none') return Infinity
  try {
    return (LIMITS[name] as (text: string) => number)(text)
  } catch (error) {
    throw new AmountError(`${(error as Error).message}, or none for no limit`)
  }
}

/** `PATTERN=count:1000,age:7d,bytes:10MB`, each of the three at most once, or `PATTERN=none`. @throws {AmountError} */
export function ruleOf(text: string): RetentionRule {
  const [, channels = '', limits = ''] = /^([^=]*)=(.*)$/.exec(text) ?? []
  if (channels === '' || limits === '') {
    throw new AmountError('Expected a rule such as orders.**=count:1000,age:7d,bytes:10MB')
  }
  checkChannels(channels)
  if (limits === 'none') return { channels, count: Infinity, age: Infinity, bytes: Infinity }
  const rule: Record<string, number> = {}
  for (const limit of limits.split(',')) {
    const [, name = '', value = ''] = /^([a-z]+):(.+)$/.exec(limit) ?? []
    if (LIMITS[name] === undefined || rule[name] !== undefined) {
      throw new AmountError('Expected count:, age: and bytes:, each once at most, with commas between')
    }
    try {
      rule[name] = limitOf(name, value)
    } catch (error) {
      throw new AmountError(`${name}:${value}: ${(error as Error).message}`)
    }
  }
  return { channels, ...rule }
}

/** @throws {AmountError} */
export function checkChannels(channels: string): string {
  try {
    return isPattern(channels) ? checkPattern(channels) : checkChannel(channels)
  } catch (error) {
    if (!(error instanceof WireError)) throw error
    throw new AmountError(error.message)
  }
}
