/** The certificate of a hub that speaks TLS, and its key; read again when their files change. */
import { readFile } from 'node:fs/promises'
import { createSecureContext } from 'node:tls'
import { HubError } from '../errors.ts'

export interface TlsOptions {
  /** The certificate and what stands between it and a root, in PEM; or the path of a file with them. */
  readonly cert: string
  /** Its private key, without a passphrase, in PEM; or the path of a file with it. */
  readonly key: string
  /** How often files are looked at, in milliseconds. Default 10,000. */
  readonly lookMs?: number
}

export interface Pair {
  readonly cert: string
  readonly key: string
}

const LOOK_MS = 10_000

/**
 * Looks at the files, rather than waiting to be told: a notification follows neither a link whose target is swapped (certbot,
 * Kubernetes) nor a file that another machine writes. Two small files are read every ten seconds.
 */
export class Certificate {
  pair: Pair
  readonly #tls: TlsOptions
  readonly #report: (error: unknown) => void
  /** What was wrong when the files were last looked at. */
  #fault = ''
  #told = false
  #timer: NodeJS.Timeout | undefined

  private constructor(pair: Pair, tls: TlsOptions, report: (error: unknown) => void) {
    this.pair = pair
    this.#tls = tls
    this.#report = report
  }

  /** @param report Told what is wrong with a pair that came later. @throws {HubError} `invalid-option`, with what is wrong with this one */
  static async load(tls: TlsOptions, report: (error: unknown) => void): Promise<Certificate> {
    const pair = await read(tls)
    check(pair, tls)
    return new Certificate(pair, tls, report)
  }

  /** Calls `apply` whenever `pair` is another one. */
  follow(apply: () => void): void {
    if (isPem(this.#tls.cert) && isPem(this.#tls.key)) return
    const look = async (): Promise<void> => {
      await this.#look(apply)
      if (this.#timer) this.#timer = setTimeout(() => void look(), this.#tls.lookMs ?? LOOK_MS).unref()
    }
    this.#timer = setTimeout(() => void look(), this.#tls.lookMs ?? LOOK_MS).unref()
  }

  close(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
  }

  async #look(apply: () => void): Promise<void> {
    let pair: Pair | undefined
    try {
      pair = await read(this.#tls)
      if (!same(pair, this.pair)) {
        check(pair, this.#tls)
        this.pair = pair
        apply()
      }
      this.#fault = ''
    } catch (error) {
      this.#found(error, `${String(error)} ${pair?.cert} ${pair?.key}`)
    }
  }

  /** Each fault is told once, at the second look: files that are replaced one after the other are no pair for a moment. */
  #found(error: unknown, fault: string): void {
    if (fault !== this.#fault) {
      this.#fault = fault
      this.#told = false
    } else if (!this.#told) {
      this.#told = true
      this.#report(error)
    }
  }
}

async function read({ cert, key }: TlsOptions): Promise<Pair> {
  return { cert: await textOf('cert', cert), key: await textOf('key', key) }
}

async function textOf(name: 'cert' | 'key', value: string): Promise<string> {
  if (isPem(value)) return value
  try {
    return await readFile(value, 'utf8')
  } catch (cause) {
    const { code = String(cause) } = cause as NodeJS.ErrnoException
    throw new HubError('invalid-option', `The file of \`tls.${name}\`, ${value}, can't be read (${code})`, {
      cause,
    })
  }
}

function isPem(value: string): boolean {
  return value.includes('-----BEGIN ')
}

function same(one: Pair, other: Pair): boolean {
  return one.cert === other.cert && one.key === other.key
}

/** @throws {HubError} */
function check(pair: Pair, tls: TlsOptions): void {
  let cause: unknown
  try {
    // Of nothing at all OpenSSL makes a context without a certificate.
    for (const text of [pair.cert, pair.key]) if (!isPem(text)) throw new Error('there is no PEM in it')
    createSecureContext(pair)
    return
  } catch (error) {
    cause = error
  }
  const place = (name: 'cert' | 'key'): string => (isPem(tls[name]) ? `\`tls.${name}\`` : tls[name])
  throw new HubError(
    'invalid-option',
    `Expected a certificate in ${place('cert')} and its own key in ${place('key')}, in PEM, without a passphrase: ${(cause as Error).message}`,
    { cause },
  )
}
