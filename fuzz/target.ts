/** What is fuzzed: how an input is made, and what must hold for every input. */
import type { Random } from './random.ts'

/** Inputs are strings, numbers, bytes, and lists and objects of these: so any of them can be made smaller and printed. */
export interface Target<Input = unknown> {
  readonly name: string
  /** One sentence: what holds for every input. */
  readonly claim: string
  /** How many a full run takes. */
  readonly count: number
  /** Of the short form in `npm test`. */
  readonly short: number
  /** Taken as they are before the random ones. What a run once failed on is added here. */
  readonly corpus: readonly Input[]
  make(random: Random): Input
  /**
   * Throws when something does not hold. Must not keep anything from one input to the next.
   *
   * @returns what became of it, such as `accepted` or a code: a run counts them, so that nobody takes a million refusals of
   * the same kind for a test.
   */
  check(input: Input): string | Promise<string>
}

/** @throws {Error} unless it holds */
export function must(holds: boolean, what: string): asserts holds {
  if (!holds) throw new Error(what)
}

/** What it gives, or the code of its error. @throws what is no error of this class */
export function outcome<T>(
  work: () => T,
  expected: abstract new (...args: never[]) => Error & { readonly code: string },
): { readonly value: T } | { readonly code: string; readonly error: Error } {
  try {
    return { value: work() }
  } catch (error) {
    if (!(error instanceof expected)) throw error
    mustBeShort(error.message)
    return { code: error.code, error }
  }
}

/** An error's text never echoes input without a bound, and never a character that could forge a line of a log. */
export function mustBeShort(message: string): void {
  must(message.length < 700, 'an error echoes more than a little of its input')
  // oxlint-disable-next-line no-control-regex
  must(!/[\0-\x1f\x7f]/.test(message), 'an error holds a control character')
}

const clean = Object.getOwnPropertyNames(Object.prototype).length

/** Whether an input has left something on the prototype of all objects. */
export function mustNotPollute(): void {
  must(Object.getOwnPropertyNames(Object.prototype).length === clean, 'Object.prototype has a new member')
}
