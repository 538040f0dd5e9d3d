/** The events and ends of a log, in order, page by page: each page is a read of its own, so that a hub may go on using the log. */
import { type Cursor, formatCursor } from '@downlink/wire'
import type { ChannelSet } from '../channel-set.ts'
import { resolve } from '../epoch.ts'
import { type EndMark, type Epoch, LogError, type LogEvent, type LogState } from '../log.ts'
import { checkFormat, checkThere } from './existing.ts'
import { openForReading } from './open.ts'
import { epochsOf } from './prepare.ts'
import { ReaderStore } from './reader-store.ts'
import { toLogError } from './sqlite-error.ts'

const PAGE = { events: 1_000, bytes: 4 * 1024 * 1024 }

/** An event or an end, and the cursor after it. */
export type Exported = (LogEvent | EndMark) & { readonly id: string }

/**
 * @param after Events after this one; those that are gone are passed over. Default: from the oldest that is kept.
 * @throws {LogError} `log-unavailable` also for a cursor that this log never gave out, or has forgotten
 */
export function* exportLog(
  path: string,
  set: ChannelSet,
  after?: Cursor,
): Generator<readonly Exported[], void, void> {
  checkThere(path)
  let db: ReturnType<typeof openForReading> | undefined
  try {
    db = openForReading(path)
    checkFormat(db, path)
    const state = {
      epochs: epochsOf(db) as [Epoch, ...Epoch[]],
      frontier: Number(db.prepare("SELECT value FROM meta WHERE name = 'frontier'").get()?.value),
    }
    const [{ name: epoch }] = state.epochs
    const store = new ReaderStore(db)
    let position = after === undefined ? 0 : positionOf(state, after)
    for (let more = true; more;) {
      const page = finish(store.read({ set, from: { after: position }, limit: PAGE }))
      const ends = page.ends.filter((end) => end.position > position)
      const items = [...page.events, ...ends].toSorted(
        // An end may share the position of its channel's last event, and comes behind it.
        (one, other) => one.position - other.position || (one.kind === 'end' ? 1 : -1),
      )
      yield items.map((item) => ({ ...item, id: formatCursor({ epoch, position: item.position }) }))
      position = page.cursor
      more = page.more
    }
  } catch (error) {
    throw toLogError(error, path)
  } finally {
    db?.close()
  }
}

function positionOf(state: LogState, cursor: Cursor): number {
  const resolved = resolve(state, cursor)
  if ('position' in resolved) return resolved.position
  throw new LogError(
    'log-unavailable',
    `The log does not know ${formatCursor(cursor)}: export from the start, or after an id that it gave out`,
  )
}

/** Nobody else waits for a turn here. */
function finish<T>(steps: Generator<void, T, void>): T {
  for (;;) {
    const { done, value } = steps.next()
    if (done) return value
  }
}
