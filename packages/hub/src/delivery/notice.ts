/** What a stream is told besides records: as blocks of `text/event-stream`, or as one page. Pure. */
import { CONTROL, encodeEvent, encodeRetry, formatCursor, type Gap } from '@downlink/wire'
import type { Position } from '../log/log.ts'
import { cursorBlock, endBlock, expireBlock, gapBlock } from './frame.ts'
import { pageText } from './page-message.ts'
import type { Variant } from './variant.ts'

export interface Opening {
  /** How long a client waits before it comes back, in milliseconds. */
  readonly retry: number
  /** Between heartbeats, in milliseconds. */
  readonly heartbeat: number
}

export interface Notice {
  readonly opening?: Opening | undefined
  readonly gap?: Gap | undefined
  /** Channels that had ended by then. */
  readonly ended?: readonly string[]
  /** Until the right to read ends, in milliseconds. */
  readonly expires?: number
  /** Where the reader has come to; absent only in blocks, where its own cursor is the one to come back with. */
  readonly position?: Position | undefined
  /** Whether events are right behind it. */
  readonly more?: boolean
}

/** One that says nothing else gives a fresh cursor. */
export function noticeBytes(notice: Notice, epoch: string, variant: Variant): Uint8Array {
  if (variant.message) return variant.message(page(notice, epoch))
  return Buffer.from(blocks(notice, epoch))
}

function page(notice: Notice, epoch: string): string {
  const { opening, gap, ended = [], expires, position = 0, more = false } = notice
  return pageText('', {
    cursor: formatCursor({ epoch, position }),
    more,
    ...opening,
    ...(expires !== undefined && { expires: Math.round(expires) }),
    gap,
    ended,
  })
}

function blocks({ opening, gap, ended = [], expires, position }: Notice, epoch: string): string {
  let text = opening ? openingBlock(opening, epoch, position) : ''
  if (gap) text += gapBlock(gap)
  for (const channel of ended) text += endBlock(channel, epoch, position ?? 0)
  if (expires !== undefined) text += expireBlock(expires, epoch, position)
  if (text === '' && position !== undefined) return cursorBlock(epoch, position)
  return text
}

function openingBlock({ retry, heartbeat }: Opening, epoch: string, position: Position | undefined): string {
  const id = position === undefined ? {} : { id: formatCursor({ epoch, position }) }
  return encodeRetry(retry) + encodeEvent({ type: CONTROL.open, ...id, data: JSON.stringify({ heartbeat }) })
}
