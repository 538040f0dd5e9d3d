/** Who reads, as a list that changes: from one look to the next only what is new, different or gone. Pure. */
import type { ReaderInfo } from '../delivery/reader-info.ts'

export interface ReaderChanges {
  readonly came: readonly ReaderInfo[]
  /** Those that stayed, with what changed of them. */
  readonly changed: readonly ReaderState[]
  /** Their ids. */
  readonly left: readonly number[]
  /** Readers that are open but not among those that are told, as there are too many. */
  readonly untold: number
}

/** What changes of a reader while it is there. */
export interface ReaderState {
  readonly id: number
  readonly position: string
  readonly lag: number
  readonly bytesWaiting?: number
  readonly slowSince?: number
}

/** Readers told one by one: those that came first. */
export const MOST_READERS = 2_000

export class ReaderList {
  #known = new Map<number, ReaderInfo>()

  /** All that are told now. */
  get all(): readonly ReaderInfo[] {
    return [...this.#known.values()]
  }

  look(readers: Iterable<ReaderInfo>): ReaderChanges {
    const now = new Map<number, ReaderInfo>()
    const fresh: ReaderInfo[] = []
    const changed: ReaderState[] = []
    for (const info of readers) {
      const before = this.#known.get(info.id)
      if (before === undefined) fresh.push(info)
      else {
        now.set(info.id, info)
        if (hasChanged(before, info)) changed.push(stateOf(info))
      }
    }
    const came = fresh.slice(0, Math.max(0, MOST_READERS - now.size))
    for (const info of came) now.set(info.id, info)
    const left = [...this.#known.keys()].filter((id) => !now.has(id))
    this.#known = now
    return { came, changed, left, untold: fresh.length - came.length }
  }
}

function hasChanged(before: ReaderInfo, after: ReaderInfo): boolean {
  return (
    before.lag !== after.lag ||
    before.bytesWaiting !== after.bytesWaiting ||
    before.slowSince !== after.slowSince ||
    // The position of a live reader moves with the hub, whatever it reads: that it is live says more.
    (after.lag > 0 && before.position !== after.position)
  )
}

function stateOf({ id, position, lag, bytesWaiting, slowSince }: ReaderInfo): ReaderState {
  return {
    id,
    position,
    lag,
    ...(bytesWaiting !== undefined && { bytesWaiting }),
    ...(slowSince !== undefined && { slowSince }),
  }
}
