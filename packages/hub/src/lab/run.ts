/** One run: events on a channel of its own, a crowd that reads them, what was measured, and an end that leaves nothing behind. */
import { setTimeout as sleep } from 'node:timers/promises'
import { Crowd } from './crowd/crowd.ts'
import { type Counts, type CrowdReport, NO_COUNTS, type Plan, type Target } from './crowd/plan.ts'
import { type Cpu, measureCpu, median } from './cpu-turns.ts'
import { DelayCounts } from './delays.ts'
import type { LabClock } from './lab-clock.ts'
import { EventPublisher } from './publisher.ts'
import type { LabReport, LabSettings, Technique, TechniqueReport } from './report.ts'
import { LEAD_MS } from './schedule.ts'

/** The channels of a run, and what is done with them. */
export interface Outlet {
  /** Resolves when the hub has it. */
  publish(channel: string, data: string): Promise<unknown>
  /** Where reading it begins, before anything is published. */
  cursor(channel: string): Promise<string>
  /** Erases it; that it never was is no error. */
  drop(channel: string): Promise<unknown>
}

/** What counts at the hub's sockets. Without one the crowd's own count. */
export interface CountsMeter {
  start(channel: string): void
  report(): Partial<Record<Technique, Counts>>
  stop(): void
}

export interface RunSeams {
  readonly id: string
  readonly clock: LabClock
  readonly outlet: Outlet
  readonly target: Target
  readonly headers: Plan['headers']
  readonly meter?: CountsMeter
  /** CPU time of the hub's thread, in milliseconds, where it can be had. */
  readonly cpu?: () => number
  /** Told each second, and with each new state. */
  readonly tell: (report: LabReport) => void
}

const TELL_MS = 1_000
/** A client that holds a connection should have an event by then, plus four times what the network adds. */
const GRACE_MS = 5_000
const LOOK_MS = 25
const REHEARSAL_MS = 200
const REHEARSAL_EVENTS = 10

export function channelOf(id: string): string {
  return `lab.${id}`
}

/** Where the turns that measure CPU publish: those who follow the run have nothing of it. */
export function cpuChannelOf(id: string): string {
  return `lab.${id}-cpu`
}

export class Run {
  readonly settings: LabSettings
  /** Resolves when nothing is left of it: no crowd, no channel, no timer. Never rejects. */
  readonly done: Promise<void>
  readonly #seams: RunSeams
  readonly #stopping = new AbortController()
  readonly #published = new SharedArrayBuffer(4)
  readonly #cpu = new Map<Technique, Cpu>()
  #state: LabReport['state'] = 'running'
  #reason: string | undefined
  #started: number
  /** Set when the events are over: what is told from then on is of that time. */
  #elapsed: number | undefined
  #crowd: CrowdReport | undefined
  #counts: Partial<Record<Technique, Counts>> = {}
  #late = { events: 0, crowd: 0 }
  /** Of each second. */
  readonly #lateness: { readonly events: number; readonly crowd: number }[] = []
  readonly #relay: PromiseWithResolvers<number> | undefined

  constructor(settings: LabSettings, seams: RunSeams) {
    this.settings = settings
    this.#seams = seams
    this.#started = seams.clock.now()
    if (!isPlain(settings.network)) {
      this.#relay = Promise.withResolvers()
      // Whether anybody waits for it.
      this.#relay.promise.catch(() => {})
    }
    this.done = this.#run()
  }

  get id(): string {
    return this.#seams.id
  }

  /** The port on 127.0.0.1 of the network in between; rejects when the run ends before it is there. Undefined: nothing is. */
  get relay(): Promise<number> | undefined {
    return this.#relay?.promise
  }

  /** Below which path the hub answers. */
  get mount(): string {
    return this.#seams.target.mount
  }

  stop(): void {
    this.#stopping.abort()
  }

