/**
 * `POST /tickets`, and what a ticket is good for. It stands in a URL, so it may be seen by others: it opens streams only, of the
 * channels it is for; for the first time within 30 s; later for who comes back with a `Last-Event-ID`; one stream at a time.
 */
import { checkPattern, coversPart, parseCursor } from '@downlink/wire'
import type { Grant } from '../auth/authorize.ts'
import { LONGEST_TICKET, type Ticket, Tickets } from '../auth/tickets.ts'
import type { Holder } from '../delivery/holder.ts'
import type { Hub } from '../hub.ts'
import type { ChannelSet } from '../log/channel-set.ts'
import { expected, jsonBody } from './json-body.ts'
import { type HttpRequest, json, type WholeAnswer } from './message.ts'
import { INVALID_TOKEN, Problem } from './problem.ts'
import { refuseQuery } from './query.ts'

/** A ticket lasts so long at most, however long its token does. */
const LIFE_MS = 3_600_000
/** It is to be used so soon. */
const FIRST_USE_MS = 30_000

export class TicketDesk {
  readonly #hub: Hub
  readonly #tickets: Tickets

  /** @throws {HubError} `invalid-option` */
  constructor(hub: Hub, secret: string | Uint8Array | undefined) {
    this.#hub = hub
    this.#tickets = new Tickets(secret)
  }

  /** @param permit Whether the caller may read these. @throws {Problem} */
  async issue(
    request: HttpRequest,
    permit: (channels: readonly string[]) => Promise<Grant>,
  ): Promise<WholeAnswer> {
    refuseQuery(request.query)
    const { channels: named, replaces } = wishOf(await jsonBody(request, ['channels', 'replaces']))
    const parts = named && this.#hub.channelSet(named).parts
    const { subject, until = Infinity, limits, read } = await permit(parts ?? [])
    const channels = parts ?? read?.map(checkPattern)
    if (channels === undefined || channels.length === 0)
      throw expected('`channels`, as your token names none that you may read,')
    const now = this.#hub.clock.now()
    const ticket: Ticket = {
      id: crypto.randomUUID(),
      subject,
      channels,
      issued: now,
      until: Math.min(until, now + LIFE_MS),
      ...(limits && { limits }),
    }
    const text = await this.#tickets.seal(ticket)
    if (text.length > LONGEST_TICKET) {
      throw new Problem(
        'too-many-channels',
        'These channels make the ticket too long for a URL: name fewer',
        {
          limit: LONGEST_TICKET,
        },
      )
    }
    if (replaces !== undefined) await this.#replace(replaces, subject)
    return json({ ticket: text, expires: ticket.until - now }, { 'cache-control': 'no-store' })
  }

  /** Who has another ticket needs this one no more; who has stolen it is to have nothing of it. */
  async #replace(text: string, subject: string): Promise<void> {
    const old = await this.#tickets.open(text)
    const now = this.#hub.clock.now()
    if (old === undefined || old.subject !== subject || old.until <= now) return
    this.#hub.delivery.tickets.cancel(old.id, old.until, now)
  }

  /** Whose stream this is to be. @throws {Problem} `invalid-ticket`, `forbidden` */
  async holder(request: HttpRequest, text: string, set: ChannelSet): Promise<Holder> {
    const ticket = await this.#tickets.open(text)
    if (ticket === undefined || !isGood(ticket, request, this.#hub.clock.now())) throw notGood()
    const { channels, id, subject, issued, until, limits } = ticket
    if (!set.parts.every((part) => channels.some((channel) => coversPart(channel, part))))
      throw new Problem('forbidden', 'The ticket is not for all of these channels: get one that is')
    const { address } = request
    return {
      subject,
      issued,
      until,
      ticket: id,
      ...(address !== undefined && { address }),
      ...(limits && { limits }),
    }
  }
}

function isGood({ issued, until }: Ticket, request: HttpRequest, now: number): boolean {
  if (now >= until) return false
  return now - issued <= FIRST_USE_MS || isCursor(request.header('last-event-id'))
}

function isCursor(text: string | undefined): boolean {
  try {
    parseCursor(text ?? '')
    return true
  } catch {
    return false
  }
}

/** One and the same for whatever is wrong with it: who guesses learns nothing. */
function notGood(): Problem {
  return new Problem(
    'invalid-ticket',
    'This ticket opens no stream, or none any more: get a new one by `POST /tickets`, and use it within 30 s',
    {},
    INVALID_TOKEN,
  )
}

interface Wish {
  readonly channels?: readonly string[]
  readonly replaces?: string
}

function wishOf({ channels, replaces }: Readonly<Record<string, unknown>>): Wish {
  const areTexts = isList(channels) && channels.every((name) => typeof name === 'string')
  if (channels !== undefined && !areTexts)
    throw expected('`channels` to be an array of channel names and patterns, at least one')
  if (replaces !== undefined && typeof replaces !== 'string') throw expected('`replaces` to be a ticket')
  return { ...(areTexts && { channels }), ...(replaces !== undefined && { replaces }) }
}

function isList(value: unknown): value is readonly unknown[] {
  return Array.isArray(value) && value.length > 0
}
