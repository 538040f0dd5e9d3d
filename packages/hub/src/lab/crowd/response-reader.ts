/** Answers of HTTP/1.1, as they come on one connection, with the bytes of their heads told from all others. Pure. */

export interface AnswerHead {
  readonly status: number
  /** By lower-case name; of repeated ones the last. */
  readonly headers: ReadonlyMap<string, string>
}

export interface AnswerListener {
  head(head: AnswerHead): void
  body(bytes: Buffer): void
  /** @param keep Whether the connection takes another request. */
  end(keep: boolean): void
  /** So many bytes came in, of a head or of all the rest. */
  counted(part: 'head' | 'body', bytes: number): void
}

/** What cannot be read on. */
export class AnswerError extends Error {
  override readonly name = 'AnswerError'
}

const LONGEST_HEAD = 64 * 1024
const LONGEST_LINE = 1024

type Framing = 'head' | 'length' | 'close' | 'size' | 'chunk' | 'after-chunk' | 'trailer'

export class ResponseReader {
  readonly #listener: AnswerListener
  #state: Framing = 'head'
  /** Of a head or a line that is not whole. */
  #begun: Buffer | undefined
  #left = 0
  #keep = true

  constructor(listener: AnswerListener) {
    this.#listener = listener
  }

  /** Whether the end of the connection is an end of the answer, too. */
  get endsWithConnection(): boolean {
    return this.#state === 'close'
  }

  /** @throws {AnswerError} */
  feed(bytes: Buffer): void {
    for (let at = 0; at < bytes.length;) at = this.#step(bytes, at)
  }

  #step(bytes: Buffer, at: number): number {
    switch (this.#state) {
      case 'head':
        return this.#head(bytes, at)
      case 'close':
        this.#listener.counted('body', bytes.length - at)
        this.#listener.body(bytes.subarray(at))
        return bytes.length
      case 'length':
      case 'chunk': {
        const stop = Math.min(bytes.length, at + this.#left)
        this.#listener.counted('body', stop - at)
        this.#listener.body(bytes.subarray(at, stop))
        this.#left -= stop - at
        if (this.#left === 0) {
          if (this.#state === 'chunk') this.#state = 'after-chunk'
          else this.#end()
        }
        return stop
      }
      case 'size':
      case 'after-chunk':
      case 'trailer':
        return this.#line(bytes, at)
    }
  }

  #head(bytes: Buffer, at: number): number {
    const whole = this.#begun ? Buffer.concat([this.#begun, bytes.subarray(at)]) : bytes.subarray(at)
    const end = whole.indexOf('\r\n\r\n')
    if (end < 0) {
      if (whole.length > LONGEST_HEAD) throw new AnswerError('The head of an answer has no end')
      this.#begun = Buffer.from(whole)
      return bytes.length
    }
    const taken = end + 4
    const before = this.#begun?.length ?? 0
    this.#begun = undefined
    this.#listener.counted('head', taken)
    const head = parseHead(whole.subarray(0, end).toString('latin1'))
    // Informational: the answer is still to come.
    if (head.status >= 200 || head.status === 101) this.#begin(head)
    return at + taken - before
  }

  #begin(head: AnswerHead): void {
    const { status, headers } = head
    this.#keep = headers.get('connection')?.toLowerCase() !== 'close'
    const length = headers.get('content-length')
    const bodiless = status === 204 || status === 304
    if (bodiless || (length === '0' && !headers.has('transfer-encoding'))) {
      this.#listener.head(head)
      this.#end()
      return
    }
    if (/\bchunked\b/i.test(headers.get('transfer-encoding') ?? '')) this.#state = 'size'
    else if (length === undefined) this.#state = 'close'
    else {
      this.#state = 'length'
      this.#left = Number(length)
    }
    this.#listener.head(head)
  }

  /** Those of the chunked coding. */
  #line(bytes: Buffer, at: number): number {
    const end = bytes.indexOf(10, at)
    const stop = end < 0 ? bytes.length : end + 1
    this.#listener.counted('body', stop - at)
    const piece = bytes.subarray(at, stop)
    const whole = this.#begun ? Buffer.concat([this.#begun, piece]) : piece
    if (end < 0) {
      if (whole.length > LONGEST_LINE) throw new AnswerError('A chunk has no size')
      this.#begun = Buffer.from(whole)
      return stop
    }
    this.#begun = undefined
    const line = whole.toString('latin1').trim()
    if (this.#state === 'after-chunk') this.#state = 'size'
    else if (this.#state === 'size') {
      const size = Number.parseInt(line, 16)
      if (!(size >= 0)) throw new AnswerError('A chunk has no size')
      this.#left = size
      this.#state = size === 0 ? 'trailer' : 'chunk'
    } else if (line === '') this.#end()
    return stop
  }

  #end(): void {
    this.#state = 'head'
    this.#listener.end(this.#keep)
  }
}

function parseHead(text: string): AnswerHead {
  const [first = '', ...lines] = text.split('\r\n')
  const status = /^HTTP\/1\.[01] (\d{3})/.exec(first)?.[1]
  if (status === undefined) throw new AnswerError('What answers is no HTTP/1.1')
  const headers = new Map(
    lines.map((line) => {
      const colon = line.indexOf(':')
      return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()] as const
    }),
  )
  return { status: Number(status), headers }
}
