/** What Node knows of the process and of the machine. */
import { monitorEventLoopDelay } from 'node:perf_hooks'
import type { Machine } from './lookout.ts'

/** Milliseconds between two looks at the event loop: the delays told are beyond it. */
const RESOLUTION = 20

export function nodeMachine(): Machine & { close(): void } {
  const loop = monitorEventLoopDelay({ resolution: RESOLUTION })
  loop.enable()
  const ms = (nanoseconds: number): number => {
    // NaN before the first look.
    return Number.isFinite(nanoseconds) ? Math.max(0, Math.round(nanoseconds / 1e4) / 100 - RESOLUTION) : 0
  }
  return {
    memory() {
      const { rss, heapUsed } = process.memoryUsage()
      return { rss, heap: heapUsed }
    },
    cpu() {
      const { user, system } = process.cpuUsage()
      return (user + system) / 1000
    },
    loopDelay() {
      const spread = { p50: ms(loop.percentile(50)), p99: ms(loop.percentile(99)), max: ms(loop.max) }
      loop.reset()
      return spread
    },
    close() {
      loop.disable()
    },
  }
}
