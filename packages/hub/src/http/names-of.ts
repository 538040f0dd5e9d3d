/** What a path below `/channels/` names. Pure. */
import { Problem } from './problem.ts'

/** Its names and patterns. @throws {Problem} `invalid-channel` for what is no percent-encoding */
export function namesOf(path: string): readonly string[] {
  try {
    // No name holds a comma, so an encoded one separates too.
    return decodeURIComponent(path.slice('/channels/'.length)).split(',')
  } catch {
    throw new Problem(
      'invalid-channel',
      'Expected channel names, percent-encoded as UTF-8, got something else',
    )
  }
}
