/** A request, and what became of it so far. */
import type { Plan, ProxiedRequest } from './fault.ts'
import { Body, type Framing } from './framing.ts'
import { type Head, requestLineOf, valueOf } from './head.ts'
import type { Response } from './response.ts'

export class Exchange {
  readonly head: Head
  readonly request: ProxiedRequest
  /** The request's own. */
  readonly body: Body
  plan: Plan
  /** The target's answer on its way, as soon as its head is there. */
  response: Response | undefined
  /** Whether the target was asked. */
  forwarded = false
  /** Whether the last byte of an answer is on its way to the client. */
  answered = false
  #timers: NodeJS.Timeout[] = []

  constructor(head: Head, framing: Framing, request: ProxiedRequest, plan: Plan) {
    this.head = head
    this.body = new Body(framing)
    this.request = request
    this.plan = plan
  }

  get method(): string {
    return this.request.method
  }

  /** Starts waiting for what happens by time, anew. */
  arm(cut: (by: 'reset' | 'end') => void, silence: () => void): void {
    this.disarm()
    const { cut: cutting, silence: falling } = this.plan
    if (cutting && cutting.afterMs !== Infinity) {
      this.#timers.push(setTimeout(() => cut(cutting.by), cutting.afterMs))
    }
    if (falling && falling.afterMs !== Infinity) this.#timers.push(setTimeout(silence, falling.afterMs))
  }

  disarm(): void {
    for (const timer of this.#timers) clearTimeout(timer)
    this.#timers = []
  }
}

export function proxiedRequest(head: Head): ProxiedRequest {
  const { method, target } = requestLineOf(head)
  const [, path = '', query = ''] = /^([^?]*)(\?.*)?$/.exec(target) ?? []
  const names = new Set(head.fields.map(([name]) => name.toLowerCase()))
  const headers = Object.fromEntries(Array.from(names, (name) => [name, valueOf(head, name) ?? '']))
  return { method, path, query, headers }
}
