/** From rows of the database to what a page is made of. Pure. */
import type { SQLOutputValue } from 'node:sqlite'
import type { Losses } from '../gap.ts'
import type { Limit, LogEvent, Position } from '../log.ts'
import type { LaneEvent } from './lanes.ts'

export type Row = Readonly<Record<string, SQLOutputValue>>

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

export function laneEvent(row: Row, channel: number): LaneEvent {
  return { position: Number(row.position), size: Number(row.size), channel }
}

export function logEvent(position: Position, channel: string, row: Row): LogEvent {
  const at = {
    kind: 'event',
    channel,
    position,
    previous: Number(row.previous),
    time: Number(row.time),
  } as const
  return row.type === null
    ? { ...at, data: String(row.data) }
    : { ...at, type: String(row.type), data: String(row.data) }
}
