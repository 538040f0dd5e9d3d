/** One request, one answer: the routes, and what goes on every answer. */
import type { Action, Authorize } from '../auth/authorize.ts'
import { crossSite } from '../auth/cross-site.ts'
import { guard } from '../auth/guard.ts'
import { NOBODY } from '../delivery/holder.ts'
import type { Hub } from '../hub.ts'
import type { Lab, Through } from '../lab/lab.ts'
import type { HubMeter } from '../lab/meter.ts'
import type { Lookout } from '../ops/lookout.ts'
import { Metrics } from '../ops/metrics.ts'
import { isOwn } from '../ops/own-channels.ts'
import type { ChannelSet } from '../log/channel-set.ts'
import { Access, holderOf } from './access.ts'
import { checkOrigins, corsHeaders, NO_CORS, preflightHeaders } from './cors.ts'
import { disconnect } from './disconnect.ts'
import { type ProxySettings, Proxies } from './forwarded.ts'
import { DEFAULT_HTTP_LIMITS } from './http-limits.ts'
import { keysOf, withoutKeys } from './keys-in-url.ts'
import { alive, list, metricsPage, readersPage, ready } from './look.ts'
import { LabDesk } from './lab-desk.ts'
import {
  type Answer,
  type Headers,
  type HttpRequest,
  isLater,
  type LaterAnswer,
  STANDING,
  type WholeAnswer,
} from './message.ts'
import { type Observer, type Trace, Witness } from './observe.ts'
import { FreePlaces, type Places } from './places.ts'
import { Problem } from './problem.ts'
import { fromProxies } from './proxied-request.ts'
import { Reading } from './reading.ts'
import { Refusals } from './refusals.ts'
import { RequestIds } from './request-id.ts'
import { ShownPage } from './shown-page.ts'
import { TicketDesk } from './ticket-desk.ts'
import { isHandshake } from './websocket/handshake.ts'
import { Writing } from './writing.ts'

export interface HandlerOptions {
  /** Who may do what. Without it the hub answers to its own machine only (see `docs/protocol.md`, section 17). */
  readonly authorize?: Authorize
  /** Origins whose pages may read and write, e.g. `https://app.example`. Default none but the hub's own. */
  readonly origins?: readonly string[]
  /**
   * Channels, by name or pattern, whose streams are compressed for those who accept gzip: worth it where many read the
   * same. What is sent to a client then tells by its length something of what it says, so name no channels that strangers can
   * write to and that carry secrets. Default none.
   */
  readonly compress?: readonly string[]
  /** Bytes of a request's body at most; a larger one is `413`. Default 1,048,576. */
  readonly bodyLimit?: number
  /** How long a body may take to arrive, in milliseconds; then `408`. Default 30,000. */
  readonly bodyTimeoutMs?: number
  /**
   * What tickets are sealed with (`POST /tickets`, with `authorize` only): at least 32 bytes, the same on all nodes of a hub.
   * Default random, so that tickets are good on this node only, and until it ends.
   */
  readonly ticketSecret?: string | Uint8Array
  /** Proxies in front of the hub, whose word is taken for the client's address. Default none: the peer is the client. */
  readonly proxies?: ProxySettings
  /** Is told of requests, for a log: what was refused, or all. What it throws goes to the hub's `onError`. Default nobody. */
  readonly observe?: Observer
  /** Bodies of more than 64 KiB that are read at once; others wait, and small ones don't. Default 256. */
  readonly largeBodies?: number
  /** What tells of the hub itself, on channels of its own (`$hub.…`) and at `/readers`. Default nothing. The one who made it closes it. */
  readonly lookout?: Lookout
  /** What runs the Lab, at `/lab`. Default nothing. The one who made it closes it. */
  readonly lab?: Lab
  /** What `/` shows, to whoever asks: a browser that opens a page can send no token. Default nothing: `404`. */
  readonly page?: { readonly headers: Headers; readonly body: string }
}

const LOOK = ['/healthz', '/readyz', '/metrics']
const ASK = ['/tickets', '/disconnect']
const ALLOW = {
  channel: 'GET, HEAD, POST, DELETE, OPTIONS',
  look: 'GET, HEAD, OPTIONS',
  ask: 'POST, OPTIONS',
}

