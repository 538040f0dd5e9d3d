/** The hub on a log in memory, which tells who asks what it holds. Run with `--expose-gc`. */
import { liveTimers } from './live-timers.ts'
import type { HubState } from './soak.ts'

// Later than the counting of timers.
const { createHub } = await import('@downlink/hub')
const { serveHub } = await import('../../packages/hub/src/http/server.ts')
const { keepYoungSpaceSmall } = await import('../../packages/hub/src/cli/young-space.ts')

// As `downlink serve`.
keepYoungSpaceSmall()

const hub = createHub({
  // Full within two minutes: what grows afterwards is no history.
  retention: [{ channels: '**', count: 1_000 }],
  // Visitors stay for seconds. Readers that stay compare every byte, and a fresh cursor is each one's own.
  delivery: { heartbeatMs: 2_000, cursorMs: 3_600_000 },
  // All publishers are one.
  limits: { publishesPerSubject: Infinity },
})
const server = await serveHub(hub, { port: 0, host: '127.0.0.1' })
console.log(`port ${server.port}`)

process.on('message', (question) => {
  if (question === 'collect') for (let times = 0; times < 3; times++) globalThis.gc?.()
  const handles: Record<string, number> = {}
  for (const kind of process.getActiveResourcesInfo()) handles[kind] = (handles[kind] ?? 0) + 1
  const state: HubState = {
    readers: hub.delivery.readers,
    waiting: hub.delivery.waiting,
    timers: liveTimers(),
    handles,
    heap: process.memoryUsage().heapUsed,
    memory: process.memoryUsage(),
  }
  process.send?.(state)
})
process.on('disconnect', () => process.exit())
process.on('SIGTERM', () => process.exit())
