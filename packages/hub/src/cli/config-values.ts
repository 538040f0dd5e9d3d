/** How members of the configuration are read: each with its place, for messages. Pure. */
import { InvalidArgumentError } from 'commander'
import { RuleError } from '../auth/check-rules.ts'
import { KeyError } from '../auth/key-settings.ts'
import { AmountError } from './amounts.ts'

/** The message names the place: `retention[0].age: Expected …`. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError'
}

export type Read = (value: unknown, place: string) => unknown

export function objectOf(
  value: unknown,
  place: string,
  members: Readonly<Record<string, Read>>,
): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new ConfigError(`${place === '' ? '' : `${place}: `}Expected an object`)
  }
  const read: Record<string, unknown> = {}
  for (const [name, member] of Object.entries(value)) {
    const at = place === '' ? name : `${place}.${name}`
    if (!Object.hasOwn(members, name)) {
      throw new ConfigError(`${at}: No such member. There are ${Object.keys(members).join(', ')}`)
    }
    read[name] = (members[name] as Read)(member, at)
  }
  return read
}

export function listOf<T>(
  value: unknown,
  place: string,
  read: (value: unknown, place: string) => T,
): readonly T[] {
  if (!Array.isArray(value)) throw new ConfigError(`${place}: Expected a list`)
  return value.map((one: unknown, index) => read(one, `${place}[${index}]`))
}

export function stringOf(value: unknown, place: string): string {
  if (typeof value === 'string') return value
  throw new ConfigError(`${place}: Expected a string`)
}

export function booleanOf(value: unknown, place: string): boolean {
  if (typeof value === 'boolean') return value
  throw new ConfigError(`${place}: Expected true or false`)
}

export function nonEmpty(value: unknown, place: string): string {
  const text = stringOf(value, place)
  if (text !== '') return text
  throw new ConfigError(`${place}: Expected the path of a file`)
}

/** What the flags or the library would say, with its place. */
export function said<T>(place: string, read: () => T): T {
  try {
    return read()
  } catch (error) {
    if (error instanceof RuleError) throw new ConfigError(error.message)
    const known = [AmountError, KeyError, InvalidArgumentError].some((kind) => error instanceof kind)
    if (!known) throw error
    throw new ConfigError(`${place}: ${(error as Error).message}`)
  }
}
