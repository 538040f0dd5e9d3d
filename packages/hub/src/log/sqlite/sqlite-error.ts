/** What SQLite meets, in our words. */
import { LogError } from '../log.ts'

/** Primary result codes: https://sqlite.org/rescode.html */
const CODES = { busy: 5, readOnly: 8, io: 10, corrupt: 11, full: 13, cantOpen: 14, notADatabase: 26 }

/** A `LogError` that says what to do. What is no SQLite error comes back as it is. */
export function toLogError(error: unknown, path: string): unknown {
  const code = primaryCode(error)
  if (code === undefined) return error
  const cause = error as Error
  switch (code) {
    case CODES.full:
      return new LogError(
        'log-full',
        `The disk of ${path} is full: make room, and publishing goes on by itself`,
        { cause },
      )
    case CODES.busy:
      return new LogError(
        'log-unavailable',
        `${path} is locked by another process: stop it, or wait for it`,
        { cause },
      )
    case CODES.readOnly:
      return new LogError(
        'log-unavailable',
        `${path} can't be written: check the rights of the file and of its folder`,
        { cause },
      )
    case CODES.cantOpen:
      return new LogError(
        'log-unavailable',
        `${path} can't be opened: check that its folder exists and can be written`,
        { cause },
      )
    case CODES.corrupt:
    case CODES.notADatabase:
      return new LogError(
        'log-unavailable',
        `${path} is damaged (${cause.message}): look at it with \`downlink log verify\`, restore a backup, or move it away to begin anew`,
        { cause },
      )
    default:
      return new LogError('log-unavailable', `${path} can't be used (${cause.message})`, { cause })
  }
}

/** Whether the connection itself may be in a state that nobody knows, and is to be opened anew. */
export function isSerious(error: unknown): boolean {
  const code = primaryCode(error)
  return code === CODES.io || code === CODES.corrupt || code === CODES.notADatabase
}

function primaryCode(error: unknown): number | undefined {
  if (!(error instanceof Error) || !('errcode' in error) || typeof error.errcode !== 'number')
    return undefined
  return error.errcode & 0xff
}
