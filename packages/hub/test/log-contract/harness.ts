/** What the contract suite needs to know of an engine, and the small words its tests are written in. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ChannelSet } from '../../src/log/channel-set.ts'
import type {
  Limit,
  Log,
  LogErrorCode,
  LogGap,
  LogPage,
  LogRecord,
  Position,
  Tail,
  TailBatch,
} from '../../src/log/log.ts'
import type { RetentionRule } from '../../src/log/retention.ts'

export interface HarnessOptions {
  readonly retention?: readonly RetentionRule[]
  /** Milliseconds. */
  readonly forget?: number
  readonly fullBytes?: number
  /** Gets what a tail's listener throws. */
  readonly reportError?: (error: unknown) => void
}

/** One log under test, empty when it is opened, with a clock that only the test moves. */
export interface LogHarness {
  readonly log: Log
  /** Milliseconds since 1970 by the clock of the log. */
  readonly now: number
  /** Moves the clock (back too), and resolves when the engine has done what it does now and then, such as trimming. */
  advance(ms: number): Promise<void>
  /** Moves the clock, and nothing looks at it. */
  pass(ms: number): void
  /** Another log on the data that the first, closed by now, left behind. */
  reopen?(): Promise<LogHarness>
  /** Closes the log and erases its data. */
  close(): Promise<void>
}

export type OpenLog = (options: HarnessOptions) => Promise<LogHarness>

/** The abilities that an engine may lack, each with the reason in writing. */
export interface Without {
  readonly reopen?: string
  /** `Log.version` says undefined at all times. */
  readonly version?: string
}

export interface Suite {
  readonly open: OpenLog
  readonly without: Without
  /** The share of the random runs of the property tests that is done, 1 for all. */
  readonly share: number
}

/** More than any test reads. */
export const ALL: Limit = { events: 10_000, bytes: 2 ** 24 }

export const HOUR = 3_600_000

/** Runs a test on a log of its own. */
export function fact(
  suite: Suite,
  name: string,
  run: (log: Log, harness: LogHarness) => Promise<void>,
  options: HarnessOptions = {},
): void {
  test(name, async () => {
    const harness = await suite.open(options)
    try {
      await run(harness.log, harness)
    } finally {
      await harness.close()
    }
  })
}

export function set(...parts: string[]): ChannelSet {
  return new ChannelSet(parts)
}

/** Appends events of one channel, one after the other. */
export async function publish(log: Log, channel: string, ...data: string[]): Promise<Position[]> {
  const positions: Position[] = []
  for (const text of data) {
    const appended = await log.append([{ channel, data: text }])
    positions.push(...appended.positions)
  }
  return positions
}

/** The same, for one event. */
export async function publishOne(log: Log, channel: string, data = ''): Promise<Position> {
  const [position] = await publish(log, channel, data)
  assert.ok(position !== undefined)
  return position
}

export function texts(page: LogPage): string[] {
  return page.events.map((event) => event.data)
}

export function refusal(code: LogErrorCode): { name: 'LogError'; code: LogErrorCode } {
  return { name: 'LogError', code }
}

/** Listens to everything the log is told, and follows what is asked for. */
export class Listener {
  readonly batches: TailBatch[] = []
  readonly tail: Tail
  #arrived = Promise.withResolvers<void>()

  constructor(log: Log) {
    this.tail = log.tail({
      batch: (batch) => {
        this.batches.push(batch)
        this.#arrived.resolve()
        this.#arrived = Promise.withResolvers()
      },
      lost: () => assert.fail('lost'),
    })
  }

  get records(): LogRecord[] {
    return this.batches.flatMap((batch) => batch.records)
  }

  get frontier(): Position {
    return this.batches.at(-1)?.frontier ?? 0
  }

  /** Resolves when everything up to `position` has been told. */
  async upTo(position: Position): Promise<void> {
    while (this.frontier < position) await this.#arrived.promise
  }
}

/** A gap but for the number of its loss, which is each engine's own. */
export function plain(gap: LogGap | undefined): Omit<LogGap, 'loss'> | undefined {
  if (gap === undefined) return undefined
  const { loss, ...rest } = gap
  assert.ok(Number.isInteger(loss) && loss > 0, 'a loss has a number')
  return rest
}
