/** What can be said of keys, checked before there are any. Pure, and without `jose`, which takes a while to load. */
import { isLoopbackHost } from './guard.ts'

export const ALGORITHMS = ['HS256', 'RS256', 'ES256', 'EdDSA'] as const
export type Algorithm = (typeof ALGORITHMS)[number]

/** `Ed25519` is the name of RFC 9864 for what `EdDSA` means here. */
export function algorithmOf(name: unknown): Algorithm | undefined {
  if (name === 'Ed25519') return 'EdDSA'
  return ALGORITHMS.find((algorithm) => algorithm === name)
}

/** This is no key that tokens can be verified with. The message says why, and how to mend it. */
export class KeyError extends Error {
  override readonly name = 'KeyError'
}

/** RFC 7518 section 3.2: a key of at least the size of the hash. */
const SECRET_BYTES = 32
/** As bytes. @param name Where it comes from, for the message. @throws {KeyError} when it is too short */
export function checkSecret(secret: string | Uint8Array, name: string): Uint8Array {
  const bytes = typeof secret === 'string' ? new TextEncoder().encode(secret) : secret
  if (bytes.length >= SECRET_BYTES) return bytes
  throw new KeyError(
    `${name} must have at least ${SECRET_BYTES} bytes, got ${bytes.length}. Make one with: openssl rand -base64 ${SECRET_BYTES}`,
  )
}

/** https, or http on this machine. @throws {KeyError} */
export function checkJwksUrl(text: string): string {
  const url = URL.parse(text)
  const safe = url?.protocol === 'https:' || (url?.protocol === 'http:' && isLoopbackHost(url.host))
  if (url !== null && safe && url.username === '' && url.password === '') return url.href
  throw new KeyError('Expected an https URL such as https://id.example/.well-known/jwks.json')
}
