/** Whether a log that is opened is what it was when it was last acknowledged to anyone. Pure. */
import type { FoundGuard } from './guard-file.ts'

export interface Found {
  /** The log's own name. */
  readonly log: string
  readonly frontier: number
  readonly guard: FoundGuard | undefined
  readonly boot: string
}

/**
 * A file that was written is dated within this of the time that was written into it. A copy of it is dated later, but not by much when
 * it was made while the hub ran: that one is known by being another file.
 */
const SLACK_MS = 2_000

/**
 * Why acknowledged events may have been forgotten, in a few words; undefined when all that was acknowledged is there. A false
 * alarm costs nothing but other ids: cursors up to the frontier stay good.
 */
export function whatBroke({ log, frontier, guard: found, boot }: Found): string | undefined {
  if (found === undefined) return 'its guard file is missing'
  const { guard, changed, file } = found
  if (guard.log !== log) return 'its guard file is that of another log'
  if (guard.position > frontier)
    return `it ends at position ${frontier}, and ${guard.position} was acknowledged`
  if (file !== guard.file || Math.abs(changed - guard.time) > SLACK_MS) return 'its files were copied'
  if (!guard.clean && guard.durability === 'os' && (guard.boot !== boot || boot === '')) {
    return 'the machine went down, and the log was not synced'
  }
  return undefined
}
