/**
 * The channels that were asked for, in the order that was asked for. With tens of thousands of them that change all the time, only those
 * that did are put in their places again.
 */
import type { ChannelRow, Channels } from './channels.ts'

export type SortKey = 'name' | 'events' | 'bytes' | 'rate' | 'readers' | 'newest' | 'oldest'

export interface ChannelWish {
  /** A part of the name, whatever its case. */
  readonly text: string
  readonly sort: SortKey
  readonly descending: boolean
}

interface Entry {
  readonly row: ChannelRow
  readonly key: number
}

export class ChannelOrder {
  readonly #channels: Channels
  readonly #readersOf: (name: string) => number
  #wish: ChannelWish | undefined
  #entries: readonly Entry[] = []
  #rows: readonly ChannelRow[] = []

  /** It takes the `changes()` of the channels, so there is one of it. */
  constructor(channels: Channels, readersOf: (name: string) => number) {
    this.#channels = channels
    this.#readersOf = readersOf
  }

  find(wish: ChannelWish): readonly ChannelRow[] {
    const { text, sort, descending } = wish
    const before = this.#wish
    const changed = this.#channels.changes()
    if (before?.text !== text || before.sort !== sort || before.descending !== descending) {
      this.#wish = wish
      this.#entries = this.#made(this.#channels.all, wish)
    } else {
      const again = sort === 'readers' ? this.#withReaders(changed) : changed
      if (again.size === 0) return this.#rows
      this.#entries = this.#merged(again, wish)
    }
    this.#rows = this.#entries.map(({ row }) => row)
    return this.#rows
  }

  /** How many read a channel is not told with it. */
  #withReaders(changed: ReadonlySet<string>): ReadonlySet<string> {
    const again = new Set(changed)
    for (const { row, key } of this.#entries) if (this.#readersOf(row.name) !== key) again.add(row.name)
    return again
  }

  #merged(changed: ReadonlySet<string>, wish: ChannelWish): readonly Entry[] {
    const rows = Array.from(changed, (name) => this.#channels.row(name)).filter((row) => row !== undefined)
    const fresh = this.#made(rows, wish)
    const compare = order(wish)
    const merged: Entry[] = []
    let next = 0
    for (const entry of this.#entries) {
      if (changed.has(entry.row.name)) continue
      for (let one = fresh[next]; one && compare(one, entry) < 0; one = fresh[++next]) merged.push(one)
      merged.push(entry)
    }
    return next === 0 && merged.length === 0 ? fresh : merged.concat(fresh.slice(next))
  }

  #made(rows: Iterable<ChannelRow>, wish: ChannelWish): readonly Entry[] {
    const wanted = wish.text.trim().toLowerCase()
    const entries: Entry[] = []
    for (const row of rows) {
      if (wanted === '' || row.name.toLowerCase().includes(wanted))
        entries.push({ row, key: this.#key(row, wish.sort) })
    }
    return entries.sort(order(wish))
  }

  #key(row: ChannelRow, sort: SortKey): number {
    switch (sort) {
      case 'name':
        return 0
      case 'events':
        return row.events
      case 'bytes':
        return row.bytes
      case 'rate':
        return this.#channels.rate(row.name)
      case 'readers':
        return this.#readersOf(row.name)
      case 'newest':
        return timeOf(row.newestTime)
      case 'oldest':
        return timeOf(row.oldestTime)
    }
  }
}

function timeOf(time: string | undefined): number {
  return time === undefined ? 0 : Date.parse(time)
}

/** Of one key by name, and names by the order that the hub lists them in. */
function order({ sort, descending }: ChannelWish): (one: Entry, other: Entry) => number {
  const sign = descending ? -1 : 1
  return (one, other) => {
    if (one.key !== other.key) return sign * (one.key - other.key)
    const byName = one.row.name < other.row.name ? -1 : 1
    return sort === 'name' ? sign * byName : byName
  }
}
