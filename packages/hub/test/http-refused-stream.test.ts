/** A stream that is refused after its head has been decided on: it ends at once, in whatever coding the head has promised. */
import assert from 'node:assert/strict'
import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test, type TestContext } from 'node:test'
import * as zlib from 'node:zlib'
import { createAdaptorServer } from '@hono/node-server'
import { HubError } from '../src/errors.ts'
import { fetchHandler } from '../src/http/fetch.ts'
import { nodeHandler } from '../src/http/node.ts'
import { serveHub } from '../src/http/server.ts'
import { createHub, type Hub } from '../src/hub.ts'
import { askBytes } from './wire-contract/client.ts'

const options = { compress: ['**'] }

async function listening(t: TestContext, server: Server): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => server.close())
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

const faces: Readonly<Record<string, (t: TestContext, hub: Hub) => Promise<string>>> = {
  async "the hub's own server"(t, hub) {
    const server = await serveHub(hub, { ...options, port: 0 })
    t.after(() => server.stop())
    return server.url
  },
  nodeHandler: (t, hub) => listening(t, createServer(nodeHandler(hub, options) as RequestListener)),
  fetchHandler(t, hub) {
    const handle = fetchHandler(hub, options)
    return listening(t, createAdaptorServer({ fetch: (request) => handle(request) }) as Server)
  },
}

for (const [name, start] of Object.entries(faces)) {
  test(`a stream that is refused between its head and its opening says when to come back: ${name}`, async (t) => {
    const hub = createHub()
    t.after(() => hub.close())
    // As when the last place has been taken meanwhile.
    hub.open = () => {
      throw new HubError('overload', 'full')
    }
    const url = await start(t, hub)
    const decoders = {
      gzip: zlib.gunzipSync,
      zstd: zlib.zstdDecompressSync,
      identity: (bytes: Buffer) => bytes,
    }
    for (const [coding, decode] of Object.entries(decoders)) {
      const headers = { accept: 'text/event-stream', 'accept-encoding': coding }
      const got = await askBytes(`${url}/channels/a`, { headers })
      assert.equal(got.status, 200)
      assert.equal(got.headers['content-encoding'] ?? 'identity', coding)
      assert.match(decode(got.bytes).toString(), /^retry: \d+\n\n$/, coding)
    }
  })
}
