/** Subjects whose rights from before a moment hold no more. Rights that were given out anew are not concerned. */
import { HubError } from '../errors.ts'

/** How long a revocation is remembered. */
const KEPT_MS = 24 * 3_600_000
/** A revocation that could not be remembered is refused: forgetting another one would let somebody in again. */
const MOST = 10_000

export class Revocations {
  /** When, by subject; the oldest first. */
  readonly #at = new Map<string, number>()

  /** @throws {HubError} `revocations-full`, `invalid-option` */
  add(subject: string, now: number): void {
    if (subject === '')
      throw new HubError(
        'invalid-option',
        'Expected `subject` to be somebody: nobody has no rights to revoke',
      )
    this.#forget(now)
    this.#at.delete(subject)
    if (this.#at.size >= MOST) {
      throw new HubError(
        'revocations-full',
        `The hub remembers ${MOST} revocations, its limit: refuse this subject where its tokens are made`,
        { limit: MOST },
      )
    }
    this.#at.set(subject, now)
  }

  /** @param issued When the right was given, in milliseconds since 1970; what does not say is taken for old. */
  hold(subject: string, issued: number | undefined, now: number): boolean {
    const at = this.#at.get(subject)
    return at !== undefined && now - at < KEPT_MS && (issued === undefined || issued <= at)
  }

  #forget(now: number): void {
    for (const [subject, at] of this.#at) {
      if (now - at < KEPT_MS) return
      this.#at.delete(subject)
    }
  }
}
