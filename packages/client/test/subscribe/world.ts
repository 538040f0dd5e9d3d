/** Simulated time, and the rest of an environment: it moves only when told to, and knows what is still held. */
import type { Environment, KeyValue } from '../../src/subscribe/environment.ts'
import type { LifecycleEvent } from '../../src/subscribe/lifecycle.ts'

interface Alarm {
  readonly at: number
  readonly run: () => void
}

export class World {
  time = Date.UTC(2026, 0, 1)
  readonly random: () => number
  readonly #alarms = new Set<Alarm>()
  readonly listeners = new Set<(event: LifecycleEvent) => void>()

  constructor(random: () => number) {
    this.random = random
  }

  readonly after = (ms: number, run: () => void): (() => void) => {
    const alarm = { at: this.time + Math.max(0, ms), run }
    this.#alarms.add(alarm)
    return () => void this.#alarms.delete(alarm)
  }

  /** Timers that have neither gone off nor been cancelled. */
  get timers(): number {
    return this.#alarms.size
  }

  chance(probability: number): boolean {
    return this.random() < probability
  }

  int(least: number, most: number): number {
    return least + Math.floor(this.random() * (most - least + 1))
  }

  pick<T>(list: readonly T[]): T {
    return list[this.int(0, list.length - 1)] as T
  }

  tell(event: LifecycleEvent): void {
    for (const listener of this.listeners) listener(event)
  }

  /** Lets so many milliseconds pass, with all that happens in them. */
  async run(ms: number): Promise<void> {
    const until = this.time + ms
    for (;;) {
      await settled()
      let next: Alarm | undefined
      for (const alarm of this.#alarms) if (!next || alarm.at < next.at) next = alarm
      if (!next || next.at > until) break
      this.#alarms.delete(next)
      this.time = Math.max(this.time, next.at)
      next.run()
    }
    this.time = Math.max(this.time, until)
  }

  environment(fetch: Environment['fetch']): Environment {
    const stored = new Map<string, string>()
    const memory: KeyValue = {
      getItem: (key) => stored.get(key) ?? null,
      setItem: (key, value) => void stored.set(key, value),
    }
    return {
      now: () => this.time,
      after: this.after,
      random: this.random,
      fetch,
      lifecycle: (tell) => {
        this.listeners.add(tell)
        return () => this.listeners.delete(tell)
      },
      storage: (kind) => (kind === 'session' ? memory : undefined),
    }
  }
}

/** Resolves when every promise that could go on has done so. */
export async function settled(): Promise<void> {
  for (let i = 0; i < 2; i++) await new Promise((resolve) => setImmediate(resolve))
}
