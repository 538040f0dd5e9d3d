/** One client's connection and the one to the target that belongs to it: one request at a time, in both directions. */
import { connect, type Socket } from 'node:net'
import type { Answer, Plan, ProxiedRequest } from './fault.ts'
import { Body, framingOfRequest, framingOfResponse } from './framing.ts'
import {
  closesAfter,
  type Head,
  readHead,
  requestLineOf,
  statusOf,
  valueOf,
  without,
  writeHead,
} from './head.ts'
import { Outlet } from './outlet.ts'
import { answerPage } from './answer-page.ts'
import { Response, type Step } from './response.ts'

export interface Address {
  readonly host: string
  readonly port: number
}

/** What the connection asks of the proxy that it belongs to. */
export interface Surroundings {
  /** Where a new connection to the target leads. */
  target(): Address
  readonly headLimit: number
  readonly bufferLimit: number
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

/** A request and what became of it so far. */
interface Exchange {
  readonly request: ProxiedRequest
  readonly head: Head
  /** The request's own. */
  readonly body: Body
  plan: Plan
  /** The target's body, followed. */
  source?: Body
  response?: Response
  /** The last byte of the response is on its way to the client. */
  answered: boolean
  readonly timers: NodeJS.Timeout[]
}

interface Target {
  readonly socket: Socket
  readonly outlet: Outlet
  /** What came of it and was not looked at yet. */
  input: Buffer
  /** Whether it has answered anything: before that a failure is `502`. */
  used: boolean
}

const NOTHING = Buffer.alloc(0)
/** Requests that a client sends before it has its answer: more than this waits in the kernel. */
const PIPELINE_LIMIT = 64 * 1024

export class Connection {
  /** Resolves when both sockets are closed. */
  readonly gone: Promise<void>
  readonly #client: Socket
  readonly #around: Surroundings
  readonly #toClient: Outlet
  readonly #sockets = new Set<Socket>()
  #target: Target | undefined
  #exchange: Exchange | undefined
  #input: Buffer = NOTHING
  /** Nothing passes any more, and nobody is told. */
  #silent = false
  #over = false
  readonly #left = Promise.withResolvers<void>()

