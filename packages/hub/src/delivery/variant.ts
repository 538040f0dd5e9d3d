/** How the events of a stream are written: what differs between the readers of one channel set. */

export interface Variant {
  /** Adds a `channel` line to each event. */
  readonly channel: boolean
  /** Adds a `time` line to each event. */
  readonly time: boolean
  /** Names each untyped event by its channel. */
  readonly eventByChannel: boolean
  /** Writes all of an event into its data, and nothing else matters: for a native EventSource, which sees neither other fields nor comments. */
  readonly whole?: true
}

export const VARIANTS = 9

export const plainVariant: Variant = { channel: false, time: false, eventByChannel: false }

/** Below `VARIANTS`: readers of the same set and the same key get the same bytes. */
export function variantKey(variant: Variant): number {
  if (variant.whole) return 8
  return (variant.channel ? 1 : 0) | (variant.time ? 2 : 0) | (variant.eventByChannel ? 4 : 0)
}
