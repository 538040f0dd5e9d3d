/** One response on its way through: what is done to its head and body, and what then goes to the client. Pure. */
import { gzipSync } from 'node:zlib'
import { holdsHead, type Plan } from './fault.ts'
import { frame, frameEnd, type Framing } from './framing.ts'
import { closesAfter, type Head, hasWord, statusOf, valueOf, withField, without, writeHead } from './head.ts'
import { HeldBody } from './hold.ts'

/** Bytes, or what then becomes of the connection; nothing comes after that. */
export type Step = Buffer | 'reset' | 'end' | 'silence'

export class Response {
  /** Whether the last byte of it, and what follows it, has been given out. */
  ended = false
  /** Whether the connection to the client ends with it. */
  readonly closes: boolean
  readonly #framing: Framing
  readonly #held: HeldBody
  readonly #gzips: boolean
  #head: Buffer | undefined
  #plan: Plan
  /** Bytes of the target's body that may still come. */
  #left: number
  /** Bytes of the body that have passed since the plan holds. */
  #passed = 0

  /**
   * @param head as the target sent it
   * @param framing of the target's body
   * @param request that it answers
   */
  constructor(head: Head, framing: Framing, request: Head, plan: Plan) {
    const hasBody = framing.kind !== 'none' && statusOf(head) !== 206
    const coded = valueOf(head, 'content-encoding') !== undefined
    this.#plan = plan
    this.#left = plan.truncate
    this.#gzips = plan.gzip && hasBody && !coded && hasWord(request, 'accept-encoding', 'gzip')
    let sent = without(head, plan.strip)
    if (framing.kind === 'length' && framing.length > plan.truncate) {
      framing = { kind: 'length', length: plan.truncate }
      sent = withField(sent, 'Content-Length', `${plan.truncate}`)
    }
    if (this.#gzips) {
      sent = withField(without(sent, ['content-length']), 'Content-Encoding', 'gzip')
      if (framing.kind === 'length' && request.line.endsWith('1.0')) {
        framing = { kind: 'close' }
        sent = withField(sent, 'Connection', 'close')
      } else if (framing.kind === 'length') {
        framing = { kind: 'chunked' }
        sent = withField(sent, 'Transfer-Encoding', 'chunked')
      }
    }
    this.#framing = framing
    this.closes = framing.kind === 'close' || closesAfter(sent) || closesAfter(request)
    this.#head = writeHead(sent)
    this.#held = new HeldBody(this.#gzips ? 'body' : plan.hold)
  }

  /** Bytes that are kept back. */
  get held(): number {
    return this.#held.size + (this.#head?.length ?? 0)
  }

  /** Whether nothing of it has been given out yet. */
  get untouched(): boolean {
    return this.#head !== undefined
  }

  /** The head, unless it is held. */
  begin(): Step[] {
    if (this.#left === 0) return this.end()
    return holdsHead(this.#plan.hold) ? [] : this.#pass(Buffer.alloc(0))
  }

  body(bytes: Buffer): Step[] {
    if (this.ended) return []
    const part = bytes.subarray(0, this.#left)
    this.#left -= part.length
    const passing = this.#held.push(part)
    if (this.#left === 0) return this.end(passing)
    return passing.length === 0 ? [] : this.#pass(passing)
  }

  /** The target has sent all of it. */
  end(first: Buffer = Buffer.alloc(0)): Step[] {
    if (this.ended) return []
    const rest = this.#held.end()
    const last = first.length === 0 ? rest : Buffer.concat([first, rest])
    const steps = this.#pass(this.#gzips ? gzipSync(last) : last)
    if (this.ended) return steps
    this.ended = true
    const end = frameEnd(this.#framing)
    if (end.length > 0) steps.push(end)
    if (this.closes) steps.push('end')
    return steps
  }

  /** The target ended the connection too early, and the client sees the same. */
  breakOff(): Step[] {
    if (this.ended) return []
    const steps = this.#gzips ? [] : this.#pass(this.#held.end())
    if (!this.ended) steps.push('end')
    this.ended = true
    return steps
  }

  /** Another plan from here on. What was decided by the head stays: compression, truncation and fields. */
  change(plan: Plan): Step[] {
    if (this.ended) return []
    this.#plan = plan
    this.#passed = 0
    if (this.#gzips) return this.#pass(Buffer.alloc(0))
    const released = this.#held.change(plan.hold)
    return holdsHead(plan.hold) && released.length === 0 ? [] : this.#pass(released)
  }

  /** Gives out the head, if it is still there, and these bytes as far as nothing happens within them. */
  #pass(bytes: Buffer): Step[] {
    const steps: Step[] = this.#head === undefined ? [] : [this.#head]
    this.#head = undefined
    const cutAt = (this.#plan.cut?.afterBytes ?? Infinity) - this.#passed
    const silentAt = (this.#plan.silence?.afterBytes ?? Infinity) - this.#passed
    const at = Math.min(cutAt, silentAt)
    const part = bytes.subarray(0, at)
    this.#passed += part.length
    if (part.length > 0) steps.push(frame(this.#framing, part))
    if (bytes.length < at) return steps
    this.ended = true
    steps.push(silentAt < cutAt ? 'silence' : (this.#plan.cut?.by ?? 'reset'))
    return steps
  }
}
