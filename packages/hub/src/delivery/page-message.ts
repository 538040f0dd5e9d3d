/**
 * Records as pages, for transports that carry messages. What comes at once is one page, or as few as can be: a gap stands before
 * the events of its page, and no page is larger than one that is asked for. Pure.
 */
import { encodeGap, formatCursor, type Gap } from '@downlink/wire'
import type { LogRecord, Position } from '../log/log.ts'
import { dropGap } from './frame.ts'

/** Of one page: as much as a read may ask for, but one event however large. */
const PAGE = { events: 1_000, units: 1_048_576 }

/** A record with the JSON of its event. */
export interface Entry {
  readonly record: LogRecord
  readonly text: string
}

/** What a page says besides its events. */
export interface PageRest {
  readonly cursor: string
  /** Whether the next page is under way. */
  readonly more: boolean
  readonly retry?: number
  readonly heartbeat?: number
  readonly expires?: number
  readonly gap?: Gap | undefined
  readonly ended?: readonly string[]
}

/** @param events Their JSON, with commas between. */
export function pageText(events: string, rest: PageRest): string {
  const { cursor, more, retry, heartbeat, expires, gap, ended } = rest
  const members = JSON.stringify({ cursor, more, retry, heartbeat, expires })
  const gapMember = gap ? `,"gap":${encodeGap(gap)}` : ''
  const endedMember = ended && ended.length > 0 ? `,"ended":${JSON.stringify(ended)}` : ''
  return `{"events":[${events}],${members.slice(1, -1)}${gapMember}${endedMember}}`
}

/**
 * @param entries In the order of positions.
 * @param upTo What the last page leads to: nothing of these channels lies between the last record and this.
 * @param more Whether more is under way behind it.
 */
export function pagesOf(entries: Iterable<Entry>, epoch: string, upTo: Position, more: boolean): string[] {
  const pages: string[] = []
  let page = new PageBeingMade()
  for (const entry of entries) {
    if (!page.takes(entry.record)) {
      pages.push(page.text(epoch, page.last, true))
      page = new PageBeingMade()
    }
    page.add(entry, epoch)
  }
  pages.push(page.text(epoch, upTo, more))
  return pages
}

class PageBeingMade {
  last: Position = 0
  #events = ''
  #count = 0
  #units = 0
  #gap: Gap | undefined
  readonly #ended: string[] = []

  /** A gap comes first. Records of one position stay together. */
  takes(record: LogRecord): boolean {
    if (this.last === 0) return true
    if (record.kind === 'drop') return false
    if (record.position === this.last) return true
    const units = record.kind === 'event' ? record.data.length : 0
    return this.#count < PAGE.events && (this.#count === 0 || this.#units + units <= PAGE.units)
  }

  add({ record, text }: Entry, epoch: string): void {
    this.last = record.position
    switch (record.kind) {
      case 'event':
        this.#events += this.#count === 0 ? text : `,${text}`
        this.#count++
        this.#units += record.data.length
        return
      case 'end':
        this.#ended.push(record.channel)
        return
      case 'drop':
        this.#gap = dropGap(record, epoch)
    }
  }

  text(epoch: string, upTo: Position, more: boolean): string {
    const cursor = formatCursor({ epoch, position: upTo })
    return pageText(this.#events, { cursor, more, gap: this.#gap, ended: this.#ended })
  }
}
