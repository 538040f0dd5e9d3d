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

/** What a table needs of a list: how long it is, and the part of it that is seen. */
export interface Rows<Row> {
  readonly length: number
  slice(from: number, to?: number): readonly Row[]
}

export class ChannelOrder {
  readonly #channels: Channels
  readonly #readersOf: (name: string) => number
  #wish: ChannelWish | undefined
  #entries: readonly Entry[] = []
  readonly #byName = new Map<string, Entry>()

  /** It takes the `changes()` of the channels, so there is one of it. */
  constructor(channels: Channels, readersOf: (name: string) => number) {
    this.#channels = channels
    this.#readersOf = readersOf
  }

  find(wish: ChannelWish): Rows<ChannelRow> {
    const { text, sort, descending } = wish
    const before = this.#wish
    const changed = this.#channels.changes()
    if (before?.text !== text || before.sort !== sort || before.descending !== descending) {
      this.#wish = wish
      this.#byName.clear()
      this.#entries = this.#made(this.#channels.all, wish)
    } else {
      this.#entries = this.#replaced(this.#withOthers(changed, sort), wish)
    }
    const entries = this.#entries
    return {
      length: entries.length,
      slice: (from, to) => entries.slice(from, to).map(({ row }) => row),
    }
  }

  /** Of how many read a channel it is not told, and a rate changes with time. */
  #withOthers(changed: ReadonlySet<string>, sort: SortKey): ReadonlySet<string> {
    if (sort !== 'rate' && sort !== 'readers') return changed
    const again = new Set(changed)
    const names = sort === 'rate' ? this.#channels.active : this.#byName.keys()
    for (const name of names) {
      const entry = this.#byName.get(name)
      if (entry && this.#key(entry.row, sort) !== entry.key) again.add(name)
    }
    return again
  }

  /** Takes those that changed out of their places, and puts them into their new ones. Of all others none is looked at. */
  #replaced(changed: ReadonlySet<string>, wish: ChannelWish): readonly Entry[] {
    if (changed.size === 0) return this.#entries
    const old = this.#entries
    const compare = order(wish)
    const rows: ChannelRow[] = []
    const out: number[] = []
    for (const name of changed) {
      const entry = this.#byName.get(name)
      if (entry) out.push(placeOf(entry, old, compare))
      this.#byName.delete(name)
      const row = this.#channels.row(name)
      if (row) rows.push(row)
    }
    out.sort((one, other) => one - other)
    const result: Entry[] = []
    let at = 0
    let next = 0
    const copyUpTo = (end: number): void => {
      for (; at < end; at++) {
        if (at === out[next]) next++
        else result.push(old[at] as Entry)
      }
    }
    for (const entry of this.#made(rows, wish)) {
      copyUpTo(placeOf(entry, old, compare))
      result.push(entry)
    }
    copyUpTo(old.length)
    return result
  }

  #made(rows: Iterable<ChannelRow>, wish: ChannelWish): readonly Entry[] {
    const wanted = wish.text.trim().toLowerCase()
    const entries: Entry[] = []
    for (const row of rows) {
      if (wanted !== '' && !row.name.toLowerCase().includes(wanted)) continue
      const entry = { row, key: this.#key(row, wish.sort) }
      entries.push(entry)
      this.#byName.set(row.name, entry)
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

/** The index of the first that does not come before it. */
function placeOf(
  entry: Entry,
  entries: readonly Entry[],
  compare: (one: Entry, other: Entry) => number,
): number {
  let low = 0
  let high = entries.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (compare(entries[middle] as Entry, entry) < 0) low = middle + 1
    else high = middle
  }
  return low
}

function timeOf(time: string | undefined): number {
  return time === undefined ? 0 : Date.parse(time)
}

/** Of one key by name, and names by the order that the hub lists them in. */
function order({ sort, descending }: ChannelWish): (one: Entry, other: Entry) => number {
  const sign = descending ? -1 : 1
  return (one, other) => {
    if (one.key !== other.key) return sign * (one.key - other.key)
    const byName = one.row.name < other.row.name ? -1 : one.row.name > other.row.name ? 1 : 0
    return sort === 'name' ? sign * byName : byName
  }
}
