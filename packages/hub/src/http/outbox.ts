/**
 * The answers of a turn of the event loop, written together at its end. Each would go out as soon by itself; but a client on the
 * same machine, or the machine's network, is then woken once for many answers, and not for each (docs/performance.md).
 */

export class Outbox {
  #sends: (() => void)[] = []

  /** Calls `send` at the end of this turn, after what was to be sent before. It must not throw. */
  push(send: () => void): void {
    if (this.#sends.length === 0) setImmediate(this.#flush)
    this.#sends.push(send)
  }

  readonly #flush = (): void => {
    const sends = this.#sends
    this.#sends = []
    for (const send of sends) send()
  }
}
