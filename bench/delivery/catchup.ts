/**
 * Claim: a long history streams fast, in bounded memory, and keeps nobody waiting.
 *
 * 100,000 events of 200 bytes are read from the start, again and again, while 100 readers of another channel get 100 events a
 * second. The first replay is not counted.
 */
import { micros } from '../load/clock.ts'
import { onStage, type Stage } from '../load/stage.ts'
import { hub } from '../peers/hub.ts'
import { dialects, getRequest } from '../peers/dialect.ts'
import type { Peer } from '../peers/server.ts'
import { figure } from '../report/words.ts'
import type { Bench, BenchContext } from './bench.ts'

const RETENTION = ['**=count:none,bytes:none,age:none']
const memory = hub({ retention: RETENTION })
const sqlite = hub({ log: 'fsync', retention: RETENTION })

interface Outcome {
  readonly name: string
  readonly events: number
  /** Of the stream, the median of the replays, in bytes a second. */
  readonly bytesPerSecond: number
  readonly cpuPerEvent: number
  readonly grown: number
  readonly p99: number
  readonly calmP99: number
  readonly saturated: string | undefined
}

export const catchup: Bench = {
  name: 'catchup',
  claim: 'A replay of 100,000 events from memory and from SQLite, while others are served.',
  async run(context) {
    const outcomes = [await runOf(context, memory), await runOf(context, sqlite)] as [Outcome, Outcome]
    return {
      tables: [
        {
          caption: `Replays of ${outcomes[0].events.toLocaleString('en')} events`,
          head: ['', 'MB/s', 'CPU µs an event', 'RSS grew by', 'others: p99 ms', 'without replays: p99 ms'],
          rows: outcomes.map(({ name, bytesPerSecond, cpuPerEvent, grown, p99, calmP99 }) => [
            name,
            figure(bytesPerSecond / 1e6),
            figure(cpuPerEvent),
            `${figure(grown / 1e6)} MB`,
            figure(p99),
            figure(calmP99),
          ]),
        },
      ],
      targets: outcomes.flatMap(({ name, bytesPerSecond, grown }, index) => [
        {
          what: `${name}: the stream`,
          wanted: { atLeast: index === 0 ? 200 : 50 },
          got: bytesPerSecond / 1e6,
          unit: ' MB/s',
        },
        // Bounded: less than the history itself, which is 24 MB.
        { what: `${name}: RSS grew by`, wanted: { atMost: 24 }, got: grown / 1e6, unit: ' MB' },
      ]),
      notes: outcomes.flatMap(({ name, saturated }) =>
        saturated === undefined ? [] : [`${name}: before the replays, ${saturated}.`],
      ),
    }
  },
}

async function runOf({ quick, say }: BenchContext, peer: Peer): Promise<Outcome> {
  const events = quick ? 10_000 : 100_000
  const replays = quick ? 3 : 10
  const live = { rate: 100, channels: 1, first: 1, batch: 1, size: 200 }
  const outcome = await onStage(peer, 1, async (stage) => {
    const { readers, server } = stage
    await fill(stage, events)
    await stage.open([{ tag: 'live', channels: [1], count: 100 }])
    await stage.warmUp({ ...live, seconds: 1 })
    const calm = await stage.measure({ ...live, seconds: 2 }, 'live')
    const path = `${dialects['hub']?.read(['bench.0'])}?after=start`
    const replay = async (): Promise<{ bytes: number; micros: number }> => {
      const begun = micros()
      const group = { tag: 'replay', tape: '0', channels: [0], count: 1, from: 0, request: getRequest(path) }
      return readers.call.replay(group, events, stage.quietMs).then(({ bytes, last }) => ({
        bytes,
        micros: last - begun,
      }))
    }
    await replay()
    await replay()
    await readers.call.reset()
    const before = server.rss()
    let most = before
    const timer = setInterval(() => (most = Math.max(most, server.rss())), 20)
    const cpuBefore = server.cpuMs()
    const publishing = stage.publish({ ...live, seconds: quick ? 1 : 4 })
    const rates: number[] = []
    for (let turn = 0; turn < replays; turn++) {
      const { bytes, micros } = await replay()
      rates.push(bytes / (micros / 1e6))
    }
    const cpuMs = server.cpuMs() - cpuBefore
    clearInterval(timer)
    await publishing
    await stage.settle(['live'])
    const { p99 } = await readers.call.result('live')
    return {
      name: peer.name,
      events,
      bytesPerSecond: rates.toSorted((one, other) => one - other)[Math.floor(rates.length / 2)] as number,
      cpuPerEvent: (cpuMs * 1000) / events / replays,
      grown: most - before,
      p99,
      calmP99: calm.p99,
      saturated: calm.saturated,
    }
  })
  say(
    `${outcome.name}: ${figure(outcome.bytesPerSecond / 1e6)} MB/s, RSS + ${figure(outcome.grown / 1e6)} MB`,
  )
  return outcome
}

async function fill(stage: Stage, events: number): Promise<void> {
  const plan = { rate: 50_000, channels: 1, batch: 1_000, size: 200 }
  while (stage.total([0]) < events) {
    await stage.publish({ ...plan, seconds: (events - stage.total([0])) / plan.rate })
  }
}
