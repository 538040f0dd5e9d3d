/** The body of a Node request, whole, within a size and a time. */
import type { IncomingMessage } from 'node:http'
import type { Deadlines } from './deadlines.ts'
import { Problem } from './problem.ts'

const CLOSE = { connection: 'close' }

/** @throws {Problem} `body-too-large`, `body-timeout`, `body-aborted`, `internal` when somebody else has read it before */
export function readBody(req: IncomingMessage, limit: number, deadlines: Deadlines): Promise<Uint8Array> {
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
      // What still comes is nobody's.
      req.off('data', onData)
      reject(problem)
    }
    function onData(chunk: Uint8Array): void {
      size += chunk.length
      if (size > limit) refuse(tooLarge(limit))
      else chunks.push(chunk)
    }
    function onEnd(): void {
      if (settled) return
      settled = true
      deadlines.delete(expire)
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
