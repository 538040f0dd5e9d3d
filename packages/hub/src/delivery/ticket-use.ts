/**
 * Which tickets are in use on this node: one stream each. A newer stream ends the older one, as the older may be the remains of a
 * connection that was lost unseen. But remains never return: who comes with a ticket just after it was taken over is one of
 * two that have it. Which of them stole it nobody can know, so it is void for both; its owner gets another one.
 */
import { HubError } from '../errors.ts'
import type { Ending } from './sink.ts'

/** What is void is remembered until it would have ended anyway; of more than these the oldest is forgotten. */
const MOST_VOID = 100_000

export interface TicketStream {
  end(why: Ending): void
}

export class TicketUse {
  readonly #streams = new Map<string, TicketStream>()
  /** When, by ticket; the oldest first. */
  readonly #takeovers = new Map<string, number>()
  /** Until when, by ticket. */
  readonly #void = new Map<string, number>()
  readonly #returnMs: number

  /** @param returnMs How long after its end a stream's client may take to come back. */
  constructor(returnMs: number) {
    this.#returnMs = returnMs
  }

  /** @param until When the ticket ends by itself. @throws {HubError} `invalid-ticket` */
  admit(ticket: string, until: number, now: number): void {
    const taken = this.#takeovers.get(ticket)
    if (taken !== undefined && now - taken < this.#returnMs) this.cancel(ticket, until, now)
    if ((this.#void.get(ticket) ?? 0) <= now) return
    throw new HubError('invalid-ticket', 'This ticket is void, or in use elsewhere: get a new one')
  }

  /** A stream was opened with the ticket. */
  hold(ticket: string, stream: TicketStream, now: number): void {
    const older = this.#streams.get(ticket)
    this.#streams.set(ticket, stream)
    if (older === undefined) return
    this.#forgetTakeovers(now)
    this.#takeovers.set(ticket, now)
    older.end('replaced')
  }

  /** The stream is over. */
  release(ticket: string, stream: TicketStream): void {
    if (this.#streams.get(ticket) === stream) this.#streams.delete(ticket)
  }

  /** Nobody gets in with the ticket any more, and its stream ends. */
  cancel(ticket: string, until: number, now: number): void {
    this.#forgetVoid(now)
    this.#void.set(ticket, until)
    this.#takeovers.delete(ticket)
    this.#streams.get(ticket)?.end('replaced')
  }

  #forgetTakeovers(now: number): void {
    for (const [ticket, at] of this.#takeovers) {
      if (now - at < this.#returnMs) return
      this.#takeovers.delete(ticket)
    }
  }

  #forgetVoid(now: number): void {
    for (const [ticket, until] of this.#void) {
      if (until > now && this.#void.size < MOST_VOID) return
      this.#void.delete(ticket)
    }
  }
}
