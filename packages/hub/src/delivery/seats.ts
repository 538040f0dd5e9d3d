/** Who reads at present, counted: streams and waiting long polls, by subject and by address. Pure. */
import { netOf } from '../limits/net-of.ts'
import type { Holder } from './holder.ts'

export interface SeatLimits {
  /** All together. */
  readonly readers: number
  /** Of one subject. */
  readonly streamsPerSubject: number
  /** Of one address, see `netOf`. */
  readonly streamsPerAddress: number
}

/** What there is no more room in, and how many fit. */
export interface Full {
  readonly of: 'hub' | 'subject' | 'address'
  readonly limit: number
}

export class Seats {
  #taken = 0
  /** Only those who have one: who has left is forgotten. */
  readonly #subjects = new Map<string, number>()
  readonly #addresses = new Map<string, number>()

  get taken(): number {
    return this.#taken
  }

  /** Of one subject. */
  ofSubject(subject: string): number {
    return this.#subjects.get(subject) ?? 0
  }

  /** Of one address. */
  ofAddress(address: string): number {
    return this.#addresses.get(netOf(address)) ?? 0
  }

  /** Subjects and addresses that have any. */
  get holders(): { readonly subjects: number; readonly addresses: number } {
    return { subjects: this.#subjects.size, addresses: this.#addresses.size }
  }

  /** Of the subject and of the address that have the most. Goes through all of them. */
  get most(): { readonly subject: number; readonly address: number } {
    return { subject: highest(this.#subjects.values()), address: highest(this.#addresses.values()) }
  }

  /**
   * Why one more is too many; undefined when it is not. Who is nobody is held by the address alone; whose grant says how many
   * `streams`, by that alone. Who is nobody at no known address is the hub's own, or asks it on its own machine.
   */
  full({ subject, address, limits }: Holder, most: SeatLimits): Full | undefined {
    if (this.#taken >= most.readers) return { of: 'hub', limit: most.readers }
    const own = limits?.streams
    if (subject !== '') {
      const limit = own ?? most.streamsPerSubject
      if (this.ofSubject(subject) >= limit) return { of: 'subject', limit }
      if (own !== undefined) return undefined
    }
    if (address === undefined) return undefined
    const limit = own ?? most.streamsPerAddress
    return this.ofAddress(address) >= limit ? { of: 'address', limit } : undefined
  }

  take({ subject, address }: Holder): void {
    this.#taken++
    if (subject !== '') add(this.#subjects, subject)
    if (address !== undefined) add(this.#addresses, netOf(address))
  }

  /** Once for each that was taken, by the same holder. */
  leave({ subject, address }: Holder): void {
    this.#taken--
    if (subject !== '') remove(this.#subjects, subject)
    if (address !== undefined) remove(this.#addresses, netOf(address))
  }
}

function add(counts: Map<string, number>, key: string): void {
  counts.set(key, (counts.get(key) ?? 0) + 1)
}

function remove(counts: Map<string, number>, key: string): void {
  const left = (counts.get(key) ?? 0) - 1
  if (left > 0) counts.set(key, left)
  else counts.delete(key)
}

function highest(counts: Iterable<number>): number {
  let most = 0
  for (const count of counts) most = Math.max(most, count)
  return most
}