export class Handler {
  readonly hub: Hub
  readonly options: HandlerOptions
  readonly #origins: readonly string[]
  readonly metrics: Metrics
  /** Is told by the faces what they write. Of the Lab. */
  readonly meter: HubMeter | undefined
  /** For bodies that are large, of all connections. */
  readonly largeBodies: Places
  readonly #access: Access
  readonly #reading: Reading
  /** Of the node's own channels. */
  readonly #ownReading: Reading | undefined
  readonly #writing: Writing
  readonly #page: ShownPage | undefined
  readonly #desk: TicketDesk | undefined
  readonly #labDesk: LabDesk | undefined
  readonly #proxies: Proxies | undefined
  readonly #witness: Witness
  readonly #refusals: Refusals

  /** @throws {HubError} `invalid-option` @throws {WireError} `invalid-pattern` */
  constructor(hub: Hub, options: HandlerOptions) {
    const { authorize, bodyLimit, compress, largeBodies, observe, origins, proxies } = options
    this.hub = hub
    this.options = options
    this.#origins = checkOrigins(origins ?? [])
    this.metrics = new Metrics(hub, options.lookout)
    this.meter = options.lab?.meter
    this.largeBodies = new FreePlaces(largeBodies ?? DEFAULT_HTTP_LIMITS.largeBodies, () =>
      hub.limited.count('large-bodies'),
    )
    this.#witness = new Witness(observe, new RequestIds(hub.clock), hub.delivery.report)
    this.#refusals = new Refusals(hub, this.#witness)
    this.#access = new Access(hub, authorize, this.#origins, this.#witness)
    this.#reading = new Reading(hub, { open: authorize === undefined, compress: compress ?? [] })
    const { lookout } = options
    this.#ownReading = lookout && new Reading(lookout.own, { open: false, compress: [] })
    const limiter = authorize ? hub.limiter : hub.ownLimiter
    this.#writing = new Writing(
      hub,
      this.#access,
      limiter,
      bodyLimit ?? DEFAULT_HTTP_LIMITS.bodyLimit,
      lookout,
    )
    this.#page = options.page && new ShownPage(options.page)
    if (authorize) this.#desk = new TicketDesk(hub, options.ticketSecret)
    this.#labDesk = options.lab && new LabDesk(hub, options.lab)
    this.#proxies = proxies && new Proxies(proxies)
  }

  /** Whether this is a proxy whose word is taken. */
  trusts(address: string): boolean {
    return this.#proxies?.trusts(address) ?? false
  }

  /** Whether there is something of the hub's at this path. */
  owns(path: string): boolean {
    return (
      path === '/channels' ||
      path.startsWith('/channels/') ||
      LOOK.includes(path) ||
      (path === '/readers' && this.options.lookout !== undefined) ||
      ASK.includes(path) ||
      (this.#labDesk !== undefined &&
        (LabDesk.allowed(path) !== undefined || this.#labDesk.through(path) !== undefined)) ||
      (path === '/' && this.#page !== undefined)
    )
  }

  /** Whether a WebSocket may be had at this path. */
  hasWebSocket(path: string): boolean {
    return path.startsWith('/channels/') || this.#labDesk?.through(path) !== undefined
  }

  /** Never rejects: whatever goes wrong is an answer too. */
  async answer(request: HttpRequest): Promise<Answer> {
    const answer = await this.begin(request)
    return isLater(answer) ? answer.later(request.signal) : answer
  }

  /** As `answer`, but a long poll is handed out before it waits, and then holds nothing of the request. */
  async begin(received: HttpRequest): Promise<Answer | LaterAnswer> {
    const begun = this.#witness.begin()
    let request = received
    let answer: Answer | LaterAnswer
    try {
      // Without rules the guard looks at the peer itself.
      if (this.options.authorize) {
        if (this.#proxies) request = fromProxies(request, this.#proxies)
        request = withoutKeys(request)
      }
      const routed = this.#route(request, received)
      answer = routed instanceof Promise ? await routed : routed
      if (!isLater(answer)) this.#witness.answered(request, begun, answer.status)
    } catch (error) {
      answer = this.#refusals.answer(request, error, begun)
    }
    const { method } = request
    const cors = corsHeaders(request, this.#origins)
    if (!isLater(answer)) return this.#finished(answer, method, cors)
    return this.#later(answer, method, cors, this.#witness.traceOfLater(request, begun))
  }

  #later({ later }: LaterAnswer, method: string, cors: Headers, trace: Trace | undefined): LaterAnswer {
    return {
      later: (gone) => {
        try {
          return this.#settled(later(gone), method, cors, trace)
        } catch (error) {
          return Promise.resolve(this.#failed(error, method, cors, trace))
        }
      },
    }
  }

  /** A function of its own, so that what waits for the promise does not hold on to where it came from. */
  #settled(
    answer: Promise<WholeAnswer>,
    method: string,
    cors: Headers,
    trace: Trace | undefined,
  ): Promise<WholeAnswer> {
    return answer.then(
      (answer) => {
        this.#witness.answeredLater(trace, answer.status)
        return this.#finished(answer, method, cors)
      },
      (error: unknown) => this.#failed(error, method, cors, trace),
    )
  }

  #failed(error: unknown, method: string, cors: Headers, trace: Trace | undefined): WholeAnswer {
    return this.#finished(this.#refusals.late(error, trace), method, cors)
  }

  /** Counted, and with what stands on every answer. */
  #finished<A extends Answer>(answer: A, method: string, cors: Headers): A {
    this.metrics.answered(method, answer.status)
    if (cors === NO_CORS && 'vary' in answer.headers) return answer
    return { ...answer, headers: { ...answer.headers, ...cors, ...STANDING } }
  }

  /** @param received As it came, with what was taken off since. */
  #route(request: HttpRequest, received: HttpRequest): Answer | LaterAnswer | Promise<Answer | LaterAnswer> {
    const writes = request.method === 'POST' || request.method === 'DELETE'
    if (!this.options.authorize) {
      const refusal = guard(request)
      if (refusal !== undefined) throw new Problem('guard', refusal)
    }
    // Browsers let any page open a WebSocket, with its cookies, and read what comes.
    const foreign = writes || isHandshake(request) ? crossSite(request, this.#origins) : undefined
    if (foreign !== undefined) throw new Problem('cross-site', foreign)
    const { path } = request
    if (this.#labDesk && path.startsWith('/lab/')) {
      const through = this.#labDesk.through(path)
      if (through) return this.#netRoute(request, received, through)
    }
    if (keysOf(request).ticket !== undefined) return this.#ticketRoute(request)
    if (path.startsWith('/channels/')) return this.#channelRoute(request)
    if (this.#labDesk && path.startsWith('/lab')) {
      const allow = LabDesk.allowed(path)
      if (allow !== undefined) return this.#labRoute(request, this.#labDesk, allow)
    }
    switch (path) {
      case '/tickets':
        return this.#askRoute(request, () => this.#issue(request))
      case '/disconnect':
        return this.#askRoute(request, async () => {
          await this.#access.permit(request, 'inspect', [])
          return disconnect(this.hub, request)
        })
      case '/channels':
        return this.#lookRoute(request, 'read', () => this.#list(request))
      case '/healthz':
        return this.#lookRoute(request, 'health', () => Promise.resolve(alive(request)))
      case '/readyz':
        return this.#lookRoute(request, 'health', () => ready(this.hub, request))
      case '/metrics':
        return this.#lookRoute(request, 'inspect', () => metricsPage(this.metrics, request))
      case '/readers': {
        const { lookout } = this.options
        if (lookout) return this.#lookRoute(request, 'inspect', () => readersPage(lookout, request))
        break
      }
      case '/': {
        const page = this.#page
        if (page) return this.#lookRoute(request, undefined, () => Promise.resolve(page.answer(request)))
        break
      }
      case '*':
        if (request.method === 'OPTIONS') return this.#optionsAnswer(request, ALLOW.channel)
    }
    throw new Problem('not-found', 'There is nothing at this path: channels are at /channels/{name}')
  }

  #channelRoute(request: HttpRequest): Answer | LaterAnswer | Promise<Answer | LaterAnswer> {
    const { method, path } = request
    switch (method) {
      case 'GET':
      case 'HEAD': {
        const set = this.#reading.setOf(path)
        const reading = this.#readingOf(set)
        if (!this.#access.ruled) return reading.answer(request, set, NOBODY)
        return this.#access
          .permit(request, 'read', set.parts)
          .then((grant) => reading.answer(request, set, holderOf(request, grant)))
      }
      case 'POST':
        return this.#writing.publish(request)
      case 'DELETE':
        return this.#writing.drop(request)
      case 'OPTIONS':
        return this.#optionsAnswer(request, ALLOW.channel)
      default:
        throw notAllowed(method, ALLOW.channel)
    }
  }

  /** @throws {Problem} `mixed-channels` */
  #readingOf(set: ChannelSet): Reading {
    const own = this.#ownReading
    if (own === undefined || !set.parts.some(isOwn)) return this.#reading
    if (set.parts.every(isOwn)) return own
    throw new Problem(
      'mixed-channels',
      "The hub's own channels are in a log of their own, with cursors of their own: read them alone",
    )
  }

  /** What a ticket in the URL is for. */
  async #ticketRoute(request: HttpRequest): Promise<Answer> {
    const { method, path } = request
    const { ticket, accessToken } = keysOf(request)
    if (accessToken !== undefined) {
      throw new Problem('invalid-credentials', '`ticket` and `access_token` are both there: leave one out')
    }
    if (ticket !== undefined && this.#desk && method === 'GET' && path.startsWith('/channels/')) {
      const set = this.#reading.setOf(path)
      const reading = this.#readingOf(set)
      const plan = reading.planOf(request)
      if (plan.transport === 'sse' || plan.transport === 'websocket') {
        const holder = await this.#desk.holder(request, ticket, set)
        this.#witness.noteSubject(request, holder.subject)
        return reading.stream(request, set, plan, holder)
      }
    }
    throw new Problem(
      'invalid-parameter',
      'A `ticket` opens a stream or a WebSocket, and nothing else: send a token, or ask for text/event-stream of a channel',
      { parameter: 'ticket' },
    )
  }

  #issue(request: HttpRequest): Promise<WholeAnswer> {
    if (this.#desk) {
      return this.#desk.issue(request, async (channels) => {
        const grant = await this.#access.permit(request, 'read', channels)
        this.hub.limiter.ticket(holderOf(request, grant))
        return grant
      })
    }
    throw new Problem(
      'not-found',
      'Tickets are for hubs with `authorize`: here everybody may read without one',
    )
  }

  /** @param action Undefined for what is no secret. */
  async #lookRoute(
    request: HttpRequest,
    action: Action | undefined,
    look: () => Promise<Answer>,
  ): Promise<Answer> {
    if (request.method === 'OPTIONS') return this.#optionsAnswer(request, ALLOW.look)
    if (request.method !== 'GET' && request.method !== 'HEAD') throw notAllowed(request.method, ALLOW.look)
    if (action) await this.#access.permit(request, action, [])
    return look()
  }

  async #askRoute(request: HttpRequest, answer: () => Promise<WholeAnswer>): Promise<Answer> {
    if (request.method === 'OPTIONS') return this.#optionsAnswer(request, ALLOW.ask)
    if (request.method !== 'POST') throw notAllowed(request.method, ALLOW.ask)
    return answer()
  }

  async #labRoute(request: HttpRequest, desk: LabDesk, allow: string): Promise<Answer> {
    if (request.method === 'OPTIONS') return this.#optionsAnswer(request, allow)
    if (!allow.split(', ').includes(request.method)) throw notAllowed(request.method, allow)
    return desk.answer(request, (action, channels) => this.#access.permit(request, action, channels))
  }

  /** Asked here as who it is; then once more, of the hub itself, as whatever comes through the relay. */
  async #netRoute(
    request: HttpRequest,
    received: HttpRequest,
    through: Through,
  ): Promise<Answer | LaterAnswer> {
    const { method } = request
    if (method === 'OPTIONS') return this.#optionsAnswer(request, ALLOW.look)
    if (method !== 'GET' && method !== 'HEAD') throw notAllowed(method, ALLOW.look)
    // A ticket is looked at where it is used.
    if (keysOf(request).ticket === undefined) await this.#access.permit(request, 'read', [through.channel])
    const { forward } = await import('./lab-net.ts')
    return forward({ request: received, through, trusted: this.trusts(received.address ?? '') })
  }

  #list(request: HttpRequest): Promise<Answer> {
    return list(this.hub, request, (channel) => this.#access.mayRead(request, channel))
  }

  #optionsAnswer(request: HttpRequest, allow: string): Answer {
    const headers: Headers = { allow, ...preflightHeaders(request, this.#origins, allow) }
    return { status: 204, headers }
  }
}

/** What some path might know; of others the hub has not heard. */
const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE']

function notAllowed(method: string, allow: string): Problem {
  return new Problem(
    METHODS.includes(method) ? 'method-not-allowed' : 'not-implemented',
    `\`${method.slice(0, 20)}\` is not for this path, but ${allow}`,
    {},
    { allow },
  )
}
