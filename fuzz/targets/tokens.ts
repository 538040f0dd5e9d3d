/** Tokens: none is taken that this hub's keys have not signed, whatever it says of itself. */
import { createHmac, createPrivateKey, createPublicKey, sign, timingSafeEqual, verify } from 'node:crypto'
import type { Authorize, AuthorizeRequest, Verdict } from '../../packages/hub/src/auth/authorize.ts'
import { createAuthorizer } from '../../packages/hub/src/auth/authorizer.ts'
import { Refusal } from '../../packages/hub/src/auth/refusal.ts'
import { mutateText, NASTY } from '../mutate.ts'
import type { Random } from '../random.ts'
import { must, mustBeShort, mustNotPollute, type Target } from '../target.ts'

const SECRET = 'a secret of at least thirty-two bytes'
/** Seconds since 1970, for good: a token is the same whenever it is made. */
const NOW = 1_800_000_000
const TOLERANCE = 5

/** Of a seed that stands here, so that its signatures are the same each time (RFC 8410 section 7). */
const privateKey = createPrivateKey({
  key: Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), Buffer.alloc(32, 7)]),
  format: 'der',
  type: 'pkcs8',
})
const publicKey = createPublicKey(privateKey)
const publicPem = String(publicKey.export({ format: 'pem', type: 'spki' }))

type Sign = (input: string) => Buffer
const hs256 =
  (secret: string): Sign =>
  (input) =>
    createHmac('sha256', secret).update(input).digest()
const eddsa: Sign = (input) => sign(null, Buffer.from(input), privateKey)

/** With the right key, with none, with another, and with what everybody knows as if it were a secret. */
const SIGNS: readonly Sign[] = [
  hs256(SECRET),
  hs256(SECRET),
  eddsa,
  () => Buffer.alloc(0),
  hs256('another secret of thirty-two bytes'),
  hs256(publicPem),
]

const HEADERS = [
  '{"alg":"HS256","typ":"JWT"}',
  '{"alg":"EdDSA"}',
  '{"alg":"Ed25519","typ":"at+jwt"}',
  '{"alg":"none"}',
  '{"alg":"HS512"}',
  '{"alg":"ES256"}',
  '{"alg":"RS256","kid":"a"}',
  '{"alg":"HS256","crit":["exp"],"exp":1}',
  '{"alg":"HS256","b64":false,"crit":["b64"]}',
  '{"alg":"HS256","typ":"logout+jwt"}',
  '{"alg":"HS256","kid":7}',
  '{"alg":["HS256"]}',
  '{"alg":"HS256","jwk":{"kty":"oct","k":"AAAA"}}',
  '{}',
  '[]',
  'null',
]
const PAYLOADS = [
  `{"sub":"alice","exp":${NOW + 60}}`,
  `{"sub":"alice","exp":${NOW + 60},"nbf":${NOW - 1},"iat":${NOW},"downlink":{"read":["user.{sub}.**"],"inspect":true}}`,
  `{"exp":${NOW + 60},"downlink":{"read":["a.*","$hub.**"],"publish":["a"]}}`,
  `{"sub":"a.b.*","exp":${NOW + 60},"downlink":{"read":["user.{sub}"]}}`,
  `{"sub":"alice","exp":${NOW - 60}}`,
  `{"sub":"alice","exp":${NOW + 60},"nbf":${NOW + 60}}`,
  `{"sub":"alice","exp":1e999}`,
  `{"sub":"alice","exp":"${NOW + 60}"}`,
  `{"sub":7,"exp":${NOW + 60}}`,
  `{"sub":"alice","exp":${NOW + 60},"aud":"others"}`,
  `{"sub":"alice","exp":${NOW + 60},"__proto__":{"polluted":1},"downlink":{"__proto__":["**"]}}`,
  `{"sub":"alice","exp":${NOW + 60},"downlink":{"read":"**"}}`,
  `{"sub":"alice"}`,
  '{}',
  '[]',
]

