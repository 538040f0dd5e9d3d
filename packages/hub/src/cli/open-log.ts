/** Opens the log of `downlink serve`. */
import { resolve } from 'node:path'
import { LogError, type Log } from '../log/log.ts'
import { MemoryLog } from '../log/memory.ts'
import type { Settings } from './config.ts'
import { Failure, oneLine, reasonOf } from './failure.ts'
import { DEFAULT_PLACE } from './log-place.ts'
import { limitOptions } from './serve-limits.ts'
import { hushExperimentalWarnings } from './quiet.ts'

export interface OpenLog {
  readonly log: Log
  /** Where it is and what is in it, for people: one line, or two. */
  readonly about: string
}

/** @throws {Failure} */
export async function openLog(settings: Settings): Promise<OpenLog> {
  const { log: place = DEFAULT_PLACE, durability, retention, forget } = settings
  const fullBytes = limitOptions(settings.limits).log
  const kept = {
    ...(retention && { retention }),
    ...(forget !== undefined && { forget }),
    ...(fullBytes !== undefined && fullBytes < Infinity && { fullBytes }),
  }
  try {
    if (place.engine === 'memory') {
      return { log: new MemoryLog(kept), about: 'Events live in memory: they are gone when it stops.' }
    }
    hushExperimentalWarnings()
    const { SqliteLog } = await import('../log/sqlite/sqlite-log.ts')
    const { inspect } = await import('../log/sqlite/inspect.ts')
    const path = resolve(place.path)
    const log = await SqliteLog.open({ path, ...(durability && { durability }), ...kept })
    const { channels, events } = inspect(path)
    const about = `Events live in ${path} (${amount(channels, 'channel')}, ${amount(events, 'event')}).`
    return { log, about: log.broke === undefined ? about : `${about}\n${broken(log.broke)}` }
  } catch (error) {
    if (error instanceof LogError) throw new Failure(oneLine(error.message), { cause: error })
    const where = place.engine === 'memory' ? 'in memory' : place.path
    throw new Failure(`The log ${where} can't be opened: ${reasonOf(error)}`, { cause: error })
  }
}

function broken(why: string): string {
  return `Events may have been forgotten since it was last open: ${why}. Readers who saw such events are told a gap.`
}

/** `1,000 events` */
export function amount(count: number, what: string): string {
  return `${count.toLocaleString('en')} ${what}${count === 1 ? '' : 's'}`
}
