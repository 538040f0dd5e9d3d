import { WireError } from './error.ts'
import { quote } from './quote.ts'

/** A place in the log of a hub: after the event at `position`, in the history that `epoch` names. */
export interface Cursor {
  /** 1-32 characters of `A-Z a-z 0-9`. */
  readonly epoch: string
  /** 0 (the start) to 2^53 - 1. */
  readonly position: number
}

const EPOCH = /^[A-Za-z0-9]{1,32}$/
const DIGITS = /^[0-9]+$/

/**
 * `epoch-position`, at most 49 characters, safe in URLs and, as a `Last-Event-ID`, safe for CORS.
 *
 * @throws {WireError} `invalid-cursor` when the epoch or the position is out of its range
 */
export function formatCursor(cursor: Cursor): string {
  checkEpoch(cursor.epoch)
  if (!Number.isSafeInteger(cursor.position) || cursor.position < 0) {
    throw invalid(
      `Expected the position of a cursor to be an integer from 0 to 2^53 - 1, got ${String(cursor.position)}`,
    )
  }
  return `${cursor.epoch}-${cursor.position}`
}

/**
 * Reads what `formatCursor` wrote, and nothing else: two different texts are never the same cursor.
 *
 * @throws {WireError} `invalid-cursor` for any other text
 */
export function parseCursor(text: string): Cursor {
  if (typeof text !== 'string') throw invalid(`Expected a cursor to be a string, got ${quote(text)}`)
  const dash = text.indexOf('-')
  if (dash === -1) throw invalid(`Expected a cursor like "epoch-42", got ${quote(text)}, which has no "-"`)
  const epoch = text.slice(0, dash)
  const digits = text.slice(dash + 1)
  checkEpoch(epoch)
  if (!DIGITS.test(digits)) {
    throw invalid(
      `Expected the position of a cursor, after the "-", to be decimal digits, got ${quote(digits)}`,
    )
  }
  if (digits.length > 1 && digits[0] === '0') {
    throw invalid(`Expected the position of a cursor to have no leading zeros, got ${quote(digits)}`)
  }
  const position = Number(digits)
  if (!Number.isSafeInteger(position)) {
    throw invalid(`Expected the position of a cursor to be at most 2^53 - 1, got ${quote(digits)}`)
  }
  return { epoch, position }
}

/** A hub writes the cursors of one epoch, one after another. */
let lastEpoch: string | undefined

function checkEpoch(epoch: string): void {
  if (epoch === lastEpoch) return
  if (typeof epoch === 'string' && EPOCH.test(epoch)) {
    lastEpoch = epoch
    return
  }
  throw invalid(`Expected the epoch of a cursor to be 1 to 32 characters of A-Z a-z 0-9, got ${quote(epoch)}`)
}

function invalid(message: string): WireError {
  return new WireError('invalid-cursor', message)
}
