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
    const expire = (): void => {
      const message = 'The body took too long: send it faster, or in smaller parts'
      settle(() => reject(new Problem('body-timeout', message, {}, CLOSE)))
    }
    deadlines.add(expire)
    function settle(done: () => void): void {
      deadlines.delete(expire)
      req.off('data', onData).off('end', onEnd).off('close', onClose)
      done()
    }
    function onData(chunk: Uint8Array): void {
      size += chunk.length
      if (size > limit) settle(() => reject(tooLarge(limit)))
      else chunks.push(chunk)
    }
    function onEnd(): void {
      settle(() => resolve(chunks.length === 1 ? (chunks[0] as Uint8Array) : Buffer.concat(chunks)))
    }
    function onClose(): void {
      settle(() => reject(new Problem('body-aborted', 'The body broke off before its end')))
    }
    req.on('data', onData).on('end', onEnd).on('close', onClose)
    req.on('error', onClose)
  })
}

function tooLarge(limit: number): Problem {
  return new Problem(
    'body-too-large',
    `Expected a body of at most ${limit} bytes: send less at once`,
    { limit },
    CLOSE,
  )
}
