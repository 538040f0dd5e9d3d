/** Counts what goes to a sink. */
import type { Sink } from '../delivery/sink.ts'

export class CountingSink implements Sink {
  readonly #sink: Sink
  bytes = 0

  constructor(sink: Sink) {
    this.#sink = sink
  }

  get bytesWaiting(): number | undefined {
    return this.#sink.bytesWaiting
  }

  write(bytes: Uint8Array): boolean {
    this.bytes += bytes.length
    return this.#sink.write(bytes)
  }

  end(): void {
    this.#sink.end()
  }

  abort(): void {
    this.#sink.abort()
  }
}
