/** The hub's own server: Node's HTTP/1.1 server with the hub on it, its limits, and a clean stop. */
import { createServer, type IncomingMessage, type Server, type ServerResponse, STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'
import { isLoopbackAddress, isLoopbackHost } from '../auth/guard.ts'
import { HubError } from '../errors.ts'
import type { Hub } from '../hub.ts'
import { Handler } from './handler.ts'
import { Lender } from './lend.ts'
import { listen, portOf } from './listen.ts'
import { handlerOn, type NodeHandlerOptions } from './node.ts'
import { Problem, problemAnswer } from './problem.ts'
import { interruptionOf } from './turns.ts'

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
    headLimit = 16 * 1024,
  } = options
  if (!options.authorize && !isLoopbackHost(host) && !isLoopbackAddress(host)) {
    throw new HubError(
      'invalid-option',
      `Expected \`host\` to be a loopback address such as localhost, got ${JSON.stringify(host)}: a hub that others can reach needs \`authorize\``,
    )
  }
  const handler = new Handler(hub, options)
  const keep = handlerOn(handler, options)
  const lenders: Lender[] = []
  const create = (): Server => {
    const server = createServer(
      {
        maxHeaderSize: headLimit,
        // Node would refuse without a word.
        requireHostHeader: false,
        headersTimeout: headTimeoutMs,
        requestTimeout: Math.max(headTimeoutMs, bodyTimeoutMs),
        keepAliveTimeout: KEEP_ALIVE_MS,
        connectionsCheckingInterval: Math.max(20, Math.min(1000, Math.floor(headTimeoutMs / 4))),
        // Notices peers that vanish while nothing is written.
        keepAlive: true,
        keepAliveInitialDelay: 30_000,
        // `Upgrade` is ignored; the event is for `lend.ts`.
        shouldUpgradeCallback: () => false,
      },
      (req, res) => {
        if (!hasHost(req)) refuseHost(res)
        else if (!lender.offer(req, res)) void keep(req, res)
      },
    )
    const lender = new Lender(server, handler, options, keep)
    lenders.push(lender)
    allowHalfOpen(server)
    server.on('clientError', (error: NodeJS.ErrnoException, socket: Socket) =>
      refuse(error, socket, headLimit),
    )
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
    stop: () => (stopped ??= stop(hub, servers, lenders, graceMs)),
  }
}

/** A client that has sent its request may close its side and still wants the answer (`nc -N`). Node has the switch, but not in its documentation. */
function allowHalfOpen(server: Server): void {
  Object.assign(server, { httpAllowHalfOpen: true })
}

/** RFC 9112 3.2: one `Host`, which only HTTP/1.0 may leave out. `headers` has the first of several. */
function hasHost({ rawHeaders, httpVersionMinor }: IncomingMessage): boolean {
  let count = 0
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index] as string
    if (name.length === 4 && name.toLowerCase() === 'host') count++
  }
  return count === 1 || (count === 0 && httpVersionMinor === 0)
}

function refuseHost(res: ServerResponse): void {
  const problem = new Problem('bad-request', 'Expected one `Host` header: say which hub this is for')
  const { status, headers, body } = problemAnswer(problem)
  const bytes = Buffer.from(body as string)
  res.writeHead(status, { ...headers, ...CLOSING, 'content-length': bytes.length }).end(bytes)
}

const CLOSING = { 'x-content-type-options': 'nosniff', connection: 'close' }

/** What Node's parser refuses never becomes a request; it gets its problem all the same. */
function refuse(error: NodeJS.ErrnoException, socket: Socket, headLimit: number): void {
  const when = interruptionOf(socket)
  if (error.code === 'ECONNRESET' || !socket.writable || when === 'answering') {
    socket.destroy()
    return
  }
  const { status, headers, body } = problemAnswer(problemOf(error.code, when === 'within', headLimit))
  const bytes = Buffer.from(body as string)
  const lines = Object.entries({ ...headers, ...CLOSING, 'content-length': bytes.length })
  const head = lines.map(([name, value]) => `${name}: ${value}\r\n`).join('')
  socket.end(Buffer.concat([Buffer.from(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${head}\r\n`), bytes]))
}

function problemOf(code: string | undefined, withinBody: boolean, headLimit: number): Problem {
  switch (code) {
    case 'HPE_HEADER_OVERFLOW':
      return new Problem(
        'head-too-large',
        `Expected a request line and headers of at most ${headLimit} bytes: send fewer or shorter ones`,
        { limit: headLimit },
      )
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return new Problem('body-timeout', 'The request took too long to arrive: send it faster')
    case 'HPE_INVALID_EOF_STATE':
      if (withinBody) return new Problem('body-aborted', 'The body broke off before its end: send it again')
      break
    default:
  }
  return new Problem('bad-request', 'These bytes are no HTTP/1.1 request')
}

async function stop(
  hub: Hub,
  servers: readonly Server[],
  lenders: readonly Lender[],
  graceMs: number,
): Promise<void> {
  const closed = servers.map((server) => new Promise<void>((resolve) => server.close(() => resolve())))
  hub.drain()
  for (const lender of lenders) lender.closeIdle()
  // Also those that become idle when their answer is through.
  const sweep = setInterval(() => {
    for (const server of servers) server.closeIdleConnections()
  }, 50)
  const timer = setTimeout(() => {
    for (const server of servers) server.closeAllConnections()
    for (const lender of lenders) lender.closeAll()
  }, graceMs)
  await Promise.all(closed)
  clearInterval(sweep)
  clearTimeout(timer)
}
