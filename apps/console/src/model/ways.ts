/** What each way of reading has cost so far, as a page sees it. Pure. */

export const WAYS = ['poll', 'long-poll', 'sse'] as const
export type Way = (typeof WAYS)[number]

export interface Note {
  readonly key: number
  readonly kind: 'asked' | 'nothing' | 'event' | 'opened' | 'failed'
  /** Milliseconds since the beginning. */
  readonly at: number
  /** Number of the event, or why it failed. */
  readonly text: string
  /** Of an event: milliseconds after it was published. */
  readonly late?: number
}

const MOST_NOTES = 40

export class Tally {
  requests = 0
  empty = 0
  events = 0
  /** The sum for all events, in milliseconds. */
  late = 0
  notes: readonly Note[] = []

  asked(at: number): void {
    this.requests++
    this.#note({ kind: 'asked', at, text: '' })
  }

  nothing(at: number): void {
    this.empty++
    this.#note({ kind: 'nothing', at, text: '' })
  }

  opened(at: number): void {
    this.#note({ kind: 'opened', at, text: '' })
  }

  failed(at: number, text: string): void {
    this.#note({ kind: 'failed', at, text })
  }

  /** @param data As `eventData` made it. */
  came(at: number, data: string): void {
    const { number, at: sent } = JSON.parse(data) as { number: number; at: number }
    const late = Math.max(0, at - sent)
    this.events++
    this.late += late
    this.#note({ kind: 'event', at, text: `${number}`, late })
  }

  get meanLate(): number | undefined {
    return this.events === 0 ? undefined : this.late / this.events
  }

  #note(note: Omit<Note, 'key'>): void {
    const key = (this.notes.at(-1)?.key ?? 0) + 1
    this.notes = [...this.notes.slice(1 - MOST_NOTES), { key, ...note }]
  }
}

export function eventData(number: number, at: number): string {
  return JSON.stringify({ number, at: Math.round(at) })
}
