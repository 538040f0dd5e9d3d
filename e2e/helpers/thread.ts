/**
 * Work in a thread of its own. node:test follows every promise of its process by async hooks: what makes millions of them in simulated
 * time took three times as long beside it.
 */
import { once } from 'node:events'
import { parentPort, Worker, workerData } from 'node:worker_threads'

interface Task {
  readonly module: string
  readonly data: unknown
}

/**
 * @param module Its `default` is called with the data; both ways they are cloned.
 * @throws what it throws
 */
export async function inThread<T>(module: URL, data: unknown): Promise<T> {
  const task: Task = { module: module.href, data }
  const worker = new Worker(new URL(import.meta.url), { workerData: task })
  // An error of the thread rejects both.
  const [[answer]] = (await Promise.all([once(worker, 'message'), once(worker, 'exit')])) as [[T], unknown]
  return answer
}

if (parentPort && isTask(workerData)) {
  const { default: run } = (await import(workerData.module)) as { default: (data: unknown) => unknown }
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread is no window
  parentPort.postMessage(await run(workerData.data))
}

function isTask(data: unknown): data is Task {
  return typeof data === 'object' && data !== null && 'module' in data
}
