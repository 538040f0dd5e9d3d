/** A hub under steady load, with readers coming and going: what it takes over time, and what is left when all have gone. */
import { fileURLToPath } from 'node:url'
import type { Findings } from '../delivery/bench.ts'
import { type Generator, startGenerator } from '../load/rpc.ts'
import { onStage, type Run } from '../load/stage.ts'
import { READERS_CORE } from '../machine/cores.ts'
import type { Peer, Server } from '../peers/server.ts'
import { startServer } from '../peers/server.ts'
import { runTable } from '../report/runs.ts'
import { bytes, figure } from '../report/words.ts'
import { type Line, slopeOf } from './slope.ts'
import type { VisitorsMethods, VisitorsResult } from './visitors-process.ts'

export interface HubState {
  readonly readers: number
  readonly waiting: number
  /** Set by the hub, and not run yet. */
  readonly timers: number
  /** What keeps its event loop alive, by kind. */
  readonly handles: Readonly<Record<string, number>>
  /** Bytes; after a collection where one was asked for. */
  readonly heap: number
  /** Of the heap with its garbage, and outside of it. */
  readonly memory: NodeJS.MemoryUsage
}

export interface SoakOptions {
  readonly minutes: number
  readonly say: (line: string) => void
}

/** Those that stay, and those that come and go. */
const STAYING = 100
const VISITORS = 200
const CHANNELS = 10
const RATE = 100
/** Before this the heap finds its size, and the log fills up: a fifth of the time, and no longer than three minutes. */
const WARM_MINUTES = 3
/** Bytes a minute: 20 MB in 20 minutes would be seen. */
const MOST_SLOPE = 1e6
/** Bytes of heap that may be left when all have gone: code that was compiled meanwhile, and a fuller log. */
const MOST_HEAP = 4e6
const GONE_MS = 10_000
/** Between two looks at RSS. Garbage is collected before each: V8 lets it lie for minutes, and the slope would be that of its habits. */
const SAMPLE_SECONDS = 10

const peer: Peer = {
  name: 'Downlink',
  start: () =>
    startServer({
      name: 'Downlink',
      dialect: 'hub',
      command: [
        process.execPath,
        '--expose-gc',
        ...process.execArgv,
        fileURLToPath(new URL('hub-server.ts', import.meta.url)),
      ],
      ipc: true,
    }),
}

interface Rest {
  readonly state: HubState
  readonly files: number
}

export function soak({ minutes, say }: SoakOptions): Promise<Findings> {
  return onStage(peer, 1, async (stage) => {
    const { server } = stage
    await stage.open([{ tag: 'staying', channels: [...Array(CHANNELS).keys()], count: STAYING }])
    // All that is made once is made.
    await visitorsFor(server, 3)
    await stage.warmUp({ rate: 1_000, seconds: 12, channels: CHANNELS, batch: 10, size: 200 })
    const before = await rest(server)
    say(`at rest: ${told(before)}`)
    const samples: { x: number; y: number }[] = []
    const begun = performance.now()
    let most = 0
    let looks = 0
    const sampler = setInterval(() => {
      most = Math.max(most, server.rss())
      if (++looks % SAMPLE_SECONDS > 0) return
      const minute = (performance.now() - begun) / 60_000
      void server.ask<HubState>('state').then((state) => {
        if (looks % 60 === 0 || minutes < 5) say(toldOf(minute, state, server.files()))
        return server.ask<HubState>('collect').then(() => samples.push({ x: minute, y: server.rss() }))
      })
    }, 1_000)
    const visitors = startVisitors()
    let run: Run
    let visited: VisitorsResult
    try {
      await visitors.call.begin(server.port, server.host, VISITORS, CHANNELS)
      run = await stage.measure(
        {
          rate: RATE,
          seconds: minutes * 60,
          channels: CHANNELS,
          batch: 1,
          size: 200,
        },
        'staying',
      )
      visited = await visitors.call.leave()
    } finally {
      clearInterval(sampler)
      visitors.stop()
    }
    const after = await rest(server, before)
    say(`at rest: ${told(after)}`)
    const warm = Math.min(WARM_MINUTES, minutes / 5)
    const line = slopeOf(samples.filter(({ x }) => x > warm))
    const { visits, events } = visited
    return {
      tables: [
        runTable(`${STAYING} that stay`, [run]),
        {
          caption: `${VISITORS} that come and go`,
          head: ['visits', ...Object.keys(visits), 'events'],
          rows: [['', ...Object.values(visits).map(String), `${events}`]],
        },
        {
          caption: 'At rest, with those that stay',
          head: ['', 'before', 'afterwards'],
          rows: [
            ['descriptors', `${before.files}`, `${after.files}`],
            ['readers and waiting long polls', readersOf(before), readersOf(after)],
            ['timers', `${before.state.timers}`, `${after.state.timers}`],
            ['handles', handlesOf(before), handlesOf(after)],
            ['heap after a collection', bytes(before.state.heap), bytes(after.state.heap)],
          ],
        },
      ],
      targets: targetsOf(line, before, after),
      notes: [
        `RSS changed by ${figure(line.slope / 1000)} KB a minute, ± ${figure((line.error * 2) / 1000)}` +
          ` (least squares over ${figure(minutes - warm)} minutes; a sample every ${SAMPLE_SECONDS} seconds, after a collection). ` +
          `With garbage it was ${bytes(most)} at most.`,
        'Every event came once and in order, to those that stay and to those that come and go: else there were no figures here.',
      ],
    }
  })
}

