/** HTTP/2 frame by frame (RFC 9113 section 4), for what no decent client sends. */
import { connect, type Socket, type TcpNetConnectOpts } from 'node:net'

export const TYPE = {
  data: 0,
  headers: 1,
  priority: 2,
  reset: 3,
  settings: 4,
  ping: 6,
  goaway: 7,
  windowUpdate: 8,
  continuation: 9,
} as const
export const FLAG = { endStream: 1, ack: 1, endHeaders: 4 } as const
export const ERROR = {
  none: 0,
  protocol: 1,
  internal: 2,
  refused: 7,
  cancel: 8,
  enhanceYourCalm: 11,
} as const

export const PREFACE = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'

export interface Frame {
  readonly type: number
  readonly flags: number
  readonly stream: number
  readonly payload: Buffer
}

export function frame(
  type: number,
  flags: number,
  stream: number,
  payload: Uint8Array = Buffer.of(),
): Buffer {
  const head = Buffer.alloc(9)
  head.writeUIntBE(payload.length, 0, 3)
  head[3] = type
  head[4] = flags
  head.writeUInt32BE(stream, 5)
  return Buffer.concat([head, payload])
}

/** HPACK (RFC 7541 6.2.2) without a table and without Huffman. */
export function fields(all: Readonly<Record<string, string>> | readonly Field[]): Buffer {
  const list: readonly Field[] = isList(all) ? all : Object.entries(all)
  return Buffer.concat(list.flatMap(([name, value]) => [Buffer.of(0), text(name), text(value)]))
}

export type Field = readonly [name: string, value: string]

const isList = (all: Readonly<Record<string, string>> | readonly Field[]): all is readonly Field[] =>
  Array.isArray(all)

function text(value: string): Buffer {
  const bytes = Buffer.from(value)
  const head = [Math.min(bytes.length, 127)]
  if (bytes.length >= 127) {
    let rest = bytes.length - 127
    for (; rest >= 128; rest >>= 7) head.push((rest & 127) | 128)
    head.push(rest)
  }
  return Buffer.concat([Buffer.of(...head), bytes])
}

export function number32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value)
  return bytes
}

/** A connection that has sent the preface and empty settings. It answers nothing by itself. */
export class FrameConnection {
  readonly socket: Socket
  readonly frames: Frame[] = []
  readonly closed: Promise<void>
  #bytes = Buffer.alloc(0)
  #over = false
  #wake: (() => void) | undefined

  constructor(url: string, begin = true, options: Partial<TcpNetConnectOpts> = {}) {
    this.socket = connect({ port: Number(new URL(url).port), host: '127.0.0.1', ...options })
    this.socket.setNoDelay()
    this.socket.on('error', () => {})
    this.socket.on('data', (bytes) => this.#take(bytes))
    this.closed = new Promise((resolve) => {
      this.socket.on('close', () => {
        this.#over = true
        this.#wake?.()
        resolve()
      })
    })
    if (begin) this.send(Buffer.from(PREFACE), frame(TYPE.settings, 0, 0))
  }

  get over(): boolean {
    return this.#over
  }

  send(...frames: readonly Uint8Array[]): this {
    this.socket.write(Buffer.concat(frames))
    return this
  }

  /** A request of `stream`, an odd number. */
  ask(stream: number, path: string, headers: Readonly<Record<string, string>> = {}, flags = 5): this {
    return this.send(request(stream, path, headers, flags))
  }

  /** The first frame like this, which is taken out; undefined when the connection ends before. */
  async next(is: (frame: Frame) => boolean): Promise<Frame | undefined> {
    for (;;) {
      const at = this.frames.findIndex(is)
      if (at >= 0) return this.frames.splice(at, 1)[0]
      if (this.#over) return undefined
      await new Promise<void>((resolve) => (this.#wake = resolve))
    }
  }

  /** The code of a reset of this stream. */
  async resetOf(stream: number): Promise<number | undefined> {
    const got = await this.next((frame) => frame.type === TYPE.reset && frame.stream === stream)
    return got?.payload.readUInt32BE()
  }

  /** The code of a `GOAWAY`. */
  async goaway(): Promise<number | undefined> {
    return (await this.next(({ type }) => type === TYPE.goaway))?.payload.readUInt32BE(4)
  }

  #take(bytes: Buffer): void {
    this.#bytes = Buffer.concat([this.#bytes, bytes])
    for (;;) {
      const all = this.#bytes
      if (all.length < 9) break
      const end = 9 + all.readUIntBE(0, 3)
      if (all.length < end) break
      this.#bytes = all.subarray(end)
      this.frames.push({
        type: all[3] as number,
        flags: all[4] as number,
        stream: all.readUInt32BE(5) & 0x7fffffff,
        payload: all.subarray(9, end),
      })
    }
    this.#wake?.()
  }

  [Symbol.dispose](): void {
    this.socket.destroy()
  }
}

export function request(
  stream: number,
  path: string,
  headers: Readonly<Record<string, string>> = {},
  flags: number = FLAG.endStream | FLAG.endHeaders,
): Buffer {
  const all = { ':method': 'GET', ':scheme': 'http', ':authority': 'localhost', ':path': path, ...headers }
  return frame(TYPE.headers, flags, stream, fields(all))
}
