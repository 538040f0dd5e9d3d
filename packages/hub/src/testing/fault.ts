/** What a hostile proxy can do wrong, as its users write it, and the same with its defaults. Pure. */
import { HubError } from '../errors.ts'

/** A request, as the proxy sees it. */
export interface ProxiedRequest {
  readonly method: string
  /** Without the query, as it was sent: `/channels/orders`. */
  readonly path: string
  /** With its `?`, or empty. */
  readonly query: string
  /** Names in lower case; values of one name are joined by commas. */
  readonly headers: Readonly<Record<string, string>>
}

/**
 * What the proxy does wrong. All of it may be combined; nothing is left out because something else is there.
 *
 * Bytes are bytes of a response's body, without its transfer coding; times are milliseconds.
 */
export interface Fault {
  /**
   * The requests that it happens to. `streams` are those that ask for Server-Sent Events, by `Accept` or by `?transport=sse`.
   * Default: all.
   */
  readonly only?: 'streams' | ((request: ProxiedRequest) => boolean)

  /** The proxy answers by itself, and the target is not asked. */
  readonly answer?: Answer

  /** Header fields that are taken out of requests and of responses, e.g. `['last-event-id']`. Not those that frame a message. */
  readonly strip?: readonly string[]

  /** What is held back of a response, until it ends or something else is `set`. */
  readonly hold?: Hold

  /** Compresses, if the client accepts gzip, whatever `no-transform` says; flushes only at the end: the head passes, the body is held. */
  readonly gzip?: boolean

  /** The body ends after this many bytes, as if it were whole: nothing in HTTP tells that bytes are missing. */
  readonly truncate?: number

  /** Latency: everything comes this much later, at the pace at which it was sent. One number is for each way. */
  readonly delay?: number | { readonly requestMs?: number; readonly responseMs?: number }

  /** The bytes of the response come one by one, its head too: `bytes` (default 1) each `everyMs` (default 1). */
  readonly trickle?: boolean | { readonly bytes?: number; readonly everyMs?: number }

  /** Each character of several bytes is sent in two writes, with a break of `everyMs` (default 2) after each. */
  readonly splitUtf8?: boolean | { readonly everyMs?: number }

  /** The connection to the client and the one to the target end; by a `reset` (default), or by an `end` that looks like a clean one. */
  readonly cut?: When & { readonly by?: 'reset' | 'end' }

  /** Nothing passes any more, either way, and neither end is told: what a NAT does that has forgotten a connection. For good. */
  readonly silence?: When
}

/**
 * `response`: all of it, with its head. `body`: all of it, after the head has passed. `until`: until that many bytes have come, then
 * everything passes. `blocks`: passes whole blocks of that many bytes. `after`: that many bytes pass, and no more. The head passes at
 * once, or with `head: true` together with the first bytes: as with nginx, which buffers in `{ blocks: 4096, head: true }`.
 */
export type Hold =
  | 'response'
  | 'body'
  | { readonly until: number; readonly head?: boolean }
  | { readonly blocks: number; readonly head?: boolean }
  | { readonly after: number; readonly head?: boolean }

/** The first that happens; without either of them it is at once, before anything was answered. */
export interface When {
  /** After the request came; on what is open when it is `set`, after that. */
  readonly afterMs?: number
  /** After that many bytes of the response's body have passed; on what is open when it is `set`, that many more. */
  readonly afterBytes?: number
}

export interface Answer {
  /** 200–599. */
  readonly status: number
  /** Seconds, or an HTTP date. Default: no such field. */
  readonly retryAfter?: number | string
  /** Further fields, e.g. `location` or `proxy-authenticate`. */
  readonly headers?: Readonly<Record<string, string>>
  /** Default: a page of a line, as proxies have it. */
  readonly body?: string
  /** How many requests are answered so before all goes to the target. Default `Infinity`. */
  readonly times?: number
}

/** A fault with its defaults. */
export interface Plan {
  readonly answer: Answer | undefined
  readonly strip: readonly string[]
  readonly hold: Hold | undefined
  readonly gzip: boolean
  readonly truncate: number
  readonly requestMs: number
  readonly responseMs: number
  readonly pace: Pace | undefined
  readonly cut: (Moment & { readonly by: 'reset' | 'end' }) | undefined
  readonly silence: Moment | undefined
}

/** `Infinity` is never. */
export interface Moment {
  readonly afterMs: number
  readonly afterBytes: number
}

export interface Pace {
  readonly pieces: { readonly bytes: number } | 'utf-8'
  readonly everyMs: number
}

/** Timers can't wait longer, and what is counted here stays far below. */
const MOST = 2 ** 31 - 1

/** Without these a message has no end, or another one. */
const FRAMING_FIELDS = ['connection', 'content-length', 'transfer-encoding', 'host']

