/** What the hub counts, for Prometheus. */
import { Counter, Gauge, Registry } from 'prom-client'
import type { Hub } from '../hub.ts'
import { LIMIT_NAMES } from '../limits/names.ts'
import { CountedHistogram } from './counted-histogram.ts'
import type { Lookout } from './lookout.ts'
import { lookoutMetrics } from './lookout-metrics.ts'
import { readMetrics } from './read-metrics.ts'

/** Others are counted as `other`: what strangers send must not make new series. */
const METHODS = ['GET', 'HEAD', 'POST', 'DELETE', 'OPTIONS']

export class Metrics {
  readonly #registry = new Registry()
  /** By method, then by status: a counter with labels would cost a good part of a small request. */
  readonly #requests = new Map<string, Map<number, number>>()

  /** @param lookout Where there is one, what it knows besides. */
  constructor(hub: Hub, lookout?: Lookout) {
    const registers = [this.#registry]
    const read = readMetrics(registers)
    const requests = this.#requests
    // oxlint-disable-next-line no-new -- it registers itself
    new Counter({
      name: 'downlink_http_requests_total',
      help: 'Requests answered, by method and status; streams count when they open',
      labelNames: ['method', 'status'],
      registers,
      collect() {
        this.reset()
        for (const [method, statuses] of requests)
          for (const [status, times] of statuses) this.inc({ method, status }, times)
      },
    })
    read.gauge('downlink_streams', 'Open event streams and WebSockets', () => hub.delivery.readers)
    // oxlint-disable-next-line no-new -- it registers itself
    new Gauge({
      name: 'downlink_readers',
      help: 'Who reads, by transport: open streams and WebSockets, and long polls that wait',
      labelNames: ['transport'],
      registers,
      collect() {
        const { readers, webSockets, waiting } = hub.delivery
        this.set({ transport: 'sse' }, readers - webSockets)
        this.set({ transport: 'websocket' }, webSockets)
        this.set({ transport: 'long-poll' }, waiting)
      },
    })
    read.gauge('downlink_waiting_long_polls', 'Long polls that wait', () => hub.delivery.waiting)
    read.gauge('downlink_slow_streams', 'Open streams whose connection takes no more for now', () => {
      return hub.delivery.slow
    })
    read.gauge('downlink_streams_limit', 'Streams and waiting long polls that fit', () => hub.limits.readers)
    const { seats } = hub.delivery
    read.gauge('downlink_reading_subjects', 'Subjects with streams or waiting long polls', () => {
      return seats.holders.subjects
    })
    read.gauge('downlink_reading_addresses', 'Addresses with streams or waiting long polls', () => {
      return seats.holders.addresses
    })
    read.gauge(
      'downlink_streams_most_subject',
      'Streams and waiting long polls of the subject with the most',
      () => {
        return seats.most.subject
      },
    )
    read.gauge(
      'downlink_streams_most_address',
      'Streams and waiting long polls of the address with the most',
      () => {
        return seats.most.address
      },
    )
    read.gauge(
      'downlink_rates_kept',
      'Subjects, addresses and channels that publish or were given tickets lately',
      () => {
        return hub.limiter.size + (hub.ownLimiter?.size ?? 0)
      },
    )
    // oxlint-disable-next-line no-new -- it registers itself
    new Counter({
      name: 'downlink_limited_total',
      help: 'Times that a limit refused, cut or closed something, by the name of the limit (docs/limits.md)',
      labelNames: ['limit'],
      registers,
      collect() {
        this.reset()
        for (const limit of LIMIT_NAMES) this.inc({ limit }, hub.limited.of(limit))
      },
    })
    read.gauge('downlink_log_frontier', 'The newest position of the log', () => hub.log.state().frontier)

    // oxlint-disable-next-line no-new -- it registers itself
    new Gauge({
      name: 'downlink_log_ok',
      help: 'Whether the log takes events and is read: 1, or 0, as in /readyz',
      registers,
      async collect() {
        this.set((await hub.health()).ok ? 1 : 0)
      },
    })
    if (hub.log.size) read.gauge('downlink_log_bytes', 'What the log takes', () => hub.log.size?.() ?? 0)

    const { tally, pages } = hub.delivery
    read.count(
      'downlink_deliveries_total',
      'Events written to streams, once for each',
      () => tally.deliveries,
    )
    read.count('downlink_streams_filled_total', 'Times that a stream would take no more', () => tally.filled)
    read.count('downlink_gaps_total', 'Gaps told to streams', () => tally.gaps)
    read.count(
      'downlink_catch_ups_total',
      'Times that a stream was behind and took pages',
      () => tally.catchUps,
    )
    read.count('downlink_catch_up_pages_total', 'Pages that they took', () => tally.pages)
    read.count('downlink_catch_up_reads_total', 'Reads of the log for these pages', () => pages.reads)
    void new CountedHistogram('downlink_write_events', 'Events of one write to a stream', registers, () => {
      return {
        buckets: tally.sizes.map((size, power) => ({ atMost: 2 ** (power + 1) - 1, count: size })),
        sum: tally.deliveries,
      }
    })

    if (lookout) lookoutMetrics(this.#registry, lookout)
  }

  /** Of the hub's own server. */
  connections(count: () => Promise<number>): void {
    // oxlint-disable-next-line no-new -- it registers itself
    new Gauge({
      name: 'downlink_connections',
      help: 'Open connections of the hub’s own server',
      registers: [this.#registry],
      async collect() {
        this.set(await count())
      },
    })
  }

  answered(method: string, status: number): void {
    const name = METHODS.includes(method) ? method : 'other'
    let statuses = this.#requests.get(name)
    if (statuses === undefined) this.#requests.set(name, (statuses = new Map()))
    statuses.set(status, (statuses.get(status) ?? 0) + 1)
  }

  /** The media type and the text of the exposition format. */
  async exposition(): Promise<{ readonly type: string; readonly text: string }> {
    return { type: this.#registry.contentType, text: await this.#registry.metrics() }
  }
}
