/** Room for so many at once; the others wait in line. */

/** Bytes that a body may have before it needs a place among the large ones. */
export const SMALL_BODY = 64 * 1024

export interface Places {
  /** Calls `come` when there is a place, at once perhaps; what is returned gives the place, or the wait for it, up. */
  take(come: () => void): () => void
}

export class FreePlaces implements Places {
  #free: number
  readonly #waits: (() => void) | undefined
  readonly #waiting = new Set<() => void>()

  /** @param waits Told of each that has to wait. */
  constructor(count: number, waits?: () => void) {
    this.#free = count
    this.#waits = waits
  }

  take(come: () => void): () => void {
    let has = false
    const enter = (): void => {
      has = true
      this.#free--
      come()
    }
    const leave = (): void => {
      this.#waiting.delete(enter)
      if (!has) return
      has = false
      this.#free++
      const [next] = this.#waiting
      if (next === undefined) return
      this.#waiting.delete(next)
      next()
    }
    if (this.#free > 0) enter()
    else {
      this.#waiting.add(enter)
      this.#waits?.()
    }
    return leave
  }
}

/** A place of the one, and with it one of the other. */
export function both(first: Places, second: Places): Places {
  return {
    take(come) {
      let leaveSecond: (() => void) | undefined
      const leaveFirst = first.take(() => (leaveSecond = second.take(come)))
      return () => {
        leaveSecond?.()
        leaveFirst()
      }
    },
  }
}
