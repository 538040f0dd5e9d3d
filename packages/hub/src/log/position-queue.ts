/** Things in the order of their positions: pushed at the end, taken from the front, found by position. */
import type { Position } from './log.ts'

export class PositionQueue<T extends { readonly position: Position }> {
  #items: (T | undefined)[] = []
  /** Those before this were taken. They are cut off when they are the larger part, so that taking costs O(1) on average. */
  #start = 0

  get length(): number {
    return this.#items.length - this.#start
  }

  get first(): T | undefined {
    return this.#items[this.#start]
  }

  get last(): T | undefined {
    return this.length === 0 ? undefined : this.#items.at(-1)
  }

  /** Positions must not go down. */
  push(item: T): void {
    this.#items.push(item)
  }

  shift(): T | undefined {
    const item = this.first
    if (item === undefined) return undefined
    this.#items[this.#start++] = undefined
    if (this.#start > 32 && this.#start * 2 > this.#items.length) {
      this.#items = this.#items.slice(this.#start)
      this.#start = 0
    }
    return item
  }

  /** `index` 0 is the first. */
  at(index: number): T | undefined {
    return index < 0 ? undefined : this.#items[this.#start + index]
  }

  /** The index of the first item after `position`; the length when there is none. */
  indexAfter(position: Position): number {
    let low = this.#start
    let high = this.#items.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((this.#items[middle] as T).position <= position) low = middle + 1
      else high = middle
    }
    return low - this.#start
  }

  /** Lets go of all others. */
  retain(keep: (item: T) => boolean): void {
    this.#items = this.#items.filter((item) => item !== undefined && keep(item))
    this.#start = 0
  }
}

export type Direction = 'forward' | 'backward'

/** The items of all queues in one order: after `position` and up, or before it and down. No queue may change meanwhile. */
export function* merge<T extends { readonly position: Position }>(
  queues: Iterable<PositionQueue<T>>,
  position: Position,
  direction: Direction,
): Generator<T, void, undefined> {
  const step = direction === 'forward' ? 1 : -1
  const heap: Cursor<T>[] = []
  for (const queue of queues) {
    const index = direction === 'forward' ? queue.indexAfter(position) : queue.indexAfter(position - 1) - 1
    const item = queue.at(index)
    if (item !== undefined) heap.push({ queue, index, item })
  }
  for (let at = (heap.length >> 1) - 1; at >= 0; at--) sink(heap, at, step)
  for (let top = heap[0]; top !== undefined; top = heap[0]) {
    yield top.item
    top.index += step
    const next = top.queue.at(top.index)
    if (next !== undefined) top.item = next
    else {
      const last = heap.pop() as Cursor<T>
      if (heap.length === 0) return
      heap[0] = last
    }
    sink(heap, 0, step)
  }
}

interface Cursor<T extends { readonly position: Position }> {
  readonly queue: PositionQueue<T>
  index: number
  item: T
}

function sink<T extends { readonly position: Position }>(
  heap: Cursor<T>[],
  from: number,
  step: 1 | -1,
): void {
  const sinking = heap[from] as Cursor<T>
  let at = from
  for (;;) {
    let child = 2 * at + 1
    if (child >= heap.length) break
    if (child + 1 < heap.length && before(heap[child + 1], heap[child], step)) child++
    if (!before(heap[child], sinking, step)) break
    heap[at] = heap[child] as Cursor<T>
    at = child
  }
  heap[at] = sinking
}

function before<T extends { readonly position: Position }>(
  one: Cursor<T> | undefined,
  other: Cursor<T> | undefined,
  step: 1 | -1,
): boolean {
  return ((one as Cursor<T>).item.position - (other as Cursor<T>).item.position) * step < 0
}
