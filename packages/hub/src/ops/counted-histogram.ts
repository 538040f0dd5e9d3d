/** A histogram for prom-client whose values were counted elsewhere: to observe each one costs more than what is observed. */
import { Histogram, type MetricObjectWithValues, type MetricValueWithName, type Registry } from 'prom-client'

export interface Counted {
  /** By the most that is counted in each, rising; the last holds all the rest. */
  readonly buckets: readonly { readonly atMost: number; readonly count: number }[]
  readonly sum: number
}

export class CountedHistogram extends Histogram {
  readonly #about: { readonly name: string; readonly help: string }
  readonly #counted: () => Counted

  constructor(name: string, help: string, registers: Registry[], counted: () => Counted) {
    super({ name, help, registers })
    this.#about = { name, help }
    this.#counted = counted
  }

  override async get(): Promise<MetricObjectWithValues<MetricValueWithName<string>>> {
    const { name, help } = this.#about
    const { buckets, sum } = this.#counted()
    let count = 0
    const values = buckets.map(({ atMost, count: more }, index) => {
      count += more
      const le = index === buckets.length - 1 ? '+Inf' : atMost
      return { metricName: `${name}_bucket`, labels: { le }, value: count }
    })
    const total = [
      { metricName: `${name}_sum`, labels: {}, value: sum },
      { metricName: `${name}_count`, labels: {}, value: count },
    ]
    const metric: unknown = {
      name,
      help,
      type: 'histogram',
      aggregator: 'sum',
      values: [...values, ...total],
    }
    return metric as MetricObjectWithValues<MetricValueWithName<string>>
  }

  /** What the registry asks for its text. */
  getForPromString(): Promise<MetricObjectWithValues<MetricValueWithName<string>>> {
    return this.get()
  }
}
