/** What SQLite meets, in our words. */
import { LogError } from '../log.ts'

/** Primary result codes: https://sqlite.org/rescode.html */
const CODES = { busy: 5, readOnly: 8, io: 10, corrupt: 11, full: 13, cantOpen: 14, notADatabase: 26 }

/** A `LogError` that says what to do. What is no SQLite error comes back as it is. */
export function toLogError(error: unknown, path: string): unknown {
  const code = noRoomForIndex(error) ? CODES.full : (primaryCode(error) ?? codeOfSystem(error))
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

/** SQLITE_IOERR_SHMSIZE: the index of the WAL could not grow. */
function noRoomForIndex(error: unknown): boolean {
  return error instanceof Error && 'errcode' in error && error.errcode === 4874
}

/** What a file beside the database met, as SQLite would say it. */
function codeOfSystem(error: unknown): number | undefined {
  if (!(error instanceof Error) || !('code' in error)) return undefined
  if (error.code === 'ENOSPC' || error.code === 'EDQUOT') return CODES.full
  if (error.code === 'EROFS' || error.code === 'EACCES' || error.code === 'EPERM') return CODES.readOnly
  return undefined
}

/** Whether the connection itself may be in a state that nobody knows, and is to be opened anew. */
export function isSerious(error: unknown): boolean {
  const code = primaryCode(error)
  return code === CODES.io || code === CODES.corrupt || code === CODES.notADatabase
}

/** Whether the file holds what it should not. */
export function isDamage(error: unknown): error is Error {
  const code = primaryCode(error)
  return code === CODES.corrupt || code === CODES.notADatabase
}

/** Whether it is that another connection holds the file. */
export function isBusy(error: unknown): boolean {
  return primaryCode(error) === CODES.busy
}

function primaryCode(error: unknown): number | undefined {
  if (!(error instanceof Error) || !('errcode' in error) || typeof error.errcode !== 'number')
    return undefined
  return error.errcode & 0xff
}
