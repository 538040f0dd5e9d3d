/** What truly happened, epoch by epoch: the model that readers are judged by. */
import assert from 'node:assert/strict'
import type { ChannelSet } from '../../src/log/channel-set.ts'
import type {
  ChannelInfo,
  Epoch,
  EndMark,
  DropMark,
  LogEvent,
  LogRecord,
  Position,
} from '../../src/log/log.ts'
import type { RetentionRules } from '../../src/log/retention.ts'

export interface Known {
  readonly event: LogEvent
  /** When the log was first seen without it, in milliseconds; absent while it is kept. */
  lostAt?: number
}

class EpochHistory {
  readonly epoch: Epoch
  /** In the order of positions. */
  readonly events: Known[] = []
  readonly marks: (EndMark | DropMark)[] = []
  readonly at = new Map<Position, Known>()
  readonly #byChannel = new Map<string, { readonly events: Known[]; lost: number }>()
  frontier: Position = 0

  constructor(epoch: Epoch) {
    this.epoch = epoch
  }

  add(record: LogRecord, lostAt?: number): void {
    this.frontier = Math.max(this.frontier, record.position)
    if (record.kind !== 'event') {
      this.marks.push(record)
      return
    }
    const known: Known = lostAt === undefined ? { event: record } : { event: record, lostAt }
    this.events.push(known)
    this.at.set(record.position, known)
    const channel = this.#byChannel.get(record.channel)
    if (channel) channel.events.push(known)
    else this.#byChannel.set(record.channel, { events: [known], lost: 0 })
  }

  /** A channel was erased: all it had is lost from now on. */
  erase({ channel: name }: DropMark, now: number): void {
    for (const known of this.#byChannel.get(name)?.events ?? []) known.lostAt ??= now
  }

  /** Compares with what the log keeps now. What lies beyond `upTo` may have come after it was asked. */
  observe(kept: ReadonlyMap<string, ChannelInfo>, upTo: Position, now: number): void {
    for (const [name, channel] of this.#byChannel) {
      const oldest = kept.get(name)?.oldest ?? Infinity
      for (; channel.lost < channel.events.length; channel.lost++) {
        const known = channel.events[channel.lost] as Known
        if (known.event.position >= oldest || known.event.position > upTo) break
        known.lostAt ??= now
      }
    }
  }

  /** What is lost was erased, or its rule had allowed it to go by then: late is as good as at once, early is not. */
  checkLosses(rules: RetentionRules): void {
    for (const [name, { events }] of this.#byChannel) {
      // A hole: no listing has those, so they look lost at once.
      if (name.startsWith('$')) continue
      const { count, age, bytes } = rules.for(name)
      const erasedTo = this.marks.findLast((mark) => mark.kind === 'drop' && mark.channel === name)?.position
      for (const [index, { event, lostAt }] of events.entries()) {
        if (lostAt === undefined || event.position < (erasedTo ?? 0)) continue
        const newer = events.slice(index + 1).filter((one) => one.event.time <= lostAt)
        const size = newer.reduce((sum, one) => sum + one.event.data.length, event.data.length)
        const allowed =
          lostAt - event.time > age || newer.length >= count || (newer.length > 0 && size > bytes)
        assert.ok(allowed, `${name} ${event.position} was trimmed, and its rule did not say so`)
      }
    }
  }

  *between(set: ChannelSet, after: Position, upTo: Position): Generator<Known> {
    for (let i = this.#indexAfter(after); i < this.events.length; i++) {
      const known = this.events[i] as Known
      if (known.event.position > upTo) return
      if (set.has(known.event.channel)) yield known
    }
  }

  #indexAfter(position: Position): number {
    let low = 0
    let high = this.events.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((this.events[middle] as Known).event.position > position) high = middle
      else low = middle + 1
    }
    return low
  }
}

export class History {
  /** The newest first. */
  readonly #epochs: EpochHistory[] = []

  get now(): EpochHistory {
    return this.#epochs[0] as EpochHistory
  }

  /** How many there have been. */
  get epochs(): number {
    return this.#epochs.length
  }

  /** The present epoch, its parent, and so on. */
  get lineage(): readonly [Epoch, ...Epoch[]] {
    const { epoch } = this.now
    const older: Epoch[] = []
    for (let one = this.of(epoch.parent?.name); one; one = this.of(one.epoch.parent?.name))
      older.push(one.epoch)
    return [epoch, ...older]
  }

  of(epoch: string | undefined): EpochHistory | undefined {
    return this.#epochs.find((one) => one.epoch.name === epoch)
  }

  /** A new epoch, with all that the parent had up to where it continues it. What was lost by then stays lost. */
  begin(epoch: Epoch): void {
    const next = new EpochHistory(epoch)
    const parent = epoch.parent && this.of(epoch.parent.name)
    if (parent && epoch.parent) {
      const { upTo } = epoch.parent
      for (const { event, lostAt } of parent.events) if (event.position <= upTo) next.add(event, lostAt)
      for (const mark of parent.marks) if (mark.position <= upTo) next.add(mark)
      next.frontier = upTo
    }
    this.#epochs.unshift(next)
  }

  /** Where a cursor of one epoch stands in another; undefined when only a gap leads there. */
  translate(from: { readonly epoch: string; readonly position: Position }, to: string): Position | undefined {
    let name = to
    let shared = Infinity
    while (name !== from.epoch) {
      const parent = this.of(name)?.epoch.parent
      if (parent === undefined) return undefined
      shared = Math.min(shared, parent.upTo)
      name = parent.name
    }
    return from.position <= shared ? from.position : undefined
  }
}
