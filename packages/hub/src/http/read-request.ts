/** What a `GET /channels/{…}` asks for. Pure: from the query and the headers to a plan. */
import { type Cursor, parseCursor } from '@downlink/wire'
import type { Origin } from '../delivery/start.ts'
import type { Variant } from '../delivery/variant.ts'
import type { HubLimits } from '../hub-options.ts'
import type { HttpRequest } from './message.ts'
import { Memo } from './memo.ts'
import { preferredWait, type Transport, wantsStream } from './negotiate.ts'
import { Problem } from './problem.ts'
import { invalidParameter, Query } from './query.ts'
import { handshakeOf, isHandshake, upgradeLost } from './websocket/handshake.ts'

/** Events of a page when nobody said how many. */
const DEFAULT_LIMIT = 100
/** Seconds that a long poll waits when nobody said how long. */
const DEFAULT_WAIT = 30

export interface ReadRequest {
  readonly transport: Transport
  readonly origin: Origin
  /** A poll of what is older than this, instead of `origin`. */
  readonly before?: Cursor
  readonly limit: number
  /** Seconds. */
  readonly wait: number
  /** Whether `wait` came from `Prefer`, and is to be confirmed. */
  readonly preferred: boolean
  /** Whether a longer wait was asked for than there is. */
  readonly cut: boolean
  readonly variant: Variant
  /** Whether everything that decides the answer stands in the URL, as far as a shared cache is concerned. */
  readonly cacheable: boolean
  /** Equal for what asks for the same page. */
  readonly key: string
}

const KNOWN = ['after', 'before', 'last', 'limit', 'wait', 'transport', 'fields', 'event', 'data'] as const

const plans = new WeakMap<HubLimits, Memo<ReadRequest>>()

/** As `parseReadRequest`, which is remembered. @throws {Problem} `upgrade-required`, too */
export function readRequest(request: HttpRequest, limits: HubLimits): ReadRequest {
  let memo = plans.get(limits)
  if (memo === undefined) plans.set(limits, (memo = new Memo()))
  const accept = request.header('accept') ?? ''
  const prefer = request.header('prefer') ?? ''
  const lastEventId = request.header('last-event-id') ?? ''
  const handshake = handshakeOf(request)
  if (handshake === 'cut') throw upgradeLost()
  const asked = `${request.query}\n${accept}\n${prefer}\n${lastEventId}\n${handshake ?? ''}`
  return memo.get(asked, () => parseReadRequest(request, limits))
}

/** @throws {Problem} `unknown-parameter`, `repeated-parameter`, `invalid-parameter`, `invalid-cursor`, `not-acceptable` */
function parseReadRequest(request: HttpRequest, limits: HubLimits): ReadRequest {
  const query = new Query(request.query, KNOWN)
  const preferred = preferredWait(request.header('prefer'))
  const asked = query.number('wait', 0, Infinity)
  const chosen = query.choice('transport', ['sse', 'long-poll', 'poll', 'websocket'])
  const before = cursorOf('before', query.text('before'))
  // What is preferred may be passed over (RFC 7240): there is nothing to wait for among what is older.
  const transport = transportOf(request, chosen, asked ?? (before ? undefined : preferred))
  const last = query.number('last', 0, limits.pageEvents, 'page-events')
  const givenLimit = query.number('limit', 1, limits.pageEvents, 'page-events')
  const limit = givenLimit ?? Math.min(limits.pageEvents, Math.max(DEFAULT_LIMIT, last ?? 0))
  const after = afterOf(query.text('after'))
  const lastEventId = request.header('last-event-id') || undefined
  if (before) checkAlone(query, transport, lastEventId)
  const otherwise: Origin = transport === 'poll' ? { last: limit } : { after: 'now' }
  const origin = originOf(lastEventId, after, last, otherwise)
  const cacheable =
    chosen === 'poll' &&
    givenLimit !== undefined &&
    lastEventId === undefined &&
    (typeof after === 'object' || before !== undefined)
  const wait = asked ?? preferred ?? DEFAULT_WAIT
  const longest = limits.waitMs / 1000
  return {
    transport,
    origin,
    ...(before && { before }),
    limit,
    wait: Math.min(wait, longest),
    preferred: asked === undefined && preferred !== undefined,
    cut: transport === 'long-poll' && wait > longest && (asked ?? preferred) !== undefined,
    variant: variantOf(query),
    cacheable,
    key: JSON.stringify([before ? { before } : origin, limit, cacheable]),
  }
}

