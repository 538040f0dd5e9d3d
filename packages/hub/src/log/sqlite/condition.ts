/** Whether a log works, as its threads meet it: known from the appends, and tried out when someone asks and none has come along. */
import { type Health, LogError } from '../log.ts'

/** So long the outcome of an append is news, in milliseconds: trying it out costs an fsync. */
const FRESH_MS = 1_000

/** What to try: always whether the files are sound, and when `write`, whether something can be stored; `large`, when there was no room. */
export interface Trial {
  readonly write: boolean
  readonly large: boolean
}

export class Condition {
  readonly #tryOut: (trial: Trial) => Promise<void>
  #failure: LogError | undefined
  #known = -Infinity
  #trying: Promise<Health> | undefined

  /** @param tryOut Rejects with what is wrong. */
  constructor(tryOut: (trial: Trial) => Promise<void>) {
    this.#tryOut = tryOut
  }

  /** What an append has met; undefined when it was stored. */
  met(failure: LogError | undefined): void {
    this.#failure = failure
    this.#known = performance.now()
  }

  health(): Promise<Health> {
    return (this.#trying ??= this.#ask().finally(() => (this.#trying = undefined)))
  }

  async #ask(): Promise<Health> {
    // What has failed may have been mended since.
    const write = this.#failure !== undefined || performance.now() - this.#known > FRESH_MS
    try {
      await this.#tryOut({ write, large: this.#failure?.code === 'log-full' })
      if (write) this.met(undefined)
      return { ok: true }
    } catch (error) {
      if (!(error instanceof LogError)) throw error
      this.met(error)
      return { ok: false, reason: error.message }
    }
  }
}
