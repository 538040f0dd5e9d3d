/** Runs a target in a thread, and ends it when it hangs or takes too much memory. */
import { Worker } from 'node:worker_threads'
import type { Outcome, Plan } from './run.ts'

export interface WorkerPlan {
  /** The module whose `targets` has it. */
  readonly module: string
  readonly name: string
  readonly plan: Omit<Plan, 'begin'>
  readonly progress: SharedArrayBuffer
}

export interface WatchOptions {
  /** Seconds of CPU without an end of one input. Default 10. */
  readonly hangSeconds?: number
  /** MiB of heap. Default 512. */
  readonly heapMiB?: number
}

const LOOK_MS = 250
const TARGETS = new URL('targets.ts', import.meta.url).href

/** @throws {Error} when the thread fails, hangs, or takes too much memory, with the number of the input */
export function runWatched(
  name: string,
  plan: Omit<Plan, 'begin'>,
  { hangSeconds = 10, heapMiB = 512 }: WatchOptions = {},
  module: string = TARGETS,
): Promise<Outcome> {
  const progress = new SharedArrayBuffer(4)
  const at = new Int32Array(progress)
  const worker = new Worker(new URL('worker.ts', import.meta.url), {
    workerData: { module, name, plan, progress } satisfies WorkerPlan,
    resourceLimits: { maxOldGenerationSizeMb: heapMiB },
  })
  return new Promise((resolve, reject) => {
    let over = false
    const end = (reason: string): void => {
      if (over) return
      over = true
      clearInterval(timer)
      worker.terminate().then(() => reject(new Error(`input ${Atomics.load(at, 0)}: ${reason}`)), reject)
    }
    let last = -1
    let cpu = process.cpuUsage()
    const timer = setInterval(() => {
      const now = Atomics.load(at, 0)
      const { user, system } = process.cpuUsage(cpu)
      if (now !== last || now === -1) {
        last = now
        cpu = process.cpuUsage()
      } else if ((user + system) / 1e6 > hangSeconds) end(`no end after ${hangSeconds} s of CPU`)
    }, LOOK_MS)
    worker.on('message', ({ outcome }: { outcome: Outcome }) => {
      over = true
      clearInterval(timer)
      resolve(outcome)
    })
    worker.on('error', (error) => end(String((error as Error).stack ?? error)))
    worker.on('exit', () => end('the thread ended without a word'))
  })
}
