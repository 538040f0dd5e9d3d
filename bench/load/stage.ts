/** A server, its readers and its publishers, for one run. */
import { micros } from './clock.ts'
import { getRequest } from '../peers/dialect.ts'
import type { Peer, Server } from '../peers/server.ts'
import { PUBLISHERS_CORE, READERS_CORE } from '../machine/cores.ts'
import { needFiles } from '../machine/proc.ts'
import type { PublisherMethods, PublishPlan, PublishResult } from './publisher-process.ts'
import type { Group, ReadersMethods } from './readers-process.ts'
import { type Generator, startGenerator } from './rpc.ts'
import { saturation } from './saturation.ts'

/** A group of readers, but for what the server decides. */
export interface Audience extends Omit<Group, 'request' | 'tag' | 'tape'> {
  readonly tag?: string
  readonly tape?: string
  readonly headers?: Readonly<Record<string, string>>
}

/** What one run of publishing cost, and gave. */
export interface Run {
  readonly server: string
  readonly offered: number
  readonly taken: number
  readonly requests: number
  readonly deliveries: number
  /** From the first publish to the last delivery. */
  readonly seconds: number
  readonly perSecond: number
  /** Of the server, in microseconds. */
  readonly cpuPerDelivery: number
  readonly cpuPerEvent: number
  readonly perCpuSecond: number
  /** Of the core that the server had. */
  readonly cpuShare: number
  readonly p50: number
  readonly p99: number
  readonly max: number
  readonly bytes: number
  /** Reads of a reader's socket: how many deliveries came in one piece. */
  readonly reads: number
  readonly rss: number
  /** Why something else than the server may have been what was slow, or undefined. */
  readonly saturated?: string
}

const CONNECTING_AT_ONCE = 128
export class Stage {
  readonly server: Server
  readonly readers: Generator<ReadersMethods>
  readonly publisher: Generator<PublisherMethods>
  /** So long nothing comes any more before something is missing. */
  quietMs = 10_000
  #published: Readonly<Record<number, number>> = {}

  private constructor(server: Server) {
    this.server = server
    this.readers = startGenerator<ReadersMethods>('readers-process.ts', READERS_CORE)
    this.publisher = startGenerator<PublisherMethods>('publisher-process.ts', PUBLISHERS_CORE)
  }

  /** The server starts, and publishers connect. */
  static async set(peer: Peer, connections = 1): Promise<Stage> {
    const stage = new Stage(await peer.start())
    const { port, host, dialectName } = stage.server
    await stage.readers.call.connect(port, host)
    await stage.publisher.call.connect(port, host, dialectName, connections)
    return stage
  }

  /** Resolves when all of them have their heads. */
  async open(audiences: readonly Audience[]): Promise<void> {
    needFiles(audiences.reduce((sum, { count }) => sum + count, 0))
    await this.readers.call.open(
      audiences.map((audience) => ({
        tag: '',
        tape: audience.channels.join(','),
        ...audience,
        request: this.request(audience.channels, audience.headers),
      })),
      CONNECTING_AT_ONCE,
    )
  }

  request(channels: readonly number[], headers?: Readonly<Record<string, string>>): string {
    return getRequest(this.server.dialect.read(channels.map(nameOf)), headers)
  }

  /** Publishes, and waits until every reader has had everything. Nothing of it is counted. */
  async warmUp(plan: PublishPlan): Promise<void> {
    await this.publish(plan)
    await this.settle()
  }

  async publish(plan: PublishPlan): Promise<PublishResult> {
    const result = await this.publisher.call.run(plan)
    this.#published = result.published
    return result
  }

  /** Events published to these channels so far. */
  total(channels: readonly number[]): number {
    return channels.reduce((sum, channel) => sum + (this.#published[channel] ?? 0), 0)
  }

  settle(tags?: readonly string[]): Promise<void> {
    return this.readers.call.settle(this.#published, this.quietMs, tags)
  }

  /** One run that counts: of all readers, with latencies of those with this tag. */
  async measure(plan: PublishPlan, tag?: string): Promise<Run> {
    const { server, readers } = this
    await readers.call.reset()
    const [cpuBefore, waitedBefore] = [server.cpuMs(), server.waitedMs()]
    const published = await this.publish(plan)
    await this.settle(tag === undefined ? undefined : [tag])
    const cpuMs = server.cpuMs() - cpuBefore
    const waitedMs = server.waitedMs() - waitedBefore
    const read = await readers.call.result(tag)
    const end = Math.max(read.last, published.begun + plan.seconds * 1e6)
    const elapsed = (micros() - published.begun) / 1e6
    const seconds = (end - published.begun) / 1e6
    const share = (ms: number): number => ms / 1000 / elapsed
    return {
      server: server.name,
      offered: published.offered,
      taken: published.taken,
      requests: published.requests,
      deliveries: read.count,
      seconds,
      perSecond: read.count / seconds,
      cpuPerDelivery: (cpuMs * 1000) / read.count,
      cpuPerEvent: (cpuMs * 1000) / published.taken,
      perCpuSecond: (read.count / cpuMs) * 1000,
      cpuShare: cpuMs / 1000 / elapsed,
      p50: read.p50,
      p99: read.p99,
      max: read.max,
      bytes: read.bytes,
      reads: read.reads,
      rss: server.rss(),
      ...saturation({
        readers: share(read.cpuMs + read.waitedMs),
        publishers: share(published.cpuMs + published.waitedMs),
        serverWaited: share(waitedMs),
        lagMs: read.lagMs,
      }),
    }
  }

  async end(): Promise<void> {
    this.readers.stop()
    this.publisher.stop()
    await this.server.stop()
  }
}

export function nameOf(channel: number): string {
  return `bench.${channel}`
}

/** Sets the stage, and ends it whatever happens. */
export async function onStage<T>(
  peer: Peer,
  connections: number,
  work: (stage: Stage) => Promise<T>,
): Promise<T> {
  const stage = await Stage.set(peer, connections)
  try {
    return await work(stage)
  } catch (error) {
    throw new Error(`${peer.name}: ${(error as Error).message}`, { cause: error })
  } finally {
    await stage.end()
  }
}

/** Once more, twice at most, when the load was what was slow: on a shared machine that passes. */
export async function unsaturated(run: () => Promise<Run>): Promise<Run> {
  for (let left = 2; ; left--) {
    const result = await run()
    if (result.saturated === undefined || left === 0) return result
  }
}
