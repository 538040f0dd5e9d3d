/** How often each limit has refused, cut or closed something. */
import type { LimitName } from './names.ts'

export class Limited {
  readonly #times = new Map<LimitName, number>()

  count(limit: LimitName): void {
    this.#times.set(limit, (this.#times.get(limit) ?? 0) + 1)
  }

  of(limit: LimitName): number {
    return this.#times.get(limit) ?? 0
  }
}
