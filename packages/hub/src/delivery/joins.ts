/**
 * The bytes of the frames that readers were brought up to the others with last: many come from the same position, as they left their
 * audience together. Made once for them, and what waits in a thousand sockets is held once.
 */
import type { Frame } from './frame.ts'
import { type Variant, variantKey } from './variant.ts'
import { writeFrames } from './written.ts'

/** So many are kept: each is a chunk of about `CATCH_UP.bytes`, or one event. */
const KEPT = 8

interface Join {
  readonly frames: readonly Frame[]
  readonly variant: number
  readonly more: boolean
  readonly bytes: Uint8Array
}

export class Joins {
  /** The newest first. */
  #kept: Join[] = []

  /** @param more Whether more is under way. */
  bytes(frames: readonly Frame[], variant: Variant, more: boolean): Uint8Array {
    const key = variantKey(variant)
    // One by one: other channels may have as many frames between the same two.
    const found = this.#kept.find(
      (one) => one.variant === key && one.more === more && same(one.frames, frames),
    )
    if (found) return found.bytes
    const { position } = (frames.at(-1) as Frame).record
    const bytes = writeFrames(frames, variant, position, more)
    this.#kept = [{ frames, variant: key, more, bytes }, ...this.#kept.slice(0, KEPT - 1)]
    return bytes
  }

  /** Lets go of all. */
  reset(): void {
    this.#kept = []
  }
}

function same(some: readonly Frame[], others: readonly Frame[]): boolean {
  return some.length === others.length && some.every((frame, index) => frame === others[index])
}
