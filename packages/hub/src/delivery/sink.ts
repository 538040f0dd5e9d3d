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
  end(): void
  /** Cuts the connection at once: what was written may be lost. */
  abort(): void
}
