/** Cuts what comes on a keep-alive connection into answers. They have a `Content-Length` or no body. */

export interface Answer {
  readonly status: number
  readonly head: string
  /** Valid until the next bytes come. */
  readonly bytes: Buffer
}

const NOTHING = Buffer.alloc(0)

export class Answers {
  #rest: Buffer = NOTHING

  feed(bytes: Buffer): Answer[] {
    // Mostly an answer comes whole, and nothing is copied.
    let rest = this.#rest.length === 0 ? bytes : Buffer.concat([this.#rest, bytes])
    const answers: Answer[] = []
    for (;;) {
      const end = rest.indexOf('\r\n\r\n')
      if (end === -1) break
      const head = rest.toString('latin1', 0, end)
      const stop = end + 4 + lengthOf(head)
      if (rest.length < stop) break
      answers.push({ status: Number(head.slice(9, 12)), head, bytes: rest.subarray(end + 4, stop) })
      rest = rest.subarray(stop)
    }
    this.#rest = rest
    return answers
  }
}

/** As text. */
export function bodyOf({ bytes }: Answer): string {
  return bytes.toString()
}

function lengthOf(head: string): number {
  const found = /\r\ncontent-length: *(\d+)/i.exec(head)
  if (found) return Number(found[1])
  const status = Number(head.slice(9, 12))
  if (status === 204 || status === 304 || status < 200) return 0
  throw new Error(`an answer without Content-Length: ${head.slice(0, 300)}`)
}
