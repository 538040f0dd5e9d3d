/** What the hub counts, for Prometheus. */
import { Counter, Gauge, Registry } from 'prom-client'
import type { Hub } from '../hub.ts'

/** Others are counted as `other`: what strangers send must not make new series. */
const METHODS = ['GET', 'HEAD', 'POST', 'DELETE', 'OPTIONS']

export class Metrics {
  readonly #registry = new Registry()
  readonly #requests: Counter<'method' | 'status'>

  constructor(hub: Hub) {
    const registers = [this.#registry]
    this.#requests = new Counter({
      name: 'downlink_http_requests_total',
      help: 'Requests answered, by method and status; streams count when they open',
      labelNames: ['method', 'status'],
      registers,
    })
    gauge('downlink_streams', 'Open event streams', () => hub.delivery.readers)
    gauge('downlink_waiting_long_polls', 'Long polls that wait', () => hub.delivery.waiting)
    gauge('downlink_log_frontier', 'The newest position of the log', () => hub.log.state().frontier)

    function gauge(name: string, help: string, value: () => number): void {
      // oxlint-disable-next-line no-new -- it registers itself
      new Gauge({
        name,
        help,
        registers,
        collect() {
          this.set(value())
        },
      })
    }
  }

  answered(method: string, status: number): void {
    this.#requests.inc({ method: METHODS.includes(method) ? method : 'other', status })
  }

  /** The media type and the text of the exposition format. */
  async exposition(): Promise<{ readonly type: string; readonly text: string }> {
    return { type: this.#registry.contentType, text: await this.#registry.metrics() }
  }
}
