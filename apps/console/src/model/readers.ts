/** Who reads, as the console knows it: a list that was fetched, and what has changed since. Pure. */
import { isPattern, matchesPattern } from '@downlink/wire'

export const TRANSPORTS = ['sse', 'long-poll', 'websocket'] as const
export type Transport = (typeof TRANSPORTS)[number]

/** As the hub tells it in `$hub.readers`, and in `GET /readers`. */
export interface Reader {
  readonly id: number
  readonly subject: string
  readonly address?: string
  readonly transport: Transport
  readonly channels: readonly string[]
  /** Up to where it has been given everything, as of when it was told: while it is live, it is told no more. */
  readonly position: string
  readonly lag: number
  readonly coding?: string
  readonly bytesWaiting?: number
  /** Milliseconds since 1970. */
  readonly since?: number
  readonly slowSince?: number
  readonly userAgent?: string
}

export interface ReadersTold {
  readonly came: readonly Reader[]
  readonly changed: readonly (Pick<Reader, 'id' | 'position' | 'lag'> & Partial<Reader>)[]
  readonly left: readonly number[]
  readonly untold: number
}

export interface ReaderCount {
  readonly sse: number
  readonly longPoll: number
  readonly websocket: number
}

const NONE: ReaderCount = { sse: 0, longPoll: 0, websocket: 0 }

export function sum({ sse, longPoll, websocket }: ReaderCount): number {
  return sse + longPoll + websocket
}

export class Readers {
  readonly #readers = new Map<number, Reader>()
  /** Of names, and of patterns: how many read them. */
  readonly #names = new Map<string, ReaderCount>()
  readonly #patterns = new Map<string, ReaderCount>()
  untold = 0

  get all(): readonly Reader[] {
    return [...this.#readers.values()]
  }

  get size(): number {
    return this.#readers.size
  }

  get(id: number): Reader | undefined {
    return this.#readers.get(id)
  }

  /** All there are: who is not among them is gone. */
  list(readers: readonly Reader[], untold: number): void {
    this.#readers.clear()
    this.#names.clear()
    this.#patterns.clear()
    for (const reader of readers) this.#put(reader)
    this.untold = untold
  }

  tell({ came, changed, left, untold }: ReadersTold): void {
    for (const reader of came) this.#put(reader)
    for (const { id, bytesWaiting, slowSince, ...state } of changed) {
      const before = this.#readers.get(id)
      if (before === undefined) continue
      const { bytesWaiting: _, slowSince: __, ...rest } = before
      this.#readers.set(id, {
        ...rest,
        ...state,
        ...(bytesWaiting !== undefined && { bytesWaiting }),
        ...(slowSince !== undefined && { slowSince }),
      })
    }
    for (const id of left) this.#remove(id)
    this.untold = untold
  }

  /** How many read a channel, by its name or by a pattern. */
  of(channel: string): ReaderCount {
    let count = this.#names.get(channel) ?? NONE
    for (const [pattern, more] of this.#patterns)
      if (matchesPattern(pattern, channel)) count = together(count, more)
    return count
  }

  #put(reader: Reader): void {
    this.#remove(reader.id)
    this.#readers.set(reader.id, reader)
    this.#count(reader, 1)
  }

  #remove(id: number): void {
    const reader = this.#readers.get(id)
    if (reader === undefined) return
    this.#readers.delete(id)
    this.#count(reader, -1)
  }

  #count({ channels, transport }: Reader, by: number): void {
    for (const part of channels) {
      const counts = isPattern(part) ? this.#patterns : this.#names
      const key = transport === 'long-poll' ? 'longPoll' : transport
      const after = together(counts.get(part) ?? NONE, { ...NONE, [key]: by })
      if (sum(after) === 0) counts.delete(part)
      else counts.set(part, after)
    }
  }
}

function together(one: ReaderCount, other: ReaderCount): ReaderCount {
  return {
    sse: one.sse + other.sse,
    longPoll: one.longPoll + other.longPoll,
    websocket: one.websocket + other.websocket,
  }
}
