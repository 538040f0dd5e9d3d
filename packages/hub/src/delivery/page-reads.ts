/**
 * The reads of the log for those who catch up. Who comes while the same is being read, or soon after it was, takes that page
 * too: it is as if it had come a moment earlier, and were slower. What was appended or lost since, it finds behind the page, in
 * the log or among the recent records. All but two things: an erased channel, whose events are not to be told any more, and an
 * end. So the pages of a topic are forgotten when the tail tells one of these, or no longer follows.
 */
import type { Limit, Position } from '../log/log.ts'
import type { Live } from './delivery.ts'
import { SharedPage } from './shared-page.ts'
import type { Topic } from './topic.ts'

/** Enough to be worth a read and a write, small beside a socket's buffer. */
export const CATCH_UP: Limit = { events: 512, bytes: 64 * 1024 }

/** A page is passed on for so long after the log was asked, in milliseconds; so much later may an old event go for a reader. */
export const PAGE_MS = 2_000

/** UTF-16 units of data of all pages that are kept; beyond it the oldest go. */
export const PAGES_BYTES = 4 * 1024 * 1024

/** The pages of one topic. */
export interface TopicPages {
  /** The newest last. */
  readonly kept: SharedPage[]
  /** Being read, by the position that they come after. */
  readonly awaited: Map<Position, Promise<SharedPage>>
}

export class PageReads {
  readonly #live: Live
  /** The oldest first. */
  readonly #kept = new Map<SharedPage, Topic>()
  /** UTF-16 units of data of the pages that are kept. */
  weight = 0
  /** Of the log, so far. */
  reads = 0

  constructor(live: Live) {
    this.#live = live
  }

  /**
   * A page for a reader of the topic at this position.
   *
   * @param beyond Whether it must lead beyond the position, else what was lost and what has ended by then is enough.
   * @param keep Whether to keep it though nobody else uses the topic.
   */
  async next(topic: Topic, position: Position, beyond: boolean, keep = false): Promise<SharedPage> {
    const found = this.#find(topic, position, beyond)
    if (found) return found
    const near = nearest(topic, position)
    if (near) {
      const page = await near
      if (reaches(page, position, beyond)) return page
      const other = this.#find(topic, position, beyond)
      if (other) return other
    }
    return topic.pages.awaited.get(position) ?? this.#read(topic, position, keep)
  }

  /** From now on the log is asked again. */
  forget(topic: Topic): void {
    for (const page of topic.pages.kept) this.#release(page)
    // What is being read serves those who wait for it, and nobody else.
    topic.pages = { kept: [], awaited: new Map() }
  }

  #find(topic: Topic, position: Position, beyond: boolean): SharedPage | undefined {
    const oldest = this.#live.clock.now() - PAGE_MS
    return topic.pages.kept.findLast(
      (page) =>
        page.askedAt >= oldest &&
        (reaches(page, position, beyond) || (!beyond && this.#goesOnTo(position, page))),
    )
  }

  /** The tail has told everything between the page and this position, and neither a drop nor an end, or there were no page. */
  #goesOnTo(position: Position, page: SharedPage): boolean {
    return position <= this.#live.frontier && !page.more && page.knowsGapAt(position)
  }

  #read(topic: Topic, position: Position, keep: boolean): Promise<SharedPage> {
    const { pages } = topic
    const page = this.#ask(topic, position).finally(() => pages.awaited.delete(position))
    pages.awaited.set(position, page)
    return page.then((shared) => {
      // One that reads alone would only fill the memory.
      if (topic.pages === pages && (keep || topic.users - topic.looks > 1)) this.#keep(shared, topic)
      return shared
    })
  }

  async #ask(topic: Topic, position: Position): Promise<SharedPage> {
    this.reads++
    const { log, clock, epoch } = this.#live
    const askedAt = clock.now()
    const page = await log.read(topic.set, { after: position }, CATCH_UP)
    return new SharedPage(page, position, epoch, askedAt)
  }

  #keep(page: SharedPage, topic: Topic): void {
    topic.pages.kept.push(page)
    this.#kept.set(page, topic)
    this.weight += page.weight
    const oldest = this.#live.clock.now() - PAGE_MS
    for (const [old, owner] of this.#kept) {
      if (old.askedAt >= oldest && this.weight <= PAGES_BYTES) return
      this.#release(old)
      owner.pages.kept.splice(owner.pages.kept.indexOf(old), 1)
    }
  }

  #release(page: SharedPage): void {
    this.#kept.delete(page)
    this.weight -= page.weight
  }
}

/** Whether the position lies within the page. */
function reaches(page: SharedPage, position: Position, beyond: boolean): boolean {
  return page.knowsGapAt(position) && (beyond ? position < page.cursor : position <= page.cursor)
}

/** Being read from here, or from so little before that it may well lead beyond. */
function nearest(topic: Topic, position: Position): Promise<SharedPage> | undefined {
  let best = -1
  for (const after of topic.pages.awaited.keys()) {
    if (after <= position && after > position - CATCH_UP.events) best = Math.max(best, after)
  }
  return topic.pages.awaited.get(best)
}
