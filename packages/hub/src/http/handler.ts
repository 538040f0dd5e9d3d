/** One request, one answer: the routes, who may take them, and what goes on every answer. */
import { checkPattern, coversPart } from '@downlink/wire'
import type { Action, Authorize, AuthorizeRequest, Grant, Verdict } from '../auth/authorize.ts'
import { crossSite } from '../auth/cross-site.ts'
import { guard } from '../auth/guard.ts'
import { Refusal } from '../auth/refusal.ts'
import { type Holder, NOBODY } from '../delivery/holder.ts'
import { jitter } from '../clock.ts'
import type { Hub } from '../hub.ts'
import type { Limiter, Who } from '../limits/limiter.ts'
import { Metrics } from '../ops/metrics.ts'
import { checkTargets } from '../publish.ts'
import type { ChannelSet } from '../log/channel-set.ts'
import { checkOrigins, corsHeaders, NO_CORS, preflightHeaders } from './cors.ts'
import { coderOf, type Coding, CODINGS } from '../delivery/coding/coding.ts'
import { codingFor } from './encoding.ts'
import { DEFAULT_HTTP_LIMITS } from './http-limits.ts'
import { alive, list, metricsPage, ready } from './look.ts'
import {
  type Answer,
  type Headers,
  type HttpRequest,
  isLater,
  isNode,
  type LaterAnswer,
  STANDING,
  type WholeAnswer,
} from './message.ts'
import { keysOf, withoutKeys } from './keys-in-url.ts'
import { type ProxySettings, Proxies } from './forwarded.ts'
import { Memo } from './memo.ts'
import { type Observer, type Trace, Witness } from './observe.ts'
import { FreePlaces, type Places } from './places.ts'
import { Polls } from './polls.ts'
import { Problem, problemAnswer, toProblem } from './problem.ts'
import { fromProxies } from './proxied-request.ts'
import { emptyStream, longPoll, stream } from './read.ts'
import { asksForStream, readRequest } from './read-request.ts'
import { RequestIds } from './request-id.ts'
import { wantsProblem } from './negotiate.ts'
import { disconnect } from './disconnect.ts'
import { TicketDesk } from './ticket-desk.ts'
import { drop, publish, type PublishRequest, publishRequest } from './write.ts'

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
  /** What `/` shows. Default nothing: `404`. */
  readonly page?: { readonly headers: Headers; readonly body: string }
}

const STREAM_CODINGS = CODINGS.filter((coding) => coding !== 'identity')
const GZIP = ['gzip'] as const
const LOOK = ['/healthz', '/readyz', '/metrics']
const ASK = ['/tickets', '/disconnect']
const ALLOW = {
  channel: 'GET, HEAD, POST, DELETE, OPTIONS',
  look: 'GET, HEAD, OPTIONS',
  ask: 'POST, OPTIONS',
}
/** A client that was refused for the time being may come back after this long, more or less. */
const COME_BACK_MS = 5_000

export class Handler {
  readonly hub: Hub
  readonly options: HandlerOptions
  readonly #origins: readonly string[]
  readonly metrics: Metrics
  /** For bodies that are large, of all connections. */
  readonly largeBodies: Places
  readonly #polls: Polls
  readonly #limiter: Limiter | undefined
  readonly #compress: readonly string[]
  readonly #desk: TicketDesk | undefined
  readonly #sets = new Memo<ChannelSet>()
  readonly #targets = new Memo<readonly string[]>()
  readonly #proxies: Proxies | undefined
  readonly #witness: Witness

