/** One connection through the network of the Lab: what comes of either side goes to the other, later, held back, or not at all. */
import type { Socket } from 'node:net'
import { reset } from '../reset.ts'
import { Outlet } from '../testing/outlet.ts'
import { AnswerBuffer } from './answer-buffer.ts'

export interface Hardship {
  /** Milliseconds, each way. */
  readonly delay: number
  readonly buffering: boolean
  readonly cut: { readonly afterMs: number; readonly reset: boolean } | undefined
}

/** Bytes that are on their way at most, each way of a connection; then its sender has to wait, as on a real line that is long. */
const UNDER_WAY = 256 * 1024

export class Passage {
  /** Resolves when both sides are closed. */
  readonly gone: Promise<void>
  readonly #client: Socket
  readonly #server: Socket
  readonly #delayMs: number
  readonly #toClient: Outlet
  readonly #toServer: Outlet
  readonly #buffer: AnswerBuffer | undefined
  readonly #timer: NodeJS.Timeout | undefined

  constructor(client: Socket, server: Socket, { delay, buffering, cut }: Hardship) {
    this.#client = client
    this.#server = server
    this.#delayMs = delay
    this.#buffer = buffering ? new AnswerBuffer() : undefined
    this.#toClient = new Outlet(client, UNDER_WAY, () => server.resume())
    this.#toServer = new Outlet(server, UNDER_WAY, () => client.resume())
    client.on('data', (bytes: Buffer) => {
      this.#buffer?.asked(bytes)
      this.#pass(this.#toServer, client, [bytes])
    })
    server.on('data', (bytes: Buffer) => {
      this.#pass(this.#toClient, server, this.#buffer?.answered(bytes) ?? [bytes])
    })
    client.on('end', () => this.#end(this.#toServer, server))
    server.on('end', () => {
      this.#pass(this.#toClient, server, this.#buffer?.end() ?? [])
      this.#end(this.#toClient, client)
    })
    for (const socket of [client, server]) socket.on('error', () => this.cut(true))
    this.gone = Promise.all([closing(client), closing(server)]).then(() => this.#over())
    // A side that is gone for good takes the other with it, once what was sent has come.
    client.on('close', () => this.#end(this.#toServer, server))
    server.on('close', () => this.#end(this.#toClient, client))
    if (cut) this.#timer = setTimeout(() => this.cut(cut.reset), cut.afterMs)
  }

  /** What is under way is lost. @param byReset Else an end, which looks like the other's own. */
  cut(byReset: boolean): void {
    this.#over()
    this.#server.destroy()
    if (byReset) reset(this.#client)
    else this.#client.destroySoon()
  }

  #pass(outlet: Outlet, from: Socket, parts: readonly Buffer[]): void {
    for (const bytes of parts) outlet.put(bytes, { delayMs: this.#delayMs })
    if (outlet.fills()) from.pause()
  }

  #end(outlet: Outlet, to: Socket): void {
    outlet.afterwards(() => to.end(), { delayMs: this.#delayMs })
  }

  #over(): void {
    clearTimeout(this.#timer)
    this.#toClient.stop()
    this.#toServer.stop()
  }
}

function closing(socket: Socket): Promise<void> {
  return new Promise((resolve) => socket.once('close', () => resolve()))
}
