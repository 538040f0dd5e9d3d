/** The servers of a hub that speaks TLS: Node's HTTPS servers, with a certificate that may change while they run. */
import type { Server, ServerOptions } from 'node:http'
import { createServer } from 'node:https'
import type { Socket } from 'node:net'
import type { SecureContextOptions, Server as TlsServer } from 'node:tls'
import { Certificate, type TlsOptions } from './certificate.ts'

/** What was before is broken, whatever Node was started with (RFC 8996, RFC 9113 9.2). */
const MIN_VERSION = 'TLSv1.2'

export class Secure {
  readonly #certificate: Certificate
  readonly #handshakeMs: number
  readonly #servers: Server[] = []
  readonly #sockets = new Set<Socket>()

  private constructor(certificate: Certificate, handshakeMs: number) {
    this.#certificate = certificate
    this.#handshakeMs = handshakeMs
  }

  /**
   * @param handshakeMs How long a handshake may take.
   * @param report Told what is wrong with files that have changed; the pair from before stays.
   * @throws {HubError} `invalid-option`
   */
  static async load(tls: TlsOptions, handshakeMs: number, report: (error: unknown) => void): Promise<Secure> {
    return new Secure(await Certificate.load(tls, report), handshakeMs)
  }

  create(options: ServerOptions): Server {
    const server: Server = createServer({
      ...options,
      ...this.#context(),
      ALPNProtocols: ['h2', 'http/1.1'],
      handshakeTimeout: this.#handshakeMs,
      // As plain servers of Node have it.
      allowHalfOpen: true,
    })
    const sockets = this.#sockets
    function onClose(this: Socket): void {
      sockets.delete(this)
    }
    server.on('connection', (socket: Socket) => {
      sockets.add(socket)
      socket.on('close', onClose)
    })
    this.#servers.push(server)
    return server
  }

  /** From now on takes up what changes in the files, for connections that come then. */
  follow(): void {
    this.#certificate.follow(() => {
      for (const server of this.#servers) (server as unknown as TlsServer).setSecureContext(this.#context())
    })
  }

  close(): void {
    this.#certificate.close()
  }

  /** Cuts all connections, also those in the middle of a handshake, of which an HTTP server knows nothing. */
  cut(): void {
    for (const socket of this.#sockets) socket.destroy()
  }

  #context(): SecureContextOptions {
    return { ...this.#certificate.pair, minVersion: MIN_VERSION }
  }
}
