/** Reads by Server-Sent Events. */
import { CONTROL, createParser, isControlType, parseGap, type StreamEvent, WireError } from '@downlink/wire'
import { Failure } from './failure.ts'
import { allEnded, type Connection, type Place, type TailItem, tailUrl } from './tail-item.ts'
import { TailAnswer } from './tail-request.ts'

/** With problems named, the hub refuses in so many words (`docs/protocol.md`, 14.2.2). */
const ACCEPT = 'text/event-stream, application/problem+json'
/** Heartbeats that may be missing before a stream counts as dead. */
const MISSING_HEARTBEATS = 2.5

export const readStream: Connection = async function* readStream(request, place, opened) {
  const url = tailUrl(request, place, { fields: 'channel,time' })
  const answer = await TailAnswer.of(url, ACCEPT, request, () => place.heartbeatMs * MISSING_HEARTBEATS)
  try {
    if (answer.response.status === 204) {
      opened()
      return 'over'
    }
    const ended = new Set<string>()
    let items: TailItem[] = []
    const parser = createParser({
      onRetry: (ms) => {
        place.retryMs = Math.min(ms, 3_600_000)
      },
      onEvent: (event) => {
        if (event.type === CONTROL.open) opened()
        const item = itemOf(event, place, request.channels)
        // The opening may have no id, so that who is cut off before the gap comes back as it came (6.2.3).
        if (event.lastEventId !== '') place.cursor = event.lastEventId
        if (item === undefined) return
        items.push(item)
        if (item.kind === 'end') ended.add(item.channel)
        else if (item.kind === 'event') ended.delete(item.event.channel)
      },
    })
    for await (const chunk of answer.chunks()) {
      const failure = feed(parser, chunk)
      const come = items
      items = []
      if (come.length > 0) yield come
      if (failure) throw failure
    }
    return allEnded(request.channels, ended) ? 'ended' : 'again'
  } finally {
    answer.close()
  }
}

function feed(parser: ReturnType<typeof createParser>, chunk: Uint8Array): Failure | undefined {
  try {
    parser.feed(chunk)
    return undefined
  } catch (error) {
    if (error instanceof WireError) return new Failure(`The stream can't be read on: ${error.message}`)
    throw error
  }
}

function itemOf(event: StreamEvent, place: Place, channels: readonly string[]): TailItem | undefined {
  const { type, data, lastEventId } = event
  switch (type) {
    case CONTROL.open: {
      const heartbeat = memberOf(data, 'heartbeat')
      if (typeof heartbeat === 'number' && heartbeat > 0) place.heartbeatMs = Math.min(heartbeat, 3_600_000)
      return undefined
    }
    case CONTROL.gap:
      return { kind: 'gap', ...gapOf(data, channels), to: lastEventId }
    case CONTROL.end: {
      const channel = memberOf(data, 'channel')
      return typeof channel === 'string' ? { kind: 'end', channel } : undefined
    }
    default: {
      // A newer hub may know more of these; of them only the id counts (20.1.3).
      if (isControlType(type)) return undefined
      const { channel = channels.join(','), time = '' } = event
      return { kind: 'event', event: { id: lastEventId, channel, type, data, time } }
    }
  }
}

/** A gap is a gap, also when what it says of itself can't be read. */
function gapOf(data: string, channels: readonly string[]): { reason: string; channels: readonly string[] } {
  try {
    return parseGap(data)
  } catch (error) {
    if (!(error instanceof WireError)) throw error
    return { reason: 'unknown', channels }
  }
}

function memberOf(json: string, name: string): unknown {
  try {
    return (JSON.parse(json) as Record<string, unknown> | null)?.[name]
  } catch {
    return undefined
  }
}
