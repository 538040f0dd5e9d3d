/** The proxy: its port, its connections, what is wrong at the moment, and its counts. */
import { once } from 'node:events'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { HubError } from '../errors.ts'
import { Connection, type Surroundings } from './connection.ts'
import { type Fault, HARMLESS, isFor, type Plan, planOf, type ProxiedRequest } from './fault.ts'
import type { Address } from './target.ts'

export interface HostileProxyOptions {
  /** What is wrong from the beginning. Default `{}`: nothing, it passes everything on as it comes. */
  readonly fault?: Fault
  /** Default `127.0.0.1`. */
  readonly host?: string
  /** Default 0: any that is free. */
  readonly port?: number
  /** Bytes of a request's head (beyond: `431`) or a response's (beyond: `502`). Default 65,536. */
  readonly headLimit?: number
  /**
   * Bytes that are held back of one response (beyond: the connection is cut by a reset, and `overflows` counts it), and bytes that
   * wait for their delay on one connection (beyond: the sender is not read until there is room). Default 16,777,216.
   */
  readonly bufferLimit?: number
}

/** Paths that are counted one by one. */
const PATHS_LIMIT = 1000

/**
 * An HTTP/1.1 proxy for tests, between clients and one target.
 *
 * ```ts
 * const proxy = await hostileProxy(hub.url, { fault: { hold: 'body', only: 'streams' } })
 * const response = await fetch(`${proxy.url}/channels/orders`, { headers: { accept: 'text/event-stream' } })
 * proxy.set({}) // what was held comes now
 * await proxy.close()
 * ```
 *
 * Each connection of a client has one of its own to the target. Heads pass as they came, `Host` included, and nothing is added
 * to them; so a hub that answers to its own machine only still answers. It speaks no TLS, no HTTP/2, no `CONNECT` (`501`) and no `Upgrade`
 * (`502`); trailers are dropped. A client that closes its side is taken to be gone. When the target can't be reached, it answers `502`.
 *
 * It is for tests: whoever can reach its port can reach the target.
 *
 * @param target the origin of the server behind it, e.g. `http://127.0.0.1:4080`
 * @throws {HubError} `invalid-option`
 * @throws what `net.Server.listen` meets, e.g. `EADDRINUSE`
 */
export async function hostileProxy(target: string, options: HostileProxyOptions = {}): Promise<HostileProxy> {
  const { host = '127.0.0.1', port = 0, fault = {} } = options
  const address = addressOf(target)
  // Refused before anything listens.
  planOf(fault)
  // A connection that has fallen silent is to stay as it is, whatever an end does.
  const server = createServer({ allowHalfOpen: true })
  server.listen(port, host)
  await once(server, 'listening')
  return new HostileProxy(server, address, fault, options)
}

export class HostileProxy implements AsyncDisposable {
  /** Its origin, e.g. `http://127.0.0.1:40123`. */
  readonly url: string
  /** Connections that it has accepted so far. */
  accepted = 0
  /** Requests that have reached it so far, those that it answered itself included. */
  requests = 0
  /** Connections that were cut because a response was held beyond `bufferLimit`. */
  overflows = 0
  readonly #server: Server
  readonly #around: Surroundings
  readonly #connections = new Set<Connection>()
  readonly #paths = new Map<string, number>()
  readonly #watchers = new Set<() => void>()
  #target: Address
  #fault: Fault = {}
  #plan: Plan = HARMLESS
  /** Answers of its own that it is still to give. */
  #answers = Infinity
  #closed: Promise<void> | undefined

