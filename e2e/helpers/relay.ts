/** A TCP relay between a client and a server, whose connections a test can cut, hold and refuse: the bad network of the tests. */
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'

export class Relay implements AsyncDisposable {
  readonly port: number
  /** Its own origin, e.g. `http://127.0.0.1:40123`. */
  readonly url: string
  /** Connections that were let through so far. */
  accepted = 0
  /** Where new connections go: change it, and the server has moved. */
  target: number
  /** Whether new connections are closed at once. */
  refusing = false
  /** A new connection is cut as soon as it has carried this many bytes to the client; asked once for each. */
  lifetime: () => number = () => Infinity
  /** How it is cut then: by a reset, or by an end that looks like the server's own. */
  cutting: () => 'reset' | 'end' = () => 'reset'
  readonly #server: Server
  readonly #pairs = new Set<Pair>()

  constructor(server: Server, target: number) {
    this.#server = server
    this.target = target
    this.port = (server.address() as AddressInfo).port
    this.url = `http://127.0.0.1:${this.port}`
    server.on('connection', (client) => this.#connect(client))
  }

  /** Open connections. */
  get connections(): number {
    return this.#pairs.size
  }

  /** Ends all connections with a reset, as a network does that went away; what is under way is lost. */
  cut(): void {
    for (const pair of this.#pairs) pair.cut()
  }

  /** No bytes reach the clients any more, until `resume`. */
  pause(): void {
    for (const pair of this.#pairs) pair.server.pause()
  }

  resume(): void {
    for (const pair of this.#pairs) pair.server.resume()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.close()
    this.cut()
    if (this.#server.listening) await once(this.#server, 'close')
  }

  #connect(client: Socket): void {
    client.on('error', () => {})
    if (this.refusing) {
      client.resetAndDestroy()
      return
    }
    this.accepted++
    const pair = new Pair(client, connect(this.target, '127.0.0.1'), this)
    this.#pairs.add(pair)
    client.once('close', () => this.#pairs.delete(pair))
  }
}

class Pair {
  readonly client: Socket
  readonly server: Socket
  readonly #cutting: 'reset' | 'end'
  #left: number

  constructor(client: Socket, server: Socket, relay: Relay) {
    this.client = client
    this.server = server
    this.#left = relay.lifetime()
    this.#cutting = relay.cutting()
    client.pipe(server)
    server.on('data', (bytes) => this.#pass(bytes))
    server.once('end', () => client.end())
    server.on('error', () => this.cut())
    client.once('close', () => server.destroy())
  }

  cut(): void {
    this.client.resetAndDestroy()
    this.server.destroy()
  }

  #pass(bytes: Buffer): void {
    if (bytes.length <= this.#left) {
      this.#left -= bytes.length
      this.client.write(bytes)
      return
    }
    // The part reaches the client before the cut: so it falls in the middle of a block, a line, a character.
    this.server.pause()
    const part = bytes.subarray(0, this.#left)
    if (this.#cutting === 'reset') this.client.write(part, () => this.cut())
    else this.client.end(part, () => this.server.destroy())
  }
}

/** @param target the port on 127.0.0.1 that it leads to */
export async function startRelay(target: number): Promise<Relay> {
  const server = createServer()
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return new Relay(server, target)
}
