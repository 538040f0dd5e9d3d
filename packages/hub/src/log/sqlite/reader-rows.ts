/** From rows of the database to what a page is made of. Pure. */
import type { SQLOutputValue } from 'node:sqlite'
import type { Losses } from '../gap.ts'
import type { Limit, LogEvent } from '../log.ts'
import type { LaneEvent } from './lanes.ts'

export type Row = Readonly<Record<string, SQLOutputValue>>

/** A row without the names of its columns. */
export type Columns = readonly SQLOutputValue[]

/** What was found, and whether there is more. */
export interface Found {
  readonly found: readonly LaneEvent[]
  readonly more: boolean
}

/** Takes what fits into a page, and sees whether there is one more. */
export class PageBuilder {
  readonly #limit: Limit
  readonly #found: LaneEvent[] = []
  #bytes = 0
  #more = false

  constructor(limit: Limit) {
    this.#limit = limit
  }

  /** False: this one did not fit any more. */
  add(event: LaneEvent): boolean {
    this.#bytes += event.size
    const fits =
      this.#found.length < this.#limit.events &&
      (this.#bytes <= this.#limit.bytes || this.#found.length === 0)
    if (fits) this.#found.push(event)
    else this.#more = true
    return fits
  }

  get taken(): Found {
    return { found: this.#found, more: this.#more }
  }
}

export function lossesOf(row: Row): Losses {
  return {
    trimmedTo: Number(row.trimmed_to),
    deletedTo: Number(row.deleted_to),
    unknownTo: Number(row.unknown_to),
    loss: Number(row.loss),
  }
}

/** Of a statement that returns its rows as arrays. */
export function columns(rows: unknown): readonly Columns[] {
  return rows as readonly Columns[]
}

export function laneEvent(position: unknown, size: unknown, channel: unknown): LaneEvent {
  return { position: Number(position), size: Number(size), channel: Number(channel) }
}

/** A row of the query `events`. */
export function logEvent(channel: string, [position, previous, time, type, data]: Columns): LogEvent {
  const at = {
    kind: 'event',
    channel,
    position: Number(position),
    previous: Number(previous),
    time: Number(time),
  } as const
  return type === null ? { ...at, data: String(data) } : { ...at, type: String(type), data: String(data) }
}