export const tokens: Target<string> = {
  name: 'tokens',
  claim: 'Only a token that one of the keys has signed, for its own algorithm and in its time, is anybody.',
  count: 1_000_000,
  short: 3_000,
  corpus: [
    ...PAYLOADS.map((payload) => made(HEADERS[0] as string, payload, hs256(SECRET))),
    ...HEADERS.flatMap((header) => SIGNS.slice(1).map((sign) => made(header, PAYLOADS[0] as string, sign))),
    '',
    '..',
    'a.b.c.d.e',
  ],
  make(random) {
    const header = random.oneIn(2) ? random.pick(HEADERS.slice(0, 3)) : partFor(random, HEADERS)
    const token = made(header, partFor(random, PAYLOADS), random.pick(SIGNS))
    return random.oneIn(4) ? mutateText(random, token, ['.', '=', '-', '_', ...NASTY.slice(0, 3)]) : token
  },
  async check(token) {
    const said = await decided(token)
    mustNotPollute()
    const holds = signatureHolds(token)
    if (said instanceof Refusal) {
      mustBeShort(said.message)
      must(!REFUSED_FOR_FAULT.has(said.code), 'what a stranger sends is taken for a fault of the hub')
      const [, payload = ''] = token.split('.')
      must(payload.length < 16 || !said.message.includes(payload), 'a refusal tells of the token')
      return holds ? 'signed, and refused' : 'refused'
    }
    must(holds, 'a token that nobody signed is somebody')
    const payload = jsonOf(token.split('.')[1]) as { exp: number; nbf?: number; sub?: string; aud?: unknown }
    must(
      payload.exp + TOLERANCE > NOW && (payload.nbf ?? 0) - TOLERANCE <= NOW,
      'it is taken out of its time',
    )
    must(payload.aud === undefined, 'a token for others is taken')
    must(typeof said === 'object' && said.subject === (payload.sub ?? ''), 'it is somebody else')
    must(!(said.read ?? []).some((pattern) => pattern.includes('{')), 'a template is taken for a name')
    return 'somebody'
  },
}

const REFUSED_FOR_FAULT = new Set(['keys-unavailable', 'cross-site'])

let authorize: Promise<Authorize> | undefined

async function decided(token: string): Promise<Verdict> {
  authorize ??= createAuthorizer({
    // Whatever it is, it may be inspected: what matters is who asks.
    rules: [{ allow: ['inspect'], to: 'known' }],
    jwt: {
      secret: SECRET,
      keys: publicKey.export({ format: 'jwk' }),
      clockToleranceMs: TOLERANCE * 1000,
      tokenInUrl: true,
    },
    now: () => NOW * 1000,
  })
  try {
    return await (
      await authorize
    )({ ...REQUEST, accessToken: token }, 'inspect', [])
  } catch (error) {
    if (error instanceof Refusal) return error
    throw error
  }
}

/** In the URL a token may have any characters. */
const REQUEST: Omit<AuthorizeRequest, 'accessToken'> = {
  method: 'GET',
  path: '/metrics',
  header: () => undefined,
  address: '127.0.0.1',
  crossSite: () => undefined,
  raw: undefined,
}

/** With `node:crypto` alone. */
function signatureHolds(token: string): boolean {
  const [header = '', payload = '', signature = '', ...more] = token.split('.')
  if (more.length > 0) return false
  const { alg } = (jsonOf(header) ?? {}) as { alg?: unknown }
  const input = `${header}.${payload}`
  const bytes = Buffer.from(signature, 'base64url')
  if (alg === 'EdDSA' || alg === 'Ed25519') return verify(null, Buffer.from(input), publicKey, bytes)
  const due = hs256(SECRET)(input)
  return alg === 'HS256' && bytes.length === due.length && timingSafeEqual(bytes, due)
}

function jsonOf(part = ''): unknown {
  try {
    // As jose decodes it: without a byte order mark.
    return JSON.parse(new TextDecoder().decode(Buffer.from(part, 'base64url')))
  } catch {
    return undefined
  }
}

function made(header: string, payload: string, sign: Sign): string {
  const input = `${Buffer.from(header).toString('base64url')}.${Buffer.from(payload).toString('base64url')}`
  return `${input}.${sign(input).toString('base64url')}`
}

function partFor(random: Random, parts: readonly string[]): string {
  const part = random.oneIn(2) ? (parts[random.below(3)] as string) : random.pick(parts)
  return random.oneIn(3)
    ? mutateText(random, part, ['"', ',', '{', '}', '"exp":', '"alg":', '"none"', '1e9', '**', '{sub}'])
    : part
}
