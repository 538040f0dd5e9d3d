/** The query of a request: each parameter known, and given once. Pure. */
import type { LimitName } from '../limits/names.ts'
import { quoted, seen } from '../shown.ts'
import { Problem } from './problem.ts'

const NONE: ReadonlyMap<string, string> = new Map()

export class Query {
  readonly #values: ReadonlyMap<string, string> = NONE

  /** @throws {Problem} `unknown-parameter`, `repeated-parameter` */
  constructor(query: string, known: readonly string[]) {
    if (query === '') return
    const values = new Map<string, string>()
    for (const [name, value] of new URLSearchParams(query)) {
      const parameter = name.slice(0, 40)
      if (!known.includes(name)) {
        const list = known.length > 0 ? `this route knows ${known.join(', ')}` : 'this route knows none'
        throw new Problem('unknown-parameter', `Unknown parameter \`${seen(name, 40)}\`: ${list}`, {
          parameter,
        })
      }
      if (values.has(name)) {
        throw new Problem('repeated-parameter', `\`${parameter}\` is given twice: leave one out`, {
          parameter,
        })
      }
      values.set(name, value)
    }
    this.#values = values
  }

  text(name: string): string | undefined {
    return this.#values.get(name)
  }

  /** @param limited What limit `most` is. @throws {Problem} `invalid-parameter` */
  number(name: string, least: number, most: number, limited?: LimitName): number | undefined {
    const text = this.#values.get(name)
    if (text === undefined) return undefined
    const value = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN
    if (value >= least && value <= most) return value
    const expected = most === Infinity ? `of ${least} or more` : `from ${least} to ${most}`
    throw invalidParameter(name, `a whole number ${expected}`, text, most, value > most ? limited : undefined)
  }

  /** @throws {Problem} `invalid-parameter` */
  choice<C extends string>(name: string, choices: readonly C[]): C | undefined {
    const text = this.#values.get(name)
    if (text === undefined) return undefined
    const choice = choices.find((one) => one === text)
    if (choice !== undefined) return choice
    throw invalidParameter(name, choices.join(' or '), text)
  }

  /** A flag is there without a value, or with `true`. @throws {Problem} `invalid-parameter` */
  flag(name: string): boolean {
    const text = this.#values.get(name)
    if (text === undefined) return false
    if (text === '' || text === 'true') return true
    throw invalidParameter(name, 'no value at all', text)
  }
}

/** For routes that know no parameter. @throws {Problem} `unknown-parameter` */
export function refuseQuery(query: string): Query {
  return new Query(query, [])
}

export function invalidParameter(
  parameter: string,
  expected: string,
  got: string,
  limit = Infinity,
  limited?: LimitName,
): Problem {
  const members = { parameter, ...(limit < Infinity ? { limit } : {}) }
  const text = `Expected \`${parameter}\` to be ${expected}, got ${quoted(got, 80)}`
  return new Problem('invalid-parameter', text, members, {}, limited)
}
