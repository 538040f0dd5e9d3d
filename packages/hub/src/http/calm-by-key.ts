/** As `Calm`, for each of many. Pure: the time is passed in. */
import { Calm, type CalmTerms } from './calm.ts'

/** Keys known at most; beyond them the first is forgotten, and may do it all again. */
const MOST = 10_000

export class CalmByKey {
  readonly #terms: CalmTerms
  readonly #calms = new Map<string, Calm>()

  constructor(terms: CalmTerms) {
    this.#terms = terms
  }

  /** Once more, by this one. False: that was too often. @param now In milliseconds, of a clock that never goes back. */
  again(key: string, now: number): boolean {
    let calm = this.#calms.get(key)
    if (calm === undefined) {
      if (this.#calms.size === MOST) this.#forgetOne()
      this.#calms.set(key, (calm = new Calm(this.#terms, now)))
    }
    return calm.again(now)
  }

  #forgetOne(): void {
    for (const oldest of this.#calms.keys()) {
      this.#calms.delete(oldest)
      return
    }
  }
}
