/** A channel as `GET /channels` lists it, and as `$hub.channels` tells it. Pure. */
import { formatCursor } from '@downlink/wire'
import type { ChannelInfo } from '../log/log.ts'
import { finite, type Retention } from '../log/retention.ts'

export interface ListedChannel {
  readonly name: string
  /** Cursors: of the newest event, kept or not, and of the oldest that is kept. */
  readonly head: string
  readonly oldest?: string
  /** When the oldest and the newest event kept came: RFC 3339. */
  readonly oldestTime?: string
  readonly newestTime?: string
  readonly events: number
  /** UTF-16 units of the data kept. */
  readonly bytes: number
  readonly ended: boolean
  /** What is kept of it at most: events, their age in milliseconds, UTF-16 units of data. A limit that there is not is left out. */
  readonly retention?: Partial<Retention>
}

export function listedChannel(
  info: ChannelInfo,
  epoch: string,
  retention: Retention | undefined,
): ListedChannel {
  const { name, head, oldest, oldestTime, newestTime, events, bytes, ended } = info
  const cursor = (position: number): string => formatCursor({ epoch, position })
  return {
    name,
    head: cursor(head),
    ...(oldest !== undefined && { oldest: cursor(oldest) }),
    ...(oldestTime !== undefined && { oldestTime: new Date(oldestTime).toISOString() }),
    ...(newestTime !== undefined && { newestTime: new Date(newestTime).toISOString() }),
    events,
    bytes,
    ended,
    ...(retention && { retention: finite(retention) }),
  }
}
