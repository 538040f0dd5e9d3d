/** Who waits for the next record of some channels, as a long poll does. */
import type { Timer } from '../clock.ts'
import type { Position } from '../log/log.ts'
import type { Live } from './delivery.ts'
import { type Holder, NOBODY } from './holder.ts'
import type { Topic, Waiter } from './topic.ts'

/** Of an `AbortSignal`, what a wait needs: one of those for each of 10,000 waits is some kilobytes of RSS each. */
export interface Quit {
  readonly aborted: boolean
  addEventListener(type: 'abort', listener: Quitter): void
  removeEventListener(type: 'abort', listener: Quitter): void
}

/** An `EventListenerObject`: it needs no function of its own. */
export interface Quitter {
  handleEvent(): void
}

export interface Wait {
  /** How long to wait for something to tell, in milliseconds; 0 answers at once. */
  readonly ms: number
  /** Ends the wait early, with the page as it stands. */
  readonly signal?: Quit
  /** Whose it is. Default nobody's. */
  readonly holder?: Holder
  /** Asked once more at the moment when the waiting begins. */
  readonly gate?: Gate
}

/** Who says how many may wait. */
export interface Gate {
  /** @throws {HubError} there is no room for one more */
  seat(holder: Holder): void
}

/** Who is to be told that the waiting is over, for the time being or for good. */
export interface Sleeper {
  woken(): void
}

/**
 * Keeps the tail following its channels until it is disposed of: between two waits nothing is missed, and on a busy hub the
 * log is read once more, not for every record of other channels.
 */
export class Watch implements Disposable, Waiter, Quitter {
  after: Position = 0
  readonly id: number
  readonly holder: Holder
  readonly #live: Live
  readonly topic: Topic
  readonly #signal: Quit | undefined
  readonly #timer: Timer
  readonly #release: (watch: Watch) => void
  #over: 'late' | 'gone' | undefined
  #sleeper: Sleeper | undefined

  constructor(
    live: Live,
    topic: Topic,
    { ms, signal, holder = NOBODY }: Wait,
    release: (watch: Watch) => void,
  ) {
    this.#live = live
    this.id = live.nextId()
    this.holder = holder
    this.topic = topic
    this.#signal = signal
    this.#release = release
    this.#timer = live.clock.after(ms, () => this.#end('late'))
    if (signal?.aborted) this.#over = 'gone'
    signal?.addEventListener('abort', this)
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
   * To be called when the topic is followed. Wakes the sleeper, in a turn of its own, as soon as there may be a record of these
   * channels after the position (or none can be ruled out), and when the wait is over. `epoch` is that of the position.
   */
  sleep(after: Position, epoch: string, sleeper: Sleeper): void {
    const { topic } = this
    const live = this.#live
    this.#sleeper = sleeper
    const quiet =
      !this.over &&
      epoch === live.state().epochs[0].name &&
      live.covers(topic, after) &&
      !live.recent.hasAfter(after, topic.set)
    if (!quiet) return this.wake()
    this.after = after
    topic.waiters.add(this)
  }

  wake(): void {
    const sleeper = this.#sleeper
    if (sleeper === undefined) return
    this.#sleeper = undefined
    this.topic.waiters.delete(this)
    // Who wakes it is in the midst of telling others.
    queueMicrotask(() => sleeper.woken())
  }

  /** Ends the wait now. */
  quit(): void {
    this.#end('gone')
  }

  /** Of the signal. */
  handleEvent(): void {
    this.#end('gone')
  }

  #end(why: 'late' | 'gone'): void {
    this.#over = why
    this.wake()
  }

  [Symbol.dispose](): void {
    this.#timer.clear()
    this.#signal?.removeEventListener('abort', this)
    this.#release(this)
  }
}
