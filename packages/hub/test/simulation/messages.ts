/** Frames from a hub, taken apart without the library that it uses: RFC 6455 5.2, what is not masked and in one piece. */

export interface ServerFrame {
  readonly opcode: number
  readonly payload: Buffer
}

/** Calls back with each whole frame. @throws when it is none that a hub may send */
export class FrameReader {
  readonly #take: (frame: ServerFrame) => void
  #bytes: Buffer = Buffer.alloc(0)

  constructor(take: (frame: ServerFrame) => void) {
    this.#take = take
  }

  feed(chunk: Uint8Array): void {
    this.#bytes = Buffer.concat([this.#bytes, chunk])
    for (;;) {
      const bytes = this.#bytes
      if (bytes.length < 2) return
      const [first = 0, second = 0] = bytes
      if ((first & 0xf0) !== 0x80) throw new Error(`a frame in pieces, or of an extension: ${first}`)
      if ((second & 0x80) !== 0) throw new Error('a frame to a client is not masked')
      const offset = second < 126 ? 2 : second === 126 ? 4 : 10
      if (bytes.length < offset) return
      const length =
        second < 126 ? second : second === 126 ? bytes.readUInt16BE(2) : Number(bytes.readBigUInt64BE(2))
      if (bytes.length < offset + length) return
      this.#bytes = bytes.subarray(offset + length)
      this.#take({ opcode: first & 0x0f, payload: bytes.subarray(offset, offset + length) })
    }
  }
}
