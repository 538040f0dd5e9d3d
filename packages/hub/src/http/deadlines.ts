/**
 * Many waits of one length at the cost of one timer, and without a look at the clock: to start and stop a timer for each request
 * took an eighth of the CPU of small publishes (docs/performance.md). So a wait may last an eighth longer.
 */

const SLOTS = 8

export class Deadlines {
  readonly #tickMs: number
  /** The newest first. What is in the last expires with the next tick. */
  readonly #slots: Set<() => void>[] = Array.from({ length: SLOTS + 1 }, () => new Set())
  #timer: NodeJS.Timeout | undefined

  constructor(ms: number) {
    this.#tickMs = Math.max(1, Math.ceil(ms / SLOTS))
  }

  /** Calls `expire` when the time is over, unless it is deleted before. */
  add(expire: () => void): void {
    this.#slots[0]?.add(expire)
    // It keeps no process alive: the connection that is waited for does.
    this.#timer ??= setInterval(this.#tick, this.#tickMs).unref()
  }

  delete(expire: () => void): void {
    for (const slot of this.#slots) if (slot.delete(expire)) return
  }

  readonly #tick = (): void => {
    const over = this.#slots.pop() as Set<() => void>
    this.#slots.unshift(new Set())
    for (const expire of over) expire()
    if (this.#slots.some(({ size }) => size > 0)) return
    clearInterval(this.#timer)
    this.#timer = undefined
  }
}