/** Whether an answer to this should rather be a stream, so far as can be told of a request that was refused. */
export function asksForStream(request: HttpRequest): boolean {
  if (request.method !== 'GET' || isHandshake(request)) return false
  const transport = new URLSearchParams(request.query).get('transport')
  return transport === null ? wantsStream(request.header('accept')) === true : transport === 'sse'
}

function transportOf(
  request: HttpRequest,
  chosen: Transport | undefined,
  wait: number | undefined,
): Transport {
  if (!isHandshake(request)) return chosen ?? negotiated(request, wait)
  if (chosen === undefined || chosen === 'websocket') return 'websocket'
  throw new Problem(
    'invalid-parameter',
    'A handshake for a WebSocket, and another `transport`: leave one of them out',
    { parameter: 'transport' },
  )
}

function negotiated(request: HttpRequest, wait: number | undefined): Transport {
  const stream = wantsStream(request.header('accept'))
  if (stream === undefined) {
    throw new Problem(
      'not-acceptable',
      'A channel can be had as text/event-stream or application/json: name one of them in `Accept`',
    )
  }
  if (stream) return 'sse'
  return wait === undefined ? 'poll' : 'long-poll'
}

type After = Exclude<Extract<Origin, { after: unknown }>['after'], undefined>

function afterOf(text: string | undefined): After | undefined {
  return text === 'start' || text === 'now' ? text : cursorOf('after', text)
}

function cursorOf(parameter: string, text: string | undefined): Cursor | undefined {
  if (text === undefined) return undefined
  try {
    return parseCursor(text)
  } catch (error) {
    throw new Problem('invalid-cursor', (error as Error).message, { parameter })
  }
}

const SPOKEN_OF = { sse: 'Server-Sent Events', websocket: 'WebSocket', 'long-poll': 'long poll' }

/** One asks for what is older, or for what is to come. @throws {Problem} `invalid-parameter` */
function checkAlone(query: Query, transport: Transport, lastEventId: string | undefined): void {
  const beside = ['after', 'last', 'wait'].find((name) => query.text(name) !== undefined)
  const other =
    beside !== undefined
      ? `with \`${beside}\``
      : lastEventId !== undefined
        ? 'with `Last-Event-ID`'
        : transport !== 'poll'
          ? `by ${SPOKEN_OF[transport]}`
          : undefined
  if (other === undefined) return
  throw new Problem(
    'invalid-parameter',
    `\`before\` reads what is older, by a poll and with \`limit\` alone, not ${other}: leave one out`,
    { parameter: 'before' },
  )
}

/** The first that is there: a native EventSource repeats its URL when it reconnects, so what stands in there acts once only. */
function originOf(
  lastEventId: string | undefined,
  after: After | undefined,
  last: number | undefined,
  otherwise: Origin,
): Origin {
  if (lastEventId !== undefined) return { lastEventId }
  if (after !== undefined) return { after }
  if (last !== undefined) return { last }
  return otherwise
}

function variantOf(query: Query): Variant {
  const text = query.text('fields')
  const fields = text === undefined ? [] : text.split(',')
  for (const field of fields) {
    if (field !== 'channel' && field !== 'time')
      throw invalidParameter('fields', 'channel, time, or both with a comma', text ?? '')
  }
  return {
    channel: fields.includes('channel'),
    time: fields.includes('time'),
    eventByChannel: query.choice('event', ['channel']) !== undefined,
    ...(query.choice('data', ['event']) && { whole: true }),
  }
}
