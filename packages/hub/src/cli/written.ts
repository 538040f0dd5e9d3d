/** Writes to standard output as fast as it is read. */
import type { Writable } from 'node:stream'
import { codeOf, Failure, reasonOf } from './failure.ts'

/** Waits until it is written: a slow terminal slows the reading down. False when nobody reads it any more. @throws {Failure} */
export async function written(stdout: Writable, text: string): Promise<boolean> {
  const error = await new Promise<Error | null | undefined>((resolve) => stdout.write(text, resolve))
  if (!error) return true
  const code = codeOf(error)
  if (code === 'EPIPE' || code === 'ERR_STREAM_DESTROYED') return false
  throw new Failure(`Standard output can't be written: ${reasonOf(error)}`, { cause: error })
}
