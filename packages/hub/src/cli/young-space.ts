/**
 * Keeps V8's space for young objects from growing beyond 4 MiB a half; by itself it grows to 16. A hub that many come to and leave
 * would fill all of it with what is gone, and then again with what comes: five rounds of 10,000 readers left half as much memory
 * again as the first (docs/performance.md). The price: batches of 100 take a fifth more CPU; small publishes take none.
 *
 * The size itself can only be said when a process starts, but how fast the space grows is asked each time. Where a V8 no longer
 * asks, the memory is as it was, and `test/cli-young-space.test.ts` fails.
 */
import { availableParallelism } from 'node:os'
import { PerformanceObserver } from 'node:perf_hooks'
import { getHeapSpaceStatistics, setFlagsFromString } from 'node:v8'

/** Both halves. */
const ENOUGH = 2 * 4 * 1024 * 1024

/** For a process of the hub's own: it changes all of it. */
export function keepYoungSpaceSmall(): void {
  // Threads that help to collect, and share the only core with the one that waits for them, made each collection take as long as a
  // turn of the scheduler: 5,000 publishes a second took 14 ms each at the median, and 2 without (docs/performance.md).
  if (availableParallelism() === 1) setFlagsFromString('--no-parallel-scavenge')
  // It grows when objects are collected, and at most by as much as there is.
  const observer = new PerformanceObserver(() => {
    if (youngSpace() < ENOUGH) return
    setFlagsFromString('--semi-space-growth-factor=1')
    observer.disconnect()
  })
  observer.observe({ entryTypes: ['gc'] })
}

/** Bytes. */
function youngSpace(): number {
  return getHeapSpaceStatistics().find((space) => space.space_name === 'new_space')?.space_size ?? 0
}
