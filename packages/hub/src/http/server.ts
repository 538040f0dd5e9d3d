/** The hub's own server: Node's HTTP/1.1 server with the hub on it, its limits, and a clean stop. */
import { createServer, type Server, STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'
import type { Hub } from '../hub.ts'
import { listen, portOf } from './listen.ts'
import { nodeHandler, type NodeHandlerOptions } from './node.ts'
import { Problem, problemAnswer } from './problem.ts'

export interface HubServerOptions extends NodeHandlerOptions {
  /** Default 0: any that is free. */
  readonly port?: number
  /** Default `localhost`: 127.0.0.1 and, where the machine has it, ::1. */
  readonly host?: string
  /** Bytes of a request's head at most; a larger one is `431`. Default 16,384. */
  readonly headLimit?: number
  /** How long a head may take to arrive, in milliseconds; then `408`. Default 10,000. */
  readonly headTimeoutMs?: number
  /** How long a stop waits for connections to end by themselves, in milliseconds. Default 5,000. */
  readonly graceMs?: number
}

/** Longer than common balancers keep theirs, so that they close first and no request meets a closing connection. */
const KEEP_ALIVE_MS = 75_000

export interface HubServer {
  /** The first of the addresses listened on. */
  readonly server: Server
  /** E.g. `http://localhost:4080`. */
  readonly url: string
  readonly port: number
  /** Ends streams, answers long polls, finishes requests, closes connections. The hub itself is left to its owner. Idempotent. */
  stop(): Promise<void>
}

/** Listens. @throws what `net.Server.listen` meets, e.g. `EADDRINUSE` */
export async function serveHub(hub: Hub, options: HubServerOptions = {}): Promise<HubServer> {
  const {
    host = 'localhost',
    port = 0,
    headTimeoutMs = 10_000,
    bodyTimeoutMs = 30_000,
    graceMs = 5_000,
  } = options
  const handle = nodeHandler(hub, options)
  const create = (): Server => {
    const server = createServer(
      {
        maxHeaderSize: options.headLimit ?? 16 * 1024,
        headersTimeout: headTimeoutMs,
        requestTimeout: Math.max(headTimeoutMs, bodyTimeoutMs),
        keepAliveTimeout: KEEP_ALIVE_MS,
        connectionsCheckingInterval: Math.max(20, Math.min(1000, headTimeoutMs / 4)),
        // Notices peers that vanish while nothing is written.
        keepAlive: true,
        keepAliveInitialDelay: 30_000,
      },
      (req, res) => void handle(req, res),
    )
    allowHalfOpen(server)
    server.on('clientError', refuseHead)
    return server
  }
  const servers = await listen(create, port, host)
  const [server] = servers
  const bound = portOf(server)
  let stopped: Promise<void> | undefined
  return {
    server,
    port: bound,
    url: `http://${host.includes(':') ? `[${host}]` : host}:${bound}`,
    stop: () => (stopped ??= stop(hub, servers, graceMs)),
  }
}

/** A client that has sent its request may close its side and still wants the answer (`nc -N`). Node has the switch, but not in its documentation. */
function allowHalfOpen(server: Server): void {
  Object.assign(server, { httpAllowHalfOpen: true })
}

/** What Node's parser refuses never becomes a request; it gets its problem all the same. */
function refuseHead(error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy()
    return
  }
  const { status, headers, body } = problemAnswer(headProblem(error.code))
  const bytes = Buffer.from(body as string)
  const lines = Object.entries({
    ...headers,
    'x-content-type-options': 'nosniff',
    'content-length': bytes.length,
    connection: 'close',
  })
  const head = lines.map(([name, value]) => `${name}: ${value}\r\n`).join('')
  socket.end(Buffer.concat([Buffer.from(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${head}\r\n`), bytes]))
}

function headProblem(code: string | undefined): Problem {
  switch (code) {
    case 'HPE_HEADER_OVERFLOW':
      return new Problem(
        'head-too-large',
        'The request line and headers are too large: send fewer or shorter ones',
      )
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return new Problem('body-timeout', 'The request took too long to arrive: send it faster')
    default:
      return new Problem('bad-request', 'These bytes are no HTTP/1.1 request')
  }
}

async function stop(hub: Hub, servers: readonly Server[], graceMs: number): Promise<void> {
  const closed = servers.map((server) => new Promise<void>((resolve) => server.close(() => resolve())))
  hub.drain()
  for (const server of servers) server.closeIdleConnections()
  const timer = setTimeout(() => {
    for (const server of servers) server.closeAllConnections()
  }, graceMs)
  await Promise.all(closed)
  clearTimeout(timer)
}
