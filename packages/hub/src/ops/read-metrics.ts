/** Metrics whose value is read when it is asked for: to keep each one up to date costs more. */
import { Counter, Gauge, type Registry } from 'prom-client'

export interface ReadMetrics {
  /** What only grows. */
  count(name: string, help: string, value: () => number): void
  gauge(name: string, help: string, value: () => number): void
}

export function readMetrics(registers: Registry[]): ReadMetrics {
  return {
    count(name, help, value) {
      // oxlint-disable-next-line no-new -- it registers itself
      new Counter({
        name,
        help,
        registers,
        collect() {
          this.reset()
          this.inc(value())
        },
      })
    },
    gauge(name, help, value) {
      // oxlint-disable-next-line no-new -- it registers itself
      new Gauge({
        name,
        help,
        registers,
        collect() {
          this.set(value())
        },
      })
    },
  }
}
