/** The hub's own server: Node's HTTP/1.1 server with the hub on it, HTTP/2 beside it, their limits, and a clean stop. */
import {
  createServer,
  type IncomingMessage,
  type Server,
  type ServerOptions,
  type ServerResponse,
  STATUS_CODES,
} from 'node:http'
import type { Socket } from 'node:net'
import { isLoopbackAddress, isLoopbackHost } from '../auth/guard.ts'
import { HubError } from '../errors.ts'
import type { Hub } from '../hub.ts'
import type { Lookout } from '../ops/lookout.ts'
import type { TlsOptions } from './certificate.ts'
import { sortByAlpn, sortByPreface, type Take } from './door.ts'
import type { H2Sessions } from './h2-sessions.ts'
import { FewATurn } from './few-a-turn.ts'
import { Handler } from './handler.ts'
import { DEFAULT_HTTP_LIMITS, type HttpLimits } from './http-limits.ts'
import { Lender } from './lend.ts'
import { listen, portOf } from './listen.ts'
import { handlerOn, type NodeHandlerOptions } from './node.ts'
import { headTooLarge, Problem, problemAnswer } from './problem.ts'
import type { Secure } from './secure.ts'
import { interruptionOf, spendLine, takeTurn } from './turns.ts'

export interface HubServerOptions extends NodeHandlerOptions {
  /** Default 0: any that is free. */
  readonly port?: number
  /** Default `localhost`: 127.0.0.1 and, where the machine has it, ::1. */
  readonly host?: string
  /**
   * TLS, 1.2 or newer, in place of plain HTTP; by ALPN it is HTTP/2 or HTTP/1.1. What is in files is read again when it changes.
   * Default none.
   */
  readonly tls?: TlsOptions
  /** Without TLS: takes HTTP/2 from those who begin with it, such as a proxy that ends TLS. Default false. */
  readonly h2c?: boolean
  /** Streams of one HTTP/2 connection at once; one more is refused. Default 256. */
  readonly maxConcurrentStreams?: number
  /** Bytes of a request's head at most; a larger one is `431`. Default 16,384. */
  readonly headLimit?: number
  /** How long a head may take to arrive, in milliseconds; then `408`. A TLS handshake, too. Default 10,000. */
  readonly headTimeoutMs?: number
  /** Header lines of a request at most; more are `431`. Default 100. */
  readonly headersLimit?: number
  /** Connections at a time, of each address listened on; one more is closed as it comes. Default 20,000. */
  readonly connections?: number
  /** How long an idle connection is kept, in milliseconds. Default 75,000: longer than common balancers keep theirs. */
  readonly keepAliveMs?: number
  /** How long a stop waits for connections to end by themselves, in milliseconds. Default 5,000. */
  readonly graceMs?: number
}

/** Balancers close first then, and no request meets a closing connection. */
const KEEP_ALIVE_MS = 75_000

export interface HubServer {
  /** The first of the addresses listened on; with `tls` one of `node:https`. */
  readonly server: Server
  /** E.g. `http://localhost:4080`. */
  readonly url: string
  readonly port: number
  /** Ends streams, answers long polls, finishes requests, closes connections. The hub itself is left to its owner. Idempotent. */
  stop(): Promise<void>
}

