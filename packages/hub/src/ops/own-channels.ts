/**
 * The node's own channels, `$hub.…`: what goes on in it, told by the same means as everything else. They live in a log of
 * their own in memory, which is never read together with the other: a hub has one order, and these are none of its events.
 */
import { Hub } from '../hub.ts'
import type { Clock } from '../clock.ts'
import type { NewEvent } from '../log/log.ts'
import { MemoryLog } from '../log/memory.ts'

/** A sample a second; ten minutes of them are kept. */
export const VITALS = '$hub.vitals'
/** What changed in which channels. Told while somebody reads any of these channels. */
export const CHANNELS = '$hub.channels'
/** Who came, changed and left among the readers. Told as `$hub.channels` is. */
export const READERS = '$hub.readers'
/** What went wrong, and what was refused. */
export const TROUBLE = '$hub.trouble'

const RETENTION = [
  { channels: VITALS, count: 600 },
  { channels: TROUBLE, count: 200 },
  { channels: '$hub.*', count: 120, age: 120_000 },
]

/** Whether a name or pattern of a read is of the node's own channels. */
export function isOwn(part: string): boolean {
  return part.startsWith('$hub.')
}

/** @param report What went wrong where nobody could be told. */
export function ownHub(clock: Clock, report: (error: unknown) => void): Hub {
  const log = new MemoryLog({
    retention: RETENTION,
    maxBytes: 32 * 1024 * 1024,
    now: () => clock.now(),
    random: () => clock.random(),
  })
  return new Hub({ log, clock, onError: report, limits: { readers: 100 } })
}

/** Whether anybody reads them just now. */
export function isWatched({ delivery }: Hub): boolean {
  return delivery.readers + delivery.waiting > 0
}

export function tell(
  own: Hub,
  events: readonly { readonly channel: string; readonly value: unknown }[],
): void {
  if (events.length === 0) return
  const batch: NewEvent[] = events.map(({ channel, value }) => ({ channel, data: JSON.stringify(value) }))
  own.log.append(batch).catch(own.delivery.report)
}