  constructor(client: Socket, around: Surroundings) {
    this.#client = client
    this.#around = around
    this.gone = this.#left.promise
    this.#toClient = new Outlet(client, around.bufferLimit, () => this.#resume(this.#target?.socket))
    this.#hold(client)
    client.setNoDelay()
    client.on('data', (bytes: Buffer) => this.#fromClient(bytes))
    // A client that closes its side is gone for a proxy; what it was promised has nowhere to go.
    for (const event of ['end', 'error', 'close']) client.on(event, () => this.#clientLeft())
  }

  #clientLeft(): void {
    if (!this.#silent) this.cut('end')
  }

  /** Ends both sides now, whatever is under way. Idempotent. */
  cut(by: 'reset' | 'end'): void {
    if (!this.#over) {
      this.#over = true
      for (const timer of this.#exchange?.timers ?? []) clearTimeout(timer)
      this.#toClient.stop()
      this.#leaveTarget()
      if (by === 'end') this.#client.destroySoon()
    }
    // Also of one that is ending: a client that does not read would keep it for ever.
    if (by === 'reset' && !this.#client.destroyed) this.#client.resetAndDestroy()
  }

  /** Another plan for what is under way. */
  change(): void {
    const exchange = this.#exchange
    if (this.#over || this.#silent) return
    if (exchange === undefined) {
      // Nothing is asked at the moment; what happens to the connection itself happens all the same.
      this.#perhapsAtOnce(this.#around.idlePlan())
      return
    }
    exchange.plan = this.#around.planFor(exchange.request)
    for (const timer of exchange.timers.splice(0)) clearTimeout(timer)
    this.#arm(exchange)
    if (this.#over || this.#silent) return
    if (exchange.response) this.#carryOut(exchange, exchange.response.change(exchange.plan))
  }

  #perhapsAtOnce({ cut, silence }: Plan): void {
    if (silence?.afterMs === 0) this.#silence()
    else if (cut?.afterMs === 0) this.cut(cut.by)
  }

  #arm(exchange: Exchange): void {
    const { cut, silence } = exchange.plan
    this.#perhapsAtOnce(exchange.plan)
    if (this.#over || this.#silent) return
    if (cut && cut.afterMs !== Infinity) exchange.timers.push(setTimeout(() => this.cut(cut.by), cut.afterMs))
    if (silence && silence.afterMs !== Infinity)
      exchange.timers.push(setTimeout(() => this.#silence(), silence.afterMs))
  }

  /** Bytes stay in the kernel, on both sides, and so do the ends of connections. */
  #silence(): void {
    this.#silent = true
    for (const timer of this.#exchange?.timers ?? []) clearTimeout(timer)
    this.#toClient.stop()
    this.#target?.outlet.stop()
    for (const socket of this.#sockets) socket.pause()
  }

  #fromClient(bytes: Buffer): void {
    if (this.#silent || this.#over) return
    this.#input = this.#input.length === 0 ? bytes : Buffer.concat([this.#input, bytes])
    this.#takeRequests()
  }

  #takeRequests(): void {
    while (!this.#over && !this.#silent) {
      if (this.#exchange === undefined) {
        const read = readHead(this.#input, 'request', this.#around.headLimit)
        if (read === 'more') return
        if (read === 'too-large') return this.#refuse(431)
        if (read === 'bad') return this.#refuse(400)
        this.#input = read.rest
        this.#begin(read.head)
        continue
      }
      if (this.#exchange.body.ended) break
      if (this.#input.length === 0) return
      const followed = this.#exchange.body.push(this.#input)
      if (followed === 'bad') return this.cut('end')
      const raw = this.#input.subarray(0, this.#input.length - followed.rest.length)
      this.#input = followed.rest
      this.#toTarget(this.#exchange, raw)
      this.#perhapsNext()
    }
    // Its end is still to be noticed, so it is read on while it waits for an answer, but not for ever.
    if (this.#input.length > PIPELINE_LIMIT) this.#client.pause()
  }

  #begin(head: Head): void {
    const { method } = requestLineOf(head)
    const request = proxiedRequest(head)
    const framing = framingOfRequest(head)
    if (framing === 'bad') return this.#refuse(400)
    if (method === 'CONNECT') return this.#refuse(501)
    this.#around.asked(request)
    const exchange: Exchange = {
      request,
      head,
      body: new Body(framing),
      plan: this.#around.planFor(request),
      answered: false,
      timers: [],
    }
    this.#exchange = exchange
    this.#arm(exchange)
    if (this.#over || this.#silent) return
    const { answer } = exchange.plan
    if (answer && this.#around.takeAnswer()) return this.#answer(exchange, answer)
    this.#target ??= this.#connect()
    this.#toTarget(exchange, writeHead(without(head, exchange.plan.strip)))
  }

  /** An answer of the proxy's own, in place of the target's. */
  #answer(exchange: Exchange, answer: Answer): void {
    const { head, body } = answerPage(answer, exchange.head)
    this.#put(exchange, Buffer.concat([writeHead(head), body]))
    this.#answered(exchange, closesAfter(head) ? 'end' : 'stays')
  }

  /** What is no request. Nothing can be said about what follows. */
  #refuse(status: number): void {
    const { head, body } = answerPage({ status }, undefined)
    this.#input = NOTHING
    this.#toClient.put(Buffer.concat([writeHead(head), body]))
    this.#toClient.afterwards(() => this.cut('end'))
  }

  #toTarget(exchange: Exchange, bytes: Buffer): void {
    const target = this.#target
    if (target === undefined || exchange.answered) return
    target.outlet.put(bytes, { delayMs: exchange.plan.requestMs })
    if (target.outlet.fills()) this.#client.pause()
  }

  #connect(): Target {
    const socket = connect({ ...this.#around.target(), noDelay: true, allowHalfOpen: true })
    this.#hold(socket)
    const outlet = new Outlet(socket, this.#around.bufferLimit, () => this.#resume(this.#client))
    const target: Target = { socket, outlet, input: NOTHING, used: false }
    socket.on('data', (bytes: Buffer) => this.#fromTarget(target, bytes))
    socket.on('end', () => this.#targetEnded(target, 'end'))
    socket.on('error', () => this.#targetEnded(target, 'reset'))
    socket.on('close', () => this.#targetEnded(target, 'end'))
    return target
  }

  #fromTarget(target: Target, bytes: Buffer): void {
    if (this.#silent || this.#over || this.#target !== target) return
    target.input = target.input.length === 0 ? bytes : Buffer.concat([target.input, bytes])
    const exchange = this.#exchange
    // Nothing was asked.
    if (exchange === undefined || exchange.answered) return
    while (target.input.length > 0 && !exchange.answered && this.#target === target) {
      if (exchange.response === undefined) {
        const read = readHead(target.input, 'response', this.#around.headLimit)
        if (read === 'more') return
        if (read === 'too-large' || read === 'bad') return this.#targetFailed(exchange)
        target.input = read.rest
        target.used = true
        if (!this.#takeResponseHead(exchange, read.head)) return this.#targetFailed(exchange)
        continue
      }
      const { source, response } = exchange
      const followed = source?.push(target.input) ?? 'bad'
      if (followed === 'bad') return this.cut('reset')
      target.input = followed.rest
      for (const part of followed.payload) this.#carryOut(exchange, response.body(part))
      if (source?.ended) this.#carryOut(exchange, response.end())
    }
    if (this.#exchange?.response && this.#exchange.response.held > this.#around.bufferLimit) {
      this.#around.overflowed()
      this.cut('reset')
    }
    if (this.#toClient.fills()) target.socket.pause()
  }

  #takeResponseHead(exchange: Exchange, head: Head): boolean {
    const framing = framingOfResponse(head, requestLineOf(exchange.head).method)
    if (framing === 'bad') return false
    const status = statusOf(head)
    if (status < 200) {
      if (status === 101) return false
      this.#put(exchange, writeHead(head))
      return true
    }
    exchange.source = new Body(framing)
    exchange.response = new Response(head, framing, exchange.head, exchange.plan)
    this.#carryOut(exchange, exchange.response.begin())
    if (exchange.source.ended) this.#carryOut(exchange, exchange.response.end())
    return true
  }

  #put({ plan }: Exchange, bytes: Buffer): void {
    this.#toClient.put(bytes, { delayMs: plan.responseMs, pace: plan.pace })
  }

  #carryOut(exchange: Exchange, steps: readonly Step[]): void {
    for (const step of steps) {
      if (typeof step !== 'string') this.#put(exchange, step)
      else if (step === 'silence')
        this.#toClient.afterwards(() => this.#silence(), { delayMs: exchange.plan.responseMs })
      else this.#answered(exchange, step)
    }
    if (exchange.response?.ended && !exchange.answered && !steps.includes('silence')) {
      this.#answered(exchange, 'stays')
    }
  }

  /** All of the response is on its way; what becomes of the connection when it is out. */
  #answered(exchange: Exchange, then: 'stays' | 'end' | 'reset'): void {
    if (exchange.answered) return
    exchange.answered = true
    // It would go on sending what nobody gets.
    if (exchange.source && !exchange.source.ended) this.#leaveTarget()
    if (then === 'stays') return this.#perhapsNext()
    this.#toClient.afterwards(
      () => {
        if (then === 'end') this.cut('end')
        // What was written is to arrive before the reset does.
        else this.#client.write(NOTHING, () => this.cut('reset'))
      },
      { delayMs: exchange.plan.responseMs },
    )
  }

  #perhapsNext(): void {
    const exchange = this.#exchange
    if (!exchange?.answered || !exchange.body.ended) return
    for (const timer of exchange.timers) clearTimeout(timer)
    this.#exchange = undefined
    this.#resume(this.#client)
    if (this.#input.length > 0) queueMicrotask(() => this.#takeRequests())
  }

  /** The target has closed its side, or the connection to it broke; told once. */
  #targetEnded(target: Target, by: 'reset' | 'end'): void {
    if (this.#target !== target || this.#over || this.#silent) return
    const exchange = this.#exchange
    if (exchange === undefined || exchange.answered) {
      this.#leaveTarget()
      // As if the client were connected to it: it closes between two requests. An answer on its way comes first.
      if (exchange === undefined || exchange.body.ended) this.#toClient.afterwards(() => this.cut(by))
      return
    }
    const { response, source } = exchange
    if (response === undefined || source === undefined) {
      if (!target.used) return this.#targetFailed(exchange)
      return this.cut(by)
    }
    this.#target = undefined
    target.socket.destroy()
    if (source.framing.kind === 'close' && by === 'end') this.#carryOut(exchange, response.end())
    else if (response.untouched) this.#targetFailed(exchange)
    else if (by === 'reset') this.#answered(exchange, 'reset')
    else this.#carryOut(exchange, response.breakOff())
  }

  /** There is no answer to pass on. */
  #targetFailed(exchange: Exchange): void {
    this.#leaveTarget()
    this.#answer(exchange, { status: 502 })
  }

  #leaveTarget(): void {
    this.#target?.outlet.stop()
    this.#target?.socket.destroy()
    this.#target = undefined
  }

  #resume(socket: Socket | undefined): void {
    if (!this.#silent && !this.#over) socket?.resume()
  }

  #hold(socket: Socket): void {
    this.#sockets.add(socket)
    socket.once('close', () => {
      this.#sockets.delete(socket)
      if (this.#sockets.size === 0) this.#left.resolve()
    })
  }
}

function proxiedRequest(head: Head): ProxiedRequest {
  const { method, target } = requestLineOf(head)
  const [, path = '', query = ''] = /^([^?]*)(\?.*)?$/.exec(target) ?? []
  const names = new Set(head.fields.map(([name]) => name.toLowerCase()))
  const headers = Object.fromEntries(Array.from(names, (name) => [name, valueOf(head, name) ?? '']))
  return { method, path, query, headers }
}
