/** A server under as many requests as it can answer. */
import { PUBLISHERS_CORE } from '../machine/cores.ts'
import type { Server } from '../peers/server.ts'
import type { Table } from '../delivery/bench.ts'
import { count, figure } from '../report/words.ts'
import type { Expectation, HammerMethods } from './hammer-process.ts'
import { startGenerator } from './rpc.ts'
import { saturation } from './saturation.ts'

export interface Hammering {
  readonly label: string
  readonly perSecond: number
  /** Of the server, in microseconds. */
  readonly cpuPerRequest: number
  readonly cpuShare: number
  readonly p50: number
  readonly p99: number
  readonly max: number
  readonly highest: number
  readonly saturated?: string
}

export interface Blow {
  readonly label: string
  readonly server: Server
  readonly connections: number
  readonly seconds: number
  readonly request: string
  readonly expect: Expectation
}

/** A run that counts, after one of a quarter of its time that does not. */
export async function hammer({ label, server, seconds, ...plan }: Blow): Promise<Hammering> {
  const generator = startGenerator<HammerMethods>('hammer-process.ts', PUBLISHERS_CORE)
  try {
    const { port, host } = server
    await generator.call.run({ port, host, seconds: seconds / 4, ...plan })
    const [before, waitedBefore] = [server.cpuMs(), server.waitedMs()]
    const result = await generator.call.run({ port, host, seconds, ...plan })
    const cpuMs = server.cpuMs() - before
    const share = (ms: number): number => ms / 1000 / result.seconds
    return {
      label,
      perSecond: result.requests / result.seconds,
      cpuPerRequest: (cpuMs * 1000) / result.requests,
      cpuShare: cpuMs / 1000 / result.seconds,
      p50: result.p50,
      p99: result.p99,
      max: result.max,
      highest: result.highest,
      ...saturation({
        publishers: share(result.cpuMs + result.waitedMs),
        serverWaited: share(server.waitedMs() - waitedBefore),
      }),
    }
  } catch (error) {
    throw new Error(`${server.name}, ${label}: ${(error as Error).message}`, { cause: error })
  } finally {
    generator.stop()
  }
}

export function hammerTable(caption: string, runs: readonly Hammering[], events = 1): Table {
  const first = runs[0] as Hammering
  return {
    caption,
    head: [
      '',
      'requests/s',
      'events/s',
      'CPU µs a request',
      'against the first',
      'core',
      'p50 ms',
      'p99 ms',
      'max ms',
    ],
    rows: runs.map((run) => [
      run.label + (run.saturated === undefined ? '' : ' *'),
      count(run.perSecond),
      count(run.perSecond * events),
      figure(run.cpuPerRequest),
      `× ${figure(run.cpuPerRequest / first.cpuPerRequest)}`,
      `${Math.round(run.cpuShare * 100)} %`,
      figure(run.p50),
      figure(run.p99),
      figure(run.max),
    ]),
  }
}

export function hammerNotes(runs: readonly Hammering[]): string[] {
  return runs
    .filter(({ saturated }) => saturated !== undefined)
    .map(({ label, saturated }) => `* ${label}: ${saturated}, so the rate is not its own; CPU time holds.`)
}
