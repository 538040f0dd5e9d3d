/** A line of what `downlink log import` reads. Pure. */
import { checkChannel, WireError } from '@downlink/wire'
import { LogError } from '../log/log.ts'
import { checkType, settle } from '../log/settle.ts'

export type ImportLine =
  | { readonly kind: 'end'; readonly channel: string }
  | {
      readonly kind: 'event'
      readonly channel: string
      readonly type?: string
      readonly data: string
      /** Milliseconds since 1970. */
      readonly time?: number
    }

/** What is wrong with a line, without its number. */
export class LineError extends Error {
  override readonly name = 'LineError'
}

/** `id` is passed over: whatever is imported gets a new one. */
const EVENT = ['id', 'channel', 'type', 'data', 'time']
const END = ['id', 'channel', 'end']

/** @throws {LineError} */
export function parseImportLine(text: string): ImportLine {
  const value = objectOf(text)
  const known = value['end'] === undefined ? EVENT : END
  const stranger = Object.keys(value).find((name) => !known.includes(name))
  if (stranger !== undefined) {
    throw new LineError(
      `Expected no members but ${known.join(', ')}, got ${JSON.stringify(stranger.slice(0, 60))}`,
    )
  }
  const channel = channelOf(value['channel'])
  if (value['end'] !== undefined) {
    if (value['end'] !== true) throw new LineError('Expected `end` to be true')
    return { kind: 'end', channel }
  }
  const { data } = value
  if (data === undefined) throw new LineError('Expected a member `data`')
  const type = typeOf(value['type'])
  const time = timeOf(value['time'])
  const event = settle({
    channel,
    ...(type === undefined ? {} : { type }),
    data: typeof data === 'string' ? data : JSON.stringify(data),
  })
  return { kind: 'event', ...event, ...(time === undefined ? {} : { time }) }
}

function objectOf(text: string): Record<string, unknown> {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    throw new LineError('Expected JSON')
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value))
    return value as Record<string, unknown>
  throw new LineError('Expected an object such as {"channel":"orders","data":"…"}')
}

function channelOf(value: unknown): string {
  if (typeof value !== 'string') throw new LineError('Expected a member `channel`, a string')
  if (value.startsWith('$')) throw new LineError("Names that begin with $ are the hub's own")
  return checked(() => checkChannel(value))
}

/** `message` is what an event without a type is called anyway. */
function typeOf(value: unknown): string | undefined {
  if (value === undefined || value === 'message') return undefined
  if (typeof value !== 'string') throw new LineError('Expected `type` to be a string')
  return checked(() => checkType(value))
}

const RFC_3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/i

function timeOf(value: unknown): number | undefined {
  if (value === undefined) return undefined
  const time = typeof value === 'string' && RFC_3339.test(value) ? Date.parse(value) : Number.NaN
  if (time >= 0) return time
  throw new LineError('Expected `time` to be a time such as "2026-11-22T16:31:07.042Z", not before 1970')
}

function checked(check: () => string): string {
  try {
    return check()
  } catch (error) {
    if (error instanceof WireError || error instanceof LogError) throw new LineError(error.message)
    throw error
  }
}
