/** The Lab of a hub: one run at a time, and those that were. */
import { randomBytes } from 'node:crypto'
import type { Hub } from '../hub.ts'
import { LAB, tell } from '../ops/own-channels.ts'
import type { Plan, Target } from './crowd/plan.ts'
import { LabClock } from './lab-clock.ts'
import { HubMeter } from './meter.ts'
import type { LabReport, LabSettings } from './report.ts'
import { channelOf, type Outlet, Run } from './run.ts'

/** Runs that are over and can still be asked for. */
const KEPT = 20

export interface LabOptions {
  /** Where the crowd connects, in place of the address at which a run was asked for. */
  readonly target?: Pick<Target, 'host' | 'port'>
}

export interface RunRequest {
  readonly target: Target
  readonly headers: Plan['headers']
  readonly settings: LabSettings
}

/** A way to the hub through the network of a run. */
export interface Through {
  /** On 127.0.0.1, for plain HTTP. Rejects when the run is over before it is there. */
  readonly port: Promise<number>
  /** Below which path the hub answers there. */
  readonly mount: string
  /** The only one that is to be read by it. */
  readonly channel: string
}

/** Another run is under way. */
export class LabBusy extends Error {
  readonly id: string
  override readonly name = 'LabBusy'

  constructor(id: string) {
    super(`The run ${id} is under way, and one at a time is measured`)
    this.id = id
  }
}

export class Lab {
  /** What events are stamped with. */
  readonly clock = new LabClock()
  /** Counts at the hub's sockets what those tell it that write to them. */
  readonly meter: HubMeter
  readonly #hub: Hub
  readonly #own: Hub
  readonly #options: LabOptions
  readonly #over = new Map<string, LabReport>()
  #run: Run | undefined
  #closed = false

  /** @param own Of the node's own channels, where `$hub.lab` is. */
  constructor(hub: Hub, own: Hub, options: LabOptions = {}) {
    this.#hub = hub
    this.#own = own
    this.#options = options
    this.meter = new HubMeter(hub)
    hub.stopping.addEventListener('abort', () => this.#run?.stop(), { once: true })
  }

  static newId(): string {
    return `run-${randomBytes(6).toString('hex')}`
  }

  /** @throws {LabBusy} */
  begin(id: string, { settings, target, headers }: RunRequest): LabReport {
    if (this.#run) throw new LabBusy(this.#run.id)
    const { target: instead } = this.#options
    const cpu = threadCpu()
    const run = new Run(settings, {
      id,
      clock: this.clock,
      outlet: outletOf(this.#hub),
      target: { ...target, ...instead },
      headers,
      meter: this.meter,
      ...(cpu && { cpu }),
      tell: (report) => tell(this.#own, [{ channel: LAB, value: report }]),
    })
    this.#run = run
    void run.done.then(() => this.#ended(run))
    if (this.#closed || this.#hub.stopping.aborted) run.stop()
    return run.report()
  }

  /** The run under way. */
  get running(): string | undefined {
    return this.#run?.id
  }

  /** What is between the clients of the page and the hub in the run under way; undefined when it is another, or nothing is. */
  through(id: string): Through | undefined {
    const run = this.#run
    const relay = run?.id === id ? run.relay : undefined
    return run && relay && { port: relay, mount: run.mount, channel: channelOf(id) }
  }

  /** Of the run under way, or one of those that were last. */
  report(id: string): LabReport | undefined {
    return this.#run?.id === id ? this.#run.report() : this.#over.get(id)
  }

  /** Resolves when nothing is left of it; undefined when there is no such run. */
  async stop(id: string): Promise<LabReport | undefined> {
    if (this.#run?.id === id) {
      const run = this.#run
      run.stop()
      await run.done
      return run.report()
    }
    return this.#over.get(id)
  }

  /** Resolves when nothing is left of this run. */
  async over(id: string): Promise<void> {
    if (this.#run?.id === id) await this.#run.done
  }

  /** To be awaited before the hub is closed: the channel of a run is in its log. */
  async close(): Promise<void> {
    this.#closed = true
    this.#run?.stop()
    await this.#run?.done
  }

  #ended(run: Run): void {
    if (this.#run === run) this.#run = undefined
    this.#over.set(run.id, run.report())
    for (const id of this.#over.keys()) {
      if (this.#over.size <= KEPT) break
      this.#over.delete(id)
    }
  }
}

export function outletOf(hub: Hub): Outlet {
  return {
    publish: (channel, data) => hub.publish(channel, { data }),
    cursor: async (channel) => (await hub.read(channel, { after: 'now', limit: 1 })).cursor,
    drop: (channel) => hub.drop(channel),
  }
}

/** CPU time of the thread that asks, in milliseconds. Undefined where Node is too old to know it. */
export function threadCpu(): (() => number) | undefined {
  if (typeof process.threadCpuUsage !== 'function') return undefined
  return () => {
    const { user, system } = process.threadCpuUsage()
    return (user + system) / 1000
  }
}
