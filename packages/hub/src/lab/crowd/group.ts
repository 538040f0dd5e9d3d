/** The clients of one technique: what they have had of the events together. */
import { DelayCounts } from '../delays.ts'
import type { LabClock } from '../lab-clock.ts'
import type { MemberReport, Plan } from './plan.ts'
import { Tally } from './tally.ts'

/** What all clients of a technique share. */
export class Group {
  readonly plan: Plan
  readonly tally = new Tally()
  readonly random: () => number
  readonly members: Member[] = []
  readonly #clock: LabClock
  readonly #delays = new DelayCounts()
  readonly #published: Int32Array
  #received = 0
  #twice = 0
  /** Set when the run is over: nothing new is asked for. */
  closing = false

  constructor(plan: Plan, clock: LabClock, random: () => number) {
    this.plan = plan
    this.random = random
    this.#clock = clock
    this.#published = new Int32Array(plan.published)
  }

  /** Events that the hub has acknowledged by now. */
  get published(): number {
    return Atomics.load(this.#published, 0)
  }

  /** About so long, so that clients don't ask all at once. */
  jittered(ms: number, share: number): number {
    return ms * (1 - share + 2 * share * this.random())
  }

  /** For the first time. @param time When it was published */
  received(time: number): void {
    this.#received++
    this.#delays.add(this.#clock.now() - time)
  }

  repeated(): void {
    this.#twice++
  }

  /** @param due Events that who holds a connection should have had. */
  report(due: number): MemberReport {
    for (const member of this.members) member.count()
    const missed = this.members.reduce((sum, member) => sum + member.missed(due), 0)
    return {
      clients: this.members.length,
      received: this.#received,
      missed,
      twice: this.#twice,
      delays: this.#delays.report(),
      counts: this.tally.report(),
    }
  }

  close(): void {
    this.closing = true
    for (const member of this.members) member.close()
  }
}

/** As `LabEvent` is written; anybody may publish something else. */
const EVENT = /^\{"n":(\d+),"t":([\d.]+),/

/** One client. */
export abstract class Member {
  protected readonly group: Group
  /** The number behind the highest that has come, and those below it that have not: published over HTTP, one may overtake another. */
  #next = 0
  readonly #missing = new Set<number>()

  constructor(group: Group) {
    this.group = group
  }

  abstract start(): void
  /** Ends its connection, and what waits. */
  abstract close(): void
  /** Brings the tally up to date, where that is not done as bytes come. */
  count(): void {}

  /** Whether it has a connection, or has tried. */
  abstract readonly begun: boolean
  /** Whether an answer to it is under way that comes by itself soon. */
  get asking(): boolean {
    return false
  }

  /** What it should have had: a poller by its last poll, the others by now. */
  protected due(due: number): number {
    return due
  }

  /** The first so many have all come. */
  get had(): number {
    return Math.min(this.#next, ...this.#missing)
  }

  missed(due: number): number {
    const expected = this.due(due)
    let missed = Math.max(0, expected - this.#next)
    for (const n of this.#missing) if (n < expected) missed++
    return missed
  }

  protected take(data: string): void {
    const [, number, time] = EVENT.exec(data) ?? []
    if (number === undefined) return
    const n = Number(number)
    if (n < this.#next && !this.#missing.delete(n)) {
      this.group.repeated()
      return
    }
    this.group.received(Number(time))
    if (n < this.#next) return
    for (let skipped = this.#next; skipped < n; skipped++) this.#missing.add(skipped)
    this.#next = n + 1
  }
}
