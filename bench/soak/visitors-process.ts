/** Those who come and go, in a process of their own. */
import { Agent } from 'node:http'
import { answer } from '../load/rpc.ts'
import { Visitor, type Way, WAYS } from './visitor.ts'

export interface VisitorsResult {
  readonly visits: Readonly<Record<Way, number>>
  readonly events: number
}

export interface VisitorsMethods {
  /** So many come and go until they are sent away. */
  begin(port: number, host: string, count: number, channels: number): void
  /** Resolves when the last has gone. @throws when one of them saw what must not be */
  leave(): Promise<VisitorsResult>
}

/** How long one stays, and stays away, in milliseconds: at most. */
const STAY_MS = 3_000
const AWAY_MS = 1_000

const visits: Record<Way, number> = { stream: 0, 'long poll': 0, poll: 0, rude: 0 }
const agent = new Agent({ keepAlive: true, maxSockets: 1_000, maxFreeSockets: 20 })
let visitors: readonly Visitor[] = []
let present = false
let all: Promise<unknown> = Promise.resolve()

const methods: VisitorsMethods = {
  begin(port, host, count, channels) {
    present = true
    visitors = Array.from(
      { length: count },
      (_, index) => new Visitor({ host, port, agent }, index % channels),
    )
    all = Promise.all(visitors.map(life))
    all.catch(() => {})
  },

  async leave() {
    present = false
    await all
    agent.destroy()
    return { visits, events: visitors.reduce((sum, { seen }) => sum + seen, 0) }
  },
}

async function life(visitor: Visitor): Promise<void> {
  for (;;) {
    if (!present) return
    const way = WAYS[Math.floor(Math.random() * WAYS.length)] as Way
    visits[way]++
    await visitor.visit(way, Math.random() * STAY_MS)
    await new Promise((resolve) => setTimeout(resolve, Math.random() * AWAY_MS))
  }
}

answer({ ...methods })
