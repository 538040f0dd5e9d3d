/**
 * Tickets: what somebody may read, sealed so that only hubs with the same key can make or open it (a JWE, `dir` with A256GCM). They
 * need no memory that hubs share. Who may have one, and what it is good for later, is decided elsewhere.
 */
import type { SubjectLimits } from '../delivery/holder.ts'
import { HubError } from '../errors.ts'

export interface Ticket {
  /** Its own among all. */
  readonly id: string
  readonly subject: string
  /** Names and patterns. */
  readonly channels: readonly string[]
  /** Milliseconds since 1970. */
  readonly issued: number
  /** Milliseconds since 1970. */
  readonly until: number
  readonly limits?: SubjectLimits
}

/** Characters. It goes into a URL, and common proxies take 8 KiB of one. */
export const LONGEST_TICKET = 4_096

/** A secret has at least so many bytes. */
const LEAST_SECRET = 32
const HEADER = { alg: 'dir', enc: 'A256GCM' } as const
/** The five parts of a compact JWE; with `dir` the second is empty. */
const FORM = /^[\w-]{1,80}\.\.[\w-]{16}\.[\w-]+\.[\w-]{22}$/

const utf8 = new TextEncoder()

export class Tickets {
  readonly #secret: Uint8Array<ArrayBuffer>
  #key: Promise<Uint8Array> | undefined

  /**
   * @param secret At least 32 bytes, the same on all nodes. Default random: tickets are then good for this process only.
   * @throws {HubError} `invalid-option`
   */
  constructor(secret: string | Uint8Array = crypto.getRandomValues(new Uint8Array(LEAST_SECRET))) {
    this.#secret = typeof secret === 'string' ? utf8.encode(secret) : new Uint8Array(secret)
    if (this.#secret.length < LEAST_SECRET) {
      throw new HubError(
        'invalid-option',
        `Expected a ticket secret of at least ${LEAST_SECRET} bytes, got ${this.#secret.length}: make one by \`openssl rand -base64 32\``,
      )
    }
  }

  /** May be longer than `LONGEST_TICKET`: then it can't be opened. */
  async seal(ticket: Ticket): Promise<string> {
    const { CompactEncrypt } = await import('jose')
    const text = utf8.encode(JSON.stringify(ticket))
    return new CompactEncrypt(text).setProtectedHeader(HEADER).encrypt(await this.#theKey())
  }

  /** Undefined when no hub with this key has made it. */
  async open(text: string): Promise<Ticket | undefined> {
    if (text.length > LONGEST_TICKET || !FORM.test(text)) return undefined
    const { compactDecrypt } = await import('jose')
    try {
      const { plaintext } = await compactDecrypt(text, await this.#theKey(), {
        keyManagementAlgorithms: [HEADER.alg],
        contentEncryptionAlgorithms: [HEADER.enc],
      })
      return JSON.parse(new TextDecoder().decode(plaintext)) as Ticket
    } catch {
      return undefined
    }
  }

  /** A key for tickets only, whatever else the secret is used for. */
  #theKey(): Promise<Uint8Array> {
    return (this.#key ??= derive(this.#secret))
  }
}

async function derive(secret: Uint8Array<ArrayBuffer>): Promise<Uint8Array> {
  const base = await crypto.subtle.importKey('raw', secret, 'HKDF', false, ['deriveBits'])
  const how = {
    name: 'HKDF',
    hash: 'SHA-256',
    salt: new Uint8Array(),
    info: utf8.encode('downlink ticket 1'),
  }
  return new Uint8Array(await crypto.subtle.deriveBits(how, base, 256))
}
