/** Everyone who waits for records of one channel set: the audiences of its variants, and those who wait for one record only. */
import type { ChannelSet } from '../log/channel-set.ts'
import type { Position } from '../log/log.ts'
import type { Holder } from './holder.ts'
import { Audience } from './audience.ts'
import { type Coder, CODINGS } from './coding/coding.ts'
import type { Steps } from './flight.ts'
import type { Frame } from './frame.ts'
import type { TopicPages } from './page-reads.ts'
import type { Patience } from './patience.ts'
import { type Variant, variantKey, VARIANTS } from './variant.ts'

export interface Waiter {
  readonly id: number
  readonly holder: Holder
  readonly after: Position
  wake(): void
}

export class Topic {
  readonly set: ChannelSet
  readonly waiters = new Set<Waiter>()
  /** How many readers and waiters there are that keep this topic, caught up or not. */
  users = 0
  /** How many of them only look, and will be gone with the turn. */
  looks = 0
  /** Resolves when the tail follows the set. */
  followed: Promise<void> = Promise.resolve()
  /** The tail tells every record of the set after this; those before it it may have left out, since nobody followed them. */
  since: Position = Infinity
  pages: TopicPages = { kept: [], awaited: new Map() }
  readonly #audiences: (Audience | undefined)[] = []
  #newest: Position = 0

  constructor(set: ChannelSet) {
    this.set = set
  }

  audience(variant: Variant, coder?: Coder): Audience {
    const key = variantKey(variant) + VARIANTS * (coder ? CODINGS.indexOf(coder.coding) : 0)
    return (this.#audiences[key] ??= new Audience(this.set, variant, coder))
  }

  push(frame: Frame): void {
    this.#newest = frame.record.position
    for (const audience of this.#audiences) audience?.push(frame)
  }

  *flush(told: { readonly frontier: Position }, patience: Patience): Steps {
    for (const waiter of this.waiters) if (waiter.after < this.#newest) waiter.wake()
    for (const audience of this.#audiences) if (audience) yield* audience.flush(told, patience)
  }

  /** Continuity is lost: everyone reads the log again. The tail goes on after `frontier`, in a new epoch perhaps. */
  reset(frontier: Position): void {
    this.since = Math.min(this.since, frontier)
    for (const audience of this.#audiences) audience?.reset()
    for (const waiter of this.waiters) waiter.wake()
  }
}
