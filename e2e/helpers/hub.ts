/** A hub on a port of its own, as the stand-alone server runs it, with an empty page at `/` for the browser to stand on. */
import type { IncomingMessage } from 'node:http'
import type { TestContext } from 'node:test'
import { createHub, type Hub, type HubOptions } from '@downlink/hub'
import { type HubServer, type HubServerOptions, serveHub } from '@downlink/hub/node'

export interface TestHub {
  readonly hub: Hub
  readonly server: HubServer
  /** E.g. `http://127.0.0.1:40123`. */
  readonly url: string
  readonly port: number
  /** All reads and publishes that reached it, in order. */
  readonly requests: readonly Seen[]
  readonly stop: () => Promise<void>
}

export interface Seen {
  readonly method: string
  readonly url: string
  readonly lastEventId: string | undefined
  readonly origin: string | undefined
}

const PAGE = {
  headers: { 'content-type': 'text/html; charset=utf-8' },
  body: '<!doctype html><title>e2e</title><link rel="icon" href="data:,">',
}

/** Readers come back after about 30 ms, so that a test that cuts them is quick. Stopped when the test ends. */
export async function startHub(
  t: Pick<TestContext, 'after'>,
  options: HubOptions = {},
  serverOptions: HubServerOptions = {},
): Promise<TestHub> {
  const hub = createHub({ ...options, delivery: { retryMs: 30, ...options.delivery } })
  const server = await serveHub(hub, { host: '127.0.0.1', page: PAGE, graceMs: 100, ...serverOptions })
  const requests: Seen[] = []
  server.server.on('request', ({ method = '', url = '', headers }: IncomingMessage) => {
    if (!url.startsWith('/channels/')) return
    const lastEventId = headers['last-event-id']
    requests.push({
      method,
      url,
      lastEventId: lastEventId?.toString(),
      origin: headers.origin,
    })
  })
  const stop = async (): Promise<void> => {
    await server.stop()
    await hub.close()
  }
  t.after(stop)
  return { hub, server, url: server.url, port: server.port, requests, stop }
}
