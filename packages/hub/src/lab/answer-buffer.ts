/**
 * What a proxy does that buffers answers: nothing of one is handed on before it has ended, or 64 KiB of it are there, and then 64 KiB by 64
 * KiB. What follows a change of protocol passes, as through a tunnel. Pure: bytes in, bytes out.
 */
import { Body, framingOfRequest, framingOfResponse } from '../testing/framing.ts'
import { readHead, requestLineOf, statusOf } from '../testing/head.ts'

/** Bytes that are held. */
const HELD = 64 * 1024
const HEAD_LIMIT = 64 * 1024
/** Requests whose answers are to come. */
const MOST_DUE = 1_000

type Answer =
  | { readonly is: 'head' }
  | { readonly is: 'body'; readonly body: Body }
  | { readonly is: 'tunnel' }

export class AnswerBuffer {
  readonly #asking = new Follower()
  /** Methods of the requests that have no answer yet. */
  readonly #due: string[] = []
  #answer: Answer = { is: 'head' }
  /** Of a head that is not whole yet. */
  #input: Buffer = Buffer.alloc(0)
  #held: Buffer[] = []
  #size = 0

  /** Bytes of the client have come. */
  asked(bytes: Buffer): void {
    if (this.#answer.is === 'tunnel') return
    if (!this.#asking.push(bytes, this.#due) || this.#due.length > MOST_DUE) this.#answer = { is: 'tunnel' }
  }

  /** Bytes of the target have come. @returns what is to be handed on now */
  answered(bytes: Buffer): Buffer[] {
    const out: Buffer[] = []
    let rest: Buffer = Buffer.concat([this.#input, bytes])
    this.#input = Buffer.alloc(0)
    while (rest.length > 0) {
      if (this.#answer.is === 'tunnel') {
        out.push(...this.end(), rest)
        return out
      }
      if (this.#answer.is === 'head') {
        const read = readHead(rest, 'response', HEAD_LIMIT)
        if (read === 'more') {
          this.#input = rest
          return out
        }
        if (typeof read === 'string') {
          this.#answer = { is: 'tunnel' }
          continue
        }
        this.#hold(rest.subarray(0, rest.length - read.rest.length), out)
        rest = read.rest
        const status = statusOf(read.head)
        const framing = framingOfResponse(read.head, this.#due[0] ?? 'GET')
        if (status === 101 || framing === 'bad') this.#answer = { is: 'tunnel' }
        else if (status < 200) out.push(...this.end())
        else this.#answer = { is: 'body', body: new Body(framing) }
        if (this.#answer.is === 'tunnel') out.push(...this.end())
      } else {
        const followed = this.#answer.body.push(rest)
        if (followed === 'bad') {
          this.#answer = { is: 'tunnel' }
          continue
        }
        this.#hold(rest.subarray(0, rest.length - followed.rest.length), out)
        rest = followed.rest
      }
      if (this.#answer.is === 'body' && this.#answer.body.ended) {
        out.push(...this.end())
        this.#due.shift()
        this.#answer = { is: 'head' }
      }
    }
    return out
  }

  /** The target has nothing more to say. @returns what was still held */
  end(): Buffer[] {
    const rest = this.#held
    this.#held = []
    this.#size = 0
    if (this.#input.length > 0) rest.push(this.#input)
    this.#input = Buffer.alloc(0)
    return rest
  }

  #hold(bytes: Buffer, out: Buffer[]): void {
    this.#held.push(bytes)
    this.#size += bytes.length
    if (this.#size < HELD) return
    const all = Buffer.concat(this.#held)
    const whole = this.#size - (this.#size % HELD)
    out.push(all.subarray(0, whole))
    this.#held = whole < all.length ? [all.subarray(whole)] : []
    this.#size -= whole
  }
}

/** Follows requests, for their methods. */
class Follower {
  #input: Buffer = Buffer.alloc(0)
  #body: Body | undefined

  /** @param methods To which those of new requests are added. False: this is no HTTP/1.1. */
  push(bytes: Buffer, methods: string[]): boolean {
    let rest: Buffer = Buffer.concat([this.#input, bytes])
    this.#input = Buffer.alloc(0)
    while (rest.length > 0) {
      if (this.#body === undefined) {
        const read = readHead(rest, 'request', HEAD_LIMIT)
        if (read === 'more') {
          this.#input = rest
          return true
        }
        if (typeof read === 'string') return false
        const framing = framingOfRequest(read.head)
        if (framing === 'bad') return false
        rest = read.rest
        methods.push(requestLineOf(read.head).method)
        this.#body = new Body(framing)
      } else {
        const followed = this.#body.push(rest)
        if (followed === 'bad') return false
        rest = followed.rest
      }
      if (this.#body.ended) this.#body = undefined
    }
    return true
  }
}
