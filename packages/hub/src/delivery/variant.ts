/** How the events of a stream are written: what differs between the readers of one channel set. */

export interface Variant {
  /** Adds a `channel` line to each event. */
  readonly channel: boolean
  /** Adds a `time` line to each event. */
  readonly time: boolean
  /** Names each untyped event by its channel. */
  readonly eventByChannel: boolean
}

export const plainVariant: Variant = { channel: false, time: false, eventByChannel: false }

/** Below 8: readers of the same set and the same key get the same bytes. */
export function variantKey(variant: Variant): number {
  return (variant.channel ? 1 : 0) | (variant.time ? 2 : 0) | (variant.eventByChannel ? 4 : 0)
}
