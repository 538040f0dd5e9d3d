/** What the page's own clients did and saw in a run of the Lab: requests, and events as they came. Pure. All times by the page's clock, in milliseconds. */
import { DelayCounts, type PageFigures, type Technique, TECHNIQUES } from '../lab/shared.ts'

/** One request, from its sending to the end of its answer. */
export interface Asked {
  readonly start: number
  /** Absent while it lasts. */
  end?: number
  /** Events that it brought so far. */
  events: number
  failed: boolean
  /** Its answer was not waited for: the run was over. */
  left?: true
}

export interface Arrival {
  /** Which one: 0, 1, 2 … within the run. */
  readonly n: number
  readonly at: number
}

/** A run has 30,000 events at most, and as many long polls. */
export const MOST_ASKED = 40_000
export const MOST_EVENTS = 40_000
/** Who holds a connection should have an event by then, plus four times what the network adds. */
const GRACE_MS = 5_000

/** One client. */
export class Trace {
  readonly asked: Asked[] = []
  readonly arrivals: Arrival[] = []
  readonly #seen = new Uint8Array(MOST_EVENTS)
  readonly #delays = new DelayCounts()
  /** All before it have been seen. */
  #first = 0
  #received = 0
  #twice = 0
  #failed = 0
  #empty = 0

  /** Whose `end` and `events` change as it goes on. */
  asks(now: number): Asked {
    const asked = { start: now, events: 0, failed: false }
    this.asked.push(asked)
    if (this.asked.length > MOST_ASKED) this.asked.shift()
    return asked
  }

  answered(asked: Asked, now: number): void {
    if (asked.end !== undefined) return
    asked.end = now
    if (asked.events === 0) this.#empty++
  }

  failed(asked: Asked, now: number): void {
    if (asked.end !== undefined) return
    asked.end = now
    asked.failed = true
    this.#failed++
  }

  left(asked: Asked, now: number): void {
    if (asked.end !== undefined) return
    asked.end = now
    asked.left = true
  }

  /** @param published Of what was there before the client came there is no delay. */
  arrived(asked: Asked, n: number, published: number, now: number): void {
    asked.events++
    if (n >= MOST_EVENTS) return
    if (this.#seen[n]) {
      this.#twice++
      return
    }
    this.#seen[n] = 1
    this.#received++
    this.arrivals.push({ n, at: now })
    if (published >= (this.asked[0]?.start ?? Infinity)) this.#delays.add(now - published)
  }

  get requests(): number {
    return this.asked.length
  }

  get empty(): number {
    return this.#empty
  }

  get failures(): number {
    return this.#failed
  }

  get twice(): number {
    return this.#twice
  }

  /** @param due How many events it should have had by now. */
  figures(due: number): PageFigures {
    let missed = 0
    while (this.#seen[this.#first]) this.#first++
    for (let n = this.#first; n < Math.min(due, MOST_EVENTS); n++) if (!this.#seen[n]) missed++
    return { received: this.#received, missed, delays: this.#delays.report() }
  }

  /** When it last asked for something that has been answered. */
  get answeredAskedAt(): number {
    return (
      this.asked.findLast(({ end, failed, left }) => end !== undefined && !failed && !left)?.start ??
      -Infinity
    )
  }
}

/** All clients of a run, and when the events were published. */
export class Traces {
  readonly #traces = new Map<Technique, Trace>()
  /** By their numbers; of those that no client has seen, nothing. */
  readonly published: number[] = []
  /** When the first client came. */
  start = 0

  of(technique: Technique): Trace {
    const known = this.#traces.get(technique)
    if (known) return known
    const made = new Trace()
    this.#traces.set(technique, made)
    return made
  }

  get techniques(): readonly Technique[] {
    return TECHNIQUES.filter((technique) => this.#traces.has(technique))
  }

  arrived(technique: Technique, asked: Asked, n: number, published: number, now: number): void {
    if (n < MOST_EVENTS) this.published[n] = published
    this.of(technique).arrived(asked, n, published, now)
  }

  /** @param delay What the network adds, each way. */
  figures(technique: Technique, now: number, delay: number): PageFigures {
    const trace = this.of(technique)
    // Who polls is owed what there was when it last asked and was answered.
    const before = technique === 'poll' ? trace.answeredAskedAt : now - GRACE_MS - 4 * delay
    return trace.figures(this.#publishedBefore(before))
  }

  #publishedBefore(time: number): number {
    let count = this.published.length
    // A hole is an event that nobody has seen: as old as what comes after it.
    while (count > 0 && !((this.published[count - 1] ?? Infinity) < time)) count--
    return count
  }
}
