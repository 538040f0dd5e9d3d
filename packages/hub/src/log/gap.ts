/** Whether a read must be told of a gap, and which. Pure: what engines remember of lost events in, a gap out. */
import type { ChannelSet } from './channel-set.ts'
import { GAP_CHANNELS, type LogGap, type Position } from './log.ts'

/** The positions up to which a channel has lost records, by reason; 0 for none. */
export interface Losses {
  /** By retention: the newest event trimmed. */
  readonly trimmedTo: Position
  /** By a drop: its mark. */
  readonly deletedTo: Position
  /** With the memory of an earlier channel of this name: the horizon when this one began. */
  readonly unknownTo: Position
  /** The number of its newest loss, see `LogGap`. */
  readonly loss: number
}

/** Everything that forgotten channels ever had lies at or below. */
export interface Horizon {
  readonly position: Position
  /** The number of the forgetting that moved it last. */
  readonly loss: number
}

/** From the weakest to the strongest: where several hold, the one that says most about what can't be trusted is told. */
const REASONS = ['trimmed', 'deleted', 'unknown'] as const

/** Gathers the losses after one position, channel by channel. */
export class GapFinder {
  readonly #set: ChannelSet
  readonly #after: Position
  readonly #channels: string[] = []
  #strength = -1
  #upTo = 0
  #loss = 0
  /** More channels than are listed, or nobody knows which. */
  #uncounted = false

  constructor(set: ChannelSet, after: Position) {
    this.#set = set
    this.#after = after
  }

  /** A channel of the set that the log remembers. */
  channel(name: string, losses: Losses): void {
    const trimmed = this.#lost(0, losses.trimmedTo)
    const deleted = this.#lost(1, losses.deletedTo)
    const unknown = this.#lost(2, losses.unknownTo)
    if (trimmed || deleted || unknown) this.#list(name, losses.loss)
  }

  /** A name of the set that the log does not remember: all channels forgotten are lost up to `horizon`. */
  forgotten(name: string, horizon: Horizon): void {
    if (this.#lost(2, horizon.position)) this.#list(name, horizon.loss)
  }

  /** The set has patterns, which may have matched any of the channels forgotten. */
  forgottenByPattern(horizon: Horizon): void {
    if (!this.#lost(2, horizon.position)) return
    this.#uncounted = true
    this.#loss = Math.max(this.#loss, horizon.loss)
  }

  /** More was lost than can be looked through: all of the read may have lost something up to here. */
  everything(upTo: Position, loss: number): void {
    if (!this.#lost(0, upTo)) return
    this.#uncounted = true
    this.#loss = Math.max(this.#loss, loss)
  }

  /**
   * @param next The first position after which an event of the set is kept: just before that event, or the frontier when none is.
   */
  gap(next: Position): LogGap | undefined {
    const reason = REASONS[this.#strength]
    if (reason === undefined) return undefined
    return {
      reason,
      channels: this.#uncounted ? this.#set.parts : this.#channels.sort(),
      from: this.#after,
      to: Math.max(this.#after, next),
      upTo: this.#upTo,
      loss: this.#loss,
    }
  }

  #lost(strength: number, upTo: Position): boolean {
    if (upTo <= this.#after) return false
    this.#strength = Math.max(this.#strength, strength)
    this.#upTo = Math.max(this.#upTo, upTo)
    return true
  }

  #list(name: string, loss: number): void {
    this.#loss = Math.max(this.#loss, loss)
    if (this.#channels.length < GAP_CHANNELS) this.#channels.push(name)
    else this.#uncounted = true
  }
}
