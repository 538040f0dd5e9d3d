/** The body of a Node request, whole, within a size and a time. */
import type { IncomingMessage } from 'node:http'
import { Deadlines } from './deadlines.ts'
import type { Handler, HandlerOptions } from './handler.ts'
import { DEFAULT_HTTP_LIMITS } from './http-limits.ts'
import { type Places, SMALL_BODY } from './places.ts'
import { Problem } from './problem.ts'

const CLOSE = { connection: 'close' }

/** What the bodies of a handler, or of a connection, share. */
export interface BodyTerms {
  readonly deadlines: Deadlines
  /** Of large bodies. */
  readonly places: Places
}

export function bodyTerms(handler: Handler, { bodyTimeoutMs }: HandlerOptions): BodyTerms {
  const deadlines = new Deadlines(bodyTimeoutMs ?? DEFAULT_HTTP_LIMITS.bodyTimeoutMs)
  return { deadlines, places: handler.largeBodies }
}

/** @throws {Problem} `body-too-large`, `body-timeout`, `body-aborted`, `internal` when somebody else has read it before */
export function readBody(
  req: IncomingMessage,
  limit: number,
  { deadlines, places }: BodyTerms,
): Promise<Uint8Array> {
  if (req.readableDidRead) {
    return Promise.reject(
      new Error(
        'The body of a publish was read before it reached the hub: mount the hub before body parsers',
      ),
    )
  }
  if (Number(req.headers['content-length']) > limit) return Promise.reject(tooLarge(limit))
  return new Promise((resolve, reject) => {
    const chunks: Uint8Array[] = []
    let size = 0
    let settled = false
    let leave: (() => void) | undefined
    const expire = (): void => {
      const message = 'The body took too long: send it faster, or in smaller parts'
      refuse(new Problem('body-timeout', message, {}, CLOSE))
    }
    deadlines.add(expire)
    // The request goes with its listeners: they are not taken off one by one, which costs more than they do.
    function refuse(problem: Problem): void {
      if (settled) return
      settled = true
      deadlines.delete(expire)
      leave?.()
      // What still comes is nobody's.
      req.off('data', onData)
      reject(problem)
    }
    function onData(chunk: Uint8Array): void {
      size += chunk.length
      if (size > limit) return refuse(tooLarge(limit))
      chunks.push(chunk)
      if (size > SMALL_BODY && leave === undefined) enter()
    }
    function enter(): void {
      let entered = false
      leave = places.take(() => {
        entered = true
        req.resume()
      })
      if (!entered) req.pause()
    }
    function onEnd(): void {
      if (settled) return
      settled = true
      deadlines.delete(expire)
      leave?.()
      resolve(chunks.length === 1 ? (chunks[0] as Uint8Array) : Buffer.concat(chunks))
    }
    function onClose(): void {
      // Most often all is over by then, and to make an error takes a fifth of the time of a small publish.
      if (settled) return
      refuse(new Problem('body-aborted', 'The body broke off before its end'))
    }
    req.on('data', onData).on('end', onEnd).on('close', onClose)
    req.on('error', onClose)
  })
}

export function tooLarge(limit: number): Problem {
  return new Problem(
    'body-too-large',
    `Expected a body of at most ${limit} bytes: send less at once`,
    { limit },
    CLOSE,
  )
}
