/**
 * The events of a channel as they are shown: a window on its history that moves with the newest or stands still, and behind it
 * what has come meanwhile. Both are bounded: what falls out is read again when somebody scrolls to it. Pure.
 */

export interface EventLine {
  readonly kind: 'event'
  readonly id: string
  readonly channel: string
  readonly type: string
  readonly data: string
  readonly time: string
}

/** What was told beside events. */
export interface ToldLine {
  /** `begin`: the oldest that is kept comes after it. */
  readonly kind: 'gap' | 'end' | 'begin'
  readonly id: string
  /** Of a gap why; of the beginning why older ones are gone, `''` when there were none. */
  readonly reason: string
  readonly channels: readonly string[]
}

export type Line = EventLine | ToldLine

/** Lines that are held in the window, and as many behind it. */
export const MOST_LINES = 2_000
/** UTF-16 units of their data, likewise. */
export const MOST_DATA = 8 * 1024 * 1024
/** Types that are offered to filter by. */
const MOST_TYPES = 200

export class Feed {
  #lines: Line[] = []
  #data = 0
  /** What is newer than the window. */
  #held: Line[] = []
  #heldData = 0
  #types = new Set<string>()
  #begin: ToldLine | undefined
  /** Between the window and what is held there is something that neither has. */
  #detached = false
  /** Whether what comes goes into the window. */
  #follows = true
  #came = 0
  /** Another number whenever something has changed. */
  version = 0

  get lines(): readonly Line[] {
    return this.#lines
  }

  get begin(): ToldLine | undefined {
    return this.#begin
  }

  get detached(): boolean {
    return this.#detached
  }

  /** Whether there is something newer than the window. */
  get hasNewer(): boolean {
    return this.#detached || this.#held.length > 0
  }

  /** Events that came while the window stood still. */
  get came(): number {
    return this.#came
  }

  /** The types of events seen so far, in order. */
  get types(): readonly string[] {
    return [...this.#types].sort()
  }

  /** Of the events in the window. */
  get first(): EventLine | undefined {
    return this.#lines.find((line) => line.kind === 'event')
  }

  get last(): EventLine | undefined {
    return this.#lines.findLast((line) => line.kind === 'event')
  }

  /** The newest comes. What was told before is passed over. */
  tell(line: Line): void {
    if (line.kind === 'event' && positionOf(line) <= this.#newest) return
    this.version++
    this.#note(line)
    if (this.#follows && !this.hasNewer) {
      this.#push(line)
      this.#cutFront()
      return
    }
    if (line.kind === 'event') this.#came++
    this.#hold([line])
  }

  /** Whether the window moves with the newest. What was held stays held until it is released. */
  follow(follows: boolean): void {
    if (this.#follows === follows) return
    this.#follows = follows
    this.version++
  }

  /** Takes so many of the lines held into the window, the oldest first. */
  release(count = Infinity): void {
    if (this.#detached || this.#held.length === 0) return
    this.version++
    for (const line of this.#held.splice(0, count)) {
      this.#heldData -= sizeOf(line)
      this.#push(line)
    }
    this.#cutFront()
    if (this.#held.length === 0) this.#came = 0
  }

  /** The window goes to the newest. */
  toNewest(): void {
    if (this.#detached) this.#empty()
    this.#detached = false
    this.release()
    this.#came = 0
    this.version++
  }

  /** Events older than the window, in order, and where history begins when that is known. Those that are there already are left out. */
  older(lines: readonly Line[], begin?: ToldLine): void {
    this.version++
    const known = new Set(this.#lines.map(({ id }) => id))
    const fresh = lines.filter(({ id }) => !known.has(id))
    for (const line of fresh) {
      this.#note(line)
      this.#data += sizeOf(line)
    }
    this.#lines = [...fresh, ...this.#lines]
    this.#begin = begin
    const newest: Line[] = []
    while (this.#isFull()) {
      const line = this.#lines.pop() as Line
      this.#data -= sizeOf(line)
      newest.unshift(line)
    }
    if (!this.#detached) this.#hold(newest, true)
  }

  /** Events after a detached window, in order. @param more Whether there are more until the newest. */
  newer(lines: readonly Line[], more: boolean): void {
    if (!this.#detached) return
    this.version++
    const known = new Set(this.#lines.map(({ id }) => id))
    for (const line of lines) {
      if (known.has(line.id)) continue
      this.#note(line)
      this.#push(line)
    }
    const reached = Math.max(...lines.map(positionOf), positionOf(this.last))
    const next = this.#held.findIndex((line) => positionOf(line) > reached)
    if (!more || next > 0) {
      for (const line of this.#held.splice(0, next === -1 ? this.#held.length : next))
        this.#heldData -= sizeOf(line)
      this.#detached = false
    }
    this.#cutFront()
  }

  /** Another place in history. What was shown is not lost when it was the newest. */
  jump(lines: readonly Line[], begin?: ToldLine): void {
    this.version++
    if (!this.#detached) this.#hold(this.#lines, true)
    this.#empty()
    this.#detached = true
    for (const line of lines) {
      this.#note(line)
      this.#push(line)
    }
    this.#begin = begin
  }

  /** Forgets all. */
  reset(): void {
    this.version++
    this.#empty()
    this.#held = []
    this.#heldData = 0
    this.#detached = false
    this.#came = 0
  }

  get #newest(): number {
    const held = this.#held.findLast((line) => line.kind === 'event')
    return positionOf(held ?? (this.#detached ? undefined : this.last))
  }

  #empty(): void {
    this.#lines = []
    this.#data = 0
    this.#begin = undefined
  }

  #note(line: Line): void {
    if (line.kind === 'event' && this.#types.size < MOST_TYPES) this.#types.add(line.type)
  }

  #push(line: Line): void {
    this.#lines.push(line)
    this.#data += sizeOf(line)
  }

  #isFull(): boolean {
    return this.#lines.length > MOST_LINES || (this.#data > MOST_DATA && this.#lines.length > 1)
  }

  #cutFront(): void {
    let cut = 0
    while (
      this.#lines.length - cut > MOST_LINES ||
      (this.#data > MOST_DATA && this.#lines.length - cut > 1)
    ) {
      this.#data -= sizeOf(this.#lines[cut] as Line)
      cut++
    }
    if (cut === 0) return
    this.#lines.splice(0, cut)
    this.#begin = undefined
  }

  /** @param front They come before those that are held. */
  #hold(lines: readonly Line[], front = false): void {
    if (lines.length === 0) return
    this.#held = front ? [...lines, ...this.#held] : this.#held
    if (!front) this.#held.push(...lines)
    for (const line of lines) this.#heldData += sizeOf(line)
    while (this.#held.length > MOST_LINES || (this.#heldData > MOST_DATA && this.#held.length > 1)) {
      this.#heldData -= sizeOf(this.#held.shift() as Line)
      this.#detached = true
    }
  }
}

function sizeOf(line: Line): number {
  return line.kind === 'event' ? line.data.length : 0
}

/** Ids are cursors: of one epoch, their positions may be compared (protocol 2.3.2). */
function positionOf(line: Line | undefined): number {
  return line?.kind === 'event' ? Number(line.id.slice(line.id.lastIndexOf('-') + 1)) : -1
}
