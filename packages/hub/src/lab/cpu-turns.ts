/**
 * What the CPU of the hub's thread is spent on, by turns: the events alone with nobody reading, then with the crowd of each technique
 * alone. Events that are rare, and polls with them, are made to come faster by one factor: how many polls there are for an event stays
 * as it is, and so does what a delivery costs.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Crowd } from './crowd/crowd.ts'
import type { Plan } from './crowd/plan.ts'
import type { LabClock } from './lab-clock.ts'
import { EventPublisher } from './publisher.ts'
import type { LabSettings, Technique, TechniqueReport } from './report.ts'

export type Cpu = NonNullable<TechniqueReport['cpu']>

/** Parts of a turn, each measured by itself: the median is told, and what they differ by. */
const PARTS = 5
const PART_MS = 380
/** Connections are made, code is compiled. */
const WARM_UP_MS = 300

/** As many as can be measured within a turn, and as few as one machine can do besides. */
const FAST = { events: 50, deliveries: 2_500, polls: 1_000 }

/** Each part of a turn: milliseconds of CPU, and of the clock. */
export interface Part {
  readonly cpu: number
  readonly ms: number
}

export interface Turn {
  readonly parts: readonly Part[]
  /** Events that reached clients a second. */
  readonly deliveries: number
}

/** By how much all goes faster than it was asked for. 1 or more. */
export function speedUp({ clients, events, pollEvery, techniques }: LabSettings): number {
  const polls = techniques.includes('poll') ? (clients * 1000) / pollEvery : 0
  return Math.max(
    1,
    Math.min(FAST.events / events.rate, FAST.deliveries / (events.rate * clients), FAST.polls / polls),
  )
}

/** Undefined when nothing was delivered. Pure. */
export function cpuOf(turn: Turn, baseline: Turn, faster: number): Cpu | undefined {
  if (turn.deliveries <= 0) return undefined
  const loads = turn.parts.map(load)
  const bare = baseline.parts.map(load)
  const perSecond = Math.max(0, median(loads) - median(bare))
  const off = 2 * Math.hypot(deviation(loads), deviation(bare))
  return {
    perDelivery: rounded((perSecond * 1000) / turn.deliveries),
    plusMinus: rounded((off * 1000) / turn.deliveries),
    perSecond: rounded(perSecond / faster),
  }
}

/** Milliseconds of CPU a second. */
function load({ cpu, ms }: Part): number {
  return (cpu * 1000) / ms
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  const upper = sorted[middle] ?? 0
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? 0) + upper) / 2
}

/** Of the median, from the median distance to it: one part that something else fell into does not count. */
function deviation(values: readonly number[]): number {
  const middle = median(values)
  return (1.4826 * median(values.map((value) => Math.abs(value - middle)))) / Math.sqrt(values.length)
}

function rounded(value: number): number {
  return Math.round(value * 100) / 100
}

export interface TurnSeams {
  readonly settings: LabSettings
  readonly crowd: Crowd
  readonly clock: LabClock
  readonly seed: number
  /** Where the clients of a turn begin. */
  readonly plan: () => Promise<Plan>
  readonly publish: (data: string) => Promise<unknown>
  /** CPU time of the hub's thread, in milliseconds. */
  readonly cpu: () => number
  readonly signal: AbortSignal
}

/** Tells of each technique as soon as it is measured. */
export async function measureCpu(
  seams: TurnSeams,
  tell: (technique: Technique, cpu: Cpu) => void,
): Promise<void> {
  const { settings, signal } = seams
  const faster = speedUp(settings)
  const baseline = await takeTurn(seams, undefined, faster)
  for (const technique of settings.techniques) {
    if (signal.aborted) return
    const turn = await takeTurn(seams, technique, faster)
    const cpu = cpuOf(turn, baseline, faster)
    if (cpu !== undefined && !signal.aborted) tell(technique, cpu)
  }
}

async function takeTurn(seams: TurnSeams, technique: Technique | undefined, faster: number): Promise<Turn> {
  const { clock, cpu, crowd, publish, seed, settings, signal } = seams
  const { clients, events, pollEvery } = settings
  const plan = await seams.plan()
  const published = new Int32Array(plan.published)
  Atomics.store(published, 0, 0)
  await crowd.start({
    ...plan,
    clients: technique === undefined ? {} : { [technique]: clients },
    pollEvery: pollEvery / faster,
  })
  const ended = new AbortController()
  const running = new EventPublisher({
    events: { ...events, rate: events.rate * faster },
    lasting: Infinity,
    clock,
    seed,
    publish,
    acknowledged: (count) => Atomics.store(published, 0, count),
  }).run(AbortSignal.any([signal, ended.signal]))
  try {
    return await Promise.race([parts(technique), running.then(() => ({ parts: [], deliveries: 0 }))])
  } finally {
    ended.abort()
    await running.catch(() => {})
    await crowd.stop()
  }

  async function parts(technique: Technique | undefined): Promise<Turn> {
    await sleep(WARM_UP_MS)
    const received = async (): Promise<number> => {
      const { techniques } = await crowd.report(0)
      return technique === undefined ? 0 : (techniques[technique]?.received ?? 0)
    }
    const parts: Part[] = []
    const had = await received()
    const began = clock.now()
    for (let part = 0; part < PARTS && !signal.aborted; part++) {
      const at = clock.now()
      const before = cpu()
      await sleep(PART_MS)
      parts.push({ cpu: cpu() - before, ms: clock.now() - at })
    }
    const seconds = (clock.now() - began) / 1000
    return { parts, deliveries: ((await received()) - had) / seconds }
  }
}
