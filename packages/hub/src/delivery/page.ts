/** One read as a page: what polls and long polls answer. */
import { formatCursor, type Page, type PageEvent } from '@downlink/wire'
import type { ChannelSet } from '../log/channel-set.ts'
import type { Limit, Log, LogEvent, LogPage } from '../log/log.ts'
import type { Delivery } from './delivery.ts'
import { wireGap } from './frame.ts'
import { foreignGap, type Origin, type Start, startOf } from './start.ts'
import type { Wait } from './watch.ts'

/** Reads a page, and waits for one that tells something: events, a gap, an end. */
export async function readPage(
  delivery: Delivery,
  set: ChannelSet,
  origin: Origin,
  limit: Limit,
  retry: number,
  wait: Wait,
): Promise<Page> {
  let { start, page } = await readSettled(delivery, set, origin, limit)
  if (wait.ms > 0 && !tellsSomething(page, set, start)) {
    using watch = delivery.watch(set, wait)
    while (!tellsSomething(page, set, start) && !watch.over) {
      await watch.news(page.cursor, start.epoch)
      if (watch.gone) break
      const after = { epoch: start.epoch, position: page.cursor }
      ;({ start, page } = await readSettled(delivery, set, { after }, limit))
    }
  }
  return wirePage(page, set, start, retry)
}

/** What was read while the epoch changed belongs to neither, and is read again. */
async function readSettled(
  delivery: Delivery,
  set: ChannelSet,
  origin: Origin,
  limit: Limit,
): Promise<{ start: Start; page: LogPage }> {
  let from = origin
  for (;;) {
    const start = startOf(from, delivery.state())
    const page = await readFrom(delivery.log, set, start, limit)
    if (delivery.state().epochs[0].name === start.epoch) return { start, page }
    // `now` was when the read came.
    if ('after' in from && from.after === 'now')
      from = { after: { epoch: start.epoch, position: start.position } }
  }
}

async function readFrom(log: Log, set: ChannelSet, start: Start, limit: Limit): Promise<LogPage> {
  if (start.last === undefined) return log.read(set, { after: start.position }, limit)
  const page = await log.read(set, { last: start.last }, { ...limit, events: Math.max(1, start.last) })
  return page.events.length > limit.events ? firstOf(page, limit.events) : page
}

/** `last` says where reading starts, the limit how far it goes. */
function firstOf(page: LogPage, count: number): LogPage {
  const events = page.events.slice(0, count)
  const cursor = events.at(-1)?.position ?? page.cursor
  return { ...page, events, cursor, more: true, ends: page.ends.filter(({ position }) => position <= cursor) }
}

function tellsSomething(page: LogPage, set: ChannelSet, start: Start): boolean {
  if (page.events.length > 0 || page.gap || start.foreign) return true
  if (page.ends.some(({ position }) => position > start.position)) return true
  return set.patterns.length === 0 && page.ends.length === set.names.length
}

function wirePage(page: LogPage, set: ChannelSet, start: Start, retry: number): Page {
  const { epoch, foreign } = start
  const gap = foreign
    ? foreignGap(foreign, set, epoch, page.gap?.to ?? 0)
    : page.gap && wireGap(page.gap, epoch)
  const ended = page.ends.map(({ channel }) => channel)
  return {
    events: page.events.map((event) => pageEvent(event, epoch)),
    cursor: formatCursor({ epoch, position: page.cursor }),
    more: page.more,
    retry,
    ...(gap ? { gap } : {}),
    ...(ended.length > 0 ? { ended } : {}),
  }
}

export function pageEvent(event: LogEvent, epoch: string): PageEvent {
  return {
    id: formatCursor({ epoch, position: event.position }),
    channel: event.channel,
    type: event.type ?? 'message',
    data: event.data,
    time: new Date(event.time).toISOString(),
  }
}
