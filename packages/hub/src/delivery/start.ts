/** Where a read begins: from what the client brought to a position of this log, or a gap to tell first. Pure. */
import { type Cursor, formatCursor, type Gap, parseCursor } from '@downlink/wire'
import type { ChannelSet } from '../log/channel-set.ts'
import { resolve } from '../log/epoch.ts'
import type { LogState, Position } from '../log/log.ts'

/** A cursor that this log can't go on from. */
export interface ForeignCursor {
  readonly reason: 'epoch' | 'unknown'
  /** As the client brought it; null when it was no cursor at all. */
  readonly from: string | null
}

export interface Start {
  readonly epoch: string
  readonly position: Position
  /** Reading begins at the oldest event kept, after this has been told. */
  readonly foreign?: ForeignCursor
  /** Instead of `position`: the newest N events. */
  readonly last?: number
}

/** What a reader asks for: a cursor, `start`, `now`, or the newest N events. */
export type Origin =
  | { readonly after: Cursor | 'start' | 'now' }
  | { readonly last: number }
  /** Whatever the client was given as an id, by whomever. */
  | { readonly lastEventId: string }

export function startOf(origin: Origin, state: LogState): Start {
  const epoch = state.epochs[0].name
  const at = (position: Position): Start => ({ epoch, position })
  if ('last' in origin) return { epoch, position: state.frontier, last: origin.last }
  if ('lastEventId' in origin) {
    const cursor = cursorOf(origin.lastEventId)
    return cursor ? fromCursor(cursor, state) : { ...at(0), foreign: { reason: 'unknown', from: null } }
  }
  if (origin.after === 'now') return at(state.frontier)
  if (origin.after === 'start') return at(0)
  return fromCursor(origin.after, state)
}

function fromCursor(cursor: Cursor, state: LogState): Start {
  const epoch = state.epochs[0].name
  const resolved = resolve(state, cursor)
  if (!('gap' in resolved)) return { epoch, position: resolved.position }
  return { epoch, position: 0, foreign: { reason: resolved.gap, from: formatCursor(cursor) } }
}

function cursorOf(text: string): Cursor | undefined {
  try {
    return parseCursor(text)
  } catch {
    return undefined
  }
}

/** The gap of a foreign cursor: reading goes on at `to`, before the oldest event kept. */
export function foreignGap(foreign: ForeignCursor, set: ChannelSet, epoch: string, to: Position): Gap {
  return {
    reason: foreign.reason,
    channels: set.parts,
    from: foreign.from,
    to: formatCursor({ epoch, position: to }),
  }
}
