/** As much of an HTTP response as a load generator needs. */

export interface ResponseHead {
  readonly status: number
  readonly headers: ReadonlyMap<string, string>
}

export function parseHead(text: string): ResponseHead {
  const [first = '', ...lines] = text.split('\r\n')
  const headers = new Map(
    lines.map((line) => {
      const colon = line.indexOf(':')
      return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()] as const
    }),
  )
  return { status: Number(first.slice(9, 12)), headers }
}

/** Takes the chunked coding off a body, without copying: `emit` is called with ranges of what is fed. */
export class Dechunker {
  #left = 0
  /** Of the size line. */
  #size = 0
  #state: 'size' | 'extension' | 'data' | 'after' = 'size'

  feed(chunk: Buffer, start: number, end: number, emit: (start: number, end: number) => void): void {
    let at = start
    while (at < end) {
      if (this.#state === 'data') {
        const stop = Math.min(end, at + this.#left)
        emit(at, stop)
        this.#left -= stop - at
        at = stop
        if (this.#left === 0) this.#state = 'after'
        continue
      }
      const byte = chunk[at++] as number
      // The CRLF after the data.
      if (this.#state === 'after') {
        if (byte === 0x0a) this.#state = 'size'
      } else if (byte === 0x0a) {
        this.#left = this.#size
        this.#size = 0
        this.#state = this.#left === 0 ? 'size' : 'data'
      } else if (byte === 0x3b) this.#state = 'extension'
      else if (this.#state === 'size' && byte !== 0x0d) this.#size = this.#size * 16 + hex(byte)
    }
  }
}

function hex(byte: number): number {
  const digit = byte <= 0x39 ? byte - 0x30 : (byte | 0x20) - 0x57
  if (digit < 0 || digit > 15) throw new Error(`no size of a chunk: byte ${byte}`)
  return digit
}
