/** Several channels read as one, in the order of positions: each is asked for a few events at a time, when its last are used up. */
import type { Position } from '../log.ts'

export interface LaneEvent {
  readonly position: Position
  readonly size: number
  /** The number of its channel. */
  readonly channel: number
}

/** The next events of one channel beyond a position, in the direction of reading, at most `limit`. */
export type Fetch = (beyond: Position, limit: number) => readonly LaneEvent[]

/** What is asked for first; doubled each time, so that a channel that has many is not asked many times. */
const FIRST = 16
const MOST = 512

/** @param sign 1 upward, -1 downward */
export function* mergeLanes(
  lanes: readonly Fetch[],
  from: Position,
  sign: 1 | -1,
): Generator<LaneEvent, void, void> {
  const heads = lanes.map((fetch) => new Lane(fetch, from)).filter((lane) => lane.head !== undefined)
  heads.sort((one, other) => compare(one, other, sign))
  for (let first = heads[0]; first; first = heads[0]) {
    yield first.head as LaneEvent
    first.advance()
    if (first.head === undefined) heads.shift()
    else settle(heads, sign)
  }
}

class Lane {
  head: LaneEvent | undefined
  readonly #fetch: Fetch
  #batch: readonly LaneEvent[] = []
  #next = 0
  #ask = FIRST
  #beyond: Position
  #dry = false

  constructor(fetch: Fetch, from: Position) {
    this.#fetch = fetch
    this.#beyond = from
    this.advance()
  }

  advance(): void {
    if (this.#next === this.#batch.length && !this.#dry) {
      this.#batch = this.#fetch(this.#beyond, this.#ask)
      this.#dry = this.#batch.length < this.#ask
      this.#ask = Math.min(MOST, this.#ask * 2)
      this.#next = 0
    }
    this.head = this.#batch[this.#next++]
    if (this.head) this.#beyond = this.head.position
  }
}

/** The first has moved on: brings it back to its place among the others. */
function settle(lanes: Lane[], sign: 1 | -1): void {
  const moving = lanes[0] as Lane
  let low = 1
  let high = lanes.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (compare(lanes[middle] as Lane, moving, sign) < 0) low = middle + 1
    else high = middle
  }
  lanes.copyWithin(0, 1, low)
  lanes[low - 1] = moving
}

function compare(one: Lane, other: Lane, sign: 1 | -1): number {
  return ((one.head as LaneEvent).position - (other.head as LaneEvent).position) * sign
}
