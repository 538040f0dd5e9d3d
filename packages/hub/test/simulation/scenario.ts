/** One world from one seed: a hub on a faulty log, publishers, readers, and in the end the promise. */
import {
  DEFAULT_RETENTION,
  DURABLE_RETENTION,
  RetentionRules,
  type RetentionRule,
} from '../../src/log/retention.ts'
import { ChannelSet } from '../../src/log/channel-set.ts'
import { Patience } from '../../src/delivery/patience.ts'
import { HubError } from '../../src/errors.ts'
import { createHub, type Hub } from '../../src/hub.ts'
import { LogError } from '../../src/log/log.ts'
import { Client, type Habits, type Transport } from './client.ts'
import { SimulatedClock } from './clock.ts'
import type { Line } from './connection.ts'
import { type Disk, type Faults, FaultyLog, NO_FAULTS } from './faulty-log.ts'
import { Random } from './random.ts'
import { Witness } from './witness.ts'

const CHANNELS = ['a', 'b', 'c', 'n.x', 'n.y', 'n.y.z'] as const
const PATTERNS = ['**', 'n.*', 'n.**', '*'] as const
/** Quick enough to catch up with anything within `CALM_MS`. */
const GOOD_LINE: Line = { capacity: 1e6, chunk: 1e6, delayMs: 1, stall: 0, cut: 0, stallMs: 0 }
const CALM_MS = 12_000

/** What a scenario went through: so that a run can tell that it met what it is for. */
export interface Tally {
  events: number
  gaps: number
  epochs: number
  restarts: number
  done: number
  published: number
}

/**
 * @param disk Default: none, the log is one in memory.
 * @throws whatever breaks the promise first
 */
export async function runScenario(seed: number, disk?: Disk): Promise<Tally> {
  const random = new Random(seed)
  hurry(new Random(seed))
  // Threads are met by many at once only when much is due at one instant.
  const clock = new SimulatedClock(random, Date.UTC(2026, 0, 1), disk ? random.pick([1, 10, 50]) : 1)
  const failure = Promise.withResolvers<never>()
  // Reported once; later ones follow from it.
  failure.promise.catch(() => {})
  const plan = planOf(random)
  const { faults, leavesOut, retention } = plan
  const log = await FaultyLog.open(clock, random, faults, leavesOut, retention, failure.reject, disk)
  const world = new World(random, clock, plan, log, disk !== undefined, failure.reject)
  return Promise.race([world.run(), failure.promise])
}

/** From now on a flush may go on in another turn, or put off a reader, after any write: as where it takes long. */
function hurry(random: Random): void {
  const [over, lost] = [random.pick([0, 0, 0.5]), random.pick([0, 0, 0.05])]
  Object.defineProperty(Patience.prototype, 'over', { configurable: true, get: () => random.chance(over) })
  Object.defineProperty(Patience.prototype, 'lost', {
    configurable: true,
    get(this: Patience) {
      return !this.endless && random.chance(lost)
    },
  })
}

interface Plan {
  readonly changesEpoch: boolean
  /** Milliseconds between two acts of a publisher, at most. */
  readonly paceMs: number
  readonly large: boolean
  readonly faults: Faults
  readonly leavesOut: boolean
  readonly retention: { readonly retention: readonly RetentionRule[]; readonly forget?: number }
}

function planOf(random: Random): Plan {
  const changesEpoch = random.chance(0.4)
  const paceMs = random.pick([20, 200, 500])
  const large = random.chance(0.2)
  // A log that is replayed for a new epoch must not depend on when a channel was forgotten.
  const forgets = !changesEpoch && random.chance(0.3)
  const faults = faultsOf(random)
  const leavesOut = random.chance(0.5)
  const retention = { retention: retentionOf(random), ...(forgets ? { forget: 500 } : {}) }
  return { changesEpoch, paceMs, large, faults, leavesOut, retention }
}

class World {
  readonly #random: Random
  readonly #clock: SimulatedClock
  readonly #fail: (error: unknown) => void
  readonly #log: FaultyLog
  readonly #hub: Hub
  readonly #clients: Client[] = []
  readonly #witnesses: Witness[] = []
  readonly #plan: Plan
  readonly #onDisk: boolean
  #publishing = true
  #published = 0

