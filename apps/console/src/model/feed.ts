/** The events of one channel as they are shown: the newest last, bounded, filtered, paused. Pure. */

export interface Shown {
  readonly kind: 'event'
  readonly id: string
  readonly type: string
  readonly data: string
  readonly time: string
}

export interface Told {
  readonly kind: 'gap' | 'end'
  readonly id: string
  readonly reason: string
}

export type Line = Shown | Told

/** Lines that are held. Older ones are read again by scrolling back. */
export const MOST_LINES = 2_000

export class Feed {
  #lines: Line[] = []
  #held: Line[] = []
  #paused = false

  get lines(): readonly Line[] {
    return this.#lines
  }

  get paused(): boolean {
    return this.#paused
  }

  /** Lines that came while paused. */
  get held(): number {
    return this.#held.length
  }

  /** The types of all events held, in order. */
  get types(): readonly string[] {
    const types = new Set<string>()
    for (const line of this.#lines) if (line.kind === 'event') types.add(line.type)
    return [...types].sort()
  }

  tell(line: Line): void {
    if (this.#paused) {
      this.#held.push(line)
      if (this.#held.length > MOST_LINES) this.#held.shift()
      return
    }
    this.#lines.push(line)
    if (this.#lines.length > MOST_LINES) this.#lines.shift()
  }

  /** Older events, in order. Those that are there already are left out. */
  before(lines: readonly Line[]): void {
    const known = new Set(this.#lines.map(({ id }) => id))
    this.#lines = [...lines.filter(({ id }) => !known.has(id)), ...this.#lines].slice(0, MOST_LINES)
  }

  pause(): void {
    this.#paused = true
  }

  resume(): void {
    this.#paused = false
    const held = this.#held
    this.#held = []
    for (const line of held) this.tell(line)
  }

  /** @param type Empty: all. @param text Part of the data, whatever its case. */
  find(type: string, text: string): readonly Line[] {
    const wanted = text.toLowerCase()
    return this.#lines.filter(
      (line) =>
        line.kind !== 'event' ||
        ((type === '' || line.type === type) && line.data.toLowerCase().includes(wanted)),
    )
  }
}

/** JSON with line breaks, when it is JSON; else as it is. */
export function pretty(data: string): string {
  if (!/^\s*[[{]/.test(data)) return data
  try {
    return JSON.stringify(JSON.parse(data), undefined, 2)
  } catch {
    return data
  }
}
