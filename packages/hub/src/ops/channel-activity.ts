/** What has happened in which channel since somebody last asked. Pure. */
import type { LogRecord } from '../log/log.ts'

/** Of one channel. */
export interface ChannelChange {
  readonly name: string
  /** Events appended. */
  readonly events: number
  /** Their data, in UTF-16 units. */
  readonly bytes: number
  /** The newest event: its position, and its time in milliseconds since 1970. Absent: none came. */
  readonly head?: number
  readonly time?: number
  /** It has ended, and has not been used since. */
  readonly ended?: true
  /** It was erased; what is said beside this came after. */
  readonly erased?: true
}

interface Counting {
  events: number
  bytes: number
  head: number
  time: number
  ended: boolean
  erased: boolean
}

/** Channels counted between two takings; of those beyond it only how many records they had is known. */
export const MOST_CHANGED = 20_000

export class ChannelActivity {
  #channels = new Map<string, Counting>()
  #beyond = 0

  take(records: readonly LogRecord[]): void {
    for (const record of records) {
      const counting = this.#of(record.channel)
      if (counting === undefined) this.#beyond++
      else count(counting, record)
    }
  }

  /** Those that changed, in the order in which they first did, and how many records are not among them. Begins anew. */
  changes(): { readonly changes: readonly ChannelChange[]; readonly beyond: number } {
    const channels = this.#channels
    const beyond = this.#beyond
    this.#channels = new Map()
    this.#beyond = 0
    return { changes: Array.from(channels, ([name, counting]) => changeOf(name, counting)), beyond }
  }

  #of(name: string): Counting | undefined {
    const known = this.#channels.get(name)
    if (known || this.#channels.size >= MOST_CHANGED) return known
    const counting = { events: 0, bytes: 0, head: 0, time: 0, ended: false, erased: false }
    this.#channels.set(name, counting)
    return counting
  }
}

function count(counting: Counting, record: LogRecord): void {
  switch (record.kind) {
    case 'event':
      counting.events++
      counting.bytes += record.data.length
      counting.head = record.position
      counting.time = record.time
      break
    case 'end':
      counting.ended = true
      break
    case 'drop':
      Object.assign(counting, { events: 0, bytes: 0, head: 0, time: 0, ended: false, erased: true })
  }
}

function changeOf(name: string, { events, bytes, head, time, ended, erased }: Counting): ChannelChange {
  return {
    name,
    events,
    bytes,
    ...(events > 0 && { head, time }),
    ...(ended && { ended }),
    ...(erased && { erased }),
  }
}
