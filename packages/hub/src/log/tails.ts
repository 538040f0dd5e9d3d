/** Tells what is appended to all who listen, in order. */
import type { Tail, TailBatch, TailListener } from './log.ts'

export class Tails {
  readonly #listeners = new Set<TailListener>()
  readonly #reportError: (error: unknown) => void
  readonly #waiting: TailBatch[] = []
  #telling = false

  constructor(reportError: (error: unknown) => void) {
    this.#reportError = reportError
  }

  /** Every batch has all records, whatever is followed: leaving some out would cost more than it saves. */
  open(listener: TailListener): Tail {
    // One entry for each tail, also when two have the same listener.
    const entry: TailListener = { batch: (batch) => listener.batch(batch), lost: () => listener.lost() }
    this.#listeners.add(entry)
    return {
      follow: async () => {},
      unfollow: () => {},
      close: () => this.#listeners.delete(entry),
    }
  }

  tell(batch: TailBatch): void {
    this.#waiting.push(batch)
    // A listener that appends, which it must not, would else have the others told of the second batch before the first.
    if (this.#telling) return
    this.#telling = true
    for (let next = this.#waiting.shift(); next; next = this.#waiting.shift()) this.#tellAll(next)
    this.#telling = false
  }

  close(): void {
    this.#listeners.clear()
  }

  /** What follows does not continue what was told. */
  lost(): void {
    this.#each((listener) => listener.lost())
  }

  #tellAll(batch: TailBatch): void {
    this.#each((listener) => listener.batch(batch))
  }

  #each(tell: (listener: TailListener) => void): void {
    for (const listener of this.#listeners) {
      try {
        tell(listener)
      } catch (error) {
        this.#reportError(error)
      }
    }
  }
}
