/**
 * Claim: somebody who only waits costs a few kilobytes, and leaves none behind.
 *
 * RSS of the server before and with 10,000 readers, after their heartbeats, with nothing done to collect garbage. The requests
 * have the headers of Chromium. That all of them do wait is seen at the end: an event reaches every one.
 */
import { type Stage, onStage } from '../load/stage.ts'
import { ask } from '../load/ask.ts'
import { getRequest } from '../peers/dialect.ts'
import { betterSse } from '../peers/better-sse.ts'
import { hub } from '../peers/hub.ts'
import { nchan } from '../peers/nchan.ts'
import { plain } from '../peers/plain.ts'
import type { Peer } from '../peers/server.ts'
import { needFiles } from '../machine/proc.ts'
import { barChart } from '../report/svg.ts'
import { bytes, figure } from '../report/words.ts'
import type { Bench, BenchContext } from './bench.ts'

const PEERS: readonly Peer[] = [hub(), nchan, betterSse, plain]
const ROUNDS = 5
const ONE = { rate: 10, seconds: 0.1, channels: 1, batch: 1, size: 200 }

export const memory: Bench = {
  name: 'memory',
  claim:
    '10,000 idle SSE readers, and 10,000 long polls that wait: RSS for each; and five rounds of opening and closing.',
  async run(context) {
    const count = context.quick ? 500 : 10_000
    needFiles(count)
    const idle: number[] = []
    const peers = PEERS.slice(0, context.ours ? 1 : undefined)
    for (const peer of peers) {
      idle.push(await idleReaders(context, peer, count))
      context.say(`${peer.name}: ${figure((idle.at(-1) as number) / 1000)} KB an idle reader`)
    }
    const poll = await waitingPolls(context, count)
    context.say(`long poll: ${figure(poll / 1000)} KB`)
    const rounds = await openAndClose(context, count)
    const growth = (rounds.at(-1)?.closed as number) / (rounds[0]?.closed as number)
    return {
      tables: [
        {
          caption: `${count.toLocaleString('en')} that wait`,
          head: ['', 'RSS each', 'against ours'],
          rows: [
            ...peers.map(({ name }, index) => row(name, idle[index] as number, idle[0] as number)),
            row('Downlink, a long poll', poll, idle[0] as number),
          ],
        },
        {
          caption: 'RSS of the hub, round by round',
          head: ['round', 'open', 'closed'],
          rows: rounds.map(({ open, closed }, index) => [`${index + 1}`, bytes(open), bytes(closed)]),
        },
      ],
      targets: [
        {
          what: 'an idle SSE reader',
          wanted: { atMost: 8 },
          got: (idle[0] as number) / 1000,
          unit: ' KB',
        },
        { what: 'a long poll that waits', wanted: { atMost: 8 }, got: poll / 1000, unit: ' KB' },
        { what: 'RSS after the fifth round against the first', wanted: { atMost: 1.1 }, got: growth },
      ],
      charts: [
        barChart({
          name: 'memory',
          title: 'RSS of an idle SSE reader, KB (less is better)',
          groups: [''],
          bars: peers.map(({ name }, index) => ({ name, values: [(idle[index] as number) / 1000] })),
        }),
      ],
      notes: [],
    }
  },
}

function row(name: string, each: number, ours: number): string[] {
  return [name, `${figure(each / 1000)} KB`, `× ${figure(each / ours)}`]
}

/** Bytes of RSS for each. */
function idleReaders({ quick }: BenchContext, peer: Peer, count: number): Promise<number> {
  return onStage(peer, 1, async (stage) => {
    const before = await warmedUp(stage)
    await stage.open([{ channels: [0], count }])
    // Two heartbeats to each.
    await pause(quick ? 1_000 : 35_000)
    const each = (stage.server.rss() - before) / count
    await stage.publish(ONE)
    await stage.settle()
    return each
  })
}

function waitingPolls({ quick }: BenchContext, count: number): Promise<number> {
  return onStage(hub(), 1, async (stage) => {
    const before = await warmedUp(stage)
    const request = getRequest('/channels/bench.0?wait=60', { Accept: 'application/json' })
    await stage.readers.call.wait(request, count, `"data":"~0.`)
    await untilMetric(stage, 'downlink_waiting_long_polls', count)
    await pause(quick ? 1_000 : 20_000)
    const each = (stage.server.rss() - before) / count
    await stage.publish(ONE)
    await stage.readers.call.answered()
    return each
  })
}

function openAndClose(
  { quick, say }: BenchContext,
  count: number,
): Promise<{ open: number; closed: number }[]> {
  return onStage(hub(), 1, async (stage) => {
    await warmedUp(stage)
    const rounds: { open: number; closed: number }[] = []
    for (let round = 0; round < ROUNDS; round++) {
      await stage.open([{ channels: [round + 1], count }])
      await untilMetric(stage, 'downlink_streams', count)
      await pause(quick ? 200 : 3_000)
      const open = stage.server.rss()
      await stage.readers.call.closeAll()
      await untilMetric(stage, 'downlink_streams', 0)
      await pause(quick ? 200 : 3_000)
      rounds.push({ open, closed: stage.server.rss() })
      say(`round ${round + 1}: ${bytes(open)} open, ${bytes(stage.server.rss())} closed`)
    }
    return rounds
  })
}

/** RSS of a server that has done a little of everything. */
async function warmedUp(stage: Stage): Promise<number> {
  await stage.open([{ channels: [99], count: 200 }])
  await stage.warmUp({ ...ONE, first: 99, seconds: 1 })
  await stage.readers.call.closeAll()
  await pause(500)
  return stage.server.rss()
}

async function untilMetric(stage: Stage, name: string, wanted: number): Promise<void> {
  for (let left = 500; ; left--) {
    const { body } = await ask(stage.server, getRequest('/metrics', { Accept: '*/*' }))
    const value = Number(new RegExp(`^${name} (\\d+)`, 'm').exec(body)?.[1])
    if (value === wanted) return
    if (left === 0) throw new Error(`${name} is ${value} and not ${wanted}`)
    await pause(20)
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}
