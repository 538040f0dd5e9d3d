/** From what the log tells to `text/event-stream` blocks. Pure, but for the memory of frames already made. */
import {
  CONTROL,
  encodeEvent,
  encodeGap,
  formatCursor,
  type Gap,
  isControlType,
  type PageEvent,
} from '@downlink/wire'
import type { DropMark, EndMark, LogEvent, LogGap, LogRecord, Position } from '../log/log.ts'
import { type Variant, variantKey } from './variant.ts'

/** The block of one event. */
export function eventBlock(event: LogEvent, epoch: string, variant: Variant): string {
  if (variant.whole) return wholeBlock(event, epoch)
  // A channel called `downlink:end` must not forge a control event.
  const byChannel = variant.eventByChannel && !isControlType(event.channel)
  const type = event.type ?? (byChannel ? event.channel : undefined)
  return encodeEvent({
    id: formatCursor({ epoch, position: event.position }),
    ...(type === undefined ? {} : { type }),
    ...(variant.channel ? { channel: event.channel } : {}),
    ...(variant.time ? { time: new Date(event.time).toISOString() } : {}),
    data: event.data,
  })
}

function wholeBlock({ position, channel, type = 'message', data, time }: LogEvent, epoch: string): string {
  const id = formatCursor({ epoch, position })
  const event: PageEvent = { id, channel, type, data, time: new Date(time).toISOString() }
  return encodeEvent({ id, data: JSON.stringify(event) })
}

export function endBlock(channel: string, epoch: string, position: Position): string {
  return encodeEvent({
    type: CONTROL.end,
    id: formatCursor({ epoch, position }),
    data: JSON.stringify({ channel }),
  })
}

export function gapBlock(gap: Gap): string {
  return encodeEvent({ type: CONTROL.gap, id: gap.to, data: encodeGap(gap) })
}

export function cursorBlock(epoch: string, position: Position): string {
  return encodeEvent({ type: CONTROL.cursor, id: formatCursor({ epoch, position }), data: '{}' })
}

/** @param ms Until the right to read ends. @param position Absent where there is no cursor yet to come back with. */
export function expireBlock(ms: number, epoch: string, position?: Position): string {
  const id = position === undefined ? {} : { id: formatCursor({ epoch, position }) }
  return encodeEvent({ type: CONTROL.expire, ...id, data: JSON.stringify({ expires: Math.round(ms) }) })
}

/** The gap of the log as it stands in pages and streams. */
export function wireGap(gap: LogGap, epoch: string): Gap {
  return {
    reason: gap.reason,
    channels: gap.channels,
    from: formatCursor({ epoch, position: gap.from }),
    to: formatCursor({ epoch, position: gap.to }),
  }
}

function recordBlock(record: LogRecord, epoch: string, variant: Variant): string {
  switch (record.kind) {
    case 'event':
      return eventBlock(record, epoch, variant)
    case 'end':
      return endBlock(record.channel, epoch, record.position)
    case 'drop':
      return gapBlock({
        reason: 'deleted',
        channels: [record.channel],
        from: formatCursor({ epoch, position: record.position - 1 }),
        to: formatCursor({ epoch, position: record.position }),
      })
  }
}

/** A record on its way to the readers, with its block once somebody needed it: made once for each variant, however many read it. */
export class Frame {
  readonly record: LogRecord
  readonly epoch: string
  /** Of the variant that was asked for last: most often there is but one. */
  #text = ''
  #variant = -1

  constructor(record: LogRecord, epoch: string) {
    this.record = record
    this.epoch = epoch
  }

  text(variant: Variant): string {
    const key = variantKey(variant)
    if (this.#variant !== key) {
      this.#text = recordBlock(this.record, this.epoch, variant)
      this.#variant = key
    }
    return this.#text
  }
}

/** Text is put together, and then made into bytes at once: many small pieces of bytes cost more than they hold. */
export function joinFrames(frames: readonly Frame[], variant: Variant): Uint8Array {
  if (frames.length === 1) return Buffer.from((frames[0] as Frame).text(variant))
  let text = ''
  for (const frame of frames) text += frame.text(variant)
  return Buffer.from(text)
}

export type Mark = EndMark | DropMark

/** What is no event among the frames; mostly nothing. */
export function marksOf(frames: readonly Frame[]): readonly Mark[] {
  let marks: Mark[] | undefined
  for (const { record } of frames) if (record.kind !== 'event') (marks ??= []).push(record)
  return marks ?? NO_MARKS
}

const NO_MARKS: readonly Mark[] = []
