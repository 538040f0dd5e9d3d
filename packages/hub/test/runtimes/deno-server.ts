/** The fetch face in Deno, for the contract suite. */
import { fetchHandler } from '../../src/http/fetch.ts'
import { serveCommands, testHub } from './control.ts'

interface DenoInfo {
  readonly remoteAddr: { readonly hostname: string }
}

declare const Deno: {
  serve(
    options: { readonly port: number; readonly hostname: string; onListen(address: { port: number }): void },
    handler: (request: Request, info: DenoInfo) => Promise<Response>,
  ): unknown
}

const test = testHub()
const handle = fetchHandler(test.hub, test.options)
Deno.serve(
  { port: 0, hostname: '127.0.0.1', onListen: ({ port }) => serveCommands(test, port) },
  (request, info) => handle(request, { address: info.remoteAddr.hostname }),
)
