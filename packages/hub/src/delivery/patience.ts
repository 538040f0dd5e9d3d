/**
 * How much of the event loop a flush may have. A flush to thousands goes over several turns, with requests in between: a publisher that
 * waits for its answer could not publish meanwhile, and what it publishes late comes late for all.
 *
 * And less of it is for those whose writes take long. Most writes take some microseconds; while the buffers of a socket that nobody reads
 * fill up, the kernel takes 75 to 200 for each (docs/performance.md): thousands of them were a second in which nobody else was told
 * anything. This is a bucket that leaks: quick writes make up for slow ones, so a flush to any number of readers that read is never
 * short of it, nor is one on a machine that has others to serve. Pure.
 */

/** Writes between two looks at the clock, which counts whole milliseconds: enough that one of them makes nobody slow. */
const GLANCE = 32
/** What a write may take that is not slow, in milliseconds: many times what it takes where all is well. */
const WRITE_MS = 0.04
/** And for each byte, which the kernel copies or TLS encrypts. */
const BYTE_MS = 1e-6
/** The most that one glance counts beyond that: a pause of the process, for garbage or for others, is not the readers' doing. */
const PAUSE_MS = 3
/** So much time beyond what is fair is spent on the slow in one flush. A publisher of 50 events a second is not to be held up. */
const SLOW_MS = 5
/** What a flush has of one turn of the event loop. */
const TURN_MS = 10

/** Of the writes to one reader. */
export interface Slowness {
  /** Whether the last ones took long, its own or of those beside it: then it comes last. */
  slow: boolean
}

export class Patience {
  readonly #now: () => number
  #begun: number
  #since: number
  #fair = 0
  #spent = 0
  readonly #glance: Slowness[] = []

  /** Nothing can be put off any more. */
  endless = false

  /** With a flush its first turn begins. */
  constructor(now: () => number) {
    this.#now = now
    this.#begun = now()
    this.#since = this.#begun
  }

  /** Whether none is left: whom the flush has not reached by now is told in turns of their own. */
  get lost(): boolean {
    return this.#spent > SLOW_MS && !this.endless
  }

  /** Whether the flush is to go on in another turn. */
  get over(): boolean {
    return this.#since - this.#begun >= TURN_MS
  }

  /** Another turn begins. */
  turn(): void {
    this.#begun = this.#now()
    this.#since = this.#begun
  }

  wrote(reader: Slowness, bytes: number): void {
    this.#fair += WRITE_MS + bytes * BYTE_MS
    if (this.#glance.push(reader) === GLANCE) this.#look()
  }

  #look(): void {
    const now = this.#now()
    const beyond = Math.min(now - this.#since - this.#fair, PAUSE_MS)
    this.#spent = Math.max(0, this.#spent + beyond)
    for (const reader of this.#glance) reader.slow = beyond > 0
    this.#glance.length = 0
    this.#since = now
    this.#fair = 0
  }
}
