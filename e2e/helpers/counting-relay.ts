/**
 * A TCP relay that counts what readers of a channel cost, from the raw bytes alone: what the Lab's own meter is measured against. It shares
 * no code with the hub: heads and bodies are told apart by a parser of its own.
 */
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import { brotliDecompressSync, constants, gunzipSync, zstdDecompressSync } from 'node:zlib'
import { createParser } from 'eventsource-parser'

export interface Way {
  head: number
  body: number
}

export interface Counted {
  requests: number
  empty: number
  refused: number
  connections: number
  mostConnections: number
  bytesIn: Way
  bytesOut: Way
}

/** One request, and what was answered. */
interface Exchange {
  readonly technique: string
  readonly method: string
  readonly sent: Way
  readonly got: Way
  status: number
  headers: Headers
  /** As it came, with its chunks. */
  readonly body: Buffer[]
  /** Whether all of the answer has come, or its connection is gone. */
  over: boolean
}

export class CountingRelay implements AsyncDisposable {
  readonly port: number
  readonly url: string
  accepted = 0
  readonly #server: Server
  readonly #target: number
  readonly #channel: RegExp
  readonly #pairs = new Set<Pair>()
  readonly exchanges: Exchange[] = []
  readonly #held = new Map<string, { readonly open: Set<Pair>; most: number }>()

