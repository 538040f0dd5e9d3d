/** What waits to be published: bounded, so that whoever fills it stops reading while it is full. */
import { type BatchLimit, type Entry, fitting } from './batch.ts'

/** Above this much its owner should put nothing in until there is room. */
const FULL = { entries: 10_000, bytes: 4 * 1024 * 1024 }

export class Queue {
  readonly #onRoom: () => void
  #entries: Entry[] = []
  #sizes: number[] = []
  #bytes = 0
  #closed = false
  #wake: (() => void) | undefined

  /** @param onRoom Called when entries were taken from a full queue and it is full no longer. */
  constructor(onRoom: () => void) {
    this.#onRoom = onRoom
  }

  get full(): boolean {
    return this.#entries.length >= FULL.entries || this.#bytes >= FULL.bytes
  }

  put(entry: Entry, size: number): void {
    this.#entries.push(entry)
    this.#sizes.push(size)
    this.#bytes += size
    this.#wake?.()
  }

  /** No more will come. What is in it can still be taken. */
  close(): void {
    this.#closed = true
    this.#wake?.()
  }

  /** All that is there, up to the limit; waits for the first. Undefined: closed and empty. For one taker. */
  async take(limit: BatchLimit): Promise<readonly Entry[] | undefined> {
    while (this.#entries.length === 0) {
      if (this.#closed) return undefined
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
    const wasFull = this.full
    const count = fitting(this.#sizes, limit)
    const taken = this.#entries.slice(0, count)
    this.#entries = this.#entries.slice(count)
    for (const size of this.#sizes.slice(0, count)) this.#bytes -= size
    this.#sizes = this.#sizes.slice(count)
    if (wasFull && !this.full) this.#onRoom()
    return taken
  }
}
