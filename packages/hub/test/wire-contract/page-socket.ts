/** A WebSocket of a channel, as a client has it that is no browser: pages as they come, and how it was closed. */
import type { IncomingMessage } from 'node:http'
import type { Page } from '@downlink/wire'
import { WebSocket } from 'ws'
import type { Got } from './client.ts'

/** A message. What a page has besides comes with the first one, or when it is due. */
export interface Message extends Omit<Page, 'retry'> {
  readonly retry?: number
  readonly heartbeat?: number
  readonly expires?: number
}

export interface Closed {
  readonly code: number
  readonly reason: string
}

export class PageSocket {
  readonly ws: WebSocket
  /** What came and was not taken yet. */
  readonly #messages: Message[] = []
  readonly closed: Promise<Closed>
  pings = 0
  #over = false
  #wake: (() => void) | undefined

  constructor(ws: WebSocket) {
    this.ws = ws
    ws.on('message', (data: Buffer) => {
      this.#messages.push(JSON.parse(data.toString()) as Message)
      this.#wake?.()
    })
    ws.on('ping', () => {
      this.pings++
      this.#wake?.()
    })
    ws.on('error', () => {})
    this.closed = new Promise((resolve) => {
      ws.on('close', (code, reason) => {
        this.#over = true
        this.#wake?.()
        resolve({ code, reason: reason.toString() })
      })
    })
  }

  /** Undefined when it is closed. */
  async next(): Promise<Message | undefined> {
    await this.#until(() => this.#messages.length > 0)
    return this.#messages.shift()
  }

  /** The events of as many messages as it takes. */
  async take(count: number): Promise<Page['events']> {
    const events: Page['events'][number][] = []
    while (events.length < count) {
      const message = await this.next()
      if (message === undefined) throw new Error(`closed after ${events.length} of ${count} events`)
      events.push(...message.events)
    }
    return events
  }

  async pinged(times: number): Promise<void> {
    await this.#until(() => this.pings >= times)
  }

  async #until(enough: () => boolean): Promise<void> {
    while (!enough() && !this.#over) await new Promise<void>((resolve) => (this.#wake = resolve))
  }

  [Symbol.dispose](): void {
    this.ws.terminate()
  }
}

interface Options {
  readonly headers?: Readonly<Record<string, string>>
  readonly origin?: string
  readonly autoPong?: boolean
}

function dialed(url: string, { headers = {}, ...options }: Options): WebSocket {
  // Certificates of tests are signed by nobody.
  const all = { rejectUnauthorized: false, perMessageDeflate: true, headers, ...options }
  return new WebSocket(url.replace(/^http/, 'ws'), all)
}

/** Rejects when it is refused. */
export function openSocket(url: string, options: Options = {}): Promise<PageSocket> {
  const ws = dialed(url, options)
  // Before it is open: the first message comes with the head.
  const socket = new PageSocket(ws)
  return new Promise((resolve, reject) => {
    ws.once('open', () => resolve(socket)).once('error', reject)
  })
}

/** The whole answer to a handshake that is refused. */
export function refusedSocket(url: string, options: Options = {}): Promise<Got> {
  const ws = dialed(url, options)
  ws.on('error', () => {})
  return new Promise((resolve, reject) => {
    ws.once('open', () => {
      ws.terminate()
      reject(new Error('the handshake was not refused'))
    })
    ws.once('unexpected-response', (_, response: IncomingMessage) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.on('end', () => {
        const { statusCode = 0, headers } = response
        resolve({ status: statusCode, headers, text: Buffer.concat(chunks).toString() })
      })
    })
    ws.once('close', (code) => reject(new Error(`closed with ${code} without an answer`)))
  })
}
