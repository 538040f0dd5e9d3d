/** The thread of the crowd: so many clients of each technique, over real sockets. */
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { type MessagePort, parentPort } from 'node:worker_threads'
import { LabClock } from '../lab-clock.ts'
import { TECHNIQUES, type Technique } from '../report.ts'
import { randomOf } from '../schedule.ts'
import { tlsOf } from './dial.ts'
import { Group, type Member } from './group.ts'
import { LongPoller, Poller } from './pages.ts'
import type { CrowdAnswer, CrowdCall, CrowdReport, MemberReport, Plan } from './plan.ts'
import { Streamer } from './stream.ts'

/** Clients that begin at once: a server's line of new connections is not endless. */
const AT_ONCE = 50
/** Who has not connected by then does so while the run goes on. */
const BEGIN_MS = 5_000
/** Answers that are under way at the end. */
const SETTLE_MS = 500
const RESOLUTION_MS = 10

const port = parentPort as MessagePort
const loop = monitorEventLoopDelay({ resolution: RESOLUTION_MS })
loop.enable()
let groups: Partial<Record<Technique, Group>> = {}

port.on('message', (call: CrowdCall) => {
  carryOut(call).then(answer, (error: unknown) =>
    answer({ of: 'failure', message: error instanceof Error ? error.message : String(error) }),
  )
})

function answer(told: CrowdAnswer): void {
  // oxlint-disable-next-line require-post-message-target-origin -- a thread is no window
  port.postMessage(told)
}

async function carryOut(call: CrowdCall): Promise<CrowdAnswer> {
  switch (call.do) {
    case 'network':
      return { of: 'network', port: await network(call) }
    case 'start':
      await start(call.plan)
      return { of: 'start' }
    case 'report':
      if (call.quiet !== 'none' && groups.poll) groups.poll.closing = true
      if (call.quiet === 'all') await settle()
      return { of: 'report', report: report(call.due) }
    case 'stop':
      stop()
      return { of: 'stop' }
  }
}

async function network({ network, target, seed }: Extract<CrowdCall, { do: 'network' }>): Promise<number> {
  const { startNetwork } = await import('../network.ts')
  const { host, port, tls } = target
  const leads = { host, port, ...(tls !== 'none' && { tls: tlsOf(target) }) }
  return (await startNetwork(network, leads, randomOf(seed))).port
}

async function start(plan: Plan): Promise<void> {
  const clock = new LabClock(plan.clockOrigin)
  const random = randomOf(plan.seed)
  const members: Member[] = []
  for (const technique of TECHNIQUES) {
    const count = plan.clients[technique]
    if (count === undefined) continue
    const group = new Group(plan, clock, random)
    groups[technique] = group
    const make = await maker(technique)
    for (let n = 0; n < count; n++) group.members.push(make(group))
    members.push(...group.members)
  }
  const until = performance.now() + BEGIN_MS
  for (let from = 0; from < members.length; from += AT_ONCE) {
    const some = members.slice(from, from + AT_ONCE)
    for (const member of some) member.start()
    while (!some.every(({ begun }) => begun) && performance.now() < until) await pause(2)
  }
  loop.reset()
}

async function maker(technique: Technique): Promise<(group: Group) => Member> {
  switch (technique) {
    case 'poll':
      return (group) => new Poller(group)
    case 'long-poll':
      return (group) => new LongPoller(group)
    case 'sse':
      return (group) => new Streamer(group)
    case 'websocket': {
      const { Messenger } = await import('./websocket.ts')
      return (group) => new Messenger(group)
    }
  }
}

/** Nothing new is asked for, and what was asked by polls is answered. */
async function settle(): Promise<void> {
  for (const group of Object.values(groups)) group.closing = true
  const pollers = groups.poll?.members ?? []
  const until = performance.now() + SETTLE_MS
  while (pollers.some(({ asking }) => asking) && performance.now() < until) await pause(2)
}

function report(due: number): CrowdReport {
  const techniques: Partial<Record<Technique, MemberReport>> = {}
  let had = Infinity
  for (const technique of TECHNIQUES) {
    const group = groups[technique]
    if (group === undefined) continue
    techniques[technique] = group.report(due)
    if (technique !== 'poll') for (const member of group.members) had = Math.min(had, member.had)
  }
  const late = Number.isFinite(loop.max) ? Math.max(0, loop.max / 1e6 - RESOLUTION_MS) : 0
  loop.reset()
  return { techniques, had, late: Math.round(late * 10) / 10 }
}

function stop(): void {
  for (const group of Object.values(groups)) group.close()
  groups = {}
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}
