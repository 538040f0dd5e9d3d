/** HTTP as the tests speak it: nothing added that a test did not ask for. */
import assert from 'node:assert/strict'
import { request as httpRequest, type IncomingHttpHeaders, type IncomingMessage } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { createGunzip } from 'node:zlib'
import { createParser, type Page, parsePage, type StreamEvent } from '@downlink/wire'
import { requestHttp2, speaksHttp2 } from './http2.ts'

export interface Ask {
  readonly method?: string
  readonly headers?: Readonly<Record<string, string | readonly string[]>>
  readonly body?: string | Uint8Array
  readonly signal?: AbortSignal
}

export interface Got {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly text: string
}

function send(url: string, ask: Ask): Promise<IncomingMessage> {
  if (speaksHttp2(url)) return requestHttp2(url, ask)
  const { origin, protocol } = new URL(url)
  return new Promise((resolve, reject) => {
    const { method = 'GET', headers = {}, body, signal } = ask
    // Node would send a body of DELETE without saying where it ends.
    const framed = body === undefined || 'transfer-encoding' in headers
    const length = framed ? {} : { 'content-length': String(Buffer.byteLength(body)) }
    const outgoing = (protocol === 'https:' ? httpsRequest : httpRequest)(origin, {
      // Certificates of tests are signed by nobody.
      rejectUnauthorized: false,
      // As written: a `URL` would mend what a test means to be wrong.
      path: url.slice(origin.length) || '/',
      method,
      headers: { ...length, ...headers },
      agent: false,
      ...(signal ? { signal } : {}),
    })
    outgoing.on('response', resolve).on('error', reject)
    outgoing.end(body)
  })
}

export async function ask(url: string, what: Ask = {}): Promise<Got> {
  const { bytes, ...got } = await askBytes(url, what)
  return { ...got, text: bytes.toString() }
}

/** The body as it came, coded perhaps. */
export async function askBytes(url: string, what: Ask = {}): Promise<Omit<Got, 'text'> & { bytes: Buffer }> {
  const response = await send(url, what)
  const chunks: Buffer[] = []
  for await (const chunk of response) chunks.push(chunk as Buffer)
  return { status: response.statusCode ?? 0, headers: response.headers, bytes: Buffer.concat(chunks) }
}

export async function askPage(url: string, headers: Ask['headers'] = {}): Promise<Page> {
  const got = await ask(url, { headers })
  assert.equal(got.status, 200, got.text)
  assert.equal(got.headers['content-type'], 'application/json')
  return parsePage(got.text)
}

/** Publishes, and gives the ids. */
export async function post(
  url: string,
  body: string | Uint8Array,
  headers: Ask['headers'] = {},
): Promise<readonly string[]> {
  const got = await ask(url, { method: 'POST', body, headers })
  assert.equal(got.status, 200, got.text)
  return (JSON.parse(got.text) as { ids: string[] }).ids
}

/** An open stream, decoded and parsed as it comes; `text` is all of it so far. */
export class EventStream {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  /** Resolves when the stream is over, however it ends. */
  readonly ended: Promise<void>
  readonly comments: string[] = []
  text = ''
  retry: number | undefined
  /** Bytes of the body as they came, coded perhaps. */
  received = 0
  /** Why a coded stream is not whole. */
  failure: unknown
  readonly #response: IncomingMessage
  readonly #events: StreamEvent[] = []
  #wake: (() => void) | undefined
  #over = false

  constructor(response: IncomingMessage) {
    this.#response = response
    this.status = response.statusCode ?? 0
    this.headers = response.headers
    const parser = createParser({
      onEvent: (event) => this.#events.push(event),
      onComment: (text) => this.comments.push(text),
      onRetry: (ms) => (this.retry = ms),
    })
    response.on('data', (bytes: Buffer) => (this.received += bytes.length))
    const decoder = this.headers['content-encoding'] === 'gzip' ? createGunzip() : undefined
    const body = decoder ? response.pipe(decoder) : response
    body.on('data', (bytes: Buffer) => {
      this.text += bytes.toString('latin1')
      parser.feed(bytes)
      this.#wake?.()
    })
    this.ended = new Promise((resolve) => {
      const over = (): void => {
        this.#over = true
        this.#wake?.()
        resolve()
      }
      // What is not whole is decoded to its end no more.
      response.on('close', () => (decoder ? decoder.end() : over()))
      decoder?.on('error', (error) => (this.failure = error)).on('close', over)
      // A cut is an end, too.
      response.on('error', () => {})
    })
  }

  /** The next event, control events too; undefined when the stream is over. */
  async next(): Promise<StreamEvent | undefined> {
    await this.#until(() => this.#events.length > 0)
    return this.#events.shift()
  }

  async take(count: number): Promise<readonly StreamEvent[]> {
    await this.#until(() => this.#events.length >= count)
    return this.#events.splice(0, count)
  }

  /** Resolves when this many comments have come. */
  async heard(comments: number): Promise<void> {
    await this.#until(() => this.comments.length >= comments)
  }

  async #until(enough: () => boolean): Promise<void> {
    while (!enough() && !this.#over) await new Promise<void>((resolve) => (this.#wake = resolve))
  }

  pause(): void {
    this.#response.pause()
  }

  resume(): void {
    this.#response.resume()
  }

  close(): void {
    this.#response.destroy()
  }

  [Symbol.dispose](): void {
    this.close()
  }
}

export async function openStream(url: string, headers: Ask['headers'] = {}): Promise<EventStream> {
  return new EventStream(await send(url, { headers: { accept: 'text/event-stream', ...headers } }))
}

/** The problem of a refusal, whose form has been checked (P13.1). */
export function problemOf(got: Got, status: number, code: string): Record<string, unknown> {
  assert.equal(got.status, status, got.text)
  assert.equal(got.headers['content-type'], 'application/problem+json')
  assert.equal(got.headers['cache-control'], 'no-store')
  assert.equal(got.headers['x-content-type-options'], 'nosniff')
  const problem = JSON.parse(got.text) as Record<string, unknown>
  assert.equal(problem['code'], code, got.text)
  assert.equal(problem['type'], `urn:downlink:problem:${code}`)
  assert.equal(problem['status'], status)
  assert.match(String(problem['title']), /^\S.{2,}/)
  const detail = String(problem['detail'])
  assert.ok(detail.length >= 20 && detail.length <= 500, `a detail of use, got ${JSON.stringify(detail)}`)
  return problem
}
