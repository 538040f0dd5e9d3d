/**
 * Bodies of the requests of one HTTP/2 connection: each within a size and a time, and together within a multiple of that. A
 * connection may send 256 of them at once, so beyond 64 KiB each needs a place. Who waits for one is held by its flow control,
 * and small publishes beside it are not.
 */
import type { ServerHttp2Stream } from 'node:http2'
import type { Deadlines } from './deadlines.ts'
import { LARGE_BODIES, SMALL_BODY } from './h2-limits.ts'
import { tooLarge } from './node-body.ts'
import { Problem } from './problem.ts'

export class BodyPlaces {
  /** For all connections. */
  readonly deadlines: Deadlines
  #free: number
  readonly #waiting = new Set<() => void>()

  constructor(deadlines: Deadlines, places = LARGE_BODIES) {
    this.deadlines = deadlines
    this.#free = places
  }

  /** Calls `come` when there is a place, at once perhaps; what is returned gives the place, or the wait for it, up. */
  take(come: () => void): () => void {
    let has = false
    const enter = (): void => {
      has = true
      this.#free--
      come()
    }
    const leave = (): void => {
      this.#waiting.delete(enter)
      if (!has) return
      has = false
      this.#free++
      const [next] = this.#waiting
      if (next === undefined) return
      this.#waiting.delete(next)
      next()
    }
    if (this.#free > 0) enter()
    else this.#waiting.add(enter)
    return leave
  }
}

/** @param length What `Content-Length` says. @throws {Problem} `body-too-large`, `body-timeout`, `body-aborted` */
export function readStreamBody(
  stream: ServerHttp2Stream,
  length: number,
  limit: number,
  places: BodyPlaces,
): Promise<Uint8Array> {
  if (length > limit) return Promise.reject(tooLarge(limit))
  if (stream.endAfterHeaders) return Promise.resolve(new Uint8Array())
  return new Promise((resolve, reject) => {
    const { deadlines } = places
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
