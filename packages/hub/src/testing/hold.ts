/** Which bytes of a body are kept back, and when they are let go. Pure. */
import type { Hold } from './fault.ts'

export class HeldBody {
  #rule: Hold | undefined
  /** Bytes that came since the rule holds, the held ones included. */
  #came = 0
  #kept: Buffer[] = []
  /** Bytes that are kept. */
  size = 0

  constructor(rule: Hold | undefined) {
    this.#rule = rule
  }

  /** What may pass now. */
  push(bytes: Buffer): Buffer {
    this.#came += bytes.length
    this.size += bytes.length
    this.#kept.push(bytes)
    return this.#take(this.#passing())
  }

  /** Another rule, as if the body began here; what was kept is judged by it. */
  change(rule: Hold | undefined): Buffer {
    this.#rule = rule
    this.#came = this.size
    return this.#take(this.#passing())
  }

  /** The body is over: no rule holds anything beyond that. */
  end(): Buffer {
    return this.#take(this.size)
  }

  /** How many of the bytes kept may go. */
  #passing(): number {
    if (this.#rule === undefined) return this.size
    if (typeof this.#rule === 'string') return 0
    if ('until' in this.#rule) return this.#came >= this.#rule.until ? this.size : 0
    if ('blocks' in this.#rule) return this.size - (this.size % this.#rule.blocks)
    const passed = this.#came - this.size
    return Math.min(this.size, Math.max(0, this.#rule.after - passed))
  }

  #take(count: number): Buffer {
    if (count === 0) return Buffer.alloc(0)
    const all = this.#kept.length === 1 && this.#kept[0] ? this.#kept[0] : Buffer.concat(this.#kept)
    const rest = all.subarray(count)
    this.#kept = rest.length === 0 ? [] : [rest]
    this.size = rest.length
    return all.subarray(0, count)
  }
}
