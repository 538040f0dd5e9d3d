/** When two calls of the hooks mean the same subscription. */
import type { EventStoreOptions } from '../store/event-store.ts'
import type { Parse } from '../subscribe/schema.ts'

export interface UseEventsOptions extends Omit<EventStoreOptions, 'signal' | 'lingerMs'> {
  /**
   * Keeps apart what looks the same: calls that differ in nothing but what a function does share one subscription. Name the user here
   * when `headers` is a function, or with `share`, and who is logged in can change while the page lives.
   */
  readonly key?: string | undefined
}

/** Functions and objects with methods are made anew by each rendering: that there is one is what counts, not which. */
const present = (value: unknown): unknown =>
  typeof value === 'function' || typeof value === 'object' ? 'own' : value
const itself = (value: unknown): unknown => value

/** One for each option, so that none can be forgotten. */
const WORDS: { readonly [Name in keyof Required<UseEventsOptions>]: (value: never) => unknown } = {
  key: itself,
  keep: itself,
  transport: itself,
  hub: itself,
  headers: (value: NonNullable<UseEventsOptions['headers']>) =>
    typeof value === 'function' ? 'own' : Array.from(new Headers(value)),
  credentials: itself,
  fetch: present,
  after: itself,
  last: itself,
  resume: present,
  whenHidden: itself,
  maxAttempts: itself,
  share: present,
  parse: (value: Parse) =>
    isMap(value) ? entries(value).map(([type, each]) => [type, present(each)]) : present(value),
  queue: itself,
  limits: (value: object) => entries(value),
}

/** The same text for calls that may share a subscription, whatever rendering they are from. */
export function shapeOf(url: string | URL, options: UseEventsOptions): string {
  const words = entries(WORDS).map(([name, word]) => {
    const value = options[name as keyof UseEventsOptions]
    return value === undefined ? null : [name, word(value as never)]
  })
  return JSON.stringify([String(url), ...words.filter(Boolean)])
}

const numbers = new WeakMap<object, number>()
let given = 0

/** Tells schemas apart, which `shapeOf` does not: two of them must not share what one has parsed. */
export function schemasOf(parse: UseEventsOptions['parse']): string {
  if (typeof parse !== 'object' && typeof parse !== 'function') return ''
  const schemas = isMap(parse) ? entries(parse).map(([, each]) => each) : [parse]
  return schemas.map((schema) => (typeof schema === 'string' ? schema : numberOf(schema as object))).join()
}

function numberOf(schema: object): number {
  const number = numbers.get(schema) ?? (given += 1)
  numbers.set(schema, number)
  return number
}

/** Whether it is one schema for each type. */
const isMap = (parse: Parse): parse is Extract<Parse, object> =>
  typeof parse === 'object' && !('~standard' in parse)

const entries = <Value>(object: { readonly [name: string]: Value } | object): [string, Value][] =>
  Object.entries(object).sort(([a], [b]) => (a < b ? -1 : 1)) as [string, Value][]
