/** The names of the events with which the hub speaks of the stream itself. They carry no event of a channel. */
export const CONTROL = {
  /** First on every stream, with the starting cursor as its id. */
  open: 'downlink:open',
  /** History was lost; the data is a gap in JSON (`parseGap`), the id is the gap's `to`. */
  gap: 'downlink:gap',
  /** A channel ended; the data is `{"channel": name}`. */
  end: 'downlink:end',
  /** A fresh id for a quiet reader. */
  cursor: 'downlink:cursor',
  /** The right to read ends soon; the data is `{"expires": milliseconds}`, the time that is left. */
  expire: 'downlink:expire',
} as const

/** Whether an event name is reserved for the hub: those that begin with `downlink:`, also ones that this version doesn't know. */
export function isControlType(type: string): boolean {
  return type.startsWith('downlink:')
}
