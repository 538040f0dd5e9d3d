// A stranger's TypeScript that embeds the hub, compiled strictly against the packed packages.
import { createServer } from 'node:http'
import { createHub, type Hub, type Page } from '@downlink/hub'
import { fetchHandler } from '@downlink/hub/fetch'
import { nodeHandler } from '@downlink/hub/node'
import { SqliteLog, type SqliteLogOptions } from '@downlink/hub/sqlite'
import { type Fault, hostileProxy } from '@downlink/hub/testing'

const hub: Hub = createHub()
export const page: Page = await hub.read('orders')
const handle = nodeHandler(hub)
export const server = createServer((request, response) => void handle(request, response))
export const answer: Response = await fetchHandler(hub)(new Request('http://localhost/'))
await hub.publish('orders', { type: 'paid', data: 'one' }, { idempotencyKey: 'k' })
// @ts-expect-error -- a channel has a name, not a number
await hub.publish(42, { data: 'one' })
const options: SqliteLogOptions = { path: 'log.db', retention: [{ channels: '**', count: 1000 }] }
export const durable: Hub = createHub({ log: await SqliteLog.open(options) })
const fault: Fault = { only: 'streams', hold: { blocks: 4096, head: true } }
await using proxy = await hostileProxy('http://127.0.0.1:4080', { fault })
proxy.set({ cut: { afterMs: 1000, by: 'end' } })
