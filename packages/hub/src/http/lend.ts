/**
 * Borrows the sockets of streams and long polls from Node's server, so that what only waits holds no parser, request or response.
 *
 * Why: RSS of an idle reader with `req` and `res` kept, and lent, over 10,000 (docs/performance.md has the figures).
 *
 * How: after each parse `node:http` looks whether the request in its parser says `upgrade`; if so it takes its listeners off the
 * socket, frees the parser and emits `'upgrade'`. That is how WebSocket servers get their sockets. What is not documented is that
 * a `'request'` listener may say so itself. All that this rests on has a guard: where one does not hold, the request is answered
 * with its response kept, as everywhere else. Nothing but memory is lost then, and `test/http-lend*.test.ts` fails.
 */
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { DEFAULT_HTTP_LIMITS } from './http-limits.ts'
import type { Handler } from './handler.ts'
import type { Desk } from './loan.ts'
import { Loan } from './loan.ts'
import type { NodeHandlerOptions, RequestListener } from './node.ts'
import { type BodyTerms, bodyTerms } from './node-body.ts'
import { needsChunks, NodeRequest } from './node-request.ts'
import { Taking } from './taking.ts'
import { leaveLine } from './turns.ts'

/** Why a request that would stay is answered with its response kept. */
export type Obstacle =
  /** This Node asks nobody whether an `Upgrade` is wanted, or somebody else listens for them: they would get our sockets. */
  | 'server'
  /** HTTP/1 has a body, an `Expect` or an `Upgrade`: more may be said before the answer. */
  | 'head'
  /** An answer is still under way on this connection. */
  | 'turn'
  /** There are bytes behind the request, which the parser has taken. */
  | 'behind'
  /** Node did not do as was hoped. */
  | 'refused'

/** What is not documented of what is used here. */
interface Upgradable extends IncomingMessage {
  upgrade?: boolean
}
interface Parsed extends Socket {
  readonly parser?: { getCurrentBuffer?(): Buffer | undefined } | null
}
interface AskedServer extends Server {
  readonly shouldUpgradeCallback?: unknown
}

interface Offer {
  readonly req: Upgradable
  readonly res: ServerResponse
}

/** Takes over the socket of an upgrade, with what came behind its head. */
export type Upgrade = (req: IncomingMessage, socket: Socket, head: Buffer) => void

const lenders = new WeakMap<Server, Lender>()

/** For tests and those who measure. */
export function lenderOf(server: Server): Lender | undefined {
  return lenders.get(server)
}

export class Lender implements Desk {
  readonly handler: Handler
  readonly keepAliveMs: number
  readonly keepAliveBufferMs: number
  /** How many requests were answered with their response kept though they would stay, and why. */
  readonly kept = new Map<Obstacle, number>()
  /** How many sockets were lent. */
  lent = 0
  readonly #server: Server
  readonly #back: (socket: Socket) => void
  readonly #upgrade: Upgrade
  readonly #keep: RequestListener
  readonly taking: Taking
  readonly #mount: string | undefined
  readonly #bodies: BodyTerms
  readonly #loans = new Set<Loan>()
  readonly #able: boolean
  #offer: Offer | undefined

