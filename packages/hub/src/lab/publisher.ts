/** Publishes the events of a run when they are due. What comes late is published late, and told; nothing is left out. */
import { setTimeout as sleepFor } from 'node:timers/promises'
import type { LabClock } from './lab-clock.ts'
import type { LabEvent, LabSettings } from './report.ts'
import { randomOf, schedule } from './schedule.ts'

/** Publishes that the log has not acknowledged yet; the next one waits. */
const MOST_RUNNING = 256

export interface PublisherOptions {
  readonly events: LabSettings['events']
  /** Milliseconds. */
  readonly lasting: number
  readonly clock: LabClock
  readonly seed: number
  /** Resolves when the hub has it. */
  readonly publish: (data: string) => Promise<unknown>
  /** Called when the first so many are acknowledged, all of them: over HTTP one may overtake another. */
  readonly acknowledged: (count: number) => void
}

export class EventPublisher {
  readonly #options: PublisherOptions
  readonly #text: string
  readonly #running = new Set<Promise<void>>()
  #acknowledged = 0
  /** Those that are ahead of one that is not. */
  readonly #ahead = new Set<number>()
  #failure: { readonly error: unknown } | undefined
  #late = 0
  readonly #failing = new AbortController()

  constructor(options: PublisherOptions) {
    this.#options = options
    this.#text = words(options.events.size, randomOf(options.seed + 1))
  }

  /** How late the latest was since this was last asked, in milliseconds. */
  takeLate(): number {
    const late = this.#late
    this.#late = 0
    return Math.round(late * 10) / 10
  }

  /** Resolves when all are acknowledged, or when `signal` aborts. @throws what `publish` rejects with */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, events, lasting, seed } = this.#options
    const over = AbortSignal.any([signal, this.#failing.signal])
    const start = clock.now()
    let n = 0
    for (const due of schedule(events, randomOf(seed))) {
      if (due >= lasting) break
      await sleep(start + due - clock.now(), over)
      while (this.#running.size >= MOST_RUNNING && !over.aborted) await Promise.race(this.#running)
      if (over.aborted) break
      this.#late = Math.max(this.#late, clock.now() - start - due)
      this.#publish(n++)
    }
    await sleep(start + lasting - clock.now(), over)
    if (!signal.aborted) await Promise.all(this.#running)
    if (this.#failure && !signal.aborted) throw this.#failure.error
  }

  #publish(n: number): void {
    const { clock, events, publish } = this.#options
    const running = publish(eventData(n, clock.now(), events.size, this.#text))
      .then(
        () => this.#has(n),
        (error: unknown) => {
          this.#failure ??= { error }
          this.#failing.abort()
        },
      )
      .finally(() => this.#running.delete(running))
    this.#running.add(running)
  }

  #has(n: number): void {
    this.#ahead.add(n)
    while (this.#ahead.delete(this.#acknowledged)) this.#acknowledged++
    this.#options.acknowledged(this.#acknowledged)
  }
}

/** JSON of a `LabEvent`, of so many bytes. */
export function eventData(n: number, t: number, size: number, text: string): string {
  const bare: LabEvent = { n, t: 0, pad: '' }
  const [before, after] = JSON.stringify(bare).split('"t":0') as [string, string]
  const begun = `${before}"t":${t.toFixed(3)}${after.slice(0, -2)}`
  const length = Math.max(0, size - begun.length - 2)
  const from = (n * 31) % Math.max(1, text.length - length)
  return `${begun}${text.slice(from, from + length)}"}`
}

const WORDS =
  'order paid sent total price 12.50 status open closed eur user alice bob item count 3 17 204 time note temperature ' +
  'load mean true false null id name city berlin paris delivered waiting high low warning message updated'

/** Text that is compressed about as well as what applications send; of one letter it would vanish. */
function words(size: number, random: () => number): string {
  const list = WORDS.split(' ')
  let text = ''
  while (text.length < size + 4096) {
    text += `${list[Math.floor(random() * list.length)]} ${Math.floor(random() * 10_000)} `
  }
  return text
}

/** Timers of Node count whole milliseconds: it may be off by one. */
async function sleep(ms: number, or: AbortSignal): Promise<void> {
  if (ms <= 0 || or.aborted) return
  await sleepFor(Math.ceil(ms), undefined, { signal: or }).catch(() => {})
}
