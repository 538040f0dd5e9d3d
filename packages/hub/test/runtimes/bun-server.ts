/** The fetch face in Bun, for the contract suite. */
import { fetchHandler } from '../../src/http/fetch.ts'
import { serveCommands, testHub } from './control.ts'

interface BunServer {
  readonly port: number
  requestIP(request: Request): { readonly address: string } | null
}

declare const Bun: {
  serve(options: {
    readonly port: number
    readonly hostname: string
    readonly idleTimeout: number
    fetch(request: Request, server: BunServer): Promise<Response>
  }): BunServer
}

const test = testHub()
const handle = fetchHandler(test.hub, test.options)
const server = Bun.serve({
  port: 0,
  hostname: '127.0.0.1',
  // Bun cuts a connection without traffic after 10 s; heartbeats are 15 s apart.
  idleTimeout: 60,
  fetch(request, server) {
    const address = server.requestIP(request)?.address
    return handle(request, address === undefined ? {} : { address })
  },
})
serveCommands(test, server.port)