/** Listens. @throws what `net.Server.listen` meets, e.g. `EADDRINUSE`; {HubError} `invalid-option` */
export async function serveHub(hub: Hub, options: HubServerOptions = {}): Promise<HubServer> {
  const { host = 'localhost', port = 0, graceMs = 5_000, keepAliveMs = KEEP_ALIVE_MS, tls } = options
  const limits: HttpLimits = { ...DEFAULT_HTTP_LIMITS, ...definedOf(options) }
  const { headLimit, headTimeoutMs, headersLimit, bodyTimeoutMs } = limits
  if (!options.authorize && !isLoopbackHost(host) && !isLoopbackAddress(host)) {
    throw new HubError(
      'invalid-option',
      `Expected \`host\` to be a loopback address such as localhost, got ${JSON.stringify(host)}: a hub that others can reach needs \`authorize\``,
    )
  }
  if (tls && options.h2c) {
    throw new HubError(
      'invalid-option',
      'Expected `tls` or `h2c`, got both: with TLS a client says by ALPN that it wants HTTP/2',
    )
  }
  const report = (error: unknown): void => hub.delivery.report(error)
  const handler = new Handler(hub, options)
  const keep = handlerOn(handler, options)
  // What most hubs have no need of, and 3 MB of RSS, is loaded when it is needed.
  const secure = tls && (await (await import('./secure.ts')).Secure.load(tls, headTimeoutMs, report))
  const http2 =
    tls || options.h2c
      ? new (await import('./h2-sessions.ts')).H2Sessions(handler, {
          mount: options.mount,
          streams: limits.maxConcurrentStreams,
          headLimit,
          headersLimit,
          headTimeoutMs,
          bodyTimeoutMs,
          answerTimeoutMs: limits.answerTimeoutMs,
          keepAliveMs,
        })
      : undefined
  const lenders: Lender[] = []
  const late = new FewATurn()
  const settings: ServerOptions = {
    maxHeaderSize: headLimit,
    // Node would refuse without a word.
    requireHostHeader: false,
    headersTimeout: headTimeoutMs,
    requestTimeout: Math.max(headTimeoutMs, bodyTimeoutMs),
    keepAliveTimeout: keepAliveMs,
    connectionsCheckingInterval: Math.max(20, Math.min(1000, Math.floor(headTimeoutMs / 4))),
    // Notices peers that vanish while nothing is written.
    keepAlive: true,
    keepAliveInitialDelay: 30_000,
    // `Upgrade` is ignored; the event is for `lend.ts`.
    shouldUpgradeCallback: () => false,
  }
  const create = (): Server => {
    const server = secure ? secure.create(settings) : createServer(settings)
    const refused = (error: NodeJS.ErrnoException, socket: Socket): void =>
      refuse(hub, error, socket, headLimit)
    server.on('clientError', (error: NodeJS.ErrnoException, socket: Socket) => {
      // Thousands of heads may be late at the same time.
      if (error.code === 'ERR_HTTP_REQUEST_TIMEOUT') late.push(() => refused(error, socket))
      else refused(error, socket)
    })
    allowHalfOpen(server)
    // Node would leave out the others without a word, or say that there were too many bytes: they are counted below.
    server.maxHeadersCount = 0
    if (limits.connections < Infinity) server.maxConnections = limits.connections
    server.on('drop', () => hub.limited.count('connections'))
    const lender = new Lender(
      server,
      handler,
      options,
      keep,
      sort(server, http2, secure !== undefined, refused),
    )
    lenders.push(lender)
    server.on('request', (req: IncomingMessage, res: ServerResponse) => {
      const problem = headProblem(req, headersLimit)
      if (problem !== undefined) void refuseHead(hub, req, res, problem)
      else if (!lender.offer(req, res)) void keep(req, res)
    })
    return server
  }
  const servers = await listen(create, port, host)
  secure?.follow()
  handler.metrics.connections(() => connectionsOf(servers))
  const [server] = servers
  const bound = portOf(server)
  let stopped: Promise<void> | undefined
  return {
    server,
    port: bound,
    url: `${tls ? 'https' : 'http'}://${host.includes(':') ? `[${host}]` : host}:${bound}`,
    stop: () => (stopped ??= stop(hub, options.lookout, { servers, lenders, http2, secure }, graceMs)),
  }
}

