/**
 * The way of a page's own clients through the network of a run of the Lab: what is asked for at `/lab/{id}/net/channels/lab.{id}` is asked
 * again, of this hub, through the relay. What is answered there is the answer here, as it comes; what is cut there is cut here.
 */
import { Agent, type IncomingMessage, request as ask, type OutgoingHttpHeaders } from 'node:http'
import type { ServerHttp2Stream } from 'node:http2'
import type { Quit, Quitter } from '../delivery/watch.ts'
import type { Sink } from '../delivery/sink.ts'
import type { Through } from '../lab/lab.ts'
import type {
  Answer,
  Headers,
  HttpRequest,
  LaterAnswer,
  OpenStream,
  StreamAnswer,
  WholeAnswer,
} from './message.ts'
import { reset } from '../reset.ts'
import { asksForStream } from './read-request.ts'

/** They are of one connection, or are made anew for the next. */
const OF_CONNECTION =
  /^(?:connection|keep-alive|proxy-.*|te|trailer|transfer-encoding|upgrade|expect|content-length|date)$/
/** Who was on the way so far: to be believed of a proxy only. */
const OF_PROXIES = /^(?:forwarded|via|x-forwarded-.*|x-real-ip|x-request-id)$/
/** Bytes of an answer that is no stream: a page is 1 MiB of data at most, in JSON. */
const MOST_BYTES = 16 * 1024 * 1024
const CANCEL = 8

export interface Passing {
  readonly request: HttpRequest
  readonly through: Through
  /** Whether what the request says of proxies is to be believed. */
  readonly trusted: boolean
}

/** A stream is awaited; all else is awaited by who holds nothing of the request meanwhile. */
export function forward(passing: Passing): Answer | LaterAnswer | Promise<Answer> {
  const { request } = passing
  if (request.upgrade === 'asked') return tunnel(passing)
  if (asksForStream(request)) return stream(passing)
  return { later: (gone) => whole(passing, gone) }
}

async function stream(passing: Passing): Promise<Answer> {
  const { signal } = passing.request
  const answer = await answerTo(passing, signal)
  if (answer === undefined) return cut(passing.request)
  // Also when the client leaves before it is opened.
  signal.addEventListener('abort', () => answer.destroy())
  const isStream = answer.statusCode === 200 && passing.request.method === 'GET'
  if (!isStream) return (await read(answer)) ?? cut(passing.request)
  return {
    status: 200,
    headers: headersOf(answer),
    open: (sink) => new Passed(answer, sink),
  } satisfies StreamAnswer
}

async function whole(passing: Passing, gone: Quit): Promise<WholeAnswer> {
  const answer = await answerTo(passing, gone)
  return (answer && (await read(answer))) ?? cut(passing.request)
}

/** The head of the answer; undefined when there came none. */
async function answerTo(
  { request, through, trusted }: Passing,
  gone: Quit,
): Promise<IncomingMessage | undefined> {
  const port = await through.port.catch(() => undefined)
  if (port === undefined || gone.aborted) return undefined
  const asked = ask({
    host: '127.0.0.1',
    port,
    method: request.method,
    path: targetOf(request, through),
    headers: passedHeaders(request, trusted),
    agent: agentOf(request.raw),
  })
  const quitter: Quitter = { handleEvent: () => void asked.destroy() }
  gone.addEventListener('abort', quitter)
  const answer = await new Promise<IncomingMessage | undefined>((resolve) => {
    asked.on('response', resolve).on('error', () => resolve(undefined))
    asked.end()
  })
  gone.removeEventListener('abort', quitter)
  // It breaks off by `close`.
  answer?.on('error', () => {})
  return answer
}

async function read(answer: IncomingMessage): Promise<WholeAnswer | undefined> {
  const parts: Buffer[] = []
  let size = 0
  try {
    for await (const part of answer as AsyncIterable<Buffer>) {
      parts.push(part)
      size += part.length
      if (size > MOST_BYTES) return undefined
    }
  } catch {
    return undefined
  }
  const status = answer.statusCode ?? 502
  const headers = headersOf(answer)
  return size === 0 ? { status, headers } : { status, headers, body: Buffer.concat(parts) }
}

/** As the client would find it: its connection breaks. What is returned goes nowhere. */
function cut({ raw }: HttpRequest): WholeAnswer {
  const { socket, close } = raw as Partial<IncomingMessage> & Partial<ServerHttp2Stream>
  if (socket) reset(socket)
  else close?.call(raw, CANCEL)
  return { status: 204, headers: {} }
}

class Passed implements OpenStream {
  readonly #answer: IncomingMessage

  constructor(answer: IncomingMessage, sink: Sink) {
    this.#answer = answer
    answer.on('data', (bytes: Buffer) => {
      if (!sink.write(bytes)) answer.pause()
    })
    answer.on('end', () => sink.end())
    answer.on('close', () => {
      if (!answer.complete) sink.abort()
    })
  }

  drained(): void {
    this.#answer.resume()
  }

  closed(): void {
    this.#answer.destroy()
  }

  end(): void {
    this.#answer.destroy()
  }
}

/** A handshake goes through as it is, and so does all behind it. */
async function tunnel({ request, through, trusted }: Passing): Promise<Answer> {
  const port = await through.port.catch(() => undefined)
  if (port === undefined) return cut(request)
  const headers = { ...passedHeaders(request, trusted), connection: 'Upgrade', upgrade: 'websocket' }
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${String(value)}\r\n`)
  const head = `GET ${targetOf(request, through)} HTTP/1.1\r\n${lines.join('')}\r\n`
  return { status: 101, headers: {}, tunnel: { port, head } }
}

function targetOf({ query }: HttpRequest, { channel, mount }: Through): string {
  return `${mount}/channels/${channel}${query === '' ? '' : `?${query}`}`
}

function passedHeaders(request: HttpRequest, trusted: boolean): OutgoingHttpHeaders {
  const headers: OutgoingHttpHeaders = { host: request.authority ?? request.header('host') ?? 'localhost' }
  for (const name of request.headerNames()) {
    if (name === 'host' || OF_CONNECTION.test(name) || (!trusted && OF_PROXIES.test(name))) continue
    headers[name] = request.header(name)
  }
  return headers
}

function headersOf({ headers }: IncomingMessage): Headers {
  const passed: Record<string, string> = {}
  for (const [name, value] of Object.entries(headers)) {
    if (value !== undefined && !OF_CONNECTION.test(name)) passed[name] = String(value)
  }
  return passed
}

const agents = new WeakMap<object, Agent>()

/** A connection here has one of its own there, and keeps it. */
function agentOf(raw: unknown): Agent {
  const { socket, session } = raw as Partial<IncomingMessage> & Partial<ServerHttp2Stream>
  const connection: { once(event: 'close', listener: () => void): unknown } | undefined = socket ?? session
  const known = connection && agents.get(connection)
  if (known) return known
  const agent = new Agent({ keepAlive: connection !== undefined })
  if (connection) {
    agents.set(connection, agent)
    connection.once('close', () => agent.destroy())
  }
  return agent
}
