/** `GET /channels/{…}`: one plan, four ways to carry it out. */
import { encodeComment, encodePage, encodeRetry, type Page } from '@downlink/wire'
import { CodedSink } from '../delivery/coded-sink.ts'
import { coderOf, type Coding } from '../delivery/coding/coding.ts'
import type { Holder } from '../delivery/holder.ts'
import { jitter } from '../clock.ts'
import type { Sink } from '../delivery/sink.ts'
import { plainVariant, type Variant } from '../delivery/variant.ts'
import type { Hub } from '../hub.ts'
import type { ChannelSet } from '../log/channel-set.ts'
import {
  type Answer,
  type Headers,
  type HttpRequest,
  json,
  type LaterAnswer,
  type StreamAnswer,
  type WholeAnswer,
} from './message.ts'
import type { Problem } from './problem.ts'
import type { ReadRequest } from './read-request.ts'
import { textFrame } from './websocket/frames.ts'
import { checkHandshake, isHandshake, noWebSocket, upgradeRequired } from './websocket/handshake.ts'

const STREAM_HEADERS: Headers = {
  'content-type': 'text/event-stream',
  'cache-control': 'no-store, no-transform',
  // nginx holds a stream back without it.
  'x-accel-buffering': 'no',
}

const LONG_POLL_HEADERS: Headers = {
  'cache-control': 'no-store, no-transform',
  'x-accel-buffering': 'no',
}

export function longPoll(
  hub: Hub,
  { method }: HttpRequest,
  set: ChannelSet,
  plan: ReadRequest,
  holder: Holder,
): LaterAnswer {
  const { origin, limit, wait, preferred } = plan
  // HEAD asks what the answer would look like, and is told at once.
  const ms = method === 'HEAD' ? 0 : wait * 1000
  const toAnswer = pageAnswerWith(
    preferred ? { ...LONG_POLL_HEADERS, 'preference-applied': `wait=${wait}` } : LONG_POLL_HEADERS,
  )
  return { later: (gone) => hub.readPage(set, origin, limit, { ms, signal: gone, holder }).then(toAnswer) }
}

/** What a waiting poll holds is this and the headers, and not all that `longPoll` knows. */
function pageAnswerWith(headers: Headers): (page: Page) => WholeAnswer {
  return (page) => pageAnswer(page, headers)
}

function pageAnswer(page: Page, headers: Headers): WholeAnswer {
  return { ...json(`${encodePage(page)}\n`, headers), events: page.events.length }
}

export async function stream(
  hub: Hub,
  request: HttpRequest,
  set: ChannelSet,
  plan: ReadRequest,
  coding: Coding,
  holder: Holder,
): Promise<Answer> {
  if (await hub.isOver(set, plan.origin)) return { status: 204, headers: { 'cache-control': 'no-store' } }
  const headers = coding === 'identity' ? STREAM_HEADERS : { ...STREAM_HEADERS, 'content-encoding': coding }
  if (request.method === 'HEAD') return { status: 200, headers }
  hub.admit(holder)
  return {
    status: 200,
    headers,
    open(sink) {
      try {
        return hub.open(set, plan.origin, sink, plan.variant, coding, holder)
      } catch (error) {
        endRefused(hub, sink, coding)
        throw error
      }
    },
  }
}

const PAGES: Variant = { ...plainVariant, message: textFrame }

/** @throws {Problem} `upgrade-required`, `no-websocket`, `invalid-header` @throws {HubError} as `admit` */
export function webSocket(
  hub: Hub,
  request: HttpRequest,
  set: ChannelSet,
  { origin }: ReadRequest,
  holder: Holder,
): StreamAnswer {
  if (request.upgrade !== 'asked') {
    throw request.upgrade === undefined || isHandshake(request) ? noWebSocket() : upgradeRequired()
  }
  checkHandshake(request)
  hub.admit(holder)
  return {
    status: 101,
    headers: {},
    open: (sink) => hub.open(set, origin, sink, PAGES, 'identity', holder),
  }
}

/** Full or stopping since the head was decided on. In a coding an end without a beginning would be a fault of its own. */
function endRefused(hub: Hub, sink: Sink, coding: Coding): void {
  const coder = coderOf(coding)
  const body = coder ? new CodedSink(sink, coder) : sink
  body.write(Buffer.from(`${encodeRetry(jitter(hub.clock, hub.delivery.settings.retryMs, 1 / 3))}\n`))
  body.end()
}

/**
 * For a stream that can't be had just now: a bare EventSource would die of any status but 200, so it is given a stream that
 * ends at once and says when to come back.
 */
export function emptyStream(problem: Problem, retryMs: number, id: string): WholeAnswer {
  return {
    status: 200,
    headers: { ...STREAM_HEADERS, 'x-request-id': id },
    body: `${encodeRetry(retryMs)}${encodeComment(`${problem.code}: ${problem.message}`)}\n`,
  }
}
