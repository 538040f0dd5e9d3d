/** One target in a thread of its own: its heap is its own, and somebody is left to see that it hangs. */
import { parentPort, workerData } from 'node:worker_threads'
import { run } from './run.ts'
import type { Target } from './target.ts'
import type { WorkerPlan } from './watched.ts'

const { module, name, plan, progress } = workerData as WorkerPlan
const { targets } = (await import(module)) as { targets: readonly Target[] }
const target = targets.find((one) => one.name === name)
if (target === undefined) throw new Error(`There is no target ${name}`)
const at = new Int32Array(progress)

const outcome = await run(target, { ...plan, begin: (index) => Atomics.store(at, 0, index) })
// oxlint-disable-next-line unicorn/require-post-message-target-origin -- that is for windows
parentPort?.postMessage({ outcome })
