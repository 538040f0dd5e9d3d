/** What `downlink serve` can be told of TLS and HTTP/2. */
import type { Command } from 'commander'
import { Failure } from './failure.ts'

/** What the flags and the configuration file can both say. */
export interface TlsSettings {
  /** Paths of PEM files. */
  readonly tls?: { readonly cert: string; readonly key: string }
  readonly h2c?: boolean
}

export interface TlsFlags {
  readonly cert?: string | undefined
  readonly key?: string | undefined
  readonly h2c?: boolean | undefined
}

export function addTlsFlags(command: Command): Command {
  return command
    .option(
      '--cert <file>',
      'speak TLS (1.2 or newer, HTTP/2 and HTTP/1.1) with the certificate chain of this PEM file; it is read again ' +
        'when it changes',
    )
    .option('--key <file>', 'the private key of the certificate, a PEM file without a passphrase')
    .option(
      '--h2c',
      'without TLS, also take HTTP/2 from those who begin with it, such as a proxy that ends TLS (default: no)',
    )
}

/** Flags win over the file, the pair as a whole. @throws {Failure} */
export function tlsSettings({ cert, key, h2c }: TlsFlags, file: TlsSettings): TlsSettings {
  if ((cert === undefined) !== (key === undefined)) {
    const [given, missing] = cert === undefined ? ['--key', '--cert'] : ['--cert', '--key']
    throw new Failure(`${given} needs ${missing}: a certificate and its private key go together`)
  }
  const tls = cert !== undefined && key !== undefined ? { cert, key } : file.tls
  const plain = h2c ?? file.h2c
  if (tls && plain) {
    throw new Failure('h2c is for a port without TLS: leave it out, with TLS clients ask for HTTP/2 by ALPN')
  }
  return { ...(tls && { tls }), ...(plain !== undefined && { h2c: plain }) }
}
