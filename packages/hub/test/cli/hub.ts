/** A hub in the test's own process, for commands to talk to. */
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { once } from 'node:events'
import type { TestContext } from 'node:test'
import { nodeHandler, serveHub, type HubServerOptions } from '../../src/node.ts'
import { createHub, type Hub, type HubOptions } from '../../src/index.ts'
import { isLoopbackAddress } from '../../src/auth/guard.ts'

export interface RunningHub {
  readonly hub: Hub
  readonly url: string
  readonly port: number
  stop(): Promise<void>
}

/** Readers come back after about 20 ms. */
export async function startHub(
  t: TestContext,
  options: HubOptions = {},
  serverOptions: HubServerOptions = {},
): Promise<RunningHub> {
  const hub = createHub({ ...options, delivery: { retryMs: 20, ...options.delivery } })
  const server = await serveHub(hub, { host: '127.0.0.1', graceMs: 100, ...serverOptions })
  const stop = async (): Promise<void> => {
    await server.stop()
    await hub.close()
  }
  t.after(stop)
  return { hub, url: `http://127.0.0.1:${server.port}`, port: server.port, stop }
}

/** A hub behind something that answers first: when `answers` returns true, the hub is not asked. */
export async function startHubBehind(
  t: TestContext,
  answers: (...request: Parameters<RequestListener>) => boolean,
): Promise<RunningHub> {
  const hub = createHub({ delivery: { retryMs: 20 } })
  const handle = nodeHandler(hub, { authorize: ({ address = '' }) => isLoopbackAddress(address) })
  const server = createServer((req, res) => {
    if (!answers(req, res)) void handle(req, res)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const stop = async (): Promise<void> => {
    const closed = new Promise((resolve) => server.close(resolve))
    server.closeAllConnections()
    await closed
    await hub.close()
  }
  t.after(stop)
  const { port } = server.address() as AddressInfo
  return { hub, url: `http://127.0.0.1:${port}`, port, stop }
}

/** The data of all events of a channel, in order. */
export async function dataOf(hub: Hub, channel: string): Promise<readonly string[]> {
  const data: string[] = []
  let after = 'start'
  for (;;) {
    const page = await hub.read(channel, { after, limit: 1_000 })
    data.push(...page.events.map((event) => event.data))
    if (!page.more) return data
    after = page.cursor
  }
}

/** Resolves when the channel holds this many events. */
export async function untilThere(hub: Hub, channel: string, count: number): Promise<void> {
  let after = 'start'
  let seen = 0
  while (seen < count) {
    const page = await hub.read(channel, { after, limit: 1_000, waitMs: 60_000 })
    seen += page.events.length
    after = page.cursor
  }
}
