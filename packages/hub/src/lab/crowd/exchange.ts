/** One request after the other, on one connection at a time that is kept, as a browser does it. */
import type { Socket } from 'node:net'
import { dial } from './dial.ts'
import type { Plan } from './plan.ts'
import { type AnswerHead, ResponseReader } from './response-reader.ts'
import type { Tally } from './tally.ts'

export interface Answered {
  head(head: AnswerHead): void
  body(bytes: Buffer): void
  end(): void
  /** The connection broke before the end. */
  lost(): void
}

export class Exchange {
  readonly #plan: Plan
  readonly #tally: Tally
  #socket: Socket | undefined
  /** Whether the connection has carried an answer before. */
  #used = false
  #running: Answered | undefined
  #head = ''
  #heard = false
  /** Whether there has been a connection, or an attempt that failed. */
  tried = false

  constructor(plan: Plan, tally: Tally) {
    this.#plan = plan
    this.#tally = tally
  }

  get busy(): boolean {
    return this.#running !== undefined
  }

  /** @param path With its query. @param headers Besides those of the plan. */
  ask(path: string, headers: readonly (readonly [string, string])[], answered: Answered): void {
    const { target, headers: common } = this.#plan
    const lines = [...headers, ...common].map(([name, value]) => `${name}: ${value}\r\n`).join('')
    this.#head = `GET ${path} HTTP/1.1\r\nHost: ${target.authority}\r\nConnection: keep-alive\r\n${lines}\r\n`
    this.#running = answered
    this.#send()
  }

  /** Nobody is told. */
  close(): void {
    this.#running = undefined
    this.#socket?.destroy()
    this.#socket = undefined
  }

  #send(): void {
    this.#heard = false
    this.#tally.requests++
    this.#socket ??= this.#dial()
    this.#tally.in.head += Buffer.byteLength(this.#head, 'latin1')
    this.#socket.write(this.#head, 'latin1')
  }

  #dial(): Socket {
    const socket = dial(this.#plan.target, this.#tally)
    const reader = new ResponseReader({
      head: (head) => this.#running?.head(head),
      body: (bytes) => this.#running?.body(bytes),
      end: (keep) => {
        this.#used = true
        if (!keep) this.#drop(socket)
        this.#over('end')
      },
      counted: (part, bytes) => (this.#tally.out[part] += bytes),
    })
    this.#used = false
    socket.once('ready', () => (this.tried = true))
    socket.on('data', (bytes: Buffer) => {
      this.#heard = true
      try {
        reader.feed(bytes)
      } catch {
        socket.destroy()
      }
    })
    socket.on('end', () => socket.destroy())
    socket.on('error', () => {})
    socket.once('close', () => {
      this.tried = true
      if (this.#socket !== socket) return
      this.#socket = undefined
      if (this.#running === undefined) return
      if (reader.endsWithConnection) this.#over('end')
      // A connection that was kept may be closed as it is used again (RFC 9112 9.3.1).
      else if (this.#used && !this.#heard) this.#send()
      else this.#over('lost')
    })
    return socket
  }

  #drop(socket: Socket): void {
    if (this.#socket === socket) this.#socket = undefined
    socket.destroy()
  }

  #over(how: 'end' | 'lost'): void {
    const answered = this.#running
    this.#running = undefined
    answered?.[how]()
  }
}
