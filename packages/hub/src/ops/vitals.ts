/** What a hub did in the last moment, and how it is: one sample, from two readings of its counters. Pure. */

/** What only grows. */
export interface Counters {
  /** Milliseconds since 1970. */
  readonly time: number
  /** Publishes answered, and the events that they appended. */
  readonly publishes: number
  readonly events: number
  /** Events given to streams, and the writes that carried them. */
  readonly deliveries: number
  readonly writes: number
  /** Writes by how many events they had: `sizes[n]` of at least 2^n and less than 2^(n + 1). */
  readonly sizes: readonly number[]
  /** Times that a connection would take no more. */
  readonly filled: number
  /** Gaps told to readers. */
  readonly gaps: number
  /** CPU time of the process, in milliseconds. */
  readonly cpu: number
}

/** What goes up and down. */
export interface Gauges {
  /** WebSockets among them. */
  readonly streams: number
  readonly webSockets: number
  readonly longPolls: number
  readonly slow: number
  readonly frontier: number
  /** Bytes. */
  readonly rss: number
  readonly heap: number
  /** How much later than asked for the event loop came round, in milliseconds. */
  readonly loopDelay: Spread
  /** How long publishes took, in milliseconds; absent when there were none. */
  readonly publishTime?: Spread
  readonly log: { readonly ok: boolean; readonly reason?: string }
}

export interface Spread {
  readonly p50: number
  readonly p99: number
  readonly max: number
}

/** As it stands in an event of `$hub.vitals`. Rates are per second. */
export interface Vitals extends Gauges {
  readonly publishes: number
  readonly events: number
  readonly deliveries: number
  readonly writes: number
  readonly filled: number
  readonly gaps: number
  /** Of this sample alone. */
  readonly sizes: readonly number[]
  /** Share of one core. */
  readonly cpu: number
}

export function vitalsOf(before: Counters, after: Counters, gauges: Gauges): Vitals {
  const seconds = Math.max(0.001, (after.time - before.time) / 1000)
  const rate = (name: 'publishes' | 'events' | 'deliveries' | 'writes' | 'filled' | 'gaps'): number =>
    rounded((after[name] - before[name]) / seconds)
  return {
    ...gauges,
    publishes: rate('publishes'),
    events: rate('events'),
    deliveries: rate('deliveries'),
    writes: rate('writes'),
    filled: rate('filled'),
    gaps: rate('gaps'),
    sizes: after.sizes.map((count, size) => count - (before.sizes[size] ?? 0)),
    cpu: rounded((after.cpu - before.cpu) / 1000 / seconds),
  }
}

function rounded(value: number): number {
  return Math.round(value * 1000) / 1000
}
