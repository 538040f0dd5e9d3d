/** A page of the log that any number of readers may take, from wherever in it they stand: made into bytes once for each variant. */
import type { ChannelSet } from '../log/channel-set.ts'
import type { EndMark, LogEvent, LogGap, LogPage, Position } from '../log/log.ts'
import type { Coder } from './coding/coding.ts'
import { type Sum, sumOf } from './coding/crc32.ts'
import { codedParts } from './coding/parts.ts'
import { endBlock, eventBlock, pageEvent } from './frame.ts'
import { type Entry, pagesOf } from './page-message.ts'
import { type Variant, variantKey } from './variant.ts'
import { joinMessages } from './written.ts'

type PageRecord = LogEvent | EndMark

const NOTHING = new Uint8Array(0)

interface Encoded {
  readonly bytes: Uint8Array
  /** Where the bytes of some record begin, by its index: of those that somebody asked for. */
  readonly starts: Map<number, number>
}

/** What comes from a record on, by its index, as messages: a part of a page is another page. */
interface Messages {
  readonly index: number
  readonly bytes: Uint8Array
}

/** A whole page in the form of a coding. */
export interface CodedPage {
  readonly bytes: Uint8Array
  /** Of what is in it. */
  readonly content: Sum
}

export class SharedPage {
  /** The page says what came after this. */
  readonly after: Position
  readonly cursor: Position
  readonly more: boolean
  /** Of a reader that stands at `after`. */
  readonly gap: LogGap | undefined
  /** As in `LogPage`: of names all up to `cursor`, of patterns those within the page. */
  readonly ends: readonly EndMark[]
  /** When the log was asked, in milliseconds since 1970. */
  readonly askedAt: number
  readonly #records: readonly PageRecord[]
  readonly #epoch: string
  readonly #encoded: (Encoded | undefined)[] = []
  readonly #coded = new Map<string, CodedPage>()
  /** From some record on that is not the first: most often there is but one that is asked for. */
  #part: Messages | undefined

  constructor(page: LogPage, after: Position, epoch: string, askedAt: number) {
    this.after = after
    this.cursor = page.cursor
    this.more = page.more
    this.gap = page.gap
    this.ends = page.ends
    this.askedAt = askedAt
    const within = page.ends.filter(({ position }) => position > after)
    this.#records = within.length === 0 ? page.events : [...merge(page.events, within)]
    this.#epoch = epoch
  }

  /** UTF-16 units of data. */
  get weight(): number {
    return this.#records.reduce((sum, one) => sum + (one.kind === 'event' ? one.data.length : 0), 0)
  }

  /** How many records of the page come after this position. */
  recordsAfter(position: Position): number {
    return this.#records.length - this.#indexAfter(position)
  }

  /** How many events of the page come after this position. */
  eventsAfter(position: Position): number {
    const ends =
      this.ends.length === 0
        ? 0
        : this.ends.filter((end) => end.position > Math.max(position, this.after)).length
    return this.recordsAfter(position) - ends
  }

  /** Whether it says what a reader at this position has lost: all that was lost when the log was asked lies at or before it. */
  knowsGapAt(position: Position): boolean {
    return position === this.after || (position > this.after && (this.gap?.upTo ?? 0) <= position)
  }

  /** Whether all channels of these names have ended, and nothing of the page is left to tell. */
  mayBeLastAt(position: Position, { names }: ChannelSet): boolean {
    return this.ends.length === names.length && this.recordsAfter(position) === 0
  }

  /** Whether its bytes are there: what is left is to write them. */
  isMadeFor(variant: Variant): boolean {
    return this.#records.length === 0 || this.#encoded[variantKey(variant)] !== undefined
  }

  /** What comes after this position: of blocks a part of bytes that are the same for all. */
  bytesAfter(position: Position, variant: Variant): Uint8Array {
    const index = this.#indexAfter(position)
    if (index === this.#records.length) return NOTHING
    const { message } = variant
    if (message && index > 0) return this.#messagesFrom(index, message)
    const encoded = (this.#encoded[variantKey(variant)] ??= this.#encode(variant))
    if (index === 0) return encoded.bytes
    let start = encoded.starts.get(index)
    if (start === undefined) {
      start = Buffer.byteLength(this.#text(variant, index))
      encoded.starts.set(index, start)
    }
    return encoded.bytes.subarray(start)
  }

  /** Undefined: not all of it comes after this position, or there is nothing. */
  codedAfter(position: Position, variant: Variant, coder: Coder, set: ChannelSet): CodedPage | undefined {
    if (this.#records.length === 0 || this.#indexAfter(position) > 0) return undefined
    const key = `${coder.coding} ${variantKey(variant)}`
    const made = this.#coded.get(key)
    if (made) return made
    const plain = this.bytesAfter(position, variant)
    const parts =
      set.parts.length === 1
        ? [{ grant: set.key, bytes: plain }]
        : this.#records.map((record) => ({
            grant: set.partOf(record.channel) ?? '',
            bytes: Buffer.from(blockOf(record, this.#epoch, variant)),
          }))
    const page = { bytes: codedParts(coder, parts, true), content: sumOf(plain) }
    this.#coded.set(key, page)
    return page
  }

  #encode(variant: Variant): Encoded {
    const { message } = variant
    if (message) return { bytes: this.#messages(0, message), starts: new Map() }
    return { bytes: Buffer.from(this.#text(variant, this.#records.length)), starts: new Map() }
  }

  #messagesFrom(index: number, message: NonNullable<Variant['message']>): Uint8Array {
    if (this.#part?.index !== index) this.#part = { index, bytes: this.#messages(index, message) }
    return this.#part.bytes
  }

  #messages(index: number, message: NonNullable<Variant['message']>): Uint8Array {
    const pages = pagesOf(this.#entriesFrom(index), this.#epoch, this.cursor, this.more)
    return joinMessages(pages, message)
  }

  *#entriesFrom(first: number): Generator<Entry> {
    for (let index = first; index < this.#records.length; index++) {
      const record = this.#records[index] as PageRecord
      yield { record, text: record.kind === 'event' ? JSON.stringify(pageEvent(record, this.#epoch)) : '' }
    }
  }

  #text(variant: Variant, count: number): string {
    const epoch = this.#epoch
    let text = ''
    for (let index = 0; index < count; index++) {
      text += blockOf(this.#records[index] as PageRecord, epoch, variant)
    }
    return text
  }

  #indexAfter(position: Position): number {
    if (position <= this.after) return 0
    let low = 0
    let high = this.#records.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((this.#records[middle] as PageRecord).position > position) high = middle
      else low = middle + 1
    }
    return low
  }
}

function blockOf(record: PageRecord, epoch: string, variant: Variant): string {
  return record.kind === 'event'
    ? eventBlock(record, epoch, variant)
    : endBlock(record.channel, epoch, record.position)
}

/** Ends follow the event whose position they share. */
function* merge(events: readonly LogEvent[], ends: readonly EndMark[]): Generator<PageRecord> {
  let next = 0
  for (const event of events) {
    for (let end = ends[next]; end && end.position < event.position; end = ends[++next]) yield end
    yield event
  }
  yield* ends.slice(next)
}
