/** Small JSON bodies: one object, and nothing in it that is not known. */
import type { HttpRequest } from './message.ts'
import { Problem } from './problem.ts'

/** Bytes: 64 channels with room to spare. */
const LIMIT = 32 * 1024

const utf8 = new TextDecoder('utf-8', { fatal: true })

/** An empty body is an empty object. @throws {Problem} `invalid-json`, and what a body may meet */
export async function jsonBody(
  request: HttpRequest,
  known: readonly string[],
): Promise<Readonly<Record<string, unknown>>> {
  const bytes = await request.body(LIMIT)
  if (bytes.length === 0) return {}
  let value: unknown
  try {
    value = JSON.parse(utf8.decode(bytes))
  } catch {
    throw expected(`a JSON object in UTF-8`)
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw expected('a JSON object')
  if (!Object.keys(value).every((name) => known.includes(name)))
    throw expected(`a JSON object with no other members than ${known.join(', ')}`)
  return value as Record<string, unknown>
}

export function expected(what: string): Problem {
  return new Problem('invalid-json', `Expected ${what} in the body, got something else`)
}
