import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ChannelSet } from '../src/log/channel-set.ts'
import { DEFAULT_RETENTION, type RetentionRule } from '../src/log/retention.ts'
import { SqliteLog } from '../src/log/sqlite/sqlite-log.ts'
import { testLogContract, type HarnessOptions, type LogHarness } from './log-contract.ts'

/** A log in a folder of its own, with a clock that only the test moves. */
class Harness implements LogHarness {
  readonly log: SqliteLog
  readonly #options: HarnessOptions
  readonly #folder: string
  readonly #clock: { now: number }

  private constructor(log: SqliteLog, options: HarnessOptions, folder: string, clock: { now: number }) {
    this.log = log
    this.#options = options
    this.#folder = folder
    this.#clock = clock
  }

  static async open(options: HarnessOptions, folder?: string, now = Date.UTC(2026, 0, 1)): Promise<Harness> {
    const path = folder ?? (await mkdtemp(join(tmpdir(), 'downlink-log-')))
    const clock = { now }
    const log = await SqliteLog.open({
      path: join(path, 'log.db'),
      now: () => clock.now,
      ...options,
      retention: explicit(options),
    })
    return new Harness(log, options, path, clock)
  }

  get now(): number {
    return this.#clock.now
  }

  pass(ms: number): void {
    this.#clock.now += ms
  }

  async advance(ms: number): Promise<void> {
    this.pass(ms)
    // Asking is what makes it look at the clock at once. Nobody who reads waits for all that is to be swept; when there is no more
    // of it, the log can tell its version again.
    do await this.log.channels(new ChannelSet(['**']), '', 1)
    while (this.log.version() === undefined)
  }

  reopen(): Promise<LogHarness> {
    return Harness.open(this.#options, this.#folder, this.now)
  }

  async close(): Promise<void> {
    await this.log.close()
    await rm(this.#folder, { recursive: true, force: true })
  }
}

// Each run opens two threads and a few files, and waits for a disk: seeds differ, so that many quick runs still see many scenarios.
testLogContract('sqlite', (options) => Harness.open(options), {}, 0.06)

/** The suite means the defaults of memory. */
function explicit({ retention = [] }: HarnessOptions): readonly RetentionRule[] {
  return [
    ...retention.map((rule) => ({ ...DEFAULT_RETENTION, ...rule })),
    { ...DEFAULT_RETENTION, channels: '**' },
  ]
}