  constructor(
    random: Random,
    clock: SimulatedClock,
    plan: Plan,
    log: FaultyLog,
    onDisk: boolean,
    fail: (error: unknown) => void,
  ) {
    this.#random = random
    this.#clock = clock
    this.#plan = plan
    this.#log = log
    this.#onDisk = onDisk
    this.#fail = fail
    this.#hub = createHub({
      log: this.#log,
      clock,
      delivery: {
        heartbeatMs: random.pick([300, 15_000]),
        maxAgeMs: random.pick([3_000, 1_800_000]),
        cursorMs: random.pick([1_000, 600_000]),
        recent: { records: random.pick([1, 8, 64, 4096]), bytes: random.pick([1_000, 1e6]) },
      },
      limits: { waitMs: 5_000 },
      onError: (error) => {
        if (!(error instanceof LogError && error.code === 'log-unavailable')) fail(error)
      },
    })
  }

  async run(): Promise<Tally> {
    const random = this.#random
    for (let n = random.int(1, 3); n > 0; n--) void this.#publish(n).catch(this.#fail)
    for (let n = random.int(2, 6); n > 0; n--) this.#arrive()
    if (this.#plan.changesEpoch) void this.#rule().catch(this.#fail)
    await this.#clock.run(this.#plan.paceMs * random.pick([10, 60]))
    await this.#calm()
    for (const [index, client] of this.#clients.entries()) {
      await this.#judge(client, this.#witnesses[index] as Witness)
    }
    this.#checkLosses()
    const followed = this.#log.followed.length
    for (const client of this.#clients) client.stop()
    await this.#clock.run(10_000)
    await this.#hub.close()
    await this.#clock.run(1_000)
    if (this.#hub.delivery.readers + this.#hub.delivery.waiting > 0)
      throw new Error('a closed hub has readers')
    if (this.#log.followed.length > 0)
      throw new Error(`of ${followed} topics ${this.#log.followed.length} stay`)
    if (this.#clock.timers > 0) throw new Error(`${this.#clock.timers} timers are left`)
    const sum = (of: (witness: Witness) => number): number =>
      this.#witnesses.reduce((n, one) => n + of(one), 0)
    return {
      events: sum(({ events }) => events),
      gaps: sum(({ gaps }) => gaps),
      epochs: this.#log.history.epochs - 1,
      restarts: this.#log.restarts,
      done: this.#clients.filter(({ done }) => done).length,
      published: this.#published,
    }
  }

  /** No more faults and no more news: everyone has the time to catch up. */
  async #calm(): Promise<void> {
    this.#publishing = false
    this.#log.faults = NO_FAULTS
    for (const client of this.#clients) {
      client.line = GOOD_LINE
      client.habits = { ...client.habits, garbage: 0, awayMs: 10, stayMs: 10 * CALM_MS }
      client.hangUp()
    }
    await this.#clock.run(CALM_MS)
  }

  async #judge(client: Client, witness: Witness): Promise<void> {
    // It left for good when all had ended: what came of erasing them, or of another epoch, nobody could tell it.
    if (client.done) return
    witness.finish()
    const { set } = witness
    const infos = await this.#log.channels(set, '', Infinity)
    const over = set.patterns.length === 0 && infos.filter(({ ended }) => ended).length === set.names.length
    if (client.streaming && over) throw new Error('a stream of ended channels stays open')
  }

  #checkLosses(): void {
    const { history } = this.#log
    // A log that has forgotten its newest events may have forgotten the reason.
    if (this.#onDisk ? this.#log.hasForgotten : history.epochs > 1) return
    const { retention } = this.#plan.retention
    history.now.checkLosses(
      new RetentionRules(retention, this.#onDisk ? DURABLE_RETENTION : DEFAULT_RETENTION),
    )
  }

  #arrive(): void {
    const random = this.#random
    const parts = [...random.some(CHANNELS, 1, 4), ...(random.chance(0.4) ? random.some(PATTERNS, 1, 2) : [])]
    // Readers of one set share what is read for them.
    const same = random.chance(0.5) && this.#witnesses.length > 0
    const set = same ? random.pick(this.#witnesses).set : new ChannelSet(parts)
    const witness = new Witness(set, this.#log, this.#clock)
    const client = new Client(
      this.#hub,
      this.#clock,
      random,
      witness,
      habitsOf(random),
      lineOf(random),
      this.#fail,
    )
    this.#witnesses.push(witness)
    this.#clients.push(client)
    void client.live().catch(this.#fail)
  }

  /** Changes the epoch now and then. */
  async #rule(): Promise<void> {
    const random = this.#random
    while (this.#publishing) {
      await this.#clock.sleep(random.int(0, this.#plan.paceMs * 15))
      if (!this.#publishing) return
      if (this.#onDisk) await this.#log.restart(random.pick(['clean', 'clean', 'broken', 'restored']))
      else await this.#log.changeEpoch(random.chance(0.15) ? Infinity : random.int(0, 6))
    }
  }

  async #publish(publisher: number): Promise<void> {
    const random = this.#random
    for (let n = 0; this.#publishing; n++) {
      await this.#clock.sleep(random.int(0, this.#plan.paceMs))
      const channels = random.some(CHANNELS, 1, 3)
      const choice = random.next()
      if (choice < 0.04) await this.#attempt(() => this.#hub.drop(random.pick(channels)))
      else {
        const end = choice < 0.09
        const count = random.int(end ? 0 : 1, random.chance(0.1) ? 30 : 3)
        const events = Array.from({ length: count }, () => this.#event())
        const idempotencyKey = `${publisher}-${n}`
        // Nobody knows whether a publish that failed was stored: the same key makes it safe to try again.
        await this.#attempt(() => this.#hub.publish(channels, events, { idempotencyKey, end }))
      }
    }
  }

  async #attempt(act: () => Promise<unknown>): Promise<void> {
    for (let tries = this.#random.int(1, 4); tries > 0; tries--) {
      try {
        await act()
        this.#published++
        return
      } catch (error) {
        if (error instanceof LogError && error.code === 'channel-ended') return
        if (error instanceof HubError || !(error instanceof LogError) || error.code !== 'log-unavailable')
          throw error
      }
    }
  }

  #event(): { data: string; type?: string } {
    const random = this.#random
    const size = this.#plan.large && random.chance(0.3) ? random.int(10_000, 80_000) : random.int(0, 30)
    const data = random.chance(0.1) ? '' : `${random.pick(['é\n', '', ' '])}${'x'.repeat(size)}`
    return random.chance(0.3) ? { data, type: random.pick(['paid', 'message', 'zü']) } : { data }
  }
}

function faultsOf(random: Random): Faults {
  if (random.chance(0.2)) return NO_FAULTS
  return {
    failure: random.pick([0, 0, 0.02, 0.1]),
    pause: random.pick([0, 0.3, 1]),
    pauseMs: random.pick([1, 20, 500]),
    hole: random.pick([0, 0.3]),
    lost: random.pick([0, 0, 0.05, 0.3]),
    tailMs: random.pick([0, 5, 100, 1_000]),
  }
}

function retentionOf(random: Random): RetentionRule[] {
  return [
    { channels: '$hole', count: 1 },
    ...random.some([...CHANNELS, 'n.**', '**'], 0, 4).map((channels) => ({
      channels,
      count: random.pick([1, 5, 50, Infinity]),
      age: random.pick([100, 1_000, Infinity]),
      bytes: random.pick([100, 100_000, Infinity]),
    })),
  ]
}

function habitsOf(random: Random): Habits {
  const all = ['stream', 'messages', 'long-poll', 'poll'] as const
  const transports: readonly Transport[] = random.some(all, 1, 4)
  return {
    origin: random.pick([{ after: 'start' }, { after: 'now' }, { last: random.int(0, 10) }] as const),
    transports,
    garbage: random.pick([0, 0, 0.05]),
    awayMs: random.pick([5, 100, 3_000]),
    stayMs: random.pick([100, 2_000, 30_000]),
  }
}

function lineOf(random: Random): Line {
  return {
    capacity: random.pick([100, 2_000, 64_000]),
    chunk: random.pick([10, 200, 5_000, 64_000]),
    delayMs: random.pick([0, 5, 50]),
    stall: random.pick([0, 0.02, 0.2]),
    cut: random.pick([0, 0.02, 0.1]),
    stallMs: random.pick([500, 5_000]),
  }
}
