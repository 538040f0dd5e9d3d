/** One channel, or what a pattern matches: followed as it comes, and read back when somebody scrolls there. */
import { subscribe, type Phase, type Subscription } from '@downlink/client'
import { type Gap, type Page, type PageEvent, parseCursor, parsePage, WireError } from '@downlink/wire'
import { headers, hub, urlOf } from './hub.ts'
import { Feed, type Line, type ToldLine } from './model/feed.ts'
import { Changing } from './store.ts'

/** Events with which it begins, and of each page back. */
const LAST = 200
const PAGE = 200

/** What could not be done, for people. `cursor`: what was given is none; `foreign`: the hub can't place it. */
export type Trouble =
  | { readonly kind: 'cursor' | 'foreign' | 'unreachable' }
  | { readonly kind: 'refused'; readonly status: number; readonly detail: string }

export class Following extends Changing {
  readonly feed = new Feed()
  readonly name: string
  phase: Phase = 'connecting'
  /** Reading a page, in which direction. */
  reading: 'older' | 'newer' | 'jump' | undefined
  /** Why the last page could not be read; and why nothing comes any more. */
  trouble: Trouble | undefined
  refused: Trouble | undefined
  paused = false
  /** Whether the newest is in sight. */
  #atEnd = true
  #updates: Subscription | undefined
  #stopWatching = (): void => {}
  #asksOnceMore = false
  #cursor: string | undefined
  /** Channels whose end was the last that was told of them. */
  readonly #ended = new Set<string>()
  #told = 0
  /** Of the last gap told while reading back: page by page it is the same. */
  #lostBefore = ''

  constructor(name: string) {
    super()
    this.name = name
  }

