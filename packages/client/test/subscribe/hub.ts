/** A hub on a real socket, with something before it that can answer in its place. */
import { once } from 'node:events'
import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { TestContext } from 'node:test'
import { createHub, type Hub, type HubOptions } from '@downlink/hub'
import { type HandlerOptions, nodeHandler } from '@downlink/hub/node'

export interface RunningHub {
  readonly hub: Hub
  readonly server: Server
  readonly url: string
  readonly port: number
  /** The requests so far: method and URL, and headers. */
  readonly requests: readonly IncomingMessage[]
  /** Ends all connections at once. */
  readonly cut: () => void
  stop(): Promise<void>
}

export interface RunOptions {
  readonly hub?: HubOptions
  readonly handler?: HandlerOptions
  /** When it returns true, the hub is not asked. */
  readonly before?: (...request: Parameters<RequestListener>) => boolean
  readonly port?: number
}

/** Readers come back after about 20 ms. It is gone when the test is. */
export async function startHub(t: TestContext, options: RunOptions = {}): Promise<RunningHub> {
  const hub = createHub({ ...options.hub, delivery: { retryMs: 20, ...options.hub?.delivery } })
  const handle = nodeHandler(hub, { authorize: () => true, ...options.handler })
  const requests: IncomingMessage[] = []
  const server = createServer((req, res) => {
    requests.push(req)
    if (!options.before?.(req, res)) void handle(req, res)
  })
  server.listen(options.port ?? 0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const stop = async (): Promise<void> => {
    if (!server.listening) return
    const closed = once(server, 'close')
    server.close()
    server.closeAllConnections()
    await closed
    await hub.close()
  }
  t.after(stop)
  return {
    hub,
    server,
    url: `http://127.0.0.1:${port}`,
    port,
    requests,
    cut: () => server.closeAllConnections(),
    stop,
  }
}