/** Who gets which connection. @returns What gives one back to HTTP/1.1 that was lent. */
function sort(
  server: Server,
  http2: H2Sessions | undefined,
  secure: boolean,
  refused: (error: NodeJS.ErrnoException, socket: Socket) => void,
): Take {
  if (http2 === undefined) return (socket) => void server.emit('connection', socket)
  const take: Take = (socket) => http2.accept(socket)
  if (secure) return sortByAlpn(server, take)
  return sortByPreface(server, take, http2.heads, (socket, code) => {
    refused(Object.assign(new Error('No head'), { code }), socket)
  })
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

function headProblem(req: IncomingMessage, headersLimit: number): Problem | undefined {
  if (req.rawHeaders.length > 2 * headersLimit) {
    const text = `Expected at most ${headersLimit} header lines: send fewer`
    return new Problem('head-too-large', text, { limit: headersLimit }, {}, 'headers')
  }
  // Node's parser takes `HTTP/2.0` in text, and what follows for an error.
  if (req.httpVersionMajor !== 1) return new Problem('bad-request', 'Expected HTTP/1.1, or HTTP/1.0')
  if (hasHost(req)) return undefined
  return new Problem('bad-request', 'Expected one `Host` header: say which hub this is for')
}

/** In its turn, and nothing behind it is taken up: whoever sends such a head may mean something else by what follows. */
async function refuseHead(
  hub: Hub,
  { socket }: IncomingMessage,
  res: ServerResponse,
  problem: Problem,
): Promise<void> {
  const come = takeTurn(socket, res)
  if (come !== true && !(await come)) return
  spendLine(socket)
  const { status, headers, body } = problemAnswer(problem)
  if (problem.limited !== undefined) hub.limited.count(problem.limited)
  const bytes = Buffer.from(body as string)
  res.writeHead(status, { ...headers, ...CLOSING, 'content-length': bytes.length }).end(bytes)
}

/** What is not said is not there: `undefined` would take the place of a default. */
function definedOf(options: Partial<HttpLimits>): Partial<HttpLimits> {
  const names = Object.keys(DEFAULT_HTTP_LIMITS) as (keyof HttpLimits)[]
  return Object.fromEntries(
    names.flatMap((name) => (options[name] === undefined ? [] : [[name, options[name]]])),
  )
}

async function connectionsOf(servers: readonly Server[]): Promise<number> {
  const counts = servers.map(
    (server) =>
      new Promise<number>((resolve) => server.getConnections((error, count) => resolve(error ? 0 : count))),
  )
  return (await Promise.all(counts)).reduce((sum, count) => sum + count, 0)
}

const CLOSING = { 'x-content-type-options': 'nosniff', connection: 'close' }

/** What Node's parser refuses never becomes a request; it gets its problem all the same. */
function refuse(hub: Hub, error: NodeJS.ErrnoException, socket: Socket, headLimit: number): void {
  const when = interruptionOf(socket)
  // A handshake that has failed leaves nothing to tell it on.
  if (/^(?:ERR_SSL_|ERR_TLS_|EPROTO)/.test(error.code ?? '')) {
    socket.destroy()
    return
  }
  if (error.code === 'ECONNRESET' || !socket.writable || when === 'answering') {
    socket.destroy()
    return
  }
  const problem = problemOf(error.code, when === 'within', headLimit)
  if (problem.limited !== undefined) hub.limited.count(problem.limited)
  const { status, headers, body } = problemAnswer(problem)
  const bytes = Buffer.from(body as string)
  const lines = Object.entries({ ...headers, ...CLOSING, 'content-length': bytes.length })
  const head = lines.map(([name, value]) => `${name}: ${value}\r\n`).join('')
  socket.end(Buffer.concat([Buffer.from(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${head}\r\n`), bytes]))
}

function problemOf(code: string | undefined, withinBody: boolean, headLimit: number): Problem {
  switch (code) {
    case 'HPE_HEADER_OVERFLOW':
      return headTooLarge(headLimit)
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return new Problem(
        'body-timeout',
        'The request took too long to arrive: send it faster',
        {},
        {},
        withinBody ? 'body-time' : 'head-time',
      )
    case 'HPE_INVALID_EOF_STATE':
      if (withinBody) return new Problem('body-aborted', 'The body broke off before its end: send it again')
      break
    default:
  }
  return new Problem('bad-request', 'These bytes are no HTTP/1.1 request')
}

interface Running {
  readonly servers: readonly Server[]
  readonly lenders: readonly Lender[]
  readonly http2: H2Sessions | undefined
  readonly secure: Secure | undefined
}

async function stop(
  hub: Hub,
  lookout: Lookout | undefined,
  running: Running,
  graceMs: number,
): Promise<void> {
  const { servers, lenders, http2, secure } = running
  secure?.close()
  const closed = servers.map((server) => new Promise<void>((resolve) => server.close(() => resolve())))
  hub.drain()
  lookout?.own.drain()
  for (const lender of lenders) lender.closeIdle()
  http2?.close()
  // Also those that become idle when their answer is through.
  const sweep = setInterval(() => {
    for (const server of servers) server.closeIdleConnections()
  }, 50)
  const timer = setTimeout(() => {
    for (const server of servers) server.closeAllConnections()
    for (const lender of lenders) lender.closeAll()
    http2?.destroy()
    secure?.cut()
  }, graceMs)
  await Promise.all(closed)
  clearInterval(sweep)
  clearTimeout(timer)
}
