/** Millions of latencies in a few kilobytes: buckets that grow with the value, each at most 3 % wide. */

const SUB = 32
const BUCKETS = SUB * 28

export interface Summary {
  readonly count: number
  /** Milliseconds. */
  readonly p50: number
  readonly p99: number
  readonly max: number
}

export class Histogram {
  readonly #counts = new Float64Array(BUCKETS)
  #count = 0
  #max = 0

  add(micros: number): void {
    const value = micros > 0 ? Math.min(Math.floor(micros), 0x7fffffff) : 0
    const bucket = bucketOf(value)
    this.#counts[bucket] = (this.#counts[bucket] as number) + 1
    this.#count++
    if (value > this.#max) this.#max = value
  }

  summary(): Summary {
    return { count: this.#count, p50: this.#at(0.5), p99: this.#at(0.99), max: this.#max / 1000 }
  }

  #at(share: number): number {
    if (this.#count === 0) return Number.NaN
    let left = Math.ceil(this.#count * share)
    for (let bucket = 0; bucket < BUCKETS; bucket++) {
      left -= this.#counts[bucket] as number
      if (left <= 0) return Math.min(this.#max, upperOf(bucket)) / 1000
    }
    return this.#max / 1000
  }
}

function bucketOf(value: number): number {
  const shift = Math.max(0, 26 - Math.clz32(value))
  return shift * SUB + (value >>> shift)
}

/** What a bucket's values are at most: a percentile is never told too low. */
function upperOf(bucket: number): number {
  if (bucket < SUB * 2) return bucket
  const shift = Math.floor(bucket / SUB) - 1
  return (bucket - shift * SUB + 1) * 2 ** shift - 1
}
