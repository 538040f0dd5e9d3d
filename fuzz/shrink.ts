/** Makes an input smaller for as long as it still fails. */
import { joined } from './mutate.ts'

/** Tries, at most: a small input found after a minute is worth less than a larger one now. */
const TRIES = 3_000

export async function shrink<Input>(
  input: Input,
  fails: (input: Input) => boolean | Promise<boolean>,
): Promise<Input> {
  let best = input
  let left = TRIES
  for (let smaller = true; smaller && left > 0;) {
    smaller = false
    for (const candidate of smallerOf(best)) {
      if (left-- === 0) break
      if (!(await fails(candidate as Input))) continue
      best = candidate as Input
      smaller = true
      break
    }
  }
  return best
}

/** The boldest first. */
function* smallerOf(value: unknown): Generator {
  if (typeof value === 'string') {
    for (const [before, after] of partsLeft(value)) yield before + after
    for (let at = 0; at < value.length; at++)
      if (value[at] !== 'a') yield `${value.slice(0, at)}a${value.slice(at + 1)}`
  } else if (typeof value === 'number') {
    if (value !== 0) yield 0
    if (Math.abs(value) > 1) yield Math.trunc(value / 2)
  } else if (value instanceof Uint8Array) {
    for (const [before, after] of partsLeft(value)) yield joined(before, after)
    for (let at = 0; at < value.length; at++) if (value[at] !== 97) yield value.with(at, 97)
  } else if (Array.isArray(value)) {
    for (const [before, after] of partsLeft(value)) yield before.concat(after)
    for (const [at, item] of value.entries())
      for (const smaller of smallerOf(item)) yield value.with(at, smaller)
  } else if (typeof value === 'object' && value !== null) {
    for (const [name, member] of Object.entries(value))
      for (const smaller of smallerOf(member)) yield { ...value, [name]: smaller }
  }
}

/** What is before a part and after it, for parts of all sizes. */
function* partsLeft<T extends { readonly length: number; slice(from: number, to?: number): T }>(
  value: T,
): Generator<readonly [T, T]> {
  for (let size = value.length; size >= 1; size = Math.floor(size / 2))
    for (let at = 0; at < value.length; at += size) yield [value.slice(0, at), value.slice(at + size)]
}
