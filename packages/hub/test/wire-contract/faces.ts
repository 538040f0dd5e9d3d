/** The ways to put the hub on HTTP that live in this process. */
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createAdaptorServer } from '@hono/node-server'
import { fetchHandler } from '../../src/http/fetch.ts'
import { nodeHandler } from '../../src/http/node.ts'
import { type HubServerOptions, serveHub } from '../../src/http/server.ts'
import { selfSigned } from '../../../../e2e/helpers/self-signed.ts'
import type { Face, Running } from './face.ts'
import { speakHttp2 } from './http2.ts'
import { type Setup, TestHub } from './test-hub.ts'

export const ownServer: Face = {
  name: "the hub's own server",
  async start(setup) {
    const test = new TestHub(setup)
    const server = await serveHub(test.hub, test.options)
    return running(test, server.url, async () => {
      await server.stop()
      await test.hub.close()
    })
  },
}

const NO_FETCH = "Node's fetch takes no certificate that is signed by nobody, and speaks no HTTP/2"

/** HTTP/1.1 through TLS. */
export const secureServer: Face = {
  name: "the hub's own server, over TLS",
  async start(setup) {
    const test = new TestHub(setup)
    const server = await serveHub(test.hub, { ...test.options, tls: selfSigned() })
    return running(test, server.url, async () => {
      await server.stop()
      await test.hub.close()
    })
  },
  cannot: { fetch: NO_FETCH },
}

/** HTTP/1.1 where HTTP/2 may come by prior knowledge. */
export const preparedServer: Face = {
  name: "the hub's own server, beside HTTP/2",
  async start(setup) {
    const test = new TestHub(setup)
    const server = await serveHub(test.hub, { ...test.options, h2c: true })
    return running(test, server.url, async () => {
      await server.stop()
      await test.hub.close()
    })
  },
}

function http2Server(name: string, options: () => HubServerOptions): Face {
  return {
    name: `the hub's own server, over ${name}`,
    async start(setup) {
      const test = new TestHub(setup)
      const server = await serveHub(test.hub, { ...test.options, ...options() })
      const silence = speakHttp2(server.url)
      return running(test, server.url, async () => {
        await server.stop()
        await test.hub.close()
        silence()
      })
    },
    cannot: {
      'close-delimited': 'a stream ends with its HTTP/2 stream',
      'absolute-target': '`:path` has no absolute form, and `:authority` is what says whom it is for',
      fetch: NO_FETCH,
      websocket: 'RFC 8441 is not spoken',
    },
  }
}

export const http2TlsServer = http2Server('HTTP/2 and TLS', () => ({ tls: selfSigned() }))
export const h2cServer = http2Server('HTTP/2 by prior knowledge', () => ({ h2c: true }))

/** The same, where nothing is lent: as if somebody else listened for upgrades. */
export const keepingServer: Face = {
  name: "the hub's own server, which keeps every response",
  async start(setup) {
    const test = new TestHub(setup)
    const server = await serveHub(test.hub, { ...test.options, host: '127.0.0.1' })
    server.server.on('upgrade', (_, socket) => socket.destroy())
    return running(test, server.url, async () => {
      await server.stop()
      await test.hub.close()
    })
  },
  cannot: { websocket: 'the one who listens beside the hub destroys what it is given' },
}

export const nodeServer: Face = {
  name: 'nodeHandler on node:http',
  start(setup) {
    const test = new TestHub(setup)
    const handle = nodeHandler(test.hub, test.options)
    const server = createServer((req, res) => void handle(req, res))
    server.on('upgrade', (req, socket, head) => {
      if (!handle.upgrade(req, socket, head)) socket.destroy()
    })
    return listening(test, server)
  },
}

export const honoServer: Face = {
  name: 'fetchHandler behind @hono/node-server',
  start(setup) {
    const test = new TestHub(setup)
    const handle = fetchHandler(test.hub, test.options)
    return listening(test, createAdaptorServer({ fetch: (request) => handle(request) }) as Server)
  },
  cannot: fetchLimits(),
}

/** What the web's `Request` and `Response` leave no room for. */
export function fetchLimits(): NonNullable<Face['cannot']> {
  return {
    'close-delimited': 'a Response does not say how its body is delimited: the runtime chunks it',
    websocket: 'a Response has no way to hand over a connection',
    'odd-methods': 'a Request refuses TRACE, and runtimes refuse methods they do not know before the handler',
  }
}

async function listening(test: TestHub, server: Server): Promise<Running> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return running(test, `http://127.0.0.1:${(server.address() as AddressInfo).port}`, async () => {
    await test.hub.close()
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  })
}

function running(test: TestHub, url: string, stop: () => Promise<void>): Running {
  let stopped: Promise<void> | undefined
  return { url, command: (command) => test.command(command), stop: () => (stopped ??= stop()) }
}

export type { Setup }
