/** How many refusals a log takes in a minute: strangers decide how often they are refused, and must not fill a disk. Pure. */

/** Of one kind from one address. */
const ALIKE = 10
/** Of all. */
const TOTAL = 300
/** Kinds and addresses that are told apart. Those of more count as one. */
const KEYS = 1_000
/** Kinds and addresses that are named among what was left out. */
const NAMED = 10

export interface LeftOut {
  readonly count: number
  /** Of which kinds and addresses most were left out; addresses beyond the first 1,000 have none. */
  readonly most: readonly { readonly kind: string; readonly address?: string; readonly count: number }[]
}

interface Count {
  readonly kind: string
  readonly address: string | undefined
  written: number
  leftOut: number
}

export class LogBudget {
  readonly #counts = new Map<string, Count>()
  #written = 0

  /** Whether this one may be written. */
  take(kind: string, address: string | undefined): boolean {
    const count = this.#countOf(kind, address)
    if (count.written >= ALIKE || this.#written >= TOTAL) {
      count.leftOut++
      return false
    }
    count.written++
    this.#written++
    return true
  }

  /** Begins the next minute. Undefined: nothing was left out of the last. */
  turn(): LeftOut | undefined {
    const counts = [...this.#counts.values()].filter(({ leftOut }) => leftOut > 0)
    this.#counts.clear()
    this.#written = 0
    if (counts.length === 0) return undefined
    counts.sort((a, b) => b.leftOut - a.leftOut)
    return {
      count: counts.reduce((sum, { leftOut }) => sum + leftOut, 0),
      most: counts.slice(0, NAMED).map(({ kind, address, leftOut }) => {
        return { kind, ...(address !== undefined && { address }), count: leftOut }
      }),
    }
  }

  #countOf(kind: string, address: string | undefined): Count {
    const key = `${kind} ${address ?? ''}`
    const known = this.#counts.get(key)
    if (known) return known
    // Kinds are the hub's own and few; addresses are not.
    const full = this.#counts.size >= KEYS
    if (full && address !== undefined) return this.#countOf(kind, undefined)
    const count = { kind, address, written: 0, leftOut: 0 }
    this.#counts.set(key, count)
    return count
  }
}
