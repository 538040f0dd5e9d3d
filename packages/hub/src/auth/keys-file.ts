/** Public keys in a file: PEM (one or more), a JWK or a JWK set. It is read again when it changes. */
import { createPublicKey } from 'node:crypto'
import { readFile, stat } from 'node:fs/promises'
import type { JWK } from 'jose'
import { KeyError } from './key-settings.ts'
import { jwksIn, type KeySource, MOST_KEYS, publicKey, type VerifyKey } from './keys.ts'

/** How often the file is looked at, at most. */
const LOOK_MS = 1_000
const LARGEST_FILE = 1024 * 1024

export interface KeysFileOptions {
  readonly now: () => number
  /** Told why a changed file can't be taken: the keys of before go on. */
  readonly onError: (error: Error) => void
}

/** @throws {KeyError} that names the file, and the key in it */
export async function keysFile(path: string, options: KeysFileOptions): Promise<KeySource> {
  const mark = await markOf(path)
  return new KeysFile(path, await readKeys(path), mark, options)
}

class KeysFile implements KeySource {
  readonly symmetric = false
  readonly #path: string
  readonly #options: KeysFileOptions
  #keys: readonly VerifyKey[]
  #mark: string
  #lookedAt: number
  #looking: Promise<void> | undefined

  constructor(path: string, keys: readonly VerifyKey[], mark: string, options: KeysFileOptions) {
    this.#path = path
    this.#keys = keys
    this.#mark = mark
    this.#options = options
    this.#lookedAt = options.now()
  }

  current(): readonly VerifyKey[] {
    // Nobody waits for the disk: a moment later the new keys hold.
    void this.#look()
    return this.#keys
  }

  async renewed(): Promise<readonly VerifyKey[]> {
    await this.#look()
    return this.#keys
  }

  #look(): Promise<void> {
    const now = this.#options.now()
    if (this.#looking === undefined && now - this.#lookedAt >= LOOK_MS) {
      this.#lookedAt = now
      this.#looking = this.#reread().finally(() => (this.#looking = undefined))
    }
    return this.#looking ?? Promise.resolve()
  }

  async #reread(): Promise<void> {
    try {
      const mark = await markOf(this.#path)
      if (mark === this.#mark) return
      // Once for each change, or a broken file would be told each second.
      this.#mark = mark
      this.#keys = await readKeys(this.#path)
    } catch (error) {
      this.#options.onError(error as Error)
    }
  }
}

/** Another whenever the file may be; a file that is away has one of its own. */
async function markOf(path: string): Promise<string> {
  try {
    const { dev, ino, size, mtimeNs } = await stat(path, { bigint: true })
    return `${dev} ${ino} ${size} ${mtimeNs}`
  } catch {
    return 'away'
  }
}

/** @throws {KeyError} */
async function readKeys(path: string): Promise<readonly VerifyKey[]> {
  let text: string
  try {
    const { size } = await stat(path)
    if (size > LARGEST_FILE) throw new Error(`It is larger than ${LARGEST_FILE} bytes`)
    text = await readFile(path, 'utf8')
  } catch (cause) {
    throw new KeyError(`The keys in ${path} can't be read: ${(cause as Error).message}`, { cause })
  }
  try {
    return await keysIn(text)
  } catch (error) {
    if (!(error instanceof KeyError)) throw error
    throw new KeyError(`${path}: ${error.message}`, { cause: error.cause })
  }
}

/** The keys that a file says, in PEM or in JSON. @throws {KeyError} */
export async function keysIn(text: string): Promise<readonly VerifyKey[]> {
  const jwks = text.trimStart().startsWith('{') ? jwksIn(parsed(text)) : pemsIn(text)
  const keys: VerifyKey[] = []
  for (const [index, jwk] of jwks.entries()) {
    try {
      keys.push(await publicKey(checkPublic(jwk)))
    } catch (error) {
      if (!(error instanceof KeyError) || jwks.length === 1) throw error
      throw new KeyError(`Key ${index + 1}: ${error.message}`, { cause: error.cause })
    }
  }
  return keys
}

/** A secret does not belong into a file that many may read, nor a private key onto the machine that only verifies. */
function checkPublic(jwk: JWK): JWK {
  if (jwk.kty === 'oct') {
    throw new KeyError('It is a secret: give it in the environment, as DOWNLINK_SECRET')
  }
  if (jwk.d !== undefined) {
    throw new KeyError(
      'It is a private key: the hub needs only the public one (openssl pkey -in FILE -pubout)',
    )
  }
  return jwk
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw new KeyError('Expected PEM, a JWK or a JWK set, got neither', { cause })
  }
}

function pemsIn(text: string): readonly JWK[] {
  const blocks = text.match(/-----BEGIN [A-Z0-9 ]+-----[^-]+-----END [A-Z0-9 ]+-----/g) ?? []
  if (blocks.length === 0) throw new KeyError('Expected PEM, a JWK or a JWK set, got neither')
  if (blocks.length > MOST_KEYS) throw new KeyError(`Expected at most ${MOST_KEYS} keys`)
  return blocks.map((block) => {
    if (block.includes('PRIVATE KEY-----')) return { kty: 'private', d: '' }
    try {
      return createPublicKey(block).export({ format: 'jwk' })
    } catch (cause) {
      throw new KeyError('It is no public key that can be read', { cause })
    }
  })
}
