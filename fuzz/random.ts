/** Chance that a seed gives again. */

/** `mulberry32`, begun anew for each input, so that one input can be made without those before it. */
export class Random {
  #state: number

  constructor(seed: number, index = 0) {
    this.#state = mixed(mixed(seed | 0) ^ Math.imul(index + 1, 0x9e3779b1))
  }

  /** An integer from 0 to `limit` - 1. */
  below(limit: number): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0
    let value = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1)
    value ^= value + Math.imul(value ^ (value >>> 7), value | 61)
    return Math.floor((((value ^ (value >>> 14)) >>> 0) / 2 ** 32) * limit)
  }

  /** True once in so many times. */
  oneIn(times: number): boolean {
    return this.below(times) === 0
  }

  pick<T>(list: readonly T[]): T {
    return list[this.below(list.length)] as T
  }

  /** 0 to `most` things. */
  list<T>(most: number, make: () => T): T[] {
    return Array.from({ length: this.below(most + 1) }, make)
  }

  /** 0 to `most` of these pieces, one behind the other. */
  text(pieces: readonly string[] | string, most: number): string {
    let text = ''
    for (let left = this.below(most + 1); left > 0; left--) text += pieces[this.below(pieces.length)]
    return text
  }

  /** Where a list or a text of this length may be cut. */
  place(length: number): number {
    return this.below(length + 1)
  }
}

function mixed(value: number): number {
  let mix = Math.imul(value ^ (value >>> 16), 0x45d9f3b)
  mix = Math.imul(mix ^ (mix >>> 16), 0x45d9f3b)
  return mix ^ (mix >>> 16)
}
