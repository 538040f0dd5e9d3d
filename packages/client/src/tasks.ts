/** Tasks of the event loop, as the standard queues them: between two of them all microtasks run. */

export type Task = () => void

export interface TaskQueue {
  /** Queues a task: it runs in a task of its own, after those before it. */
  readonly add: (task: Task) => void
  /** What waits does not run any more. */
  readonly close: () => void
}

/** Node, Bun and Deno have it. */
declare const setImmediate: ((task: Task) => void) | undefined

export function createTaskQueue(): TaskQueue {
  if (typeof setImmediate === 'function') return { add: setImmediate, close() {} }
  // Timers would do, too, but wait for 4 ms each, and for a second in a hidden tab.
  const { port1, port2 } = new MessageChannel()
  const tasks: Task[] = []
  // oxlint-disable-next-line unicorn/prefer-add-event-listener -- this starts the port, too
  port1.onmessage = () => tasks.shift()?.()
  return {
    add: (task) => port2.postMessage(tasks.push(task)),
    close: () => port1.close(),
  }
}
