/** What was answered to the appends that came with an idempotency key. */
import { LogError, type AppendOptions, type Appended, type Position } from './log.ts'

/** Milliseconds: 24 h. */
export const KEY_LIFETIME = 24 * 3_600_000

/** Beyond this many keys the oldest are forgotten before their time. */
export const MAX_KEYS = 1_000_000

/** Positions of one append have no holes: a batch of thousands is remembered in as little as one of a single event. */
interface Answer {
  readonly fingerprint: string
  readonly epoch: string
  readonly first: Position
  readonly count: number
  readonly time: number
}

type Idempotency = NonNullable<AppendOptions['idempotency']>

export class IdempotencyKeys {
  /** In the order in which they came. */
  readonly #answers = new Map<string, Answer>()
  readonly #maxKeys: number

  constructor(maxKeys: number = MAX_KEYS) {
    this.#maxKeys = maxKeys
  }

  /**
   * What was answered the first time.
   *
   * @throws {LogError} `idempotency-mismatch`
   */
  find({ key, fingerprint }: Idempotency, now: number): Appended | undefined {
    this.expire(now)
    const answer = this.#answers.get(key)
    if (answer === undefined) return undefined
    if (answer.fingerprint === fingerprint) {
      const { epoch, first, count } = answer
      const positions = Array.from({ length: count }, (_, index) => first + index)
      return { epoch, positions, repeated: true }
    }
    throw new LogError(
      'idempotency-mismatch',
      'Expected a retry with the same idempotency key to bring the same events; use a new key for new events',
    )
  }

  remember({ key, fingerprint }: Idempotency, { epoch, positions }: Appended, now: number): void {
    const [first = 0] = positions
    this.#answers.set(key, { fingerprint, epoch, first, count: positions.length, time: now })
    if (this.#answers.size <= this.#maxKeys) return
    for (const oldest of this.#answers.keys()) {
      this.#answers.delete(oldest)
      return
    }
  }

  expire(now: number): void {
    if (this.#answers.size === 0) return
    for (const [key, { time }] of this.#answers) {
      if (now - time <= KEY_LIFETIME) return
      this.#answers.delete(key)
    }
  }

  clear(): void {
    this.#answers.clear()
  }
}
