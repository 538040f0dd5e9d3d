/** One read as a page: what polls and long polls answer. */
import { formatCursor, type Page } from '@downlink/wire'
import type { ChannelSet } from '../log/channel-set.ts'
import type { EndMark, Limit, Log, LogPage, Position } from '../log/log.ts'
import type { Delivery } from './delivery.ts'
import { pageEvent, wireGap } from './frame.ts'
import { NOBODY } from './holder.ts'
import { foreignGap, type Origin, type Start, startOf } from './start.ts'
import type { Sleeper, Wait, Watch } from './watch.ts'

/** Reads a page, and waits for one that tells something: events, a gap, an end. */
export function readPage(
  delivery: Delivery,
  set: ChannelSet,
  origin: Origin,
  limit: Limit,
  retry: number,
  wait: Wait,
): Promise<Page> {
  if (wait.ms > 0) return new PageWait(delivery, limit, retry).page(set, origin, wait)
  return readSettled(delivery, set, origin, limit).then((read) => wirePage(read, set, retry))
}

/**
 * A long poll until its answer. While it sleeps, nothing of it is a suspended `async` function: those, with their promises and
 * contexts, made half of what a waiting poll cost (docs/performance.md).
 */
class PageWait implements Sleeper {
  readonly #delivery: Delivery
  readonly #limit: Limit
  readonly #retry: number
  #watch: Watch | undefined
  /** What was read before it fell asleep: nothing, up to here. */
  #epoch = ''
  #cursor: Position = 0
  #ends: readonly EndMark[] = NO_ENDS
  #resolve!: (page: Page) => void
  #reject!: (error: unknown) => void

  constructor(delivery: Delivery, limit: Limit, retry: number) {
    this.#delivery = delivery
    this.#limit = limit
    this.#retry = retry
  }

  page(set: ChannelSet, origin: Origin, wait: Wait): Promise<Page> {
    const page = new Promise<Page>((resolve, reject) => {
      this.#resolve = resolve
      this.#reject = reject
    })
    void this.#begin(set, origin, wait)
    return page
  }

  async #begin(set: ChannelSet, origin: Origin, wait: Wait): Promise<void> {
    try {
      const read = await readSettled(this.#delivery, set, origin, this.#limit)
      if (tellsSomething(read, set)) return this.#answer(read, set)
      // Others may have begun to wait while this one was reading.
      wait.gate?.seat(wait.holder ?? NOBODY)
      const watch = this.#delivery.watch(set, wait)
      this.#watch = watch
      await watch.topic.followed
      this.#sleep(watch, read)
    } catch (error) {
      this.#fail(error)
    }
  }

  woken(): void {
    const watch = this.#watch as Watch
    if (watch.gone) this.#answer(this.#nothing(), watch.topic.set)
    else void this.#readOn(watch, watch.over)
  }

  /** @param last Whether the time was up before. */
  async #readOn(watch: Watch, last: boolean): Promise<void> {
    try {
      const { set } = watch.topic
      const after = { epoch: this.#epoch, position: this.#cursor }
      const read = await readSettled(this.#delivery, set, { after }, this.#limit)
      if (last || watch.over || tellsSomething(read, set)) return this.#answer(read, set)
      this.#sleep(watch, read)
    } catch (error) {
      this.#fail(error)
    }
  }

  #sleep(watch: Watch, { start, page }: Read): void {
    this.#epoch = start.epoch
    this.#cursor = page.cursor
    if (page.ends.length > 0) this.#ends = page.ends
    watch.sleep(page.cursor, start.epoch, this)
  }

  #nothing(): Read {
    const start = { epoch: this.#epoch, position: this.#cursor }
    return { start, page: { events: [], cursor: this.#cursor, more: false, ends: this.#ends } }
  }

  #answer(read: Read, set: ChannelSet): void {
    const page = wirePage(read, set, this.#retry)
    this.#watch?.[Symbol.dispose]()
    this.#resolve(page)
  }

  #fail(error: unknown): void {
    this.#watch?.[Symbol.dispose]()
    this.#reject(error)
  }
}

const NO_ENDS: readonly EndMark[] = []

interface Read {
  readonly start: Start
  readonly page: LogPage
}

/** What was read while the epoch changed belongs to neither, and is read again. */
async function readSettled(delivery: Delivery, set: ChannelSet, origin: Origin, limit: Limit): Promise<Read> {
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

function tellsSomething({ start, page }: Read, set: ChannelSet): boolean {
  if (page.events.length > 0 || page.gap || start.foreign) return true
  if (page.ends.some(({ position }) => position > start.position)) return true
  return set.patterns.length === 0 && page.ends.length === set.names.length
}

function wirePage({ start, page }: Read, set: ChannelSet, retry: number): Page {
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
