/** A client that reads by WebSocket: each message is a page. */
import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import { WebSocket } from 'ws'
import { LARGEST_PAGE } from './coding.ts'
import { dial } from './dial.ts'
import { type Group, Member } from './group.ts'

/** Before a page comes back, doubled by each failure that follows. */
const RETRY_MS = 1_000
const LONGEST_RETRY_MS = 10_000

export class Messenger extends Member {
  #cursor: string
  #socket: WebSocket | undefined
  #timer: NodeJS.Timeout | undefined
  #failures = 0
  #brought = false
  begun = false
  /** Of the connection that is open: what of its bytes is in the tally. */
  #wire: { readonly socket: Socket; in: number; out: number; outSeen: number } | undefined

  constructor(group: Group) {
    super(group)
    this.#cursor = group.plan.cursor
  }

  start(): void {
    this.#open()
  }

  close(): void {
    clearTimeout(this.#timer)
    this.#socket?.terminate()
    this.count()
  }

  override count(): void {
    const wire = this.#wire
    if (wire === undefined) return
    const { in: had, out, outSeen, socket } = wire
    const { tally } = this.group
    tally.in.body += socket.bytesWritten - had
    tally.out.body += outSeen - out
    wire.in = socket.bytesWritten
    wire.out = outSeen
  }

  #open(): void {
    const { plan, tally, closing } = this.group
    if (closing) return
    const { target } = plan
    const scheme = target.tls === 'none' ? 'ws' : 'wss'
    const path = `${target.mount}/channels/${plan.channel}?after=${this.#cursor}`
    tally.requests++
    this.#brought = false
    const socket = new WebSocket(`${scheme}://${target.authority}${path}`, {
      headers: Object.fromEntries(plan.headers),
      // A browser offers it, too.
      perMessageDeflate: true,
      maxPayload: LARGEST_PAGE,
      createConnection: () => this.#dial(),
    })
    this.#socket = socket
    socket.on('upgrade', (answer) => this.#heads(answer))
    socket.on('unexpected-response', (request, answer) => {
      if ((answer.statusCode ?? 0) >= 400) tally.refused++
      this.#heads(answer)
      request.destroy()
      this.#again()
    })
    socket.on('open', () => (this.begun = true))
    socket.on('message', (data) => this.#message(data as Buffer))
    socket.on('error', () => {})
    socket.on('close', () => this.#again())
  }

  #dial(): Socket {
    const socket = dial(this.group.plan.target, this.group.tally)
    const wire = { socket, in: 0, out: 0, outSeen: 0 }
    this.#wire = wire
    socket.on('data', (bytes: Buffer) => (wire.outSeen += bytes.length))
    return socket
  }

  /** What has gone over the connection until now, but for the answer's head, came with the request; `ws` says nothing before. */
  #heads({ httpVersion, statusCode, statusMessage, rawHeaders }: IncomingMessage): void {
    const wire = this.#wire
    if (wire === undefined) return
    const { tally } = this.group
    // `name: value` and a line's end, and those of the status line and at the end.
    const lines = rawHeaders.reduce((sum, text) => sum + Buffer.byteLength(text, 'latin1') + 2, 0)
    const head = `HTTP/${httpVersion} ${statusCode} ${statusMessage}`.length + 4 + lines
    tally.in.head += wire.socket.bytesWritten - wire.in
    wire.in = wire.socket.bytesWritten
    tally.out.head += head
    wire.out += head
  }

  #message(data: Buffer): void {
    this.#failures = 0
    const { events, cursor } = JSON.parse(data.toString()) as {
      readonly events: readonly { readonly data: string }[]
      readonly cursor: string
    }
    for (const event of events) {
      this.#brought = true
      this.take(event.data)
    }
    this.#cursor = cursor
  }

  #again(): void {
    this.begun = true
    this.count()
    this.#wire = undefined
    if (this.group.closing) return
    if (!this.#brought) this.group.tally.empty++
    clearTimeout(this.#timer)
    const ms = Math.min(RETRY_MS * 2 ** this.#failures++, LONGEST_RETRY_MS)
    this.#timer = setTimeout(() => this.#open(), this.group.jittered(ms, 0.5))
  }
}