  /** @param channel whose reads are counted */
  constructor(server: Server, target: number, channel: RegExp) {
    this.#server = server
    this.#target = target
    this.#channel = channel
    this.port = (server.address() as AddressInfo).port
    this.url = `http://127.0.0.1:${this.port}`
    server.on('connection', (client) => {
      this.accepted++
      const pair = new Pair(client, connect(this.#target, '127.0.0.1'), this)
      this.#pairs.add(pair)
      pair.server.once('close', () => {
        this.#pairs.delete(pair)
        for (const { open } of this.#held.values()) open.delete(pair)
      })
    })
  }

  /** Resets all connections. */
  cut(): void {
    for (const pair of this.#pairs) pair.cut()
  }

  counted(): Record<string, Counted> {
    const all: Record<string, Counted> = {}
    for (const exchange of this.exchanges) {
      const { technique, sent, got } = exchange
      const held = this.#held.get(technique)
      const sum = (all[technique] ??= {
        requests: 0,
        empty: 0,
        refused: 0,
        connections: held?.open.size ?? 0,
        mostConnections: held?.most ?? 0,
        bytesIn: { head: 0, body: 0 },
        bytesOut: { head: 0, body: 0 },
      })
      sum.requests++
      if (isRefusal(exchange)) sum.refused++
      else if (isEmpty(exchange)) sum.empty++
      sum.bytesIn.head += sent.head
      sum.bytesIn.body += sent.body
      sum.bytesOut.head += got.head
      sum.bytesOut.body += got.body
    }
    return all
  }

  /** What this request is; undefined: nothing that is counted. */
  techniqueOf(method: string, target: string, headers: Headers): string | undefined {
    const url = new URL(target, 'http://hub')
    const [, place, name = ''] = url.pathname.split('/')
    if (!['GET', 'HEAD'].includes(method) || place !== 'channels' || name === '') return undefined
    if (
      !decodeURIComponent(name)
        .split(',')
        .some((one) => this.#channel.test(one))
    )
      return undefined
    if (/websocket/i.test(headers.get('upgrade') ?? '')) return 'websocket'
    const said = url.searchParams.get('transport')
    if (said !== null) return said
    if (/text\/event-stream/.test(headers.get('accept') ?? '')) return 'sse'
    if (url.searchParams.has('wait') || /\bwait=/.test(headers.get('prefer') ?? '')) return 'long-poll'
    return 'poll'
  }

  note(pair: Pair, exchange: Exchange): void {
    this.exchanges.push(exchange)
    for (const [technique, { open }] of this.#held) if (technique !== exchange.technique) open.delete(pair)
    const held = this.#held.get(exchange.technique) ?? { open: new Set(), most: 0 }
    this.#held.set(exchange.technique, held)
    held.open.add(pair)
    held.most = Math.max(held.most, held.open.size)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.close()
    this.cut()
    if (this.#server.listening) await once(this.#server, 'close')
  }
}

/**
 * @param target the port on 127.0.0.1 that it leads to
 * @param channel whose reads are counted
 */
export async function startCountingRelay(target: number, channel: RegExp): Promise<CountingRelay> {
  const server = createServer()
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return new CountingRelay(server, target, channel)
}

class Pair {
  readonly server: Socket
  readonly #client: Socket
  readonly #relay: CountingRelay
  readonly #asking = new Messages((head, size) => this.#asked(head, size))
  readonly #answering = new Messages((head, size) => this.#answered(head, size))
  /** Requests whose answers are to come, or under way: the first. Undefined: one that is not counted. */
  readonly #due: { readonly method: string; readonly exchange: Exchange | undefined }[] = []
  /** Of the request whose body comes. */
  #sending: Exchange | undefined
  #tunnel = false

  constructor(client: Socket, server: Socket, relay: CountingRelay) {
    this.#client = client
    this.server = server
    this.#relay = relay
    client.on('data', (bytes: Buffer) => {
      if (this.#tunnel) this.#sent(bytes)
      else this.#asking.push(bytes, (part) => this.#sent(part))
      server.write(bytes)
    })
    server.on('data', (bytes: Buffer) => {
      this.#answering.push(bytes, (part) => this.#bodyCame(part))
      client.write(bytes)
    })
    for (const socket of [client, server]) socket.on('error', () => {})
    server.on('end', () => client.end())
    // What the hub writes before it hears of the end was written, and counts, though nobody takes it any more.
    for (const event of ['end', 'close']) client.on(event, () => server.end())
    server.on('close', () => {
      client.destroy()
      for (const { exchange } of this.#due) if (exchange) exchange.over = true
    })
  }

  cut(): void {
    // In Node 24.21 the reset of a socket that was ended is never over.
    for (const socket of [this.#client, this.server])
      if (socket.writableEnded) socket.destroy()
      else socket.resetAndDestroy()
  }

  #asked([line = '', ...fields]: readonly string[], size: number): Framing {
    const [method = '', target = ''] = line.split(' ')
    const headers = headersOf(fields)
    const technique = this.#relay.techniqueOf(method, target, headers)
    const exchange: Exchange | undefined =
      technique === undefined
        ? undefined
        : {
            technique,
            method,
            sent: { head: size, body: 0 },
            got: { head: 0, body: 0 },
            status: 0,
            headers: new Headers(),
            body: [],
            over: false,
          }
    if (exchange) this.#relay.note(this, exchange)
    this.#sending = exchange
    this.#due.push({ method, exchange })
    if (headers.has('transfer-encoding')) return 'chunked'
    return Number(headers.get('content-length') ?? 0)
  }

  #sent(part: Buffer | undefined): void {
    if (part && this.#sending) this.#sending.sent.body += part.length
  }

  #answered([line = '', ...fields]: readonly string[], size: number): Framing {
    const status = Number(line.split(' ')[1])
    const headers = headersOf(fields)
    const [due] = this.#due
    const exchange = due?.exchange
    if (exchange) {
      exchange.got.head += size
      exchange.status = status
      exchange.headers = headers
    }
    if (status === 101) this.#tunnel = true
    if (status === 100) return 'again'
    if (status === 101) return 'close'
    const bodiless = due?.method === 'HEAD' || status === 204 || status === 304
    const length = headers.get('content-length')
    const framing: Framing = bodiless
      ? 0
      : headers.has('transfer-encoding')
        ? 'chunked'
        : length === null
          ? 'close'
          : Number(length)
    if (framing === 0) this.#answerOver()
    return framing
  }

  #bodyCame(part: Buffer | undefined): void {
    if (part === undefined) return this.#answerOver()
    const exchange = this.#due[0]?.exchange
    if (exchange === undefined) return
    exchange.got.body += part.length
    exchange.body.push(part)
  }

  #answerOver(): void {
    const exchange = this.#due.shift()?.exchange
    if (exchange) exchange.over = true
  }
}

/** How long a body is, in bytes; until the connection ends; or, after an interim answer, there is another head first. */
type Framing = number | 'chunked' | 'close' | 'again'

/** Cuts what goes one way on a connection into heads and bodies. */
class Messages {
  readonly #headCame: (lines: readonly string[], size: number) => Framing
  #bytes: Buffer = Buffer.alloc(0)
  /** Undefined: a head is next. */
  #framing: Framing | undefined
  /** Bytes of the body, or of a chunk with its line end, that are still to come. */
  #left = 0
  #lastChunk = false

  constructor(headCame: (lines: readonly string[], size: number) => Framing) {
    this.#headCame = headCame
  }

  /** @param bodyCame Undefined: the body has ended. */
  push(bytes: Buffer, bodyCame: (part: Buffer | undefined) => void): void {
    this.#bytes = Buffer.concat([this.#bytes, bytes])
    while (this.#bytes.length > 0) {
      if (this.#framing === undefined) {
        const end = this.#bytes.indexOf('\r\n\r\n')
        if (end < 0) return
        const head = this.#take(end + 4)
        const framing = this.#headCame(head.toString('latin1').trim().split('\r\n'), head.length)
        if (framing === 0 || framing === 'again') continue
        this.#framing = framing
        this.#left = typeof framing === 'number' ? framing : 0
      } else if (this.#framing === 'close') {
        bodyCame(this.#take(this.#bytes.length))
      } else if (this.#left > 0) {
        const part = this.#take(Math.min(this.#left, this.#bytes.length))
        this.#left -= part.length
        bodyCame(part)
        if (this.#left > 0) return
        if (this.#framing === 'chunked' && !this.#lastChunk) continue
        this.#lastChunk = false
        this.#framing = undefined
        bodyCame(undefined)
      } else {
        const end = this.#bytes.indexOf('\r\n')
        if (end < 0) return
        const line = this.#take(end + 2)
        const size = Number.parseInt(line.toString('latin1'), 16)
        this.#left = size + 2
        this.#lastChunk = size === 0
        bodyCame(line)
      }
    }
  }

  #take(length: number): Buffer {
    const part = this.#bytes.subarray(0, length)
    this.#bytes = this.#bytes.subarray(length)
    return part
  }
}

function headersOf(fields: readonly string[]): Headers {
  const headers = new Headers()
  for (const field of fields) {
    const colon = field.indexOf(':')
    headers.append(field.slice(0, colon), field.slice(colon + 1).trim())
  }
  return headers
}

function isRefusal({ technique, status, over, ...answer }: Exchange): boolean {
  if (status >= 400) return true
  // A stream that says nothing but when to come back.
  return technique === 'sse' && status === 200 && over && !textOf(answer).includes('downlink:open')
}

function isEmpty({ technique, method, status, over, ...answer }: Exchange): boolean {
  if (!over || method === 'HEAD') return false
  if (status === 304 || status === 204) return true
  if (status === 101) return messagesOf(answer.body).every((page) => page.events.length === 0)
  if (status !== 200) return false
  const text = textOf(answer)
  if (technique !== 'sse') return (JSON.parse(text) as Page).events.length === 0
  let events = 0
  createParser({ onEvent: ({ event = '' }) => void (event.startsWith('downlink:') || events++) }).feed(text)
  return events === 0
}

interface Page {
  readonly events: readonly unknown[]
}

/** Of text, in unmasked frames (RFC 6455 5.2). */
function messagesOf(parts: readonly Buffer[]): Page[] {
  const bytes = Buffer.concat(parts)
  const pages: Page[] = []
  for (let at = 0; at + 2 <= bytes.length;) {
    const opcode = (bytes[at] as number) & 15
    let length = (bytes[at + 1] as number) & 127
    let start = at + 2
    if (length === 126) length = bytes.readUInt16BE(start)
    else if (length === 127) length = Number(bytes.readBigUInt64BE(start))
    start += length < 126 ? 0 : length < 65_536 ? 2 : 8
    at = start + length
    if (opcode === 1 && at <= bytes.length) pages.push(JSON.parse(bytes.toString('utf8', start, at)) as Page)
  }
  return pages
}

function textOf({ headers, body }: Pick<Exchange, 'headers' | 'body'>): string {
  let bytes: Buffer = Buffer.concat(body)
  if (headers.has('transfer-encoding')) bytes = withoutChunks(bytes)
  switch (headers.get('content-encoding')) {
    case 'gzip':
      return gunzipSync(bytes, { finishFlush: constants.Z_SYNC_FLUSH }).toString()
    case 'br':
      return brotliDecompressSync(bytes).toString()
    case 'zstd':
      return zstdDecompressSync(bytes).toString()
    default:
      return bytes.toString()
  }
}

function withoutChunks(bytes: Buffer): Buffer {
  const parts: Buffer[] = []
  let at = 0
  for (;;) {
    const end = bytes.indexOf('\r\n', at)
    const size = end < 0 ? 0 : Number.parseInt(bytes.toString('latin1', at, end), 16)
    if (!(size > 0)) return Buffer.concat(parts)
    parts.push(bytes.subarray(end + 2, end + 2 + size))
    at = end + 2 + size + 2
  }
}
