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
  /** Writes pages as JSON, each as one message, which this makes into bytes; nothing else matters then. All that have it have the same. */
  readonly message?: (page: string) => Uint8Array
}

export const VARIANTS = 10

export const plainVariant: Variant = { channel: false, time: false, eventByChannel: false }

/** Below `VARIANTS`: readers of the same set and the same key get the same bytes. */
export function variantKey(variant: Variant): number {
  if (variant.message) return 9
  if (variant.whole) return 8
  return (variant.channel ? 1 : 0) | (variant.time ? 2 : 0) | (variant.eventByChannel ? 4 : 0)
}