  report(): LabReport {
    const { clock, id } = this.#seams
    const techniques: Partial<Record<Technique, TechniqueReport>> = {}
    for (const technique of this.settings.techniques) techniques[technique] = this.#of(technique)
    return {
      id,
      channel: channelOf(id),
      state: this.#state,
      ...(this.#reason !== undefined && { reason: this.#reason }),
      settings: this.settings,
      started: this.#started,
      elapsed: this.#elapsed ?? clock.now() - this.#started,
      published: this.#count,
      late: this.#late,
      techniques,
    }
  }

  get #count(): number {
    return Atomics.load(new Int32Array(this.#published), 0)
  }

  get #grace(): number {
    return GRACE_MS + 4 * this.settings.network.delay
  }

  #of(technique: Technique): TechniqueReport {
    const member = this.#crowd?.techniques[technique]
    const counts = this.#seams.meter ? this.#counts[technique] : member?.counts
    const cpu = this.#cpu.get(technique)
    return {
      ...(counts ?? NO_COUNTS),
      crowd: {
        clients: member?.clients ?? 0,
        received: member?.received ?? 0,
        missed: member?.missed ?? 0,
        twice: member?.twice ?? 0,
        delays: member?.delays ?? new DelayCounts().report(),
      },
      ...(cpu && { cpu }),
    }
  }

  async #run(): Promise<void> {
    const { id, meter, outlet } = this.#seams
    const crowd = this.settings.clients > 0 || this.#relay ? new Crowd() : undefined
    let state: LabReport['state'] = 'done'
    try {
      await this.#live(crowd)
      const { clients, cpu } = this.settings
      if (crowd && clients > 0 && cpu && !this.#stopping.signal.aborted) await this.#measure(crowd)
      if (this.#stopping.signal.aborted) state = 'stopped'
    } catch (error) {
      state = 'failed'
      this.#reason = error instanceof Error ? error.message : String(error)
    }
    this.#elapsed ??= this.#seams.clock.now() - this.#started
    meter?.stop()
    this.#relay?.reject(new Error('The run is over'))
    await crowd?.close().catch(() => {})
    const dropped = [channelOf(id), cpuChannelOf(id)].map((channel) => outlet.drop(channel))
    // A log that is closed, or away, keeps what it has; there is nothing to be done about it here.
    await Promise.allSettled(dropped)
    this.#become(state)
  }

  #become(state: LabReport['state']): void {
    this.#state = state
    this.#seams.tell(this.report())
  }

