/** One page back: the newest events before a cursor, for those who look at history from its end. */
import { type Cursor, formatCursor, type Gap, type Page } from '@downlink/wire'
import type { ChannelSet } from '../log/channel-set.ts'
import { resolve } from '../log/epoch.ts'
import type { Limit, Log, LogPage, LogState, Position } from '../log/log.ts'
import type { Delivery } from './delivery.ts'
import { pageEvent, wireGap } from './frame.ts'
import { type ForeignCursor, foreignGap } from './start.ts'

/** Only the gap of a read is wanted; a page has one event at least. */
const HARDLY_ANY: Limit = { events: 1, bytes: 1 }

export async function readPageBefore(
  delivery: Delivery,
  set: ChannelSet,
  before: Cursor,
  limit: Limit,
  retry: number,
): Promise<Page> {
  for (;;) {
    const state = delivery.state()
    const epoch = state.epochs[0].name
    const { position, foreign } = endOf(before, state)
    const page = await delivery.log.read(set, { before: position }, limit)
    const cursor = Math.max(0, position - 1)
    // Asked for after the page: what went between the two is told, though the page may have it.
    const gap = foreign
      ? foreignGap(foreign, set, epoch, cursor)
      : await lossIn(delivery.log, set, page, cursor, epoch)
    // What was read while the epoch changed belongs to neither, and is read again.
    if (delivery.state().epochs[0].name !== epoch) continue
    const previous = page.more ? page.events[0]?.position : undefined
    const ended = page.ends.map(({ channel }) => channel)
    return {
      events: page.events.map((event) => pageEvent(event, epoch)),
      cursor: formatCursor({ epoch, position: cursor }),
      more: page.more,
      retry,
      ...(previous !== undefined ? { previous: formatCursor({ epoch, position: previous }) } : {}),
      ...(gap ? { gap } : {}),
      ...(ended.length > 0 ? { ended } : {}),
    }
  }
}

/** Where the page ends. Before a cursor that says nothing about this log lies all that there is. */
function endOf(before: Cursor, state: LogState): { position: Position; foreign?: ForeignCursor } {
  const resolved = resolve(state, before)
  if (!('gap' in resolved)) return { position: resolved.position }
  return {
    position: state.frontier + 1,
    foreign: { reason: resolved.gap, from: formatCursor(before) },
  }
}

/**
 * What a reader would be told that goes on from where the page begins: from its first event while older ones are kept, else from
 * the start of all.
 */
async function lossIn(
  log: Log,
  set: ChannelSet,
  page: LogPage,
  cursor: Position,
  epoch: string,
): Promise<Gap | undefined> {
  const begin = page.more ? (page.events[0]?.position ?? 1) - 1 : 0
  if (begin >= cursor) return undefined
  const { gap } = await log.read(set, { after: begin }, HARDLY_ANY)
  return gap && wireGap(gap, epoch)
}
