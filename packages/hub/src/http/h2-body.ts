/**
 * Bodies of the requests of one HTTP/2 connection: each within a size and a time, and together within a multiple of that. A
 * connection may send 256 of them at once, so beyond 64 KiB each needs a place. Who waits for one is held by its flow control,
 * and small publishes beside it are not.
 */
import type { ServerHttp2Stream } from 'node:http2'
import { type BodyTerms, tooLarge } from './node-body.ts'
import { SMALL_BODY } from './places.ts'
import { Problem } from './problem.ts'

/** @param length What `Content-Length` says. @throws {Problem} `body-too-large`, `body-timeout`, `body-aborted` */
export function readStreamBody(
  stream: ServerHttp2Stream,
  length: number,
  limit: number,
  { deadlines, places }: BodyTerms,
): Promise<Uint8Array> {
  if (length > limit) return Promise.reject(tooLarge(limit))
  if (stream.endAfterHeaders) return Promise.resolve(new Uint8Array())
  return new Promise((resolve, reject) => {
    const chunks: Uint8Array[] = []
    let size = 0
    let leave: (() => void) | undefined
    let settled = false
    const expire = (): void => {
      refuse(new Problem('body-timeout', 'The body took too long: send it faster, or in smaller parts'))
    }
    deadlines.add(expire)
    function settle(): void {
      settled = true
      deadlines.delete(expire)
      leave?.()
    }
    function refuse(problem: Problem): void {
      if (settled) return
      settle()
      // What still comes is nobody's, and is held back until the answer ends the stream.
      stream.off('data', onData).pause()
      reject(problem)
    }
    function onData(chunk: Uint8Array): void {
      size += chunk.length
      if (size > limit) return refuse(tooLarge(limit))
      chunks.push(chunk)
      if (size <= SMALL_BODY || leave) return
      stream.pause()
      leave = places.take(() => stream.resume())
    }
    stream.on('data', onData)
    stream.on('end', () => {
      if (settled) return
      // A reset looks like an end, too.
      if (stream.aborted) return refuse(new Problem('body-aborted', 'The body broke off before its end'))
      settle()
      resolve(chunks.length === 1 ? (chunks[0] as Uint8Array) : Buffer.concat(chunks, size))
    })
    stream.on('close', () => refuse(new Problem('body-aborted', 'The body broke off before its end')))
  })
}
