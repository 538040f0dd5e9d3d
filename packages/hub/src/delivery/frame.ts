/** From what the log tells to `text/event-stream` blocks, and to events of pages. Pure, but for the memory of frames already made. */
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

function wholeBlock(event: LogEvent, epoch: string): string {
  const whole = pageEvent(event, epoch)
  return encodeEvent({ id: whole.id, data: JSON.stringify(whole) })
}

/** The event as it stands in a page. */
export function pageEvent({ position, channel, type, data, time }: LogEvent, epoch: string): PageEvent {
  return {
    id: formatCursor({ epoch, position }),
    channel,
    type: type ?? 'message',
    data,
    time: new Date(time).toISOString(),
  }
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
      return gapBlock(dropGap(record, epoch))
  }
}

/** What an erased channel is to those who read it. */
export function dropGap({ channel, position }: DropMark, epoch: string): Gap {
  return {
    reason: 'deleted',
    channels: [channel],
    from: formatCursor({ epoch, position: position - 1 }),
    to: formatCursor({ epoch, position }),
  }
}

/** Of a page, what an event is in it: the rest is for the page to say. */
function recordText(record: LogRecord, epoch: string, variant: Variant): string {
  if (!variant.message) return recordBlock(record, epoch, variant)
  return record.kind === 'event' ? JSON.stringify(pageEvent(record, epoch)) : ''
}

/** A record on its way to the readers, with its text once somebody needed it: made once for each variant, however many read it. */
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
      this.#text = recordText(this.record, this.epoch, variant)
      this.#variant = key
    }
    return this.#text
  }
}

export type Mark = EndMark | DropMark

/** What is no event among the frames; mostly nothing. */
export function marksOf(frames: readonly Frame[]): readonly Mark[] {
  let marks: Mark[] | undefined
  for (const { record } of frames) if (record.kind !== 'event') (marks ??= []).push(record)
  return marks ?? NO_MARKS
}

const NO_MARKS: readonly Mark[] = []
