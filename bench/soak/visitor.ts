/** Somebody who comes, reads for a moment in one way or another, and goes; and next time goes on where it was. */
import { type Agent, get, type IncomingMessage } from 'node:http'
import { connect } from 'node:net'
import { createParser, parsePage } from '@downlink/wire'
import { parsePayload } from '../load/payload.ts'

export interface Target {
  readonly host: string
  readonly port: number
  readonly agent: Agent
}

export const WAYS = ['stream', 'long poll', 'poll', 'rude'] as const
export type Way = (typeof WAYS)[number]

/** Milliseconds that nobody answers before it counts as an error. */
const PATIENCE_MS = 20_000

export class Visitor {
  readonly #target: Target
  readonly #channel: number
  #cursor: string | undefined
  #next: number | undefined
  /** Events that it has had. */
  seen = 0

  constructor(target: Target, channel: number) {
    this.#target = target
    this.#channel = channel
  }

  /** @param ms How long it stays, where that is up to it. @throws {Error} when anything is not as it must be */
  visit(way: Way, ms: number): Promise<void> {
    switch (way) {
      case 'stream':
        return this.#stream(ms)
      case 'long poll':
        return this.#page({ prefer: `wait=${Math.ceil(ms / 1000)}` })
      case 'poll':
        return this.#page({})
      case 'rude':
        return this.#rude(ms)
    }
  }

  async #stream(ms: number): Promise<void> {
    const answer = await this.#get('', {
      accept: 'text/event-stream',
      ...(this.#cursor === undefined ? {} : { 'last-event-id': this.#cursor }),
    })
    mustBe(answer, 200)
    const parser = createParser({
      onId: (id) => (this.#cursor = id),
      onEvent: ({ type, data }) => {
        if (type === 'message') this.#take(data)
        else if (type === 'downlink:gap') throw new Error(`a gap: ${data}`)
      },
    })
    await new Promise<void>((resolve, reject) => {
      const timer = setTimeout(() => answer.destroy(), ms)
      answer.on('data', (bytes: Buffer) => {
        try {
          parser.feed(bytes)
        } catch (error) {
          answer.destroy(error as Error)
        }
      })
      answer.on('error', reject)
      answer.on('close', () => {
        clearTimeout(timer)
        resolve()
      })
    })
  }

  async #page(headers: Readonly<Record<string, string>>): Promise<void> {
    const query = this.#cursor === undefined ? 'last=1' : `after=${this.#cursor}&limit=1000`
    const answer = await this.#get(`?${query}`, { accept: 'application/json', ...headers })
    mustBe(answer, 200)
    const page = parsePage(await textOf(answer))
    if (page.gap) throw new Error(`a gap: ${JSON.stringify(page.gap)}`)
    for (const { data } of page.events) this.#take(data)
    this.#cursor = page.cursor
  }

  /** Leaves in the middle of a head, or before it has been answered, or asks for nonsense. */
  #rude(ms: number): Promise<void> {
    const { host, port } = this.#target
    const path = `/channels/bench.${this.#channel}`
    const texts = [
      `GET ${path} HTTP/1.1\r\nHo`,
      `GET ${path} HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n\r\n`,
      `GET ${path}?wait=30 HTTP/1.1\r\nHost: localhost\r\n\r\n`,
      `POST ${path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\nnot all of it`,
      `nonsense\r\n\r\n`,
    ]
    return new Promise((resolve, reject) => {
      const socket = connect({ host, port })
      socket.on('connect', () => {
        socket.write(texts[Math.floor(ms) % texts.length] as string, () => {
          setTimeout(() => socket.resetAndDestroy(), ms % 50)
        })
      })
      socket.on('error', (error: NodeJS.ErrnoException) => {
        if (error.code !== 'ECONNRESET' && error.code !== 'EPIPE') reject(error)
      })
      socket.on('close', () => resolve())
      socket.resume()
    })
  }

  #get(query: string, headers: Readonly<Record<string, string>>): Promise<IncomingMessage> {
    return new Promise((resolve, reject) => {
      const { agent, host, port } = this.#target
      const path = `/channels/bench.${this.#channel}${query}`
      const request = get({ agent, host, port, path, headers, timeout: PATIENCE_MS })
      request.on('response', resolve)
      request.on('error', reject)
      request.on('timeout', () => request.destroy(new Error('no answer')))
    })
  }

  #take(data: string): void {
    const bytes = Buffer.from(data)
    const { channel, number } = parsePayload(bytes, 0, bytes.length, 'text')
    const wanted = this.#next ?? number
    if (channel !== this.#channel || number !== wanted)
      throw new Error(`event ${number} of channel ${channel} came, and ${wanted} of ${this.#channel} was due`)
    this.#next = number + 1
    this.seen++
  }
}

function mustBe(answer: IncomingMessage, status: number): void {
  if (answer.statusCode === status) return
  answer.destroy()
  throw new Error(`answered ${answer.statusCode}`)
}

async function textOf(answer: IncomingMessage): Promise<string> {
  const parts: Buffer[] = []
  for await (const part of answer) parts.push(part as Buffer)
  return Buffer.concat(parts).toString()
}
