/** One client's connection, and the one to the target that belongs to it: one request at a time. */
import type { Socket } from 'node:net'
import { reset } from '../reset.ts'
import { answerPage } from './answer-page.ts'
import { Exchange, proxiedRequest } from './exchange.ts'
import type { Answer, Plan, ProxiedRequest } from './fault.ts'
import { type Framing, framingOfRequest } from './framing.ts'
import { closesAfter, type Head, readHead, without, writeHead } from './head.ts'
import { Outlet } from './outlet.ts'
import { Response, type Step } from './response.ts'
import { type Address, type Asker, Target } from './target.ts'

/** What the connection asks of the proxy that it belongs to. */
export interface Surroundings {
  readonly headLimit: number
  readonly bufferLimit: number
  /** Where a new connection to the target leads. */
  target(): Address
  /** Counts it. */
  asked(request: ProxiedRequest): void
  /** What is wrong for it now. */
  planFor(request: ProxiedRequest): Plan
  /** What is wrong with a connection on which nothing is asked. */
  idlePlan(): Plan
  /** Whether the proxy's own answer is one of those that it was to give; counts it. */
  takeAnswer(): boolean
  overflowed(): void
}

const NOTHING = Buffer.alloc(0)
/** Requests that a client sends before it has its answer: more than this waits in the kernel. */
const PIPELINE_LIMIT = 64 * 1024

/** `silent`: nothing passes any more, and nobody is told. `over`: it is closed, or closing. */
type State = 'open' | 'silent' | 'over'

export class Connection {
  /** Resolves when both sockets are closed. */
  readonly gone: Promise<void>
  readonly #client: Socket
  readonly #around: Surroundings
  readonly #toClient: Outlet
  readonly #sockets = new Set<Socket>()
  readonly #left = Promise.withResolvers<void>()
  #state: State = 'open'
  #target: Target | undefined
  #exchange: Exchange | undefined
  /** What came of the client and was not looked at yet. */
  #input: Buffer = NOTHING