  /** @throws {HubError} `invalid-option` @throws {WireError} `invalid-pattern` */
  constructor(hub: Hub, options: HandlerOptions) {
    this.hub = hub
    this.options = options
    this.#origins = checkOrigins(options.origins ?? [])
    this.metrics = new Metrics(hub)
    this.largeBodies = new FreePlaces(options.largeBodies ?? DEFAULT_HTTP_LIMITS.largeBodies, () =>
      hub.limited.count('large-bodies'),
    )
    this.#limiter = options.authorize ? hub.limiter : hub.ownLimiter
    this.#polls = new Polls(hub, options.authorize === undefined)
    this.#compress = (options.compress ?? []).map(checkPattern)
    if (options.authorize) this.#desk = new TicketDesk(hub, options.ticketSecret)
    this.#proxies = options.proxies && new Proxies(options.proxies)
    this.#witness = new Witness(options.observe, new RequestIds(hub.clock), hub.delivery.report)
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
      ASK.includes(path) ||
      (path === '/' && this.options.page !== undefined)
    )
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
      const routed = this.#route(request)
      answer = routed instanceof Promise ? await routed : routed
      if (!isLater(answer)) this.#witness.answered(request, begun, answer.status)
    } catch (error) {
      answer = this.#refusal(request, error, begun)
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
    const problem = this.#problemOf(error)
    const answer = this.#problem(problem, this.#witness.idOf(trace))
    this.#witness.refused(trace, answer.status, problem.code)
    return this.#finished(answer, method, cors)
  }

  /** Counted, and with what stands on every answer. */
  #finished<A extends Answer>(answer: A, method: string, cors: Headers): A {
    this.metrics.answered(method, answer.status)
    if (cors === NO_CORS && 'vary' in answer.headers) return answer
    return { ...answer, headers: { ...answer.headers, ...cors, ...STANDING } }
  }

  #refusal(request: HttpRequest, error: unknown, begun: number): WholeAnswer {
    const problem = this.#problemOf(error)
    if (error instanceof Refusal) this.#witness.noteSubject(request, error.subject)
    const trace = this.#witness.traceOf(request, begun)
    const honest = !problem.temporary || !asksForStream(request) || wantsProblem(request.header('accept'))
    const answer = honest
      ? this.#problem(problem, trace.id)
      : emptyStream(problem, this.#comeBackMs(), trace.id)
    this.#witness.refused(trace, answer.status, problem.code)
    return answer
  }

  #problemOf(error: unknown): Problem {
    const problem = toProblem(error)
    if (problem.limited !== undefined) this.hub.limited.count(problem.limited)
    if (problem.code === 'internal') this.hub.delivery.report(error)
    return problem
  }

  #problem(problem: Problem, id: string): WholeAnswer {
    const answer = problemAnswer(problem, id)
    if (!problem.temporary || 'retry-after' in answer.headers) return answer
    const retryAfter = String(Math.ceil(this.#comeBackMs() / 1000))
    return { ...answer, headers: { ...answer.headers, 'retry-after': retryAfter } }
  }

  #comeBackMs(): number {
    return jitter(this.hub.clock, COME_BACK_MS, 1 / 2)
  }

  #route(request: HttpRequest): Answer | LaterAnswer | Promise<Answer | LaterAnswer> {
    const writes = request.method === 'POST' || request.method === 'DELETE'
    if (!this.options.authorize) {
      const refusal = guard(request)
      if (refusal !== undefined) throw new Problem('guard', refusal)
    }
    const foreign = writes ? crossSite(request, this.#origins) : undefined
    if (foreign !== undefined) throw new Problem('cross-site', foreign)
    const { path } = request
    if (keysOf(request).ticket !== undefined) return this.#ticketRoute(request)
    if (path.startsWith('/channels/')) return this.#channelRoute(request)
    switch (path) {
      case '/tickets':
        return this.#askRoute(request, () => this.#issue(request))
      case '/disconnect':
        return this.#askRoute(request, async () => {
          await this.#permit(request, 'inspect', [])
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
      case '/': {
        const page = this.options.page
        if (page) return this.#lookRoute(request, 'inspect', () => Promise.resolve({ status: 200, ...page }))
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
        const set = this.#setOf(path)
        if (this.options.authorize === undefined) return this.#read(request, set, NOBODY)
        return this.#permit(request, 'read', set.parts).then((grant) =>
          this.#read(request, set, holderOf(request, grant)),
        )
      }
      case 'POST': {
        const targets = this.#targetsOf(path)
        const plan = publishRequest(request)
        return this.options.authorize === undefined
          ? this.#publish(request, targets, plan, this.#limiter ? holderOf(request, NOBODY) : NOBODY)
          : this.#publishPermitted(request, targets, plan)
      }
      case 'DELETE':
        return this.#drop(request)
      case 'OPTIONS':
        return this.#optionsAnswer(request, ALLOW.channel)
      default:
        throw notAllowed(method, ALLOW.channel)
    }
  }

  /** What a ticket in the URL is for. */
  async #ticketRoute(request: HttpRequest): Promise<Answer> {
    const { method, path } = request
    const { ticket } = keysOf(request)
    if (ticket !== undefined && this.#desk && method === 'GET' && path.startsWith('/channels/')) {
      const set = this.#setOf(path)
      const plan = readRequest(request, this.hub.limits)
      if (plan.transport === 'sse') {
        const holder = await this.#desk.holder(request, ticket, set)
        this.#witness.noteSubject(request, holder.subject)
        return stream(this.hub, request, set, plan, this.#codingOf(request, set), holder)
      }
    }
    throw new Problem(
      'invalid-parameter',
      'A `ticket` opens a stream, and nothing else: send a token, or ask for text/event-stream of a channel',
      { parameter: 'ticket' },
    )
  }

  #issue(request: HttpRequest): Promise<WholeAnswer> {
    if (this.#desk) {
      return this.#desk.issue(request, async (channels) => {
        const grant = await this.#permit(request, 'read', channels)
        this.#limiter?.ticket(holderOf(request, grant))
        return grant
      })
    }
    throw new Problem(
      'not-found',
      'Tickets are for hubs with `authorize`: here everybody may read without one',
    )
  }

  #setOf(path: string): ChannelSet {
    return this.#sets.get(path, () => this.hub.channelSet(namesOf(path)))
  }

  #read(request: HttpRequest, set: ChannelSet, holder: Holder): Answer | LaterAnswer | Promise<Answer> {
    const { hub } = this
    const plan = readRequest(request, hub.limits)
    if (plan.cut) hub.limited.count('wait')
    if (plan.transport === 'sse') return stream(hub, request, set, plan, this.#codingOf(request, set), holder)
    if (plan.transport === 'long-poll') return longPoll(hub, request, set, plan, holder)
    return this.#polls.answer(set, plan, request)
  }

  #codingOf(request: HttpRequest, set: ChannelSet): Coding {
    const rules = this.#compress
    if (rules.length === 0) return 'identity'
    // Node's zstd decoder would lose events: see `coding/zstd.ts`.
    const offered = isNode(request.header('user-agent')) ? GZIP : STREAM_CODINGS
    const wanted = codingFor(request.header('accept-encoding'), offered)
    const covered = (part: string): boolean => rules.some((rule) => coversPart(rule, part))
    return wanted !== undefined && set.parts.every(covered) && coderOf(wanted) ? wanted : 'identity'
  }

  #targetsOf(path: string): readonly string[] {
    return this.#targets.get(path, () => checkTargets(namesOf(path), this.hub.limits.channels))
  }

  async #publishPermitted(
    request: HttpRequest,
    targets: readonly string[],
    plan: PublishRequest,
  ): Promise<WholeAnswer> {
    const grant = await this.#permit(request, 'publish', targets)
    if (plan.end) await this.#permit(request, 'end', targets)
    return this.#publish(request, targets, plan, holderOf(request, grant))
  }

  #publish(
    request: HttpRequest,
    targets: readonly string[],
    plan: PublishRequest,
    who: Who,
  ): Promise<WholeAnswer> {
    const body = this.options.bodyLimit ?? DEFAULT_HTTP_LIMITS.bodyLimit
    const limiter = this.#limiter
    if (limiter === undefined) return publish(this.hub, request, targets, plan, who.subject, { body })
    // Before anything is read: who is too fast by far costs no more than being told so.
    limiter.check(who, targets, 1)
    const pace = (events: number): void => limiter.publish(who, targets, events)
    return publish(this.hub, request, targets, plan, who.subject, { body, pace })
  }

  async #drop(request: HttpRequest): Promise<WholeAnswer> {
    const targets = checkTargets(namesOf(request.path), 1)
    const grant = await this.#permit(request, 'drop', targets)
    this.#limiter?.publish(holderOf(request, grant), targets, 1)
    return drop(this.hub, request, targets[0] as string)
  }

  async #lookRoute(request: HttpRequest, action: Action, look: () => Promise<Answer>): Promise<Answer> {
    if (request.method === 'OPTIONS') return this.#optionsAnswer(request, ALLOW.look)
    if (request.method !== 'GET' && request.method !== 'HEAD') throw notAllowed(request.method, ALLOW.look)
    await this.#permit(request, action, [])
    return look()
  }

  async #askRoute(request: HttpRequest, answer: () => Promise<WholeAnswer>): Promise<Answer> {
    if (request.method === 'OPTIONS') return this.#optionsAnswer(request, ALLOW.ask)
    if (request.method !== 'POST') throw notAllowed(request.method, ALLOW.ask)
    return answer()
  }

  #list(request: HttpRequest): Promise<Answer> {
    return list(this.hub, request, async (channel) => {
      return (
        this.options.authorize === undefined ||
        isYes(await this.options.authorize(this.#viewOf(request), 'read', [channel]))
      )
    })
  }

  #optionsAnswer(request: HttpRequest, allow: string): Answer {
    const headers: Headers = { allow, ...preflightHeaders(request, this.#origins, allow) }
    return { status: 204, headers }
  }

  /** @throws {Problem} `unauthorized`, `forbidden` @throws {HubError} `expired`, `revoked` */
  async #permit(request: HttpRequest, action: Action, channels: readonly string[]): Promise<Grant> {
    const verdict = this.options.authorize
      ? await this.options.authorize(this.#viewOf(request), action, channels)
      : true
    if (isYes(verdict)) {
      const grant = typeof verdict === 'object' ? verdict : NOBODY
      this.#witness.noteSubject(request, grant.subject)
      if (grant !== NOBODY) this.hub.checkRight(grant)
      return grant
    }
    if (verdict instanceof Refusal) throw verdict
    if (request.header('authorization') !== undefined) {
      // RFC 6750 section 3.1
      const challenge = { 'www-authenticate': 'Bearer error="insufficient_scope"' }
      throw new Problem('forbidden', `You may not ${action} this: ask for the right to`, {}, challenge)
    }
    throw new Problem(
      'unauthorized',
      `To ${action} this, say who you are in \`Authorization\``,
      {},
      { 'www-authenticate': 'Bearer' },
    )
  }

  /** What is handed out may be taken apart: `({ header }) => …`. */
  #viewOf(request: HttpRequest): AuthorizeRequest {
    const { method, path, address, raw } = request
    const { accessToken } = keysOf(request)
    return {
      method,
      path,
      address,
      accessToken,
      raw,
      header: (name) => request.header(name),
      crossSite: () => crossSite(request, this.#origins),
    }
  }
}

function holderOf({ address }: HttpRequest, { subject, issued, until, limits }: Grant): Holder {
  return {
    subject,
    ...(issued !== undefined && { issued }),
    ...(address !== undefined && { address }),
    ...(until !== undefined && { until }),
    ...(limits && { limits }),
  }
}

function isYes(verdict: Verdict): verdict is true | Grant {
  return (
    verdict === true || (typeof verdict === 'object' && verdict !== null && !(verdict instanceof Refusal))
  )
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

/** The names and patterns of a path. @throws {Problem} `invalid-channel` for what is no percent-encoding */
function namesOf(path: string): readonly string[] {
  try {
    // No name holds a comma, so an encoded one separates too.
    return decodeURIComponent(path.slice('/channels/'.length)).split(',')
  } catch {
    throw new Problem(
      'invalid-channel',
      'Expected channel names, percent-encoded as UTF-8, got something else',
    )
  }
}
