/** The hub on a memory log, as `downlink serve` has it, but that it counts reads of the engine, and tells who asks. */
import { createHub } from '@downlink/hub'
import { serveHub } from '../../packages/hub/src/http/server.ts'
import { MemoryLog } from '../../packages/hub/src/log/memory.ts'

let reads = 0

class CountingLog extends MemoryLog {
  override read(...args: Parameters<MemoryLog['read']>): ReturnType<MemoryLog['read']> {
    reads++
    return super.read(...args)
  }
}

// All clients of a benchmark are one subject at one address.
const limits = { streamsPerAddress: Infinity, publishesPerSubject: Infinity, publishesPerChannel: Infinity }
const hub = createHub({ log: new CountingLog(), limits })
const server = await serveHub(hub, { port: 0, host: '127.0.0.1' })
console.log(`port ${server.port}`)
process.on('message', () => process.send?.(reads))
process.on('disconnect', () => process.exit())
process.on('SIGTERM', () => process.exit())
