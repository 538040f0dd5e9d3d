/** Tokens made by hand with `node:crypto`, right and wrong ones, and a server of JWK sets. */
import { createHmac, generateKeyPairSync, type JsonWebKey, type KeyObject, sign } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { TestContext } from 'node:test'

export const SECRET = 'a secret of at least thirty-two bytes'

type Sign = (input: string) => Buffer

export interface Pair {
  readonly alg: 'RS256' | 'ES256' | 'EdDSA'
  readonly publicKey: KeyObject
  readonly privateKey: KeyObject
  /** The public key, as it stands in a set. */
  jwk(kid?: string): JsonWebKey & { kid?: string; alg: string }
  pem(): string
  sign: Sign
}

export function pairOf(alg: Pair['alg']): Pair {
  const { publicKey, privateKey } =
    alg === 'RS256'
      ? generateKeyPairSync('rsa', { modulusLength: 2048 })
      : alg === 'ES256'
        ? generateKeyPairSync('ec', { namedCurve: 'P-256' })
        : generateKeyPairSync('ed25519')
  return {
    alg,
    publicKey,
    privateKey,
    jwk: (kid) => ({ ...publicKey.export({ format: 'jwk' }), alg, ...(kid !== undefined && { kid }) }),
    pem: () => String(publicKey.export({ format: 'pem', type: 'spki' })),
    sign: (input) =>
      sign(alg === 'EdDSA' ? null : 'sha256', Buffer.from(input), {
        key: privateKey,
        dsaEncoding: 'ieee-p1363',
      }),
  }
}

export const hs256 =
  (secret: string | Buffer): Sign =>
  (input) =>
    createHmac('sha256', secret).update(input).digest()

/** A JWS of whatever header and payload; text is taken as it is. */
export function forge(header: object | string, payload: object | string, sign: Sign): string {
  const part = (value: object | string): string =>
    Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url')
  const input = `${part(header)}.${part(payload)}`
  return `${input}.${sign(input).toString('base64url')}`
}

export const seconds = (): number => Math.floor(Date.now() / 1000)

/** Claims of a token that holds for an hour. */
export const soon = (claims: object = {}): object => ({ sub: 'alice', exp: seconds() + 3600, ...claims })

/** A good token by the secret. */
export const token = (claims: object = {}, secret = SECRET): string =>
  forge({ alg: 'HS256', typ: 'JWT' }, soon(claims), hs256(secret))

export interface JwksServer {
  readonly url: string
  /** What it answers from now on; a function may answer by itself. */
  answer: object | string | ((res: ServerResponse) => void)
  /** How often it was asked. */
  asked: number
}

export async function jwksServer(t: TestContext, answer: JwksServer['answer']): Promise<JwksServer> {
  const server = createServer((_req, res) => {
    it.asked++
    if (typeof it.answer === 'function') return it.answer(res)
    res.setHeader('content-type', 'application/json')
    res.end(typeof it.answer === 'string' ? it.answer : JSON.stringify(it.answer))
  })
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const it: JwksServer = { url: `http://127.0.0.1:${port}/jwks.json`, answer, asked: 0 }
  return it
}
