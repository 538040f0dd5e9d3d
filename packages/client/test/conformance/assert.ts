/** Asserting without a runtime's library. */

export class Failure extends Error {}

export function ok(value: unknown, message: string): asserts value {
  if (!value) throw new Failure(message)
}

/** Deep equality of JSON values; primitives by `Object.is`. */
export function same(actual: unknown, expected: unknown, message = 'the value'): void {
  if (Object.is(actual, expected)) return
  const [is, should] = [show(actual), show(expected)]
  if (is === should && typeof actual === 'object' && typeof expected === 'object') return
  throw new Failure(`${message}: expected ${clip(should)}, got ${clip(is)}`)
}

export function throws(action: () => unknown, holds: (error: unknown) => boolean, message: string): void {
  try {
    action()
  } catch (error) {
    if (holds(error)) return
    throw new Failure(`${message}: threw ${String(error)}`, { cause: error })
  }
  throw new Failure(`${message}: did not throw`)
}

export function throwsTypeError(action: () => unknown, message: string): void {
  throws(action, (error) => error instanceof TypeError, `${message} throws a TypeError`)
}

export function show(value: unknown): string {
  if (value === undefined) return 'undefined'
  if (typeof value === 'function') return `function ${value.name}`
  if (typeof value === 'symbol' || typeof value === 'bigint') return String(value)
  return JSON.stringify(value)
}

const clip = (text: string): string => (text.length > 400 ? `${text.slice(0, 400)}… (${text.length})` : text)
