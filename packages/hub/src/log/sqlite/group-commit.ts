/** Appends on their way to the disk: whatever arrives while a transaction runs goes into the next one. */
import { availableParallelism } from 'node:os'
import { LogError } from '../log.ts'
import type { GroupResult, WriteRequest, WriteResult } from './messages.ts'

/** One transaction: large enough to share an fsync among many, small enough to be over soon. */
const GROUP = { events: 5_000, units: 4 * 1024 * 1024 }
/** What may wait: beyond it an append is refused at once with `log-unavailable`. */
const WAITING = { requests: 100_000, units: 64 * 1024 * 1024 }

/**
 * How many turns of the event loop a transaction waits for what else arrives. With a core for each thread two groups take turns: one is
 * written while the other comes in. On a single core that gains nothing, and each transaction costs as much as ten events: there those
 * that were answered last are waited for.
 */
const TURNS = availableParallelism() > 1 ? 1 : 2

interface Entry {
  readonly request: WriteRequest
  readonly units: number
  resolve(result: WriteResult): void
  reject(error: unknown): void
}

export class GroupCommit {
  readonly #commit: (requests: readonly WriteRequest[]) => Promise<GroupResult>
  readonly #done: (requests: readonly WriteRequest[], group: GroupResult) => void
  #waiting: Entry[] = []
  #units = 0
  #running: Promise<void> | undefined
  #present: Promise<void> | undefined

  /**
   * @param commit One transaction.
   * @param done Told of each in order, before those who wait for it.
   */
  constructor(
    commit: (requests: readonly WriteRequest[]) => Promise<GroupResult>,
    done: (requests: readonly WriteRequest[], group: GroupResult) => void,
  ) {
    this.#commit = commit
    this.#done = done
  }

  /** @throws {LogError} `log-unavailable` when too much waits */
  add(request: WriteRequest): Promise<WriteResult> {
    const units = unitsOf(request)
    if (
      this.#waiting.length >= WAITING.requests ||
      (this.#units + units > WAITING.units && this.#waiting.length > 0)
    ) {
      throw new LogError(
        'log-unavailable',
        'The disk is behind, and too many appends wait for it: publish more slowly',
      )
    }
    return new Promise((resolve, reject) => {
      this.#waiting.push({ request, units, resolve, reject })
      this.#units += units
      this.#running ??= this.#run()
    })
  }

  /** Resolves when the transaction that runs now is over, and `done` was told of it. */
  async presentOver(): Promise<void> {
    await this.#present
  }

  /** Resolves when nothing runs and nothing waits. */
  async settled(): Promise<void> {
    await this.#running
  }

  async #run(): Promise<void> {
    while (this.#waiting.length > 0) {
      // Whatever else arrives in this turn goes along.
      for (let turn = 0; turn < TURNS; turn++) {
        await new Promise<void>((resolve) => void setImmediate(resolve))
      }
      this.#present = this.#transact(this.#nextGroup())
      await this.#present
    }
    this.#present = undefined
    this.#running = undefined
  }

  async #transact(group: readonly Entry[]): Promise<void> {
    const requests = group.map(({ request }) => request)
    try {
      const result = await this.#commit(requests)
      this.#done(requests, result)
      for (const [index, entry] of group.entries()) entry.resolve(result.results[index] as WriteResult)
    } catch (error) {
      for (const entry of group) entry.reject(error)
    }
  }

  #nextGroup(): Entry[] {
    let events = 0
    let units = 0
    let count = 0
    for (const { request, units: own } of this.#waiting) {
      events += request.kind === 'append' ? request.channels.length : 1
      units += own
      if (count > 0 && (events > GROUP.events || units > GROUP.units)) break
      count++
    }
    const group = this.#waiting.slice(0, count)
    this.#waiting = this.#waiting.slice(count)
    for (const entry of group) this.#units -= entry.units
    return group
  }
}

function unitsOf(request: WriteRequest): number {
  if (request.kind === 'drop') return 0
  return request.data.reduce((sum, data) => sum + data.length, 0)
}