  /** Use `hostileProxy()`. */
  constructor(server: Server, target: Address, fault: Fault, options: HostileProxyOptions) {
    const { address, port } = server.address() as AddressInfo
    this.url = `http://${address.includes(':') ? `[${address}]` : address}:${port}`
    this.#server = server
    this.#target = target
    this.#use(fault)
    this.#around = {
      target: () => this.#target,
      headLimit: options.headLimit ?? 64 * 1024,
      bufferLimit: options.bufferLimit ?? 16 * 1024 * 1024,
      asked: (request) => this.#count(request),
      planFor: (request) => (isFor(this.#fault, request) ? this.#plan : HARMLESS),
      idlePlan: () => (this.#fault.only === undefined ? this.#plan : HARMLESS),
      takeAnswer: () => this.#answers > 0 && this.#answers-- > 0,
      overflowed: () => {
        this.overflows++
        this.#tell()
      },
    }
    server.on('connection', (socket) => this.#accept(socket))
  }

  /** Connections of clients that are open now, those that have fallen silent included. */
  get connections(): number {
    return this.#connections.size
  }

  /** How many requests there were to a path, whatever their query, e.g. `/channels/orders`. The first 1,000 paths are counted. */
  requestsTo(path: string): number {
    return this.#paths.get(path) ?? 0
  }

  /**
   * Another fault in place of the one before; `{}` heals it. Requests from now on meet all of it. What is open goes on
   * with its `hold` (what it does not hold any more goes out at once), `delay`, `trickle`, `splitUtf8`, `cut` and `silence`, which count from
   * now; idle connections are cut or fall silent too, if that is to be at once and `only` is not given. What has fallen silent stays so.
   *
   * @throws {HubError} `invalid-option`
   */
  set(fault: Fault): void {
    this.#use(fault)
    for (const connection of this.#connections) connection.change()
  }

  /** Where connections to the target lead from now on: it has moved. What is open stays where it is. */
  lead(target: string): void {
    this.#target = addressOf(target)
  }

  /** Cuts all connections now. New ones are accepted as before. @param by Default `reset`. */
  cut(by: 'reset' | 'end' = 'reset'): void {
    for (const connection of this.#connections) connection.cut(by)
  }

  /**
   * Resolves as soon as it holds; asked again whenever one of the counts has changed.
   *
   * @throws {Error} when that takes more than `withinMs`. Default 30,000.
   */
  async until(holds: () => boolean, withinMs = 30_000): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const look = (): void => {
      if (holds()) resolve()
    }
    const timer = setTimeout(() => {
      const counts = `${this.requests} requests, ${this.accepted} connections accepted, ${this.connections} open`
      reject(new Error(`Waited ${withinMs} ms in vain for ${String(holds)}. There were ${counts}`))
    }, withinMs)
    this.#watchers.add(look)
    try {
      look()
      await promise
    } finally {
      this.#watchers.delete(look)
      clearTimeout(timer)
    }
  }

  /** Cuts all connections and stops listening; resolves when nothing of it is left. Idempotent. */
  close(): Promise<void> {
    this.#closed ??= this.#close()
    return this.#closed
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async #close(): Promise<void> {
    const closed = once(this.#server, 'close')
    this.#server.close()
    const open = [...this.#connections]
    this.cut()
    await Promise.all(open.map(({ gone }) => gone))
    await closed
  }

  #use(fault: Fault): void {
    this.#plan = planOf(fault)
    this.#fault = fault
    this.#answers = fault.answer?.times ?? Infinity
  }

  #accept(socket: Socket): void {
    this.accepted++
    const connection = new Connection(socket, this.#around)
    this.#connections.add(connection)
    void this.#forget(connection)
    this.#tell()
  }

  async #forget(connection: Connection): Promise<void> {
    await connection.gone
    this.#connections.delete(connection)
    this.#tell()
  }

  #count({ path }: ProxiedRequest): void {
    this.requests++
    const before = this.#paths.get(path)
    if (before !== undefined || this.#paths.size < PATHS_LIMIT) this.#paths.set(path, (before ?? 0) + 1)
    this.#tell()
  }

  #tell(): void {
    for (const look of this.#watchers) look()
  }
}

function addressOf(target: string): Address {
  const url = URL.parse(target)
  if (url === null || url.protocol !== 'http:' || url.pathname !== '/' || url.search !== '') {
    const got = JSON.stringify(target).slice(0, 200)
    throw new HubError(
      'invalid-option',
      `Expected \`target\` to be an origin such as http://127.0.0.1:4080, got ${got}`,
    )
  }
  return { host: url.hostname.replace(/^\[(.*)\]$/, '$1'), port: Number(url.port || 80) }
}