/** @throws {HubError} `invalid-option` */
export function planOf(fault: Fault): Plan {
  const { answer, strip = [], hold, gzip = false, truncate = Infinity, delay = 0, cut, silence } = fault
  if (answer !== undefined) checkAnswer(answer)
  const stripped = strip.map((name) => name.toLowerCase())
  for (const name of stripped) {
    if (FRAMING_FIELDS.includes(name)) {
      throw wrong('strip', `header fields other than ${FRAMING_FIELDS.join(', ')}`, name)
    }
  }
  if (hold !== undefined) checkHold(hold)
  if (truncate !== Infinity) checkNumber('truncate', truncate)
  const { requestMs = 0, responseMs = 0 } =
    typeof delay === 'number' ? { requestMs: delay, responseMs: delay } : delay
  checkNumber('delay', requestMs)
  checkNumber('delay', responseMs)
  return {
    answer,
    strip: stripped,
    hold,
    gzip,
    truncate,
    requestMs,
    responseMs,
    pace: paceOf(fault),
    cut: cut && { ...momentOf('cut', cut), by: cut.by ?? 'reset' },
    silence: silence && momentOf('silence', silence),
  }
}

function checkHold(hold: Hold): void {
  if (hold === 'response' || hold === 'body') return
  if (typeof hold === 'object') {
    if ('until' in hold) return checkNumber('hold.until', hold.until)
    if ('blocks' in hold) return checkNumber('hold.blocks', hold.blocks, 1)
    if ('after' in hold) return checkNumber('hold.after', hold.after)
  }
  throw wrong('hold', "'response', 'body', or an object with until, blocks or after", hold)
}

export function holdsHead(hold: Hold | undefined): boolean {
  return hold === 'response' || (typeof hold === 'object' && hold.head === true)
}

/** What happens to requests that the fault is not for. */
export const HARMLESS: Plan = planOf({})

/** With both, pieces are trickled: one byte at a time is inside of every character anyway. */
function paceOf({ trickle, splitUtf8 }: Fault): Pace | undefined {
  if (trickle !== undefined && trickle !== false) {
    const { bytes = 1, everyMs = 1 } = trickle === true ? {} : trickle
    checkNumber('trickle.bytes', bytes, 1)
    checkNumber('trickle.everyMs', everyMs)
    return { pieces: { bytes }, everyMs }
  }
  if (splitUtf8 === undefined || splitUtf8 === false) return undefined
  const { everyMs = 2 } = splitUtf8 === true ? {} : splitUtf8
  checkNumber('splitUtf8.everyMs', everyMs)
  return { pieces: 'utf-8', everyMs }
}

function momentOf(name: string, when: When): Moment {
  const { afterMs, afterBytes } = when
  if (afterMs === undefined && afterBytes === undefined) return { afterMs: 0, afterBytes: Infinity }
  if (afterMs !== undefined) checkNumber(`${name}.afterMs`, afterMs)
  if (afterBytes !== undefined) checkNumber(`${name}.afterBytes`, afterBytes)
  return { afterMs: afterMs ?? Infinity, afterBytes: afterBytes ?? Infinity }
}

function checkAnswer({ status, times = Infinity, headers = {}, retryAfter = '' }: Answer): void {
  if (!Number.isInteger(status) || status < 200 || status > 599) {
    throw wrong('answer.status', 'a whole number from 200 to 599', status)
  }
  if (times !== Infinity) checkNumber('answer.times', times)
  for (const [name, value] of [...Object.entries(headers), ['retry-after', `${retryAfter}`]]) {
    const text = `${name}: ${value}`
    if (/[\r\n]/.test(text)) throw wrong('answer.headers', 'fields of one line', text)
  }
}

function checkNumber(name: string, value: unknown, least = 0): void {
  const fits = Number.isInteger(value) && (value as number) >= least && (value as number) <= MOST
  if (!fits) throw wrong(name, `a whole number from ${least} to ${MOST}`, value)
}

function wrong(name: string, expected: string, got: unknown): HubError {
  return new HubError(
    'invalid-option',
    `Expected \`${name}\` to be ${expected}, got ${JSON.stringify(got) ?? String(got)}`.slice(0, 300),
  )
}

/** Whether the fault happens to this request. */
export function isFor({ only }: Fault, request: ProxiedRequest): boolean {
  if (only === undefined) return true
  return only === 'streams' ? asksForStream(request) : only(request)
}

export function asksForStream({ query, headers }: ProxiedRequest): boolean {
  const transport = new URLSearchParams(query).get('transport')
  if (transport !== null) return transport === 'sse'
  return /\btext\/event-stream\b/i.test(headers['accept'] ?? '')
}
