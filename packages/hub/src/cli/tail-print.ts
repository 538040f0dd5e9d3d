/** How items look in a terminal, and in a pipe. Pure. */
import { isPattern } from '@downlink/wire'
import type { TailItem } from './tail-item.ts'

export interface Printed {
  /** For stdout, with its line ends. */
  readonly out: string
  /** For stderr, a line each. */
  readonly notes: readonly string[]
}

export class TailPrinter {
  readonly #json: boolean
  /** Whose events come from several channels must be told which. */
  readonly #named: boolean
  /** Names as wide as the widest of those that are known. */
  readonly #width: number
  readonly #ended = new Set<string>()
  #lastGap = ''

  constructor(channels: readonly string[], json: boolean) {
    this.#json = json
    this.#named = channels.length > 1 || channels.some(isPattern)
    this.#width = Math.max(0, ...channels.filter((name) => !isPattern(name)).map((name) => name.length))
  }

  print(items: readonly TailItem[]): Printed {
    let out = ''
    const notes: string[] = []
    for (const item of items) {
      if (item.kind === 'event') {
        out += this.#event(item.event)
        this.#ended.delete(item.event.channel)
        this.#lastGap = ''
      } else {
        const note = item.kind === 'gap' ? this.#gap(item) : this.#end(item.channel)
        if (note !== undefined) notes.push(note)
      }
    }
    return { out, notes }
  }

  #event(event: Extract<TailItem, { kind: 'event' }>['event']): string {
    const { id, channel, type, data, time } = event
    if (this.#json) return `${JSON.stringify({ id, channel, type, data, time })}\n`
    if (!this.#named) return `${data}\n`
    // On every line, so that `grep` still knows where it came from.
    const name = `${channel.padEnd(this.#width)} | `
    return `${name}${data.replaceAll('\n', `\n${name}`)}\n`
  }

  /** A gap may be told twice by the hub. */
  #gap(gap: Extract<TailItem, { kind: 'gap' }>): string | undefined {
    const identity = JSON.stringify([gap.reason, gap.channels, gap.to])
    if (identity === this.#lastGap) return undefined
    this.#lastGap = identity
    return `Gap (${gap.reason}): ${explained(gap.reason, gap.channels.join(', '))}`
  }

  /** So may an end: each page lists the ends of all channels that were named. */
  #end(channel: string): string | undefined {
    if (!this.#named || this.#ended.has(channel)) return undefined
    this.#ended.add(channel)
    return `${channel} has ended`
  }
}

function explained(reason: string, channels: string): string {
  switch (reason) {
    case 'trimmed':
      return `events of ${channels} were removed by retention before they were read`
    case 'deleted':
      return `${channels} was erased, with what was not read of it`
    case 'epoch':
      return `the hub may have lost events of ${channels}; reading goes on from the oldest it has`
    case 'unknown':
      return `the hub can't tell what was missed of ${channels}; reading goes on with what it has`
    default:
      return `events of ${channels} were lost`
  }
}
