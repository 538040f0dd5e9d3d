/** Who waits for the next record of some channels, as a long poll does. */
import type { Timer } from '../clock.ts'
import type { Position } from '../log/log.ts'
import type { Live } from './delivery.ts'
import type { Topic, Waiter } from './topic.ts'

/** Of an `AbortSignal`, what a wait needs: one of those for each of 10,000 waits is some kilobytes of RSS each. */
export interface Quit {
  readonly aborted: boolean
  addEventListener(type: 'abort', listener: () => void): void
  removeEventListener(type: 'abort', listener: () => void): void
}

export interface Wait {
  /** How long to wait for something to tell, in milliseconds; 0 answers at once. */
  readonly ms: number
  /** Ends the wait early, with the page as it stands. */
  readonly signal?: Quit
}

/**
 * Keeps the tail following its channels until it is disposed of: between two waits nothing is missed, and on a busy hub the
 * log is read once more, not for every record of other channels.
 */
export class Watch implements Disposable, Waiter {
  after: Position = 0
  readonly #live: Live
  readonly topic: Topic
  readonly #signal: Quit | undefined
  readonly #timer: Timer
  readonly #release: (watch: Watch) => void
  #over: 'late' | 'gone' | undefined
  #wake: (() => void) | undefined

  constructor(live: Live, topic: Topic, { ms, signal }: Wait, release: (watch: Watch) => void) {
    this.#live = live
    this.topic = topic
    this.#signal = signal
    this.#release = release
    this.#timer = live.clock.after(ms, () => this.#end('late'))
    if (signal?.aborted) this.#over = 'gone'
    signal?.addEventListener('abort', this.quit)
  }

  /** The time is up, or the wait was ended. */
  get over(): boolean {
    return this.#over !== undefined
  }

  /** The caller is gone, or the hub is about to close the log: nothing is to be read any more. */
  get gone(): boolean {
    return this.#over === 'gone'
  }

  /**
   * Resolves as soon as there may be a record of these channels after the position (or none can
   * be ruled out), and when the wait is over. `epoch` is that of the position.
   */
  async news(after: Position, epoch: string): Promise<void> {
    const live = this.#live
    const topic = this.topic
    await topic.followed
    if (this.over || epoch !== live.state().epochs[0].name) return
    if (!live.covers(topic, after) || live.recent.hasAfter(after, topic.set)) return
    this.after = after
    await new Promise<void>((resolve) => {
      this.#wake = resolve
      topic.waiters.add(this)
    })
  }

  wake(): void {
    this.topic.waiters.delete(this)
    this.#wake?.()
  }

  /** Ends the wait now. */
  readonly quit = (): void => this.#end('gone')

  #end(why: 'late' | 'gone'): void {
    this.#over = why
    this.wake()
  }

  [Symbol.dispose](): void {
    this.#timer.clear()
    this.#signal?.removeEventListener('abort', this.quit)
    this.#release(this)
  }
}
