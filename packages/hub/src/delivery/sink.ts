/**
 * The seam between delivery and connections. A shell (a Node socket, a fetch body, a simulated network) gives a sink to
 * `Delivery.open` and calls the reader back: `drained()` when a full sink has room again, `closed()` when the peer is gone.
 */
export interface Sink {
  /**
   * Takes all of the bytes. False: full, don't write until `drained()`, but for the few that end a coded stream. Must not throw;
   * after the end or a loss of the connection it takes bytes and forgets them.
   */
  write(bytes: Uint8Array): boolean
  /** Bytes taken and not yet passed on, where that can be told. */
  readonly bytesWaiting?: number | undefined
  /** A clean end, after what was written. */
  end(why?: Ending): void
  /** In place of the bytes of a heartbeat, where the connection has one of its own. Answers as `write`. */
  beat?(): boolean
  /** Cuts the connection at once: what was written may be lost. */
  abort(): void
}

/** Why the hub ends a stream, for transports that can say so. All but `ended` are for the client to come back. */
export type Ending =
  /** All channels have ended: nothing will ever come. */
  | 'ended'
  /** It has lived for as long as streams do. */
  | 'age'
  /** The right to read has ended. */
  | 'expired'
  | 'draining'
  /** Somebody who looks after the hub wanted it so. */
  | 'disconnected'
  /** Its ticket opened another stream, or is void. */
  | 'replaced'
  /** The log could not be read. */
  | 'failed'
