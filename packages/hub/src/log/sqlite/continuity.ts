/** Whether a log that is opened is what it was when it was last acknowledged to anyone. Pure. */
import type { Guard } from './guard-file.ts'

export interface Found {
  /** The log's own name. */
  readonly log: string
  readonly frontier: number
  readonly guard: { readonly guard: Guard; readonly changed: number } | undefined
  readonly boot: string
}

/** A file that was written is dated within this of the time that was written into it; a copy of it is not. */
const SLACK_MS = 10_000

/**
 * Why acknowledged events may have been forgotten, in a few words; undefined when all that was acknowledged is there. A false
 * alarm costs nothing but other ids: cursors up to the frontier stay good.
 */
export function whatBroke({ log, frontier, guard: found, boot }: Found): string | undefined {
  if (found === undefined) return 'its guard file is missing'
  const { guard, changed } = found
  if (guard.log !== log) return 'its guard file is that of another log'
  if (guard.position > frontier)
    return `it ends at position ${frontier}, and ${guard.position} was acknowledged`
  if (Math.abs(changed - guard.time) > SLACK_MS) return 'its files were copied'
  if (!guard.clean && guard.durability === 'os' && (guard.boot !== boot || boot === '')) {
    return 'the machine went down, and the log was not synced'
  }
  return undefined
}
