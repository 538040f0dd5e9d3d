/** What a lookout knows, for Prometheus: the same figures as the console shows. */
import { Counter, Gauge, type Registry } from 'prom-client'
import { CountedHistogram } from './counted-histogram.ts'
import type { Lookout } from './lookout.ts'
import { readMetrics } from './read-metrics.ts'

export function lookoutMetrics(registry: Registry, lookout: Lookout): void {
  const registers = [registry]
  const read = readMetrics(registers)
  const { machine } = lookout
  void new CountedHistogram(
    'downlink_publish_seconds',
    'How long publishes took, from their request to their answer',
    registers,
    () => lookout.totals.publishSeconds,
  )
  read.count('downlink_events_total', 'Events appended', () => lookout.totals.events)
  read.count('process_cpu_seconds_total', 'CPU time of the process', () => machine.cpu() / 1000)
  read.gauge('process_resident_memory_bytes', 'Memory of the process', () => machine.memory().rss)
  read.gauge(
    'nodejs_heap_size_used_bytes',
    'Of it, the JavaScript heap that is in use',
    () => machine.memory().heap,
  )
  // oxlint-disable-next-line no-new -- it registers itself
  new Counter({
    name: 'downlink_troubles_total',
    help: 'What went wrong (error) and what was refused or answered with a status of 400 or above (refused)',
    labelNames: ['kind'],
    registers,
    collect() {
      const { errors, refused } = lookout.totals
      this.reset()
      this.inc({ kind: 'error' }, errors)
      this.inc({ kind: 'refused' }, refused)
    },
  })
  // oxlint-disable-next-line no-new -- it registers itself
  new Gauge({
    name: 'downlink_event_loop_delay_seconds',
    help: 'How late the event loop came round: of the worst second of the last minute the median, p99 and longest',
    labelNames: ['quantile'],
    registers,
    collect() {
      const { p50, p99, max } = lookout.loopDelay
      this.set({ quantile: '0.5' }, p50 / 1000)
      this.set({ quantile: '0.99' }, p99 / 1000)
      this.set({ quantile: '1' }, max / 1000)
    },
  })
}