  open(): void {
    this.#subscribe({ last: LAST })
    let wasEnded = false
    this.#stopWatching = hub.listen(() => {
      if (this.phase !== 'ended') return
      const isEnded = hub.channels.get(this.name)?.ended ?? false
      // By somebody else.
      if (wasEnded && !isEnded) this.wake()
      wasEnded = isEnded
    })
  }

  close(): void {
    this.#stopWatching()
    this.#updates?.close()
    this.#updates = undefined
  }

  /** Listens on though nothing more was to come: the channel was erased, and may have begun anew. */
  wake(): void {
    if (this.phase !== 'ended' && this.phase !== 'closed') {
      // It may be on its way to be told so, from before.
      this.#asksOnceMore = true
      return
    }
    // One that was over at once has had none of its own.
    this.#cursor = this.#updates?.cursor ?? this.#cursor
    this.#subscribe(this.#cursor === undefined ? { last: LAST } : { after: this.#cursor })
  }

  pause(paused: boolean): void {
    this.paused = paused
    if (!paused && this.#atEnd) this.toNewest()
    this.#settle()
  }

  /** Somebody scrolled: to the newest that is in the window, or away from it. */
  see(atEnd: boolean): void {
    if (atEnd && !this.paused && this.feed.detached) return void this.newer()
    if (atEnd && !this.paused) this.feed.release(PAGE)
    this.#atEnd = atEnd && !this.feed.hasNewer
    this.#settle()
  }

  /** What comes after the window is wanted, page by page. */
  forward(): void {
    if (this.feed.detached) return void this.newer()
    if (!this.paused) this.feed.release(PAGE)
    this.changed()
  }

  /** Whether the list is to stay at its end. */
  get sticks(): boolean {
    return this.#atEnd && !this.feed.detached
  }

  /** What comes is held back from here on. */
  hold(): void {
    this.#atEnd = false
    this.#settle()
  }

  toNewest(): void {
    this.paused = false
    this.#atEnd = true
    this.#lostBefore = ''
    this.trouble = undefined
    this.feed.toNewest()
    this.#settle()
  }

  async older(): Promise<void> {
    const { first, begin } = this.feed
    if (this.reading || begin) return
    const query = first ? `before=${first.id}&limit=${PAGE}` : `last=${PAGE}`
    await this.#read('older', async () => {
      const page = await this.#page(`${query}&transport=poll`)
      if (isForeign(page, first?.id)) return this.#restart(page.gap)
      this.feed.older(this.#linesBack(page), this.#beginOf(page))
    })
  }

  async newer(): Promise<void> {
    const { last, detached } = this.feed
    if (this.reading || !detached) return
    await this.#read('newer', async () => {
      const page = await this.#page(`after=${last?.id ?? 'start'}&limit=${PAGE}&transport=poll`)
      if (isForeign(page, last?.id)) return this.#restart(page.gap)
      this.feed.newer([...this.#gapsOf(page), ...page.events.map(lineOf)], page.more)
    })
  }

  /** @returns The id of the event to be looked at. */
  async jump(text: string): Promise<string | undefined> {
    this.trouble = undefined
    const cursor = text.trim()
    try {
      parseCursor(cursor)
    } catch {
      this.trouble = { kind: 'cursor' }
      this.changed()
      return undefined
    }
    let found: string | undefined
    await this.#read('jump', async () => {
      const before = await this.#page(`before=${cursor}&limit=${PAGE / 2}&transport=poll`)
      if (isForeign(before, cursor)) {
        this.trouble = { kind: 'foreign' }
        return
      }
      const after = await this.#page(`after=${before.cursor}&limit=${PAGE}&transport=poll`)
      this.#lostBefore = ''
      const back = this.#linesBack(before)
      const on = after.events.map(lineOf)
      this.feed.jump([...back, ...this.#gapsOf(after, before.gap), ...on], this.#beginOf(before))
      if (!after.more) this.feed.newer(on, false)
      this.#atEnd = false
      found = (after.events[0] ?? before.events.at(-1))?.id
    })
    this.#settle()
    return found
  }

  #subscribe(from: { last: number } | { after: string }): void {
    this.#updates?.close()
    this.phase = 'connecting'
    const name = encodeURIComponent(this.name)
    const updates = subscribe(urlOf(`channels/${name}?fields=channel,time`), { ...from, headers })
    this.#updates = updates
    const tell = (line: Line): void => {
      this.feed.tell(line)
      this.changed()
    }
    updates.on('event', ({ id, channel, type, data, time }) => {
      this.#ended.delete(channel)
      tell({ kind: 'event', id, channel, type, data, time: time ?? '' })
    })
    updates.on('gap', (gap) => {
      for (const channel of gap.channels) this.#ended.delete(channel)
      if (gap.reason === 'epoch' || gap.reason === 'unknown') this.#restart(gap)
      else tell(this.#say('gap', gap.reason, gap.channels))
    })
    updates.on('end', ({ channel }) => {
      if (this.#ended.has(channel)) return
      this.#ended.add(channel)
      tell(this.#say('end', '', [channel]))
    })
    updates.on('state', ({ phase }) => {
      if (this.#updates !== updates) return
      this.phase = phase
      if (phase === 'ended' && this.#asksOnceMore) {
        this.#asksOnceMore = false
        this.wake()
      }
      if (phase === 'open') this.refused = undefined
      this.changed()
    })
    updates.on('error', (error) => {
      const { status } = error as { status?: number }
      if (this.#updates !== updates) return
      this.refused = status === undefined ? { kind: 'unreachable' } : { kind: 'refused', status, detail: '' }
      this.changed()
      if (status !== undefined) void this.#explain()
    })
  }

  /** The hub has another log: what is shown is none of it, and it may be long. */
  #restart(gap: Gap | undefined): void {
    this.feed.reset()
    this.#lostBefore = ''
    this.#atEnd = !this.paused
    if (gap) this.feed.tell(this.#say('gap', gap.reason, gap.channels))
    this.#subscribe({ last: LAST })
    this.#settle()
  }

  /** Why it is refused, in the hub's words. */
  async #explain(): Promise<void> {
    try {
      await this.#page('limit=1&transport=poll')
    } catch (error) {
      this.refused = troubleOf(error)
      this.changed()
    }
  }

  async #read(what: 'older' | 'newer' | 'jump', act: () => Promise<void>): Promise<void> {
    this.reading = what
    this.changed()
    try {
      await act()
      if (what !== 'jump') this.trouble = undefined
    } catch (error) {
      this.trouble = troubleOf(error)
    } finally {
      this.reading = undefined
      this.changed()
    }
  }

  async #page(query: string): Promise<Page> {
    const response = await fetch(urlOf(`channels/${encodeURIComponent(this.name)}?${query}`), {
      headers: headers(),
    })
    if (response.ok) return parsePage(await response.text())
    const { detail } = (await response.json().catch(() => ({}))) as { detail?: string }
    throw new Refused(response.status, detail ?? `${response.status}`)
  }

  /** Of a page that was read backwards. A gap that goes on from the page before it was told there. */
  #linesBack(page: Page): readonly Line[] {
    const lines = page.events.map(lineOf)
    const { gap, previous } = page
    if (!gap || previous === undefined) return lines
    const lost = `${gap.reason} ${gap.channels.join()}`
    if (lost === this.#lostBefore) return lines
    this.#lostBefore = lost
    return [this.#say('gap', gap.reason, gap.channels), ...lines]
  }

  #beginOf({ gap, previous }: Page): ToldLine | undefined {
    return previous === undefined ? this.#say('begin', gap?.reason ?? '', gap?.channels ?? []) : undefined
  }

  /** @param told Of the page before, which said the same. */
  #gapsOf({ gap }: Page, told?: Gap): readonly ToldLine[] {
    if (!gap || (told && told.reason === gap.reason && told.channels.join() === gap.channels.join()))
      return []
    return [this.#say('gap', gap.reason, gap.channels)]
  }

  #say(kind: ToldLine['kind'], reason: string, channels: readonly string[]): ToldLine {
    return { kind, id: `${kind} ${++this.#told}`, reason, channels }
  }

  #settle(): void {
    this.feed.follow(this.#atEnd && !this.paused)
    this.changed()
  }
}

class Refused extends Error {
  readonly status: number

  constructor(status: number, detail: string) {
    super(detail)
    this.status = status
  }
}

function troubleOf(error: unknown): Trouble {
  if (error instanceof Refused) return { kind: 'refused', status: error.status, detail: error.message }
  if (error instanceof WireError) return { kind: 'refused', status: 200, detail: error.message }
  return { kind: 'unreachable' }
}

/** Whether the cursor that it was asked with says nothing in this hub. */
function isForeign({ gap }: Page, asked: string | undefined): boolean {
  return (gap?.reason === 'epoch' || gap?.reason === 'unknown') && gap.from === asked
}

function lineOf({ id, channel, type, data, time }: PageEvent): Line {
  return { kind: 'event', id, channel, type, data, time }
}
