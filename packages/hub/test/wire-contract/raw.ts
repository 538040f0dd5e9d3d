/** Bytes to and from a server, as they are. */
import { connect, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'

/** A connection to where the URL says, through TLS if it says so; `cut` breaks it without a word. */
export function dial(url: string): { readonly socket: Socket; readonly cut: () => void } {
  const { port, protocol } = new URL(url)
  const socket = connect({ port: Number(port), host: '127.0.0.1', allowHalfOpen: true })
  socket.setNoDelay()
  const cut = (): void => void socket.resetAndDestroy()
  if (protocol === 'http:') return { socket, cut }
  // A reset of what is below is the end of what is above.
  socket.on('error', () => {})
  const secure = connectTls({
    socket,
    rejectUnauthorized: false,
    ALPNProtocols: ['http/1.1'],
  })
  return { socket: secure, cut }
}

export interface RawAnswer {
  readonly status: number
  readonly version: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

export class RawConnection {
  readonly socket: Socket
  /** Breaks the connection. */
  readonly cut: () => void
  /** Resolves when the peer has closed its side, or the connection broke. */
  readonly closed: Promise<void>
  /** What has come and was not taken yet, a character a byte. */
  text = ''
  #over = false
  #wake: (() => void) | undefined

  /** The client's side stays open when the server closes its own. */
  constructor(url: string) {
    const { socket, cut } = dial(url)
    this.socket = socket
    this.cut = cut
    this.socket.on('data', (bytes) => {
      this.text += bytes.toString('latin1')
      this.#wake?.()
    })
    this.closed = new Promise((resolve) => {
      const over = (): void => {
        this.#over = true
        this.#wake?.()
        resolve()
      }
      this.socket.on('end', over).on('close', over)
      // A reset is an end, too.
      this.socket.on('error', () => {})
    })
  }

  send(text: string): this {
    this.socket.write(text, 'latin1')
    return this
  }

  /** Closes this side only, as `nc -N` does. */
  half(): this {
    this.socket.end()
    return this
  }

  async until(enough: (text: string) => boolean): Promise<void> {
    while (!enough(this.text)) {
      if (this.#over) throw new Error(`The connection ended after ${JSON.stringify(this.text)}`)
      await new Promise<void>((resolve) => (this.#wake = resolve))
    }
  }

  /** The next answer; without a length its body is the rest of the connection. */
  async answer({ head = false } = {}): Promise<RawAnswer> {
    await this.until((text) => text.includes('\r\n\r\n'))
    const end = this.text.indexOf('\r\n\r\n')
    const [line = '', ...lines] = this.text.slice(0, end).split('\r\n')
    const headers = Object.fromEntries(
      lines.map((line) => [
        line.slice(0, line.indexOf(':')).toLowerCase(),
        line.slice(line.indexOf(':') + 1).trim(),
      ]),
    )
    this.text = this.text.slice(end + 4)
    const [, version = '', status] = /^HTTP\/(\d\.\d) (\d{3})/.exec(line) ?? []
    let length = Number(headers['content-length'])
    if (head || status === '204' || status === '304' || status === '100') length = 0
    else if (Number.isNaN(length)) {
      await this.closed
      length = this.text.length
    }
    await this.until((text) => text.length >= length)
    const body = this.text.slice(0, length)
    this.text = this.text.slice(length)
    return { status: Number(status), version, headers, body }
  }

  [Symbol.dispose](): void {
    this.socket.destroy()
  }
}

/** A request as bytes; `body` with its length. */
export function bytes(line: string, headers: Readonly<Record<string, string>> = {}, body?: string): string {
  const all = {
    Host: 'localhost',
    ...(body === undefined ? {} : { 'Content-Length': String(Buffer.byteLength(body)) }),
    ...headers,
  }
  const head = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`)
  return `${line} HTTP/1.1\r\n${head.join('')}\r\n${body ?? ''}`
}
