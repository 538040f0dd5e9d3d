/** How fast subjects may publish and ask for tickets, and how fast channels may be published to. */
import type { Clock, Timer } from '../clock.ts'
import type { Holder } from '../delivery/holder.ts'
import { HubError } from '../errors.ts'
import type { LimitName } from './names.ts'
import { netOf } from './net-of.ts'
import { TokenBuckets } from './token-buckets.ts'

export interface Rates {
  /** Events a second. */
  readonly publishesPerSubject: number
  /** Events a second, whoever publishes them. */
  readonly publishesPerChannel: number
  /** Tickets a second. */
  readonly ticketsPerSubject: number
}

/** A bucket holds what its rate gives in this time, in milliseconds. */
export const BURST_MS = 2_000
/** Between two looks for buckets that are full, while there are any. */
const SWEEP_MS = 5_000

/** Who is limited: a subject, or the address of who is nobody. */
export type Who = Pick<Holder, 'subject' | 'address' | 'limits'>

export class Limiter {
  readonly #clock: Clock
  readonly #rates: Rates
  readonly #publishers = new TokenBuckets(BURST_MS)
  readonly #channels = new TokenBuckets(BURST_MS)
  readonly #tickets = new TokenBuckets(BURST_MS)
  #timer: Timer | undefined

  constructor(clock: Clock, rates: Rates) {
    this.#clock = clock
    this.#rates = rates
  }

  /** Subjects, addresses and channels of which something is remembered. */
  get size(): number {
    return this.#publishers.size + this.#channels.size + this.#tickets.size
  }

  /**
   * Takes so many events to each of the channels: all of it, or nothing. More than a burst at once is owed, see `TokenBuckets`.
   *
   * @throws {HubError} `too-fast`, `forbidden`
   */
  publish(who: Who, channels: readonly string[], events: number): void {
    this.check(who, channels, events)
    const now = this.#clock.now()
    const key = keyOf(who)
    if (key !== undefined) this.#publishers.take(key, events * channels.length, this.#rateOf(who), now)
    const { publishesPerChannel } = this.#rates
    if (publishesPerChannel < Infinity)
      for (const channel of channels) this.#channels.take(channel, events, publishesPerChannel, now)
    this.#sweepLater()
  }

  /** As `publish`, and takes nothing. @throws {HubError} `too-fast`, `forbidden` */
  check(who: Who, channels: readonly string[], events: number): void {
    const now = this.#clock.now()
    const { publishesPerChannel } = this.#rates
    const key = keyOf(who)
    const rate = this.#rateOf(who)
    if (rate <= 0) throw notAtAll('publish', 'publishes-per-subject')
    let longest = key === undefined ? 0 : this.#publishers.wait(key, events * channels.length, rate, now)
    let slow: string | undefined
    if (publishesPerChannel < Infinity) {
      for (const channel of channels) {
        const wait = this.#channels.wait(channel, events, publishesPerChannel, now)
        if (wait <= longest) continue
        longest = wait
        slow = channel
      }
    }
    if (longest === 0) return
    if (slow === undefined) throw tooFast('publishes-per-subject', 'You may publish', rate, 'event', longest)
    throw tooFast('publishes-per-channel', `Channel ${slow} takes`, publishesPerChannel, 'event', longest)
  }

  /** Takes one ticket. @throws {HubError} `too-fast` */
  ticket(who: Who): void {
    const { ticketsPerSubject } = this.#rates
    const key = keyOf(who)
    if (key === undefined) return
    const now = this.#clock.now()
    const wait = this.#tickets.wait(key, 1, ticketsPerSubject, now)
    if (wait > 0) throw tooFast('tickets-per-subject', 'You may have', ticketsPerSubject, 'ticket', wait)
    this.#tickets.take(key, 1, ticketsPerSubject, now)
    this.#sweepLater()
  }

  close(): void {
    this.#timer?.clear()
  }

  #rateOf({ limits }: Who): number {
    return limits?.publishes ?? this.#rates.publishesPerSubject
  }

  #sweepLater(): void {
    if (this.#timer !== undefined || this.size === 0) return
    this.#timer = this.#clock.after(SWEEP_MS, () => {
      this.#timer = undefined
      const now = this.#clock.now()
      for (const buckets of [this.#publishers, this.#channels, this.#tickets]) buckets.sweep(now)
      this.#sweepLater()
    })
  }
}

/** A subject may be called like an address: the two never meet. Nobody at no known address has no key, and no limit of its own. */
function keyOf({ subject, address }: Who): string | undefined {
  if (subject !== '') return `s ${subject}`
  return address === undefined ? undefined : `a ${netOf(address)}`
}

/** Who has a limit of 0 may not, and need not try again. */
export function notAtAll(act: string, limited: LimitName): HubError {
  return new HubError('forbidden', `You may not ${act} at all: ask for the right to`, { limit: 0, limited })
}

function tooFast(limited: LimitName, who: string, rate: number, what: string, waitMs: number): HubError {
  const seconds = Math.ceil(waitMs / 1000)
  const text = `${who} ${rate} ${what}${rate === 1 ? '' : 's'} a second: come back in ${seconds} s`
  return new HubError('too-fast', text, { limit: rate, limited, waitMs })
}
