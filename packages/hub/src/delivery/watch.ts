/** Who waits for the next record of some channels, as a long poll does. */
import type { Position } from '../log/log.ts'
import type { Live } from './delivery.ts'
import type { Topic, Waiter } from './topic.ts'

/**
 * Keeps the tail following its channels until it is disposed of: between two waits nothing is missed, and on a busy hub the
 * log is read once more, not for every record of other channels.
 */
export class Watch implements Disposable {
  readonly #live: Live
  readonly #topic: Topic
  readonly #release: () => void

  constructor(live: Live, topic: Topic, release: () => void) {
    this.#live = live
    this.#topic = topic
    this.#release = release
  }

  /**
   * Resolves as soon as there may be a record of these channels after the position (or none can be ruled out), and when
   * the signal aborts. `epoch` is that of the position.
   */
  async news(after: Position, epoch: string, signal: AbortSignal): Promise<void> {
    const live = this.#live
    const topic = this.#topic
    await topic.followed
    if (signal.aborted || epoch !== live.state().epochs[0].name) return
    if (!live.covers(topic, after) || live.recent.hasAfter(after, topic.set)) return
    await new Promise<void>((resolve) => {
      const done = (): void => {
        topic.waiters.delete(waiter)
        signal.removeEventListener('abort', done)
        resolve()
      }
      const waiter: Waiter = { after, wake: done }
      topic.waiters.add(waiter)
      signal.addEventListener('abort', done)
    })
  }

  [Symbol.dispose](): void {
    this.#release()
  }
}
