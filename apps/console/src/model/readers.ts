/** Who reads, as the console knows it: a list that was fetched, and what has changed since. Pure. */
import { isPattern, matchesPattern } from '@downlink/wire'

/** As the hub tells it in `$hub.readers`, and in `GET /readers`. */
export interface Reader {
  readonly id: number
  readonly subject: string
  readonly address?: string
  readonly transport: 'sse' | 'long-poll' | 'websocket'
  readonly channels: readonly string[]
  readonly position: string
  readonly lag: number
  readonly coding?: string
  readonly bytesWaiting?: number
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
}

export class Readers {
  readonly #readers = new Map<number, Reader>()
  /** Of names, and of patterns: how many read them, by transport. */
  readonly #names = new Map<string, { sse: number; longPoll: number }>()
  readonly #patterns = new Map<string, { sse: number; longPoll: number }>()
  untold = 0

  get all(): readonly Reader[] {
    return [...this.#readers.values()]
  }

  get size(): number {
    return this.#readers.size
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
    let { sse, longPoll } = this.#names.get(channel) ?? { sse: 0, longPoll: 0 }
    for (const [pattern, count] of this.#patterns) {
      if (!matchesPattern(pattern, channel)) continue
      sse += count.sse
      longPoll += count.longPoll
    }
    return { sse, longPoll }
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
      const before = counts.get(part) ?? { sse: 0, longPoll: 0 }
      const key = transport === 'long-poll' ? 'longPoll' : 'sse'
      const after = { ...before, [key]: before[key] + by }
      if (after.sse + after.longPoll === 0) counts.delete(part)
      else counts.set(part, after)
    }
  }
}
