/** An attack on a hub, beside normal readers: what they notice of it, what it costs the hub, and what is left of it. */
import type { Bench, BenchContext, Findings } from '../delivery/bench.ts'
import { startGenerator, type Generator } from '../load/rpc.ts'
import { onStage, type Run, type Stage } from '../load/stage.ts'
import { READERS_CORE } from '../machine/cores.ts'
import { needFiles } from '../machine/proc.ts'
import { hub } from '../peers/hub.ts'
import type { Peer, Server } from '../peers/server.ts'
import { saturationNotes, runTable } from '../report/runs.ts'
import { bytes, figure } from '../report/words.ts'
import type { AttackersMethods } from './attackers-process.ts'

export interface Attack {
  readonly name: string
  readonly claim: string
  /** The most that the hub's memory may be, in MB. */
  readonly rss: number
  /** Connections that it opens. */
  readonly connections: number
  /** Seconds of events while it lasts. */
  readonly seconds: number
  /** Bytes of an event of the normal readers. Default 200. */
  readonly size?: number
  /** Where it comes from. Default `ADDRESSES`. */
  readonly addresses?: readonly string[]
  /** Default: `downlink serve` with the limits of a hub with rules and a log in memory. */
  readonly peer?: Peer
  /** Resolves when it is under way. */
  begin(scene: Scene): Promise<void>
  /** What became of it, in rows of a table. Whoever attacks is still there. */
  outcome(scene: Scene): Promise<readonly (readonly [string, string])[]>
  /** Whoever attacks goes, and everything is to be as it was. Default: all of them go at once. */
  end?(scene: Scene): Promise<void>
}

export interface Scene {
  readonly stage: Stage
  readonly server: Server
  readonly attackers: Generator<AttackersMethods>
  /** How many connections: fewer in a quick run. */
  readonly count: number
  readonly quick: boolean
}

/** So many read one channel with so many events a second. */
const READERS = 200
const RATE = 50
/** What a hub with rules allows by default; one without, as it is here, has no such limits unless they are said. */
export const LIMITS = ['streams-per-address=1000', 'publishes-per-subject=1000', 'publishes-per-channel=1000']

/** Where attackers come from: ten addresses, since a hub limits what one may have, and none of them the readers'. */
export const ADDRESSES: readonly string[] = Array.from({ length: 10 }, (_, index) => `127.0.0.${index + 2}`)
/** So long after an attack its connections may still be there. */
const GONE_MS = 5_000

export function attackBench(attack: Attack): Bench {
  const { name, claim } = attack
  return { name, claim, run: (context) => runOf(attack, context) }
}

async function runOf(attack: Attack, { quick, say }: BenchContext): Promise<Findings> {
  const count = quick ? Math.ceil(attack.connections / 20) : attack.connections
  needFiles(count + READERS)
  return onStage(attack.peer ?? hub({ limits: LIMITS }), 1, async (stage) => {
    const { server } = stage
    const plan = {
      rate: RATE,
      seconds: quick ? 3 : attack.seconds,
      channels: 1,
      batch: 1,
      size: attack.size ?? 200,
    }
    await stage.open([{ tag: 'normal', channels: [0], count: READERS }])
    await stage.warmUp({ ...plan, seconds: 1 })
    const calm = await stage.measure({ ...plan, seconds: quick ? 1 : 5 }, 'normal')
    const attackers = startGenerator<AttackersMethods>('../abuse/attackers-process.ts', READERS_CORE)
    try {
      const before = { files: server.files(), rss: server.rss() }
      const most = new Most(server)
      const scene: Scene = { stage, server, attackers, count, quick }
      await attackers.call.connect({
        port: server.port,
        host: server.host,
        from: attack.addresses ?? ADDRESSES,
      })
      await attack.begin(scene)
      const meanwhile = await stage.measure(plan, 'normal')
      const rows = await attack.outcome(scene)
      most.stop()
      await (attack.end?.(scene) ?? attackers.call.leave())
      const left = await settledFiles(server, before.files)
      const after = await stage.measure({ ...plan, seconds: quick ? 1 : 3 }, 'normal')
      say(`p99 ${figure(calm.p99)} ms before, ${figure(meanwhile.p99)} ms meanwhile, RSS ${bytes(most.rss)}`)
      return {
        tables: [
          runTable(
            `${READERS} normal readers`,
            [calm, meanwhile, after],
            ['before', 'meanwhile', 'afterwards'],
          ),
          {
            caption: 'The attack',
            head: ['', ''],
            rows: [
              ...rows,
              [
                'descriptors of the hub before, at most, afterwards',
                `${before.files}, ${most.files}, ${left}`,
              ],
              ['RSS before, at most', `${bytes(before.rss)}, ${bytes(most.rss)}`],
            ],
          },
        ],
        targets: targetsOf(attack, meanwhile, most.rss, left - before.files),
        notes: [
          'Every normal reader got every event: else there were no figures here.',
          ...saturationNotes([meanwhile]),
        ],
      }
    } finally {
      attackers.stop()
    }
  })
}

function targetsOf(attack: Attack, meanwhile: Run, rss: number, left: number): Findings['targets'] {
  return [
    { what: 'p99 of the normal readers', wanted: { atMost: 250 }, got: meanwhile.p99, unit: ' ms' },
    { what: 'RSS of the hub', wanted: { atMost: attack.rss }, got: rss / 1e6, unit: ' MB' },
    { what: 'descriptors left behind', wanted: { atMost: 0 }, got: left },
  ]
}

/** The most that the hub has at any time: looked at four times a second. */
class Most {
  rss = 0
  files = 0
  readonly #timer: NodeJS.Timeout

  constructor(server: Server) {
    this.#timer = setInterval(() => {
      this.rss = Math.max(this.rss, server.rss())
      this.files = Math.max(this.files, server.files())
    }, 250)
  }

  stop(): void {
    clearInterval(this.#timer)
  }
}

/** How many descriptors are open once there are no more than before, or no fewer any more. */
async function settledFiles(server: Server, before: number): Promise<number> {
  for (const until = performance.now() + GONE_MS; ;) {
    const files = server.files()
    if (files <= before || performance.now() > until) return files
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}