  constructor(client: Socket, around: Surroundings) {
    this.#client = client
    this.#around = around
    this.gone = this.#left.promise
    this.#toClient = new Outlet(client, around.bufferLimit, () => this.#resume(this.#target?.socket))
    this.#own(client)
    client.setNoDelay()
    client.on('data', (bytes: Buffer) => this.#take(bytes))
    // A client that closes its side is gone for a proxy: what it was promised has nowhere to go.
    for (const event of ['end', 'error', 'close']) client.on(event, () => this.#clientLeft())
  }

  /** Ends both sides now, whatever is under way. Idempotent. */
  cut(by: 'reset' | 'end'): void {
    if (this.#state !== 'over') {
      this.#state = 'over'
      this.#exchange?.disarm()
      this.#toClient.stop()
      this.#leaveTarget()
      if (by === 'end') this.#client.destroySoon()
    }
    // Also of one that is ending: a client that does not read would keep it for ever.
    if (by === 'reset' && !this.#client.destroyed) reset(this.#client)
  }

  /** Another plan for what is under way. */
  change(): void {
    if (this.#state !== 'open') return
    const exchange = this.#exchange
    if (exchange === undefined) {
      this.#perhapsAtOnce(this.#around.idlePlan())
      return
    }
    exchange.plan = this.#around.planFor(exchange.request)
    if (!this.#arm(exchange) || exchange.response === undefined) return
    this.#carryOut(exchange, exchange.response.change(exchange.plan))
  }

  /** Whether the connection is open all the same. */
  #perhapsAtOnce({ cut, silence }: Plan): boolean {
    if (silence?.afterMs === 0) this.#silence()
    else if (cut?.afterMs === 0) this.cut(cut.by)
    return this.#state === 'open'
  }

  #arm(exchange: Exchange): boolean {
    if (!this.#perhapsAtOnce(exchange.plan)) return false
    exchange.arm(
      (by) => this.cut(by),
      () => this.#silence(),
    )
    return true
  }

  /** What comes stays in the kernel, on both sides, and ends of connections are not passed on. */
  #silence(): void {
    if (this.#state !== 'open') return
    this.#state = 'silent'
    this.#exchange?.disarm()
    this.#toClient.stop()
    this.#target?.outlet.stop()
    for (const socket of this.#sockets) socket.pause()
  }

  #clientLeft(): void {
    if (this.#state === 'open') this.cut('end')
  }

  #take(bytes: Buffer): void {
    if (this.#state !== 'open') return
    this.#input = this.#input.length === 0 ? bytes : Buffer.concat([this.#input, bytes])
    this.#takeRequests()
  }

  #takeRequests(): void {
    while (this.#state === 'open') {
      if (this.#exchange === undefined) {
        const read = readHead(this.#input, 'request', this.#around.headLimit)
        if (read === 'more') return
        if (typeof read === 'string') return this.#refuse(read === 'bad' ? 400 : 431)
        this.#input = read.rest
        this.#begin(read.head)
        continue
      }
      if (this.#exchange.body.ended) break
      if (this.#input.length === 0) return
      const followed = this.#exchange.body.push(this.#input)
      if (followed === 'bad') return this.cut('end')
      this.#toTarget(this.#exchange, this.#input.subarray(0, this.#input.length - followed.rest.length))
      this.#input = followed.rest
      this.#perhapsNext()
    }
    // Its end is still to be noticed, so it is read on while it waits for an answer, but not for ever.
    if (this.#input.length > PIPELINE_LIMIT) this.#client.pause()
  }

  #begin(head: Head): void {
    const request = proxiedRequest(head)
    const framing = framingOfRequest(head)
    if (framing === 'bad') return this.#refuse(400)
    if (request.method === 'CONNECT') return this.#refuse(501)
    this.#around.asked(request)
    const exchange = new Exchange(head, framing, request, this.#around.planFor(request))
    this.#exchange = exchange
    if (!this.#arm(exchange)) return
    const { answer, strip } = exchange.plan
    if (answer && this.#around.takeAnswer()) return this.#answer(exchange, answer)
    exchange.forwarded = true
    this.#target ??= this.#connect()
    this.#target.ask(request.method)
    this.#toTarget(exchange, writeHead(without(head, strip)))
  }

  /** What is no request. Nothing can be said about what follows. */
  #refuse(status: number): void {
    const { head, body } = answerPage({ status }, undefined)
    this.#input = NOTHING
    this.#toClient.put(Buffer.concat([writeHead(head), body]))
    this.#toClient.afterwards(() => this.cut('end'))
  }

  #connect(): Target {
    const target = new Target(this.#around.target(), this.#around, this.#asker)
    this.#own(target.socket)
    return target
  }

  /** The request goes on to its end, even if it has its answer already. */
  #toTarget(exchange: Exchange, bytes: Buffer): void {
    if (this.#target === undefined || !exchange.forwarded) return
    this.#target.outlet.put(bytes, { delayMs: exchange.plan.requestMs })
    if (this.#target.outlet.fills()) this.#client.pause()
  }

  readonly #asker: Asker = {
    interim: (head) => this.#answering((exchange) => this.#put(exchange, writeHead(head))),
    head: (head, framing) => this.#answering((exchange) => this.#takeHead(exchange, head, framing)),
    body: (bytes) => this.#answering((exchange) => this.#takeBody(exchange, bytes)),
    whole: () => this.#answering((exchange) => this.#carryOut(exchange, exchange.response?.end() ?? [])),
    nonsense: () => this.#answering((exchange) => this.#targetFailed(exchange)),
    closed: (by) => this.#targetClosed(by),
    drained: () => this.#resume(this.#client),
  }

  /** What the target says counts as long as somebody waits for it. */
  #answering(act: (exchange: Exchange) => void): void {
    const exchange = this.#exchange
    if (this.#state === 'open' && exchange?.forwarded && !exchange.answered) act(exchange)
  }

  #takeHead(exchange: Exchange, head: Head, framing: Framing): void {
    exchange.response = new Response(head, framing, exchange.head, exchange.plan)
    this.#carryOut(exchange, exchange.response.begin())
  }

  #takeBody(exchange: Exchange, bytes: Buffer): void {
    const { response } = exchange
    if (response === undefined) return
    this.#carryOut(exchange, response.body(bytes))
    if (response.held > this.#around.bufferLimit) {
      this.#around.overflowed()
      this.cut('reset')
    } else if (this.#toClient.fills()) this.#target?.socket.pause()
  }

  #put({ plan }: Exchange, bytes: Buffer): void {
    this.#toClient.put(bytes, { delayMs: plan.responseMs, pace: plan.pace })
  }

  #carryOut(exchange: Exchange, steps: readonly Step[]): void {
    const delay = { delayMs: exchange.plan.responseMs }
    for (const step of steps) {
      if (typeof step !== 'string') this.#put(exchange, step)
      else if (step === 'silence') return this.#toClient.afterwards(() => this.#silence(), delay)
      else return this.#answered(exchange, step)
    }
    if (exchange.response?.ended) this.#answered(exchange, 'stays')
  }

  /** An answer of the proxy's own, in place of the target's. */
  #answer(exchange: Exchange, answer: Answer): void {
    const { head, body } = answerPage(answer, exchange.head)
    this.#put(exchange, Buffer.concat([writeHead(head), body]))
    this.#answered(exchange, closesAfter(head) ? 'end' : 'stays')
  }

  /** All of an answer is on its way; what becomes of the connection when it is out. */
  #answered(exchange: Exchange, then: 'stays' | 'end' | 'reset'): void {
    if (exchange.answered) return
    exchange.answered = true
    // It would go on sending what nobody gets.
    if (exchange.response && this.#target?.busy) this.#leaveTarget()
    if (then === 'stays') return this.#perhapsNext()
    const act = (): void => {
      if (then === 'end') this.cut('end')
      // What was written is to arrive before the reset does.
      else this.#client.write(NOTHING, () => this.cut('reset'))
    }
    this.#toClient.afterwards(act, { delayMs: exchange.plan.responseMs })
  }

  #perhapsNext(): void {
    const exchange = this.#exchange
    if (!exchange?.answered || !exchange.body.ended) return
    exchange.disarm()
    this.#exchange = undefined
    this.#resume(this.#client)
    if (this.#input.length > 0) queueMicrotask(() => this.#takeRequests())
  }

  #targetClosed(by: 'reset' | 'end'): void {
    if (this.#state !== 'open') return
    const target = this.#target
    this.#target = undefined
    const exchange = this.#exchange
    // As if the client were connected to it. An answer that is on its way comes first.
    if (!exchange?.forwarded || exchange.answered) return this.#toClient.afterwards(() => this.cut(by))
    const { response } = exchange
    if (response === undefined) {
      // On a connection that was kept it may have closed before it saw the request: clients know that, and ask again.
      if (target?.used) this.cut(by)
      else this.#targetFailed(exchange)
    } else if (target?.closeDelimited && by === 'end') this.#carryOut(exchange, response.end())
    else if (response.untouched) this.#targetFailed(exchange)
    else if (by === 'reset') this.#answered(exchange, 'reset')
    else this.#carryOut(exchange, response.breakOff())
  }

  /** There is no answer, or no whole one, to pass on. */
  #targetFailed(exchange: Exchange): void {
    this.#leaveTarget()
    if (exchange.response?.untouched === false) this.cut('reset')
    else this.#answer(exchange, { status: 502 })
  }

  #leaveTarget(): void {
    this.#target?.leave()
    this.#target = undefined
  }

  #resume(socket: Socket | undefined): void {
    if (this.#state === 'open') socket?.resume()
  }

  #own(socket: Socket): void {
    this.#sockets.add(socket)
    socket.once('close', () => {
      this.#sockets.delete(socket)
      if (this.#sockets.size === 0) this.#left.resolve()
    })
  }
}