  /** The events and the crowd, all techniques at once. */
  async #live(crowd: Crowd | undefined): Promise<void> {
    const { clock, id, meter, outlet } = this.#seams
    const { signal } = this.#stopping
    const channel = channelOf(id)
    this.#seams.tell(this.report())
    // A page's own clients connect as soon as they know of the run. The rehearsal is on another channel.
    meter?.start(channel)
    const relayed = crowd && this.#relay && (await this.#between(crowd, this.#relay))
    if (crowd && this.settings.clients > 0) await this.#rehearse(crowd)
    if (signal.aborted) return
    const direct = await this.#plan(channel)
    const plan = relayed === undefined ? direct : { ...direct, target: behind(direct.target, relayed) }
    if (crowd) await this.#orStopped(crowd.start(plan))
    if (signal.aborted) return
    this.#started = clock.now()
    const publisher = new EventPublisher({
      events: this.settings.events,
      lasting: this.settings.seconds * 1000,
      clock,
      seed: plan.seed,
      publish: (data) => outlet.publish(channel, data),
      acknowledged: (count) => Atomics.store(new Int32Array(this.#published), 0, count),
    })
    const watch = new Watch(this.#grace, () => this.#count)
    const ticks = setInterval(() => void this.#tick(crowd, publisher, watch.due(clock.now())), TELL_MS)
    try {
      const running = publisher.run(signal)
      await (crowd ? Promise.race([running, crowd.failed]) : running)
      // From here on nobody polls, and there are no events: what is counted is of the time until now.
      this.#elapsed = clock.now() - this.#started
      this.#late = {
        events: median(this.#lateness.map(({ events }) => events)),
        crowd: median(this.#lateness.map(({ crowd }) => crowd)),
      }
      if (crowd) await this.#drain(crowd)
      this.#counts = meter?.report() ?? {}
    } finally {
      clearInterval(ticks)
    }
    await crowd?.stop()
  }

  /** To connect may take long. */
  async #orStopped(starting: Promise<void>): Promise<void> {
    const { signal } = this.#stopping
    const stopped = new Promise<void>((resolve) => {
      signal.addEventListener('abort', () => resolve(), { once: true })
      if (signal.aborted) resolve()
    })
    await Promise.race([starting, stopped])
  }

  async #between(crowd: Crowd, { resolve }: PromiseWithResolvers<number>): Promise<number> {
    const port = await crowd.network(this.settings.network, this.#seams.target, SEED)
    resolve(port)
    return port
  }

  /** Code that has not run yet is slow, and would make the first events late: some go before, elsewhere, and are not counted. */
  async #rehearse(crowd: Crowd): Promise<void> {
    const { clock, id, outlet } = this.#seams
    const channel = cpuChannelOf(id)
    const plan = await this.#plan(channel)
    const clients = Object.fromEntries(this.settings.techniques.map((technique) => [technique, 2]))
    const published = new SharedArrayBuffer(4)
    await this.#orStopped(crowd.start({ ...plan, clients, pollEvery: REHEARSAL_MS / 4, published }))
    if (this.#stopping.signal.aborted) return
    const size = this.settings.events.size
    await new EventPublisher({
      events: { rate: REHEARSAL_EVENTS / (REHEARSAL_MS / 1000), shape: 'steady', size },
      lasting: REHEARSAL_MS + LEAD_MS,
      clock,
      seed: SEED,
      publish: (data) => outlet.publish(channel, data),
      acknowledged() {},
    }).run(this.#stopping.signal)
    await crowd.stop()
  }

  async #tick(crowd: Crowd | undefined, publisher: EventPublisher, due: number): Promise<void> {
    try {
      const report = await crowd?.report(due)
      if (this.#elapsed === undefined) {
        this.#crowd = report
        this.#counts = this.#seams.meter?.report() ?? {}
        this.#late = { events: publisher.takeLate(), crowd: report?.late ?? 0 }
        this.#lateness.push(this.#late)
      }
      this.#seams.tell(this.report())
    } catch {
      // The run itself is told why the crowd does not answer.
    }
  }

  /** Until all who hold a connection have all events, or should have had them. */
  async #drain(crowd: Crowd): Promise<void> {
    const { clock } = this.#seams
    const { signal } = this.#stopping
    const published = this.#count
    const until = clock.now() + this.#grace
    while (!signal.aborted && clock.now() < until) {
      const { had } = await crowd.report(published, 'polls')
      if (had >= published) break
      await sleep(LOOK_MS, undefined, { signal }).catch(() => {})
    }
    this.#crowd = await crowd.report(published, 'all')
    // What they have asked last is on its way to where it is counted: some turns of this thread later it has come.
    await sleep(this.settings.network.delay)
    for (let turn = 0; turn < 3; turn++) await sleep(LOOK_MS)
  }

  /** Without the network: it makes nothing dearer for the hub, and what is held back is not delivered. */
  async #measure(crowd: Crowd): Promise<void> {
    const { clock, cpu, id, outlet } = this.#seams
    if (cpu === undefined) return
    this.#become('measuring-cpu')
    const channel = cpuChannelOf(id)
    const published = new SharedArrayBuffer(4)
    const { signal } = this.#stopping
    const plan = async (): Promise<Plan> => ({ ...(await this.#plan(channel)), published })
    const publish = (data: string): Promise<unknown> => outlet.publish(channel, data)
    const { settings } = this
    await measureCpu(
      { settings, crowd, clock, seed: SEED, plan, publish, cpu, signal },
      (technique, measured) => {
        this.#cpu.set(technique, measured)
        this.#seams.tell(this.report())
      },
    )
  }

  async #plan(channel: string): Promise<Plan> {
    const { clock, headers, outlet, target } = this.#seams
    const { clients, pollEvery, techniques } = this.settings
    return {
      target,
      channel,
      cursor: await outlet.cursor(channel),
      headers,
      clients: Object.fromEntries(techniques.map((technique) => [technique, clients])),
      pollEvery,
      published: this.#published,
      clockOrigin: clock.origin,
      seed: SEED,
    }
  }
}

/** Runs of the same settings have the same events: they can be compared. */
const SEED = 0xc0ffee

function isPlain({ buffering, cutAfter, delay }: LabSettings['network']): boolean {
  return !buffering && cutAfter === 0 && delay === 0
}

/** The same, seen through what listens at a port of this machine. */
function behind(target: Target, port: number): Target {
  return { ...target, host: '127.0.0.1', port, tls: 'none' }
}

/** How many events there were some time ago. */
class Watch {
  readonly #grace: number
  readonly #count: () => number
  readonly #seen: { readonly time: number; readonly count: number }[] = []
  #due = 0

  constructor(grace: number, count: () => number) {
    this.#grace = grace
    this.#count = count
  }

  due(now: number): number {
    this.#seen.push({ time: now, count: this.#count() })
    while (this.#seen[0] && this.#seen[0].time <= now - this.#grace) this.#due = this.#seen.shift()!.count
    return this.#due
  }
}
