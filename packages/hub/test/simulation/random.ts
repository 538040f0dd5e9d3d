/** Chance that can be had again: the same seed gives the same numbers (mulberry32). */
export class Random {
  #state: number

  constructor(seed: number) {
    this.#state = seed >>> 0
  }

  /** At least 0, below 1. */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0
    let mixed = this.#state
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }

  /** A whole number, both bounds included. */
  int(least: number, most: number): number {
    return least + Math.floor(this.next() * (most - least + 1))
  }

  chance(probability: number): boolean {
    return this.next() < probability
  }

  pick<T>(list: readonly T[]): T {
    if (list.length === 0) throw new RangeError('Expected something to pick from, got an empty list')
    return list[this.int(0, list.length - 1)] as T
  }

  /** From `least` to `most` of them, each once. */
  some<T>(list: readonly T[], least: number, most: number): T[] {
    const left = [...list]
    const count = Math.min(left.length, this.int(least, most))
    return Array.from({ length: count }, () => left.splice(this.int(0, left.length - 1), 1)[0] as T)
  }
}
