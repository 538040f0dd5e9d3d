/** The channels of the hub as the console knows them: a list that was fetched, and what has changed since. Pure. */

/** As the hub tells it in `$hub.channels`, and in `GET /channels` without `came` and `time`. */
export interface ChannelRow {
  readonly name: string
  readonly events: number
  readonly bytes: number
  readonly head: string
  readonly oldest?: string
  readonly ended: boolean
  readonly came?: number
  readonly time?: number
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

export const RATE_SECONDS = 60

export type SortKey = 'name' | 'events' | 'bytes' | 'rate' | 'readers' | 'time'

export class Channels {
  readonly #rows = new Map<string, ChannelRow>()
  /** Of the channels in which something came: when, in seconds, and how much. */
  readonly #came = new Map<string, { readonly second: number; readonly count: number }[]>()
  #second = 0

  get size(): number {
    return this.#rows.size
  }

  /** A page of the list. What has been told since it was asked for is newer, and stays. */
  list(rows: readonly ChannelRow[]): void {
    for (const row of rows) if (!this.#rows.has(row.name)) this.#rows.set(row.name, row)
  }

  tell({ rows, gone }: ChannelsTold): void {
    for (const row of rows) {
      this.#rows.set(row.name, row)
      if (row.came) this.#count(row.name, row.came)
    }
    for (const name of gone) {
      this.#rows.delete(name)
      this.#came.delete(name)
    }
  }

  /** A second has passed. */
  tick(): void {
    this.#second++
    for (const [name, came] of this.#came) {
      while (came[0] && came[0].second <= this.#second - RATE_SECONDS) came.shift()
      if (came.length === 0) this.#came.delete(name)
    }
  }

  has(name: string): boolean {
    return this.#rows.has(name)
  }

  get(name: string): Channel | undefined {
    const row = this.#rows.get(name)
    return row && { ...row, rates: this.rates(name) }
  }

  rates(name: string): readonly number[] {
    const rates = Array.from({ length: RATE_SECONDS }, () => 0)
    for (const { second, count } of this.#came.get(name) ?? []) {
      const place = RATE_SECONDS - 1 - (this.#second - second)
      if (place >= 0) rates[place] = count
    }
    return rates
  }

  /** Events a second over the last ten. */
  rate(name: string): number {
    let sum = 0
    for (const { second, count } of this.#came.get(name) ?? []) if (second > this.#second - 10) sum += count
    return sum / 10
  }

  /** Those whose name contains the text, in order. @param readersOf For the order by readers */
  find(
    text: string,
    sort: SortKey,
    descending: boolean,
    readersOf: (name: string) => number = () => 0,
  ): readonly ChannelRow[] {
    const wanted = text.trim().toLowerCase()
    const found = [...this.#rows.values()].filter(({ name }) => name.toLowerCase().includes(wanted))
    const key: (row: ChannelRow) => number = {
      name: () => 0,
      events: (row: ChannelRow) => row.events,
      bytes: (row: ChannelRow) => row.bytes,
      rate: (row: ChannelRow) => this.rate(row.name),
      readers: (row: ChannelRow) => readersOf(row.name),
      time: (row: ChannelRow) => row.time ?? 0,
    }[sort]
    const keys = new Map(found.map((row) => [row, key(row)]))
    const sign = descending ? -1 : 1
    const value = (row: ChannelRow): number => keys.get(row) as number
    return found.sort((one, other) => {
      const byKey = sign * (value(one) - value(other))
      if (byKey !== 0) return byKey
      const byName = one.name < other.name ? -1 : 1
      return sort === 'name' ? sign * byName : byName
    })
  }

  #count(name: string, count: number): void {
    const came = this.#came.get(name)
    const last = came?.at(-1)
    if (came === undefined) this.#came.set(name, [{ second: this.#second, count }])
    else if (last?.second === this.#second) {
      came[came.length - 1] = { second: this.#second, count: last.count + count }
    } else came.push({ second: this.#second, count })
  }
}
