/** Reads by Server-Sent Events. */
import { createSmallParser, parseGap } from '@downlink/wire'
import type { Gap, StreamEvent } from '@downlink/wire'
import { isEventStream } from '../request.ts'
import { abortable, type Asker, ask, failure, refusal } from './ask.ts'
import { SubscribeError } from './error.ts'
import type { Item, Outcome, Place, Receiver, Source } from './source.ts'

/** With problems named, a hub refuses in so many words (protocol 14.2.2). */
const ACCEPT = 'text/event-stream, application/problem+json'
const CONTROL = 'downlink:'
/** Heartbeats without a byte after which a stream is dead, and after which it is looked into. */
const DEAD = 2.5
const SUSPECT = 1.5
/** No hub beats more slowly, nor faster. */
const HEARTBEAT = { least: 10, most: 600_000 }

export function createStreamSource(asker: Asker): Source {
  const { env, limits } = asker
  return {
    transport: 'sse',
    async read(place, to, signal) {
      try {
        // Of a server that is no hub nobody knows when it has something to say.
        if (place.hub !== false) to.expect(limits.connectMs, limits.openMs)
        const response = await ask(asker, place, ACCEPT, { fields: 'channel,time' }, signal)
        to.heard()
        if (response.status === 204) return { kind: 'over' }
        if (response.status !== 200 || !isEventStream(response.headers.get('content-type')))
          return await refusal(asker, response, signal)
        if (!response.body) {
          const message = "This runtime's `fetch` cannot read a stream: use `transport: 'long-poll'`"
          return {
            kind: 'failed',
            error: new SubscribeError('not-a-stream', message),
            lasting: true,
            unreadable: true,
          }
        }
        if (place.hub === false) to.opened()
        return await readBody(response.body, place, to, signal)
      } catch (cause) {
        return failure(cause, signal)
      }
    },
  }

  async function readBody(
    body: ReadableStream<Uint8Array>,
    place: Place,
    to: Receiver,
    signal: AbortSignal,
  ): Promise<Outcome> {
    let items: Item[] = []
    let heartbeat: number | undefined
    let ended = false
    const parser = createSmallParser({
      lastEventId: place.cursor ?? '',
      maxEventSize: limits.maxEventSize,
      onRetry: (ms) => void (place.retry = ms),
      onEvent(event) {
        if (event.type === `${CONTROL}open`) {
          place.hub = true
          const beat = Number(member(event.data, 'heartbeat')) || 15_000
          heartbeat = Math.min(HEARTBEAT.most, Math.max(HEARTBEAT.least, beat))
          to.opened(heartbeat)
        } else if (heartbeat === undefined && place.hub !== false) {
          // A hub's stream begins with its opening.
          place.hub = false
          to.opened()
        }
        const item = itemOf(event, place.hub)
        ended = item.kind === 'end'
        items.push(item)
      },
    })
    const reader = body.getReader()
    const cancel = (): void => void reader.cancel().catch(() => {})
    signal.addEventListener('abort', cancel)
    try {
      for (;;) {
        const asked = env.now()
        const { done, value } = await abortable(reader.read(), signal)
        if (done) return { kind: 'ended', soon: ended }
        to.heard()
        let fault: unknown
        try {
          parser.feed(value)
        } catch (cause) {
          const message = 'The stream cannot be read on: see `cause`, and `limits.maxEventSize`'
          fault = new SubscribeError('event-too-large', message, { cause })
        }
        const id = parser.lastEventId
        // An id may come without an event; and what came whole goes out before the fault.
        if (id && items[items.length - 1]?.id !== id) items.push({ kind: 'cursor', id })
        const come = items
        items = []
        const wait = come.length > 0 ? to.take(come, env.now() - asked) : undefined
        if (fault) return { kind: 'failed', error: fault as SubscribeError, lasting: true }
        if (wait) {
          to.expect()
          await abortable(wait, signal)
        }
        if (heartbeat !== undefined) to.expect(heartbeat * DEAD, heartbeat * SUSPECT)
      }
    } finally {
      signal.removeEventListener('abort', cancel)
      cancel()
    }
  }
}

function itemOf({ type, data, lastEventId: id, channel = '', time }: StreamEvent, hub?: boolean): Item {
  if (hub && type.startsWith(CONTROL)) {
    if (type === `${CONTROL}gap`) return { kind: 'gap', id, gap: gapOf(data, id) }
    if (type === `${CONTROL}end`) return { kind: 'end', id, channel: String(member(data, 'channel')) }
    // A newer hub may know more of these; of them only the id counts (20.1.3).
    return { kind: 'cursor', id }
  }
  return { kind: 'event', id, channel, type, data, ...(time !== undefined && { time }) }
}

/** A gap is a gap, also when what it says of itself cannot be read. */
function gapOf(data: string, to: string): Gap {
  try {
    return parseGap(data)
  } catch {
    return { reason: 'unknown', channels: [], from: null, to }
  }
}

function member(json: string, name: string): unknown {
  try {
    return (JSON.parse(json) as Record<string, unknown> | null)?.[name]
  } catch {
    return undefined
  }
}