function toldOf(minute: number, { memory }: HubState, files: number): string {
  const { rss, heapTotal, heapUsed, external, arrayBuffers } = memory
  const heap = `heap ${bytes(heapUsed)} of ${bytes(heapTotal)}, outside ${bytes(external)}, of it buffers ${bytes(arrayBuffers)}`
  return `${figure(minute)} min: RSS ${bytes(rss)} (${heap}), ${files} descriptors`
}

function targetsOf({ slope, error }: Line, before: Rest, after: Rest): Findings['targets'] {
  const none = { atMost: 0 }
  return [
    {
      // A short run is not sure of its slope: it fails for what cannot be chance.
      what: 'RSS, less twice the standard error of its slope',
      wanted: { atMost: MOST_SLOPE / 1000 },
      got: (slope - 2 * error) / 1000,
      unit: ' KB a minute',
    },
    {
      what: 'heap that is left',
      wanted: { atMost: MOST_HEAP / 1e6 },
      got: (after.state.heap - before.state.heap) / 1e6,
      unit: ' MB',
    },
    { what: 'descriptors that are left', wanted: none, got: after.files - before.files },
    { what: 'timers that are left', wanted: none, got: after.state.timers - before.state.timers },
    { what: 'handles that are left', wanted: none, got: sumOf(after) - sumOf(before) },
  ]
}

function startVisitors(): Generator<VisitorsMethods> {
  return startGenerator<VisitorsMethods>('../soak/visitors-process.ts', READERS_CORE)
}

async function visitorsFor(server: Server, seconds: number): Promise<void> {
  const visitors = startVisitors()
  await visitors.call.begin(server.port, server.host, VISITORS, CHANNELS)
  await new Promise((resolve) => setTimeout(resolve, seconds * 1000))
  await visitors.call.leave()
  visitors.stop()
}

/** Once nobody is there but those that stay; `before`: once there is no more than then, if that comes. */
async function rest(server: Server, before?: Rest): Promise<Rest> {
  for (const until = performance.now() + GONE_MS; ;) {
    const state = await server.ask<HubState>('collect')
    const now = { state, files: server.files() }
    const quiet =
      state.waiting === 0 &&
      state.readers === STAYING &&
      (before === undefined ||
        (now.files <= before.files && state.timers <= before.state.timers && sumOf(now) <= sumOf(before)))
    if (quiet || performance.now() > until) return now
    await new Promise((resolve) => setTimeout(resolve, 250))
  }
}

function sumOf({ state }: Rest): number {
  return Object.values(state.handles).reduce((sum, count) => sum + count, 0)
}

function handlesOf({ state }: Rest): string {
  return Object.entries(state.handles)
    .toSorted(([one], [other]) => (one < other ? -1 : 1))
    .map(([kind, count]) => `${count} ${kind}`)
    .join(', ')
}

function readersOf({ state }: Rest): string {
  return `${state.readers}, ${state.waiting}`
}

function told(rest: Rest): string {
  return `${rest.files} descriptors, ${rest.state.timers} timers, heap ${bytes(rest.state.heap)}, ${handlesOf(rest)}`
}
