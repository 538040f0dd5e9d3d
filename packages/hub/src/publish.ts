/** From what a publisher brings to what the log appends. Pure, but for the hash. */
import { createHash } from 'node:crypto'
import { checkChannel, isPattern } from '@downlink/wire'
import { HubError } from './errors.ts'
import type { NewEvent } from './log/log.ts'
import { checkType, settle } from './log/settle.ts'

/** An event without its channel. `data` that is no string is stored as its JSON text. */
export interface Publication {
  /** The EventSource event name: 1–255 bytes of UTF-8, no CR, LF, NUL, not beginning with `downlink:`. Absent, it is `message`. */
  readonly type?: string
  readonly data?: unknown
}

export type Publishable = string | Publication

/**
 * Names that can be written to: each once, no pattern, none of the hub's own.
 *
 * @throws {WireError} `invalid-channel`
 * @throws {HubError} `no-channel`, `too-many-channels`, `pattern-not-allowed`, `reserved-channel`, `duplicate-channel`
 */
export function checkTargets(channels: readonly string[], limit: number): readonly string[] {
  if (channels.length === 0) throw new HubError('no-channel', 'Expected the name of a channel, got none')
  if (channels.length > limit) {
    throw new HubError(
      'too-many-channels',
      `Expected at most ${limit} channels at once, got ${channels.length}`,
      { limit, limited: 'channels' },
    )
  }
  const seen = new Set<string>()
  for (const channel of channels) {
    if (isPattern(channel)) {
      throw new HubError(
        'pattern-not-allowed',
        'Expected the name of a channel, got a pattern: patterns are for reading only',
      )
    }
    checkChannel(channel)
    if (channel.startsWith('$')) {
      throw new HubError(
        'reserved-channel',
        `\`${channel}\` is the hub's own: names that begin with $ can't be written to`,
      )
    }
    if (seen.has(channel))
      throw new HubError('duplicate-channel', `\`${channel}\` is named twice: each channel once`)
    seen.add(channel)
  }
  return channels
}

/**
 * One event for each publication and channel: publication by publication, in each the channels in order.
 *
 * @throws {LogError} `invalid-type`
 * @throws {HubError} `invalid-data`, `batch-too-large`, `event-too-large`
 */
export function toBatch(
  channels: readonly string[],
  publications: readonly Publishable[],
  { batch: limit, event: most }: ToBatchLimits,
): readonly NewEvent[] {
  if (publications.length * channels.length > limit) {
    throw new HubError(
      'batch-too-large',
      `Expected at most ${limit} events in one append, got ${publications.length} for ${channels.length} channels: send smaller batches`,
      { limit, limited: 'batch' },
    )
  }
  const batch: NewEvent[] = []
  for (const publication of publications) {
    const { type, data } = typeof publication === 'string' ? { data: publication } : publication
    const text = dataText(data)
    if (text.length > most) throw eventTooLarge(text.length, most)
    for (const channel of channels) {
      // `message` is what an event without a type is called anyway.
      const untyped = type === undefined || type === 'message'
      batch.push(settle(untyped ? { channel, data: text } : { channel, type: checkType(type), data: text }))
    }
  }
  return batch
}

export interface ToBatchLimits {
  /** Events. */
  readonly batch: number
  /** UTF-16 units of one event's data. */
  readonly event: number
}

function eventTooLarge(size: number, limit: number): HubError {
  const text = `Expected data of at most ${limit} UTF-16 units in an event, got ${size}: send a part of it, or where it is`
  return new HubError('event-too-large', text, { limit, limited: 'event' })
}

/** @throws {HubError} `invalid-data` for what JSON has no text for */
export function dataText(data: unknown): string {
  if (typeof data === 'string') return data
  const text = jsonOf(data)
  if (text !== undefined) return text
  throw new HubError(
    'invalid-data',
    `Expected data that is a string or can be written as JSON, got ${typeof data}`,
  )
}

function jsonOf(data: unknown): string | undefined {
  try {
    return JSON.stringify(data)
  } catch (cause) {
    // Whoever publishes says how deep: `JSON.parse` has no limit, `JSON.stringify` has that of the stack.
    const wrong = cause instanceof RangeError ? 'nested too deeply' : 'that can not'
    throw new HubError('invalid-data', `Expected data that can be written as JSON, got some ${wrong}`, {
      cause,
    })
  }
}

/** A million of them are kept, and the path of a publish to many channels has thousands of characters. */
const LONGEST_KEY = 200

/** An idempotency key with its scope. What is longer than most is stored as its hash. */
export function scopedKey(scope: string, key: string): string {
  const text = JSON.stringify([scope, key])
  return text.length <= LONGEST_KEY ? text : createHash('sha256').update(text).digest('base64')
}

/** Equal for appends that would store the same. */
export function fingerprint(batch: readonly NewEvent[], end: readonly string[]): string {
  return createHash('sha256')
    .update(JSON.stringify([batch, end]))
    .digest('base64')
}