  /**
   * @param server With a `shouldUpgradeCallback` that says no to all that `upgrade` does not take.
   * @param keep Answers with the response kept.
   * @param back Gives a connection to the server, as if it were a new one.
   * @param upgrade Takes the upgrades that are none of ours.
   */
  constructor(
    server: Server,
    handler: Handler,
    options: NodeHandlerOptions,
    keep: RequestListener,
    back: (socket: Socket) => void,
    upgrade: Upgrade,
  ) {
    this.handler = handler
    this.keepAliveMs = server.keepAliveTimeout
    this.keepAliveBufferMs = server.keepAliveTimeoutBuffer
    this.#server = server
    this.#back = back
    this.#upgrade = upgrade
    this.#keep = keep
    this.taking = new Taking(handler.hub, options.answerTimeoutMs ?? DEFAULT_HTTP_LIMITS.answerTimeoutMs)
    this.#mount = options.mount
    this.#bodies = bodyTerms(handler, options)
    // An older Node takes it that whoever listens wants every `Upgrade`, which the hub ignores (protocol 18.1.5).
    this.#able = typeof (server as AskedServer).shouldUpgradeCallback === 'function'
    if (this.#able) server.on('upgrade', (req, socket, head) => this.#take(req, socket as Socket, head))
    lenders.set(server, this)
  }

  /** Of a `'request'`. False: it is to be answered with its response kept. */
  offer(req: IncomingMessage, res: ServerResponse): boolean {
    // Pipelined behind one that was to be lent: that one comes first.
    this.#refuse()
    if (!wouldStay(req)) return false
    const obstacle = this.#obstacle(req, res)
    if (obstacle !== undefined) {
      this.#count(obstacle)
      return false
    }
    const offer = { req: req as Upgradable, res }
    offer.req.upgrade = true
    this.#offer = offer
    // By then the parser has done with what came, and Node has taken the offer, or will not.
    queueMicrotask(() => {
      if (this.#offer === offer) this.#refuse()
    })
    return true
  }

  giveBack(loan: Loan): void {
    this.#loans.delete(loan)
    this.#back(loan.socket)
  }

  forget(loan: Loan): void {
    this.#loans.delete(loan)
  }

  /** As `closeIdleConnections`, which knows nothing of sockets that are lent. */
  closeIdle(): void {
    for (const loan of this.#loans) loan.closeIfIdle()
  }

  /** As `closeAllConnections`. */
  closeAll(): void {
    for (const loan of this.#loans) loan.abort()
  }

  #obstacle(req: IncomingMessage, res: ServerResponse): Obstacle | undefined {
    const { socket, headers } = req
    if (!this.#able || this.#server.listenerCount('upgrade') !== 1) return 'server'
    if (
      'content-length' in headers ||
      'transfer-encoding' in headers ||
      'expect' in headers ||
      'upgrade' in headers
    )
      return 'head'
    if (res.socket !== socket || !socket.writable || !leaveLine(socket)) return 'turn'
    return endsWithHead(socket) ? undefined : 'behind'
  }

  #take(req: IncomingMessage, socket: Socket, head: Buffer): void {
    const offer = this.#offer
    if (offer?.req !== req) return this.#upgrade(req, socket, head)
    this.#offer = undefined
    // No other stream than the socket is let through: Node would have changed.
    if (req.socket !== socket) return void socket.destroy()
    const { res } = offer
    res.detachSocket(socket)
    this.lent++
    const modern = req.httpVersionMinor === 1
    const loan = new Loan(socket, this, {
      keep: res.shouldKeepAlive,
      modern,
      chunked: modern && needsChunks(req),
    })
    this.#loans.add(loan)
    void loan.answer(new NodeRequest(req, socket, this.#mount, this.#bodies))
  }

  #refuse(): void {
    const offer = this.#offer
    if (offer === undefined) return
    this.#offer = undefined
    offer.req.upgrade = false
    this.#count('refused')
    void this.#keep(offer.req, offer.res)
  }

  #count(obstacle: Obstacle): void {
    this.kept.set(obstacle, (this.kept.get(obstacle) ?? 0) + 1)
  }
}

/** Whether the answer may last, judged at a glance: either way the answer is the same. */
export function wouldStay({ method, url = '', headers }: IncomingMessage): boolean {
  if (method !== 'GET') return false
  const { accept, prefer } = headers
  return (
    (accept !== undefined && accept.includes('text/event-stream')) ||
    (prefer !== undefined && prefer.includes('wait')) ||
    /[?&](?:wait=[1-9]|transport=(?:sse|long-poll))/.test(url)
  )
}

/**
 * Whether what the parser is at ends with the head of this request. What lies behind it would go with the parser: the beginning
 * of the next request, or all of it.
 */
function endsWithHead(socket: Parsed): boolean {
  const bytes = socket.parser?.getCurrentBuffer?.()
  if (!Buffer.isBuffer(bytes)) return false
  const end = '\r\n\r\n'
  if (bytes.length <= end.length) return end.endsWith(bytes.toString('latin1'))
  // These may be the end of the head, and anything behind them.
  if (bytes[0] === 13 || bytes[0] === 10) return false
  return bytes.indexOf(end) === bytes.length - end.length
}
