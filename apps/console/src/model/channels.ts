/** The channels of the hub as the console knows them: a list that was fetched, and what has changed since. Pure. */

/** As the hub tells it in `$hub.channels`, and in `GET /channels` without `came`. */
export interface ChannelRow {
  readonly name: string
  readonly events: number
  readonly bytes: number
  /** Cursors. */
  readonly head: string
  readonly oldest?: string
  /** Of the events kept: RFC 3339. */
  readonly oldestTime?: string
  readonly newestTime?: string
  readonly ended: boolean
  readonly retention?: { readonly count?: number; readonly age?: number; readonly bytes?: number }
  readonly came?: number
}

export interface ChannelsTold {
  readonly rows: readonly ChannelRow[]
  readonly gone: readonly string[]
  readonly untold: number
}

export interface Channel extends ChannelRow {
  /** Events of each of the last seconds, the newest last. */
  readonly rates: readonly number[]
}

/** Seconds for which it is known what came. */
export const RATE_SECONDS = 60
/** Seconds over which a rate is taken. */
const OVER = 10

/** Whether what was told at this cursor is newer than the list. */
export type IsNewer = (cursor: string) => boolean

export class Channels {
  readonly #rows = new Map<string, ChannelRow>()
  /** Of the channels in which something came: when, in seconds, and how much. */
  readonly #came = new Map<string, { readonly second: number; readonly count: number }[]>()
  /** Of the hub's clock. */
  #second = 0
  /** While the list is read: what was told of which channel last, and at which cursor; and which were listed. */
  #listing: { readonly told: Map<string, string>; readonly listed: Set<string> } | undefined
  #changed = new Set<string>()

  get size(): number {
    return this.#rows.size
  }

  get all(): IterableIterator<ChannelRow> {
    return this.#rows.values()
  }

  /** The list is about to be read: what is known may be old. */
  begin(): void {
    this.#listing = { told: new Map(), listed: new Set() }
  }

  /** A page of the list. What has been told since it was asked for is newer, and stays. */
  list(rows: readonly ChannelRow[], isNewer: IsNewer): void {
    for (const row of rows) {
      this.#listing?.listed.add(row.name)
      const told = this.#listing?.told.get(row.name)
      if (told === undefined || !isNewer(told)) this.#put(row)
    }
  }

  /** The list has been read: channels that it does not have are gone. */
  complete(isNewer: IsNewer): void {
    if (this.#listing === undefined) return
    const { told, listed } = this.#listing
    for (const name of this.#rows.keys()) {
      const at = told.get(name)
      if (!listed.has(name) && (at === undefined || !isNewer(at))) this.#remove(name)
    }
    this.#listing = undefined
  }

  /** @param time Milliseconds since 1970, by the hub's clock. */
  tell({ rows, gone }: ChannelsTold, cursor: string, time: number): void {
    for (const row of rows) {
      this.#put(row)
      this.#listing?.told.set(row.name, cursor)
      if (row.came) this.#count(row.name, Math.floor(time / 1000), row.came)
    }
    for (const name of gone) {
      this.#remove(name)
      this.#listing?.told.set(name, cursor)
    }
  }

  /** @param time What time it is, in milliseconds since 1970, by the hub's clock. */
  tick(time: number): void {
    this.#second = Math.floor(time / 1000)
    for (const [name, came] of this.#came) {
      while (came[0] && came[0].second <= this.#second - RATE_SECONDS) came.shift()
      if (came.length > 0) continue
      this.#came.delete(name)
      this.#changed.add(name)
    }
  }

  has(name: string): boolean {
    return this.#rows.has(name)
  }

  row(name: string): ChannelRow | undefined {
    return this.#rows.get(name)
  }

  get(name: string): Channel | undefined {
    const row = this.#rows.get(name)
    return row && { ...row, rates: this.rates(name) }
  }

  rates(name: string): readonly number[] {
    const rates = Array.from({ length: RATE_SECONDS }, () => 0)
    for (const { second, count } of this.#came.get(name) ?? []) {
      const place = RATE_SECONDS - 1 - (this.#second - second)
      // What came in this very second is told before the second is over.
      if (place >= 0) rates[Math.min(place, RATE_SECONDS - 1)] = count
    }
    return rates
  }

  /** Events a second over the last ten. */
  rate(name: string): number {
    let sum = 0
    for (const { second, count } of this.#came.get(name) ?? []) if (second > this.#second - OVER) sum += count
    return sum / OVER
  }

  /** The names of those in which something came in the last minute: their rates change with time. */
  get active(): Iterable<string> {
    return this.#came.keys()
  }

  /** The names of those that came, went, or are otherwise than when this was last asked. */
  changes(): ReadonlySet<string> {
    const changed = this.#changed
    this.#changed = new Set()
    return changed
  }

  #put(row: ChannelRow): void {
    this.#rows.set(row.name, row)
    this.#changed.add(row.name)
  }

  #remove(name: string): void {
    this.#came.delete(name)
    if (this.#rows.delete(name)) this.#changed.add(name)
  }

  #count(name: string, second: number, count: number): void {
    const came = this.#came.get(name)
    const last = came?.at(-1)
    if (came === undefined) this.#came.set(name, [{ second, count }])
    else if (last?.second === second) came[came.length - 1] = { second, count: last.count + count }
    else came.push({ second, count })
  }
}
