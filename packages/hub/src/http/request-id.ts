/** What a request is called, in the log and in the answer that refuses it, so that one can be found by the other. */
import type { Clock } from '../clock.ts'

/** What a proxy may call it: nothing that a log, a header or a URN would have to escape. */
export function isRequestId(text: string): boolean {
  return /^[\w.-]{1,64}$/.test(text)
}

/** `k3f9x2ab.1`, `k3f9x2ab.2`, …: of one handler, and no secret. Not to be taken for a cursor. */
export class RequestIds {
  readonly #clock: Clock
  #prefix: string | undefined
  #last = 0

  constructor(clock: Clock) {
    this.#clock = clock
  }

  next(): string {
    this.#prefix ??= Math.floor(this.#clock.random() * 36 ** 8)
      .toString(36)
      .padStart(8, '0')
    return `${this.#prefix}.${(++this.#last).toString(36)}`
  }
}
